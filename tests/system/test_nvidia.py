"""What the NVIDIA driver says, from a library that answers as it does: no machine here has one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stylizer.app import doctor
from stylizer.style import providers
from stylizer.system import nvidia
from stylizer.system.nvidia import Driver, nvidia_driver

MEMORY = 12 << 30


class Library:
    """libcuda, as far as it is asked; byref objects carry what they point to."""

    def __init__(self, version: int, gpus: int = 1, generation: tuple[int, int] = (8, 6)) -> None:
        self.version, self.gpus, self.generation = version, gpus, generation

    def cuDriverGetVersion(self, into: Any) -> int:
        into._obj.value = self.version
        return 0

    def cuInit(self, flags: int) -> int:
        return 0 if self.gpus else 100  # CUDA_ERROR_NO_DEVICE

    def cuDeviceGetCount(self, into: Any) -> int:
        into._obj.value = self.gpus
        return 0

    def cuDeviceGetName(self, into: Any, length: int, device: int) -> int:
        into.value = b"NVIDIA GeForce RTX 3060"
        return 0

    def cuDeviceGetAttribute(self, into: Any, attribute: int, device: int) -> int:
        into._obj.value = {75: self.generation[0], 76: self.generation[1]}[attribute]
        return 0

    def cuDeviceTotalMem_v2(self, into: Any, device: int) -> int:
        into._obj.value = MEMORY
        return 0


def test_no_library_is_no_driver():
    def missing(name: str) -> Any:
        raise OSError(f"{name}: cannot open shared object file")

    assert nvidia_driver(missing) is None


@pytest.mark.parametrize(
    ("library", "found", "unfit", "fix"),
    [
        (Library(13000), Driver((13, 0), "NVIDIA GeForce RTX 3060", (8, 6), MEMORY), "", ""),
        (
            Library(12040),
            Driver((12, 4), "NVIDIA GeForce RTX 3060", (8, 6), MEMORY),
            "the NVIDIA driver is for CUDA 12.4, and CUDA 13 needs 580",
            "install the NVIDIA driver 580 or newer",
        ),
        (
            Library(12080, generation=(6, 1)),
            Driver((12, 8), "NVIDIA GeForce RTX 3060", (6, 1), MEMORY),
            "compute 6.1) is older than CUDA 13 knows",
            "use --provider gl",
        ),
        (Library(13000, gpus=0), Driver((13, 0)), "the NVIDIA driver sees no GPU", "install"),
    ],
    ids=["fit", "old driver", "old GPU", "no GPU"],
)
def test_what_is_found_and_what_helps(monkeypatch, library, found, unfit, fix):
    assert nvidia_driver(lambda name: library) == found
    assert unfit in found.unfit
    assert bool(unfit) == bool(found.unfit)
    monkeypatch.setattr(nvidia, "nvidia_driver", lambda: found)
    monkeypatch.setattr(providers, "nvidia_driver", lambda: found)
    (told,) = doctor._nvidia()
    assert told.works == (not unfit)
    assert fix in told.fix
    if unfit:
        with pytest.raises(providers.ProviderProblem) as caught:
            providers._load_cuda()
        assert unfit in str(caught.value)
        assert fix in caught.value.fix


def test_a_driver_without_cudas_libraries_is_told_the_extra(monkeypatch):
    """All is as on such a machine but for the driver: the provider's library is really loaded."""
    if not providers.is_installed(providers.PROVIDERS["cuda"]):
        pytest.skip("onnxruntime-gpu is not installed")
    fit = Driver((13, 0), "NVIDIA GeForce RTX 3060", (8, 6), MEMORY)
    monkeypatch.setattr(providers, "nvidia_driver", lambda: fit)
    from stylizer.style.inspection import prove_provider

    works, told = prove_provider("cuda")
    assert not works
    assert "cannot open shared object file" in told
    assert told.endswith('to fix it: pip install "stylizer[cuda]"')


def test_a_session_takes_half_of_the_gpus_memory_at_most(monkeypatch):
    fit = Driver((13, 0), "NVIDIA GeForce RTX 3060", (8, 6), MEMORY)
    for driver, limit in ((fit, str(MEMORY // 2)), (replace(fit, memory_bytes=0), None)):
        monkeypatch.setattr(providers, "nvidia_driver", lambda d=driver: d)
        options = providers.PROVIDERS["cuda"].options()
        assert options.get("gpu_mem_limit") == limit
        assert options["arena_extend_strategy"] == "kSameAsRequested"


def test_without_a_driver_doctor_says_nothing_of_it(monkeypatch):
    monkeypatch.setattr(nvidia, "nvidia_driver", lambda: None)
    assert doctor._nvidia() == []
