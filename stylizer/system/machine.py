"""What the figures were measured on: processor, GPU, system, versions, and memory used."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from typing import Any

import psutil

from stylizer.stages import is_software_gl

PACKAGES = ("numpy", "onnxruntime-gpu", "onnxruntime", "openvino", "moderngl", "pygame-ce", "av")


def peak_rss_mb() -> float:
    """Highest resident memory of this process so far, in MiB."""
    info = psutil.Process().memory_info()
    if sys.platform == "win32":
        return info.peak_wset / 2**20
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


def machine(gl_renderer: str) -> dict[str, Any]:
    """What the figures were measured on."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "cpu": cpu_name(),
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "gpu": None if is_software_gl(gl_renderer) else gl_renderer,
        "gl_renderer": gl_renderer,
        "os": platform.platform(),
        "python": platform.python_version(),
        "versions": versions,
    }


def cpu_name() -> str:
    """The processor's name, as the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
