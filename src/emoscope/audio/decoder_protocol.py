"""Wire protocol between a process and its decoder worker: JSON headers and raw bytes.

Never a pickle: the decoder reads untrusted bytes, and a pickle from a decoder that was taken over
would run its code in the process that holds the model.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any, TypeAlias

_HEAD = struct.Struct("<IQ")
"""Bytes of the note, bytes of the body."""
_NOTE_MAX = 64 * 1024
_PIECE = 1 << 20

Note: TypeAlias = dict[str, Any]


class ProtocolError(ValueError):
    """A message that breaks the protocol: too large, cut off, or not JSON."""


def send_message(line: socket.socket, note: Note, body: bytes | memoryview = b"") -> None:
    """Send a note and a body.

    Args:
        line: connected to the other process.
        note: what JSON can hold, at most 64 KiB of it.
        body: plain bytes of any length; none by default.

    Raises:
        OSError: the line broke, or ``TimeoutError`` when the other side did not read in time.
    """
    text = json.dumps(note).encode()
    view = memoryview(body).cast("B")
    line.sendall(_HEAD.pack(len(text), len(view)) + text)
    line.sendall(view)


def receive_message(line: socket.socket, *, max_bytes: int) -> tuple[Note, bytearray] | None:
    """Return the next note and its body, or None when the other side has closed.

    Args:
        line: where from; its own timeout holds for each wait.
        max_bytes: largest body that is taken.

    Raises:
        ProtocolError: the message is too large, cut off, or its note is no JSON object.
        OSError: the line broke, or ``TimeoutError`` when it was silent for too long.
    """
    head = _exactly(line, _HEAD.size)
    if head is None:
        return None
    note_bytes, body_bytes = _HEAD.unpack(head)
    if note_bytes > _NOTE_MAX or body_bytes > max_bytes:
        raise ProtocolError(f"{note_bytes} and {body_bytes} bytes are announced")
    text, body = _exactly(line, note_bytes), _exactly(line, body_bytes)
    if text is None or body is None:
        raise ProtocolError("cut off")
    try:
        note = json.loads(text)
    except ValueError as exc:
        raise ProtocolError("no JSON") from exc
    if not isinstance(note, dict):
        raise ProtocolError("no JSON object")
    return note, body


def _exactly(line: socket.socket, size: int) -> bytearray | None:
    """Return so many bytes; None when the line was closed before the last."""
    data = bytearray(size)
    view, filled = memoryview(data), 0
    while filled < size:
        got = line.recv_into(view[filled : filled + _PIECE])
        if not got:
            return None
        filled += got
    return data
