"""A Wayland socket that lets xdg-desktop-portal-wlr run on machines without a GPU.

`portal_proxy.py LISTEN TARGET`; says "ready". xdg-desktop-portal-wlr 0.7 refuses a compositor that
names no DMA-BUF format for wlr-screencopy (its issue 289, open), as sway on the software renderer
does not, though it then goes by shared memory. All passes untouched, descriptors too; only each
frame's `buffer` event (shared memory) is followed by a `linux_dmabuf` event of the same size, which
nobody takes up.
"""

import array
import os
import select
import socket
import struct
import sys

MANAGER = b"zwlr_screencopy_manager_v1\0"
DISPLAY, GET_REGISTRY, BIND = 1, 1, 0  # object and requests of the core protocol
CAPTURE = (0, 1)  # the manager's requests that make a frame
DESTROY, BUFFER, LINUX_DMABUF = 1, 0, 5  # the frame's request and events
XR24 = 0x34325258  # DRM_FORMAT_XRGB8888


def receive(sock: socket.socket) -> tuple[bytes, list[int]]:
    """Bytes and descriptors that came in; b"" at the end."""
    size = array.array("i").itemsize
    data, ancillary, _, _ = sock.recvmsg(65536, socket.CMSG_SPACE(64 * size))
    fds = array.array("i")
    for level, kind, words in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(words[: len(words) - len(words) % size])
    return data, list(fds)


def send(sock: socket.socket, data: bytes, fds: list[int]) -> None:
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    sent = sock.sendmsg([data], rights)
    sock.sendall(data[sent:])
    for fd in fds:
        os.close(fd)


class Client:
    """One connection and the one behind it."""

    def __init__(self, client: socket.socket, target: str) -> None:
        self.client, self.server = client, socket.socket(socket.AF_UNIX)
        self.server.connect(target)
        self.left = {self.client: b"", self.server: b""}  # of a message not yet whole
        self.fds: dict[socket.socket, list[int]] = {self.client: [], self.server: []}
        self.registries: set[int] = set()
        self.managers: set[int] = set()
        self.frames: set[int] = set()

    def forward(self, source: socket.socket) -> bool:
        """Pass on what is whole; False at the end."""
        try:
            data, fds = receive(source)
            if not data:
                return False
            data, out = self.left[source] + data, bytearray()
            while len(data) >= 8:
                who, word = struct.unpack_from("=II", data)
                if len(data) < word >> 16:
                    break
                out += self.message(source, who, word & 0xFFFF, data[: word >> 16])
                data = data[word >> 16 :]
            self.left[source] = data
            self.fds[source] += fds
            if out:
                fds, self.fds[source] = self.fds[source], []
                send(self.server if source is self.client else self.client, bytes(out), fds)
            return True
        except OSError:
            return False

    def message(self, source: socket.socket, who: int, opcode: int, message: bytes) -> bytes:
        """The message, and what is said after it."""
        if source is self.client:
            self.note(who, opcode, message)
        elif who in self.frames and opcode == BUFFER:
            size = struct.unpack_from("=II", message, 12)
            return message + struct.pack("=IIIII", who, 20 << 16 | LINUX_DMABUF, XR24, *size)
        return message

    def note(self, who: int, opcode: int, message: bytes) -> None:
        """Which objects of the client are frames of screencopy."""
        if (who, opcode) == (DISPLAY, GET_REGISTRY):
            self.registries.add(struct.unpack_from("=I", message, 8)[0])
        elif who in self.registries and opcode == BIND and MANAGER in message:
            self.managers.add(struct.unpack("=I", message[-4:])[0])
        elif who in self.managers and opcode in CAPTURE:
            self.frames.add(struct.unpack_from("=I", message, 8)[0])
        elif who in self.frames and opcode == DESTROY:
            self.frames.discard(who)


def main() -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{sys.argv[1]}.new")
    listener.listen()
    os.rename(f"{sys.argv[1]}.new", sys.argv[1])  # who sees it can connect
    print("ready", flush=True)
    of: dict[socket.socket, Client] = {}
    while True:
        for ready in select.select([listener, *of], [], [])[0]:
            if ready is listener:
                one = Client(listener.accept()[0], sys.argv[2])
                of |= {one.client: one, one.server: one}
            elif ready in of and not of[ready].forward(ready):
                one = of[ready]
                for end in (one.client, one.server):
                    del of[end]
                    end.close()


if __name__ == "__main__":
    main()
