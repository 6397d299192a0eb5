"""Which video nodes there are in the user's PipeWire: cameras, and what programs send."""

from __future__ import annotations

import ctypes as c
from dataclasses import dataclass

from stylizer.errors import StylizerError
from stylizer.system.libpipewire import method
from stylizer.system.pipewire import CORE, Connection, Hook

VIDEO = "Video/Source"
GET_REGISTRY, SYNC = 5, 2  # of pw_core_methods
ADD_LISTENER = 0  # of pw_registry_methods
REGISTRY_VERSION = 3
ANSWER_S = 5.0


@dataclass(frozen=True)
class Node:
    """serial: names it for good, other than its id, which may be given again."""

    id: int
    serial: str
    name: str
    description: str

    def __str__(self) -> str:
        told = f" ({self.description})" if self.description else ""
        return f"{self.id}: {self.name}{told}"


class _Item(c.Structure):
    """spa_dict_item"""

    _fields_ = [("key", c.c_char_p), ("value", c.c_char_p)]


class _Dict(c.Structure):
    """spa_dict"""

    _fields_ = [("flags", c.c_uint32), ("n_items", c.c_uint32), ("items", c.POINTER(_Item))]


_GLOBAL = c.CFUNCTYPE(
    None, c.c_void_p, c.c_uint32, c.c_uint32, c.c_char_p, c.c_uint32, c.POINTER(_Dict)
)


class _RegistryEvents(c.Structure):
    """pw_registry_events, version 0."""

    _fields_ = [("version", c.c_uint32), ("on_global", _GLOBAL), ("on_remove", c.c_void_p)]


class _Registry(Connection):
    """Collects what the registry tells until all of it is told."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._done = False
        super().__init__(None)

    def read(self) -> list[Node]:
        assert self._core is not None, "it was connected just now"
        get = method(self._core, GET_REGISTRY, c.c_void_p, c.c_uint32, c.c_size_t)
        registry = get(REGISTRY_VERSION, 0)
        if not registry:
            raise StylizerError("PipeWire does not tell what there is")
        self._events = _RegistryEvents(on_global=_GLOBAL(self._on_global))
        self._registry_hook = Hook()
        add = method(registry, ADD_LISTENER, c.c_int, c.c_void_p, c.c_void_p, c.c_void_p)
        add(c.addressof(self._registry_hook), c.addressof(self._events), None)
        method(self._core, SYNC, c.c_int, c.c_uint32, c.c_int)(CORE, 0)
        self._listen()
        with self._lock:
            if not self._lock.wait_for(lambda: self._done or self._lost, ANSWER_S) or self._lost:
                raise StylizerError("PipeWire does not answer: is it running?")
        self._pw.pw_thread_loop_stop(self._loop)
        self._pw.pw_proxy_destroy(registry)
        return self.nodes

    def _on_core_done(self, _: int, who: int, sequence: int) -> None:
        with self._lock:
            self._done = True
            self._lock.notify_all()

    def _on_global(
        self, _: int, number: int, __: int, kind: bytes, ___: int, properties: c._Pointer[_Dict]
    ) -> None:
        if not properties or not kind.endswith(b":Node"):
            return
        found = properties.contents
        told = {
            (item.key or b"").decode(errors="replace"): (item.value or b"").decode(errors="replace")
            for item in found.items[: found.n_items]
        }
        if told.get("media.class") == VIDEO:
            serial = told.get("object.serial", str(number))
            name, description = told.get("node.name", ""), told.get("node.description", "")
            self.nodes.append(Node(number, serial, name, description))


def video_nodes() -> list[Node]:
    """Raises StylizerError without libpipewire, or where PipeWire does not answer."""
    registry = _Registry()
    try:
        return registry.read()
    finally:
        registry.close()
