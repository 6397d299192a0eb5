"""The NVIDIA driver, asked directly: whether there is one, for which CUDA, and for which GPU."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# What onnxruntime-gpu is built for: CUDA 13 came with driver 580, and it holds code for Turing
# (GTX 16xx, RTX 20xx) and later only.
CUDA_NEEDED, DRIVER_NEEDED = (13, 0), 580
GENERATION_NEEDED = (7, 5)
_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_...


@dataclass(frozen=True)
class Driver:
    """cuda: (major, minor) that it can run. gpu: the first one's name, "" for none. generation: its
    compute capability. memory_bytes: of that GPU, 0 where it does not say."""

    cuda: tuple[int, int]
    gpu: str = ""
    generation: tuple[int, int] = (0, 0)
    memory_bytes: int = 0

    @property
    def unfit(self) -> str:
        """Why ONNX Runtime's CUDA provider cannot use it, "" where it can."""
        cuda = "{}.{}".format(*self.cuda)
        if not self.gpu:
            return "the NVIDIA driver sees no GPU"
        if self.generation < GENERATION_NEEDED:
            generation = "{}.{}".format(*self.generation)
            return f"the {self.gpu} (compute {generation}) is older than CUDA 13 knows (7.5)"
        if self.cuda < CUDA_NEEDED:
            return f"the NVIDIA driver is for CUDA {cuda}, and CUDA 13 needs {DRIVER_NEEDED}"
        return ""

    @property
    def fix(self) -> str:
        """What helps against it."""
        if self.gpu and self.generation < GENERATION_NEEDED:
            return "use --provider gl, which draws on any GPU"
        return f"install the NVIDIA driver {DRIVER_NEEDED} or newer"

    def __str__(self) -> str:
        cuda = "CUDA {}.{}".format(*self.cuda)
        return f"{self.gpu or 'no GPU'}, its driver is for {cuda}"


def nvidia_driver(load: Callable[[str], Any] = ctypes.CDLL) -> Driver | None:
    """The driver that is installed; None without one. load: opens a library by name, or raises
    OSError."""
    try:
        library = load("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return None
    version, count = ctypes.c_int(0), ctypes.c_int(0)
    library.cuDriverGetVersion(ctypes.byref(version))
    cuda = version.value // 1000, version.value % 1000 // 10
    if library.cuInit(0) or library.cuDeviceGetCount(ctypes.byref(count)) or not count.value:
        return Driver(cuda)
    name, major, minor = ctypes.create_string_buffer(256), ctypes.c_int(0), ctypes.c_int(0)
    library.cuDeviceGetName(name, len(name), 0)
    library.cuDeviceGetAttribute(ctypes.byref(major), _MAJOR, 0)
    library.cuDeviceGetAttribute(ctypes.byref(minor), _MINOR, 0)
    memory = ctypes.c_size_t(0)
    library.cuDeviceTotalMem_v2(ctypes.byref(memory), 0)
    gpu = name.value.decode(errors="replace").strip() or "GPU"
    return Driver(cuda, gpu, (major.value, minor.value), memory.value)
