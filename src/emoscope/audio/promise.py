"""Whether a file holds less than its own header says, as after half a transfer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

_OGG_PAGE_BYTES = 65_307
"""The largest page of an Ogg file."""
_OGG_LAST = 0x04
"""Flag of the last page."""
_COUNTING = {"flac", "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2"}
"""Containers whose header states the length; the others' lengths are estimates of FFmpeg."""
_PLACEHOLDER_BYTES = 0x7FFF_0000
"""A RIFF size from here on was written by a program that did not know it."""


class Readable(Protocol):
    """The bytes of a file, wherever they lie."""

    def read(self, size: int = -1, /) -> bytes:
        """As of a binary file."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """As of a binary file."""

    def tell(self) -> int:
        """As of a binary file."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What is known of a file before its sound is decoded."""

    container: str
    claimed_s: float
    """Length by the header; 0 when it has none that can be believed."""
    size_bytes: int


def is_broken(promise: Promise, reader: Readable, head: bytes, heard_s: float) -> bool:
    """Whether the file ends early.

    Args:
        promise: what it says of itself.
        reader: its bytes, from which the last ones may be read.
        head: its first bytes.
        heard_s: seconds of sound that came out of it.
    """
    if head[:4] == b"RIFF":
        riff_bytes = int.from_bytes(head[4:8], "little") + 8
        return promise.size_bytes < riff_bytes < _PLACEHOLDER_BYTES
    if head[:4] == b"OggS":
        reader.seek(max(0, promise.size_bytes - _OGG_PAGE_BYTES))
        last_page = reader.read(_OGG_PAGE_BYTES).rpartition(b"OggS")[2]
        return not (len(last_page) > 1 and last_page[1] & _OGG_LAST)
    counts = promise.container in _COUNTING or b"Xing" in head or b"Info" in head
    return counts and heard_s < promise.claimed_s * 0.99 - 0.5
