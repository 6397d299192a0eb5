"""A video node of the user's PipeWire, by its name: what gamescope shows, a camera.

gamescope's is written for by reading its source (src/pipewire.cpp: a Video/Source named
"gamescope", BGRx, shared memory where nobody asks for DMA-BUF), and has not been seen; the tests
run a node of that kind.
"""

from __future__ import annotations

from typing import final

from stylizer.errors import BadInput
from stylizer.settings import Settings
from stylizer.source.wayland.pipewire import VideoStream
from stylizer.source.wayland.streamed import StreamSource
from stylizer.stages import SourceEnded
from stylizer.system.pipewire_nodes import Node, video_nodes
from stylizer.system.terminal import tell


@final
class NodeSource(StreamSource):
    """Newest frames of the node that settings.node names, or numbers.

    Raises BadInput when there is no such node, StylizerError without PipeWire, or when no picture
    comes; `read` raises SourceEnded when the node is gone.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        node = find(settings.node)
        self.title = node.description or node.name
        self.capture_method = f"PipeWire (shared memory): node {node.name}"
        try:
            self._stream = VideoStream(None, serial=node.serial)
            self._first = self._wait_for_first()
        except BaseException:
            self.close()
            raise

    def _look_after_it(self, stream: VideoStream) -> None:
        if stream.broken:
            why = f"what PipeWire showed has ended ({stream.broken})"
            tell(why)
            raise SourceEnded(why)
        if self._number:
            self.state = "paused by its program" if stream.is_paused else ""


def find(wanted: str) -> Node:
    """The node of this name or number; the newest of several. Raises BadInput, listing what is."""
    nodes = video_nodes()
    found = [node for node in nodes if wanted.lower() == node.name.lower()]
    found = found or [node for node in nodes if wanted == str(node.id)]
    if not found:
        there = "; ".join(map(str, nodes)) or "none"
        raise BadInput(f"PipeWire has no video node {wanted!r}; there are: {there}")
    return found[-1]
