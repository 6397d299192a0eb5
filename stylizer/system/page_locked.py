"""Memory that a CUDA device copies to and from directly.

Arrays from anywhere else CUDA first copies into memory of its own, at a fraction of the bus's rate.
By the runtime library that ONNX Runtime has loaded: cudaHostAlloc, cudaMemcpy, cudaFreeHost.
"""

from __future__ import annotations

import ctypes
import math
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

RUNTIME = "cudart64_13.dll" if sys.platform == "win32" else "libcudart.so.13"
PORTABLE = 1  # cudaHostAllocPortable: for all threads
TO_HOST = 2  # cudaMemcpyDeviceToHost
MOST_SPARE = 4  # pieces kept for the next picture

_P, _N = ctypes.c_void_p, ctypes.c_size_t
_SIGNATURES = {
    "cudaHostAlloc": [ctypes.POINTER(_P), _N, ctypes.c_uint],
    "cudaFreeHost": [_P],
    "cudaMemcpy": [_P, _P, _N, ctypes.c_int],
}


class PageLocked:
    """Arrays in such memory, from any thread. A piece is used again when nobody holds its array any
    more: pictures are not overwritten while they are looked at.

    load: opens a library by name. Raises OSError, in words, without one or where CUDA refuses.
    """

    def __init__(self, load: Callable[[str], Any] = ctypes.CDLL) -> None:
        self._cuda = load(RUNTIME)
        for name, types in _SIGNATURES.items():
            getattr(self._cuda, name).argtypes = types
        self._spare: list[tuple[int, int]] = []  # (address, bytes), the oldest first
        self._closed = False
        self._lock = threading.RLock()  # an array may end while it is held

    def empty(self, shape: tuple[int, ...], dtype: Any = np.uint8) -> np.ndarray:
        """An array whose values are not set."""
        count = math.prod(shape) * np.dtype(dtype).itemsize
        address = self._taken(count)
        piece = _Piece(address, count)
        weakref.finalize(piece, self._put, address, count).atexit = False
        return np.asarray(piece).view(dtype).reshape(shape)

    def fetch(self, address: int, shape: tuple[int, ...], dtype: Any = np.uint8) -> np.ndarray:
        """A copy of what lies on the device at that address."""
        found = self.empty(shape, dtype)
        self._checked(self._cuda.cudaMemcpy(found.ctypes.data, address, found.nbytes, TO_HOST))
        return found

    def close(self) -> None:
        """Free what is not held; the rest when its array ends. May be called twice."""
        with self._lock:
            self._closed = True
            self._free_spare(0)

    def _taken(self, count: int) -> int:
        with self._lock:
            for number, (address, size) in enumerate(self._spare):
                if size == count:
                    del self._spare[number]
                    return address
        place = _P()
        self._checked(self._cuda.cudaHostAlloc(ctypes.byref(place), count, PORTABLE))
        assert place.value is not None
        return place.value

    def _put(self, address: int, count: int) -> None:
        with self._lock:
            self._spare.append((address, count))
            self._free_spare(0 if self._closed else MOST_SPARE)

    def _free_spare(self, most: int) -> None:
        while len(self._spare) > most:
            self._cuda.cudaFreeHost(self._spare.pop(0)[0])

    def _checked(self, code: int) -> None:
        if code:
            raise OSError(f"CUDA error {code} from page-locked memory")


class _Piece:
    """What numpy makes an array of, and keeps until the last view of it has ended."""

    def __init__(self, address: int, count: int) -> None:
        self.__array_interface__ = {
            "data": (address, False), "shape": (count,), "typestr": "|u1", "version": 3,
        }  # fmt: skip
