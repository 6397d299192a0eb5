"""Which nodes there are in the user's PipeWire: cameras, what programs send, what they play."""

from __future__ import annotations

import ctypes as c
from dataclasses import dataclass, replace

from stylizer.errors import StylizerError
from stylizer.system.libpipewire import method
from stylizer.system.pipewire import CORE, Connection, Hook

VIDEO, SOUND = "Video/Source", "Stream/Output/Audio"
GET_REGISTRY, SYNC = 5, 2  # of pw_core_methods
ADD_LISTENER, BIND = 0, 1  # of pw_registry_methods; a node's begin alike
REGISTRY_VERSION = NODE_VERSION = 3
ANSWER_S = 5.0


@dataclass(frozen=True)
class Node:
    """serial: names it for good, other than its id, which may be given again. processes: of the
    program that has it, as far as it is known."""

    id: int
    serial: str
    name: str
    description: str
    processes: frozenset[int] = frozenset()

    def __str__(self) -> str:
        more = f" ({self.description})" if self.description else ""
        return f"{self.id}: {self.name}{more}"


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


class _NodeInfo(c.Structure):
    """pw_node_info, up to its properties."""

    _fields_ = [("id", c.c_uint32), ("most_inputs", c.c_uint32), ("most_outputs", c.c_uint32),
                ("changed", c.c_uint64), ("inputs", c.c_uint32), ("outputs", c.c_uint32),
                ("state", c.c_int), ("error", c.c_char_p), ("props", c.POINTER(_Dict))]  # fmt: skip


_INFO = c.CFUNCTYPE(None, c.c_void_p, c.POINTER(_NodeInfo))


class _NodeEvents(c.Structure):
    """pw_node_events, version 0."""

    _fields_ = [("version", c.c_uint32), ("info", _INFO), ("param", c.c_void_p)]


class _Registry(Connection):
    """Collects what the registry tells until all of it is told."""

    def __init__(self, media_class: str) -> None:
        self.nodes: list[Node] = []
        self._wanted, self._answers = media_class, 0
        self._processes: dict[str, set[int]] = {}  # serial of a node, or id of a client -> theirs
        self._clients: dict[str, str] = {}  # serial of a node -> its client
        self._bound: list[tuple[int, _NodeEvents, Hook]] = []  # kept: PipeWire calls what they hold
        self._registry = 0
        super().__init__(None)

    def read(self) -> list[Node]:
        assert self._core is not None, "it was connected just now"
        get = method(self._core, GET_REGISTRY, c.c_void_p, c.c_uint32, c.c_size_t)
        self._registry = get(REGISTRY_VERSION, 0)
        if not self._registry:
            raise StylizerError("PipeWire does not tell what there is")
        self._events = _RegistryEvents(on_global=_GLOBAL(self._on_global))
        self._registry_hook = Hook()
        self._listen_to(self._registry, self._registry_hook, self._events)
        self._ask()
        self._listen()
        with self._lock:
            # Twice: the nodes tell more of themselves when they are known.
            answered = self._lock.wait_for(lambda: self._answers > 1 or self._lost, ANSWER_S)
            if not answered or self._lost:
                raise StylizerError("PipeWire does not answer: is it running?")
        self._pw.pw_thread_loop_stop(self._loop)
        for proxy, _, _ in self._bound:
            self._pw.pw_proxy_destroy(proxy)
        self._pw.pw_proxy_destroy(self._registry)
        return [replace(node, processes=self._processes_of(node)) for node in self.nodes]

    def _processes_of(self, node: Node) -> frozenset[int]:
        client = f"client {self._clients.get(node.serial)}"
        return frozenset(
            self._processes.get(node.serial, set()) | self._processes.get(client, set())
        )

    def _ask(self) -> None:
        method(self._core or 0, SYNC, c.c_int, c.c_uint32, c.c_int)(CORE, 0)

    @staticmethod
    def _listen_to(thing: int, hook: Hook, events: c.Structure) -> None:
        add = method(thing, ADD_LISTENER, c.c_int, c.c_void_p, c.c_void_p, c.c_void_p)
        add(c.addressof(hook), c.addressof(events), None)

    def _on_core_done(self, _: int, who: int, sequence: int) -> None:
        with self._lock:
            self._answers += 1
            self._lock.notify_all()
        if self._answers == 1:
            self._ask()

    def _on_global(
        self, _: int, number: int, __: int, kind: bytes, ___: int, properties: c._Pointer[_Dict]
    ) -> None:
        facts = _texts(properties)
        if kind.endswith(b":Client"):
            self._processes[f"client {number}"] = _numbers(facts, "pipewire.sec.pid")
        if not kind.endswith(b":Node") or facts.get("media.class") != self._wanted:
            return
        serial = facts.get("object.serial", str(number))
        name, description = facts.get("node.name", ""), facts.get("node.description", "")
        self.nodes.append(Node(number, serial, name, description))
        self._clients[serial] = facts.get("client.id", "")
        if self._wanted == SOUND:
            self._look_into(number, kind, serial)

    def _look_into(self, number: int, kind: bytes, serial: str) -> None:
        """Of which process it is: what a PulseAudio program says of itself is told by the node
        alone, since PipeWire knows it as one of the PulseAudio server's."""
        arguments = c.c_uint32, c.c_char_p, c.c_uint32, c.c_size_t
        proxy = method(self._registry, BIND, c.c_void_p, *arguments)(number, kind, NODE_VERSION, 0)
        if not proxy:
            return

        def on_info(_: int, info: c._Pointer[_NodeInfo]) -> None:
            own = _numbers(_texts(info.contents.props), "application.process.id")
            self._processes.setdefault(serial, set()).update(own)

        events, hook = _NodeEvents(info=_INFO(on_info)), Hook()
        self._bound.append((proxy, events, hook))
        self._listen_to(proxy, hook, events)


def _texts(properties: c._Pointer[_Dict]) -> dict[str, str]:
    if not properties:
        return {}
    found = properties.contents
    return {
        (item.key or b"").decode(errors="replace"): (item.value or b"").decode(errors="replace")
        for item in found.items[: found.n_items]
    }


def _numbers(facts: dict[str, str], key: str) -> set[int]:
    text = facts.get(key, "")
    return {int(text)} if text.isdigit() else set()


def video_nodes() -> list[Node]:
    """Raises StylizerError without libpipewire, or where PipeWire does not answer."""
    return _read(VIDEO)


def sound_streams() -> list[Node]:
    """What programs play, each with its processes. Raises as `video_nodes` does."""
    return _read(SOUND)


def _read(media_class: str) -> list[Node]:
    registry = _Registry(media_class)
    try:
        return registry.read()
    finally:
        registry.close()
