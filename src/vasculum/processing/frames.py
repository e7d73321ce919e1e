"""Messages between a job and its child: length-prefixed pickles over two pipes, both ends ours."""

from __future__ import annotations

import pickle
import struct
import threading
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">Q")


class Frames:
    """One end of the conversation, over unbuffered pipes. Sending is safe from several threads."""

    def __init__(self, source: BinaryIO, target: BinaryIO) -> None:
        self._source = source
        self._target = target
        self._lock = threading.Lock()

    def send(self, message: Any) -> None:
        """Send one picklable message. Raises OSError where the other end is gone."""
        data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        rest = memoryview(_LENGTH.pack(len(data)) + data)
        with self._lock:
            while rest:
                rest = rest[self._target.write(rest) :]

    def receive(self) -> Any:
        """Return the next message. Raises EOFError where the other end is gone."""
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        return pickle.loads(self._exactly(length))

    def _exactly(self, length: int) -> bytes:
        parts: list[bytes] = []
        while length:
            part = self._source.read(min(length, 1 << 20))  # what there is, up to so much
            if not part:
                raise EOFError
            parts.append(part)
            length -= len(part)
        return b"".join(parts)
