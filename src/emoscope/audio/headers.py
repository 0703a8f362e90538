"""Header parser for media containers: the length of sound that a file states.

FFmpeg mixes lengths that a header states with lengths that it guesses from the file's size, and it
does not tell which is which. Whether a file was cut off, and whether it may be refused before it is
decoded, can only be judged by what is stated; so that is read here. Headers are
untrusted input: every loop has a bound, and no size that a file states is allocated.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from emoscope.audio.mpeg import counted_s

_CHUNKS = 1_024
"""So many chunks of one level are looked at; a recording has about ten."""
_UNKNOWN_32 = 0x7F00_0000
"""A size of 32 bits from here on was written by a program that did not know it (a pipe)."""
_UNKNOWN_64 = 1 << 60
_ROUND = (100_000_000, 1 << 26)
"""A multiple of these was written by a program that did not know better, too."""
_HEADS_BYTES = (0, 8, 36, 44)
"""What such programs take off for the header."""
_OGG_PAGE_BYTES = 65_307
"""The largest page of an Ogg file."""
_OGG_TAIL_BYTES = 1 << 20
"""How far from its end an Ogg file is searched for its last page."""
_MPEG_WINDOW = 8_192
"""Bytes behind the tags of an MP3 in which its first frame must lie."""
_ID3_TAGS = 16
_EBML_SEGMENT = 0x18538067


class Readable(Protocol):
    """Protocol of a seekable byte source."""

    def read(self, size: int = -1, /) -> bytes:
        """As of a binary file."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """As of a binary file."""

    def tell(self) -> int:
        """As of a binary file."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a file states about its sound; each field is empty where the format does not."""

    present_bytes: int = 0
    """Bytes of sound that are in the file."""
    missing_bytes: int = 0
    """Bytes that its header counts and that are not there."""
    is_open: bool = False
    """Whether the header leaves the number of bytes open, as pipes make it."""
    length_s: float | None = None
    """Seconds of sound, counted in samples or frames (FLAC, MP3)."""
    is_cut: bool = False
    """The last page, or the whole file, is shorter than stated (Ogg, Matroska)."""
    states_size: bool = False
    """Whether the size of the whole file is stated (Matroska)."""


def read_header(reader: Readable, size_bytes: int) -> Header:
    """Read what a file states about its sound; the reader's position is lost.

    Args:
        reader: its bytes.
        size_bytes: how many there are.
    """
    head = read_at(reader, 0, 16)
    if head[:4] == b"OggS":
        return Header(is_cut=_last_page_is_cut(reader, size_bytes))
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return _matroska(reader, size_bytes)
    if (sound := _sound_chunk(reader, size_bytes)) is not None:
        at, stated = sound
        there = max(0, size_bytes - at)
        if stated is None:
            return Header(is_open=True)
        return Header(present_bytes=min(stated, there), missing_bytes=max(0, stated - there))
    at = _behind_id3(reader)
    if read_at(reader, at, 4) == b"fLaC":
        return Header(length_s=_flac_s(read_at(reader, at, 42)))
    return Header(length_s=counted_s(read_at(reader, at, _MPEG_WINDOW)))


def read_at(reader: Readable, at: int, size: int) -> bytes:
    """Read bytes at a position of a file.

    Args:
        reader: the file; its position is lost.
        at: offset of the first byte.
        size: number of bytes; fewer are returned at the end of the file.
    """
    reader.seek(at)
    return reader.read(size)


# --- Chunks: WAV, RF64, BW64, W64, AIFF, CAF ---


@dataclass(frozen=True, slots=True)
class ChunkForm:
    """Layout of a chunked container (RIFF, AIFF, CAF and similar)."""

    first: int
    """Where its first chunk begins."""
    layout: struct.Struct
    """Of a chunk's head: its name and its size."""
    pad: int = 1
    own_head: bool = False
    """Whether a chunk's size counts its own head."""


FORMS = {
    b"RIFF": ChunkForm(12, struct.Struct("<4sI"), 2),
    b"RIFX": ChunkForm(12, struct.Struct(">4sI"), 2),
    b"RF64": ChunkForm(12, struct.Struct("<4sI"), 2),
    b"BW64": ChunkForm(12, struct.Struct("<4sI"), 2),
    b"FORM": ChunkForm(12, struct.Struct(">4sI"), 2),
    b"caff": ChunkForm(8, struct.Struct(">4sQ")),
    b"riff": ChunkForm(40, struct.Struct("<4s12xQ"), 8, own_head=True),
}


def chunks(reader: Readable, form: ChunkForm, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Iterate over the chunks of a container.

    Args:
        reader: the file; its position is lost.
        form: layout of the chunks' heads.
        end: offset at which to stop, usually the size of the file.

    Yields:
        name, offset of the body, and size in bytes that the head states.
    """
    at = form.first
    for _ in range(_CHUNKS):
        head = read_at(reader, at, form.layout.size)
        if len(head) < form.layout.size:
            return
        name, size = form.layout.unpack(head)
        body = at + len(head)
        size = size - len(head) if form.own_head else size
        yield name, body, max(0, size)
        at = body + max(0, size)
        at += -at % form.pad
        if at >= end:
            return


def _sound_chunk(reader: Readable, size_bytes: int) -> tuple[int, int | None] | None:
    """Return where the sound begins and how many bytes it states, None for an open end."""
    magic = read_at(reader, 0, 4)
    form = FORMS.get(magic)
    if form is None:
        return None
    long_size = None
    for name, at, size in chunks(reader, form, size_bytes):
        if name == b"ds64" and magic in (b"RF64", b"BW64"):
            long_size = int.from_bytes(read_at(reader, at, 16)[8:], "little")
        if name not in (b"data", b"SSND"):
            continue
        if long_size is not None:
            size = long_size
        is_narrow = magic not in (b"caff", b"riff") and long_size is None
        return at, size if _is_known(size, is_narrow) else None
    return None


def _is_known(size: int, is_narrow: bool) -> bool:
    """Whether a stated size is one that was counted."""
    if not 0 < size < (_UNKNOWN_32 if is_narrow else _UNKNOWN_64):
        return False
    return not any(
        size + head >= unit and (size + head) % unit == 0
        for unit in _ROUND
        for head in _HEADS_BYTES
    )


# --- Matroska and WebM ---


def _matroska(reader: Readable, size_bytes: int) -> Header:
    at, size = segment_of(reader, size_bytes) or (0, None)
    if size is None:
        return Header()
    return Header(is_cut=at + size > size_bytes, states_size=True)


def segment_of(reader: Readable, size_bytes: int) -> tuple[int, int | None] | None:
    """Return where the content of a Matroska file begins, and its size where that is stated."""
    return next(
        ((at, size) for key, at, size in elements(reader, 0, size_bytes) if key == _EBML_SEGMENT),
        None,
    )


def elements(reader: Readable, at: int, end: int) -> Iterator[tuple[int, int, int | None]]:
    """Iterate over the EBML elements of one level of a Matroska file.

    Args:
        reader: the file; its position is lost.
        at: offset of the first element.
        end: offset at which to stop.

    Yields:
        id, offset of the body, and its size in bytes; None for an unknown size, which is the last.
    """
    for _ in range(_CHUNKS):
        head = read_at(reader, at, 12) if at < end else b""
        id_bytes = _vint_bytes(head[:1])
        size_bytes = _vint_bytes(head[id_bytes : id_bytes + 1])
        if not 0 < id_bytes <= 4 or not size_bytes or len(head) < id_bytes + size_bytes:
            return
        key = int.from_bytes(head[:id_bytes], "big")
        bits = 7 * size_bytes
        size = int.from_bytes(head[id_bytes : id_bytes + size_bytes], "big") & ((1 << bits) - 1)
        body = at + id_bytes + size_bytes
        unknown = size == (1 << bits) - 1
        yield key, body, None if unknown else size
        if unknown:
            return
        at = body + size


def _vint_bytes(first: bytes) -> int:
    """Return the length of a number by its first byte; 0 where there is none."""
    return 9 - first[0].bit_length() if first and first[0] else 0


# --- Ogg ---


def _last_page_is_cut(reader: Readable, size_bytes: int) -> bool:
    """Whether the last page is shorter than it states, or its last packet goes on in none.

    A missing mark of the last page proves nothing: programs that cannot go back do not set it.
    """
    tail_bytes = _OGG_PAGE_BYTES
    while True:
        tail = read_at(reader, max(0, size_bytes - tail_bytes), tail_bytes)
        at = tail.rfind(b"OggS\0")
        if at >= 0 or tail_bytes >= min(size_bytes, _OGG_TAIL_BYTES):
            break
        tail_bytes *= 4
    if at < 0:
        return False
    page = tail[at:]
    count = page[26] if len(page) > 26 else 256
    pieces = page[27 : 27 + count]
    return len(pieces) < count or len(page) < 27 + count + sum(pieces) or pieces[-1:] == b"\xff"


# --- FLAC and MP3 ---


def _behind_id3(reader: Readable) -> int:
    """Return where the ID3v2 tags at the beginning end."""
    at = 0
    for _ in range(_ID3_TAGS):
        head = read_at(reader, at, 10)
        if head[:3] != b"ID3" or len(head) < 10:
            return at
        size = 0
        for byte in head[6:]:
            size = size << 7 | byte & 0x7F
        at += 10 + size + (10 if head[5] & 0x10 else 0)
    return at


def _flac_s(head: bytes) -> float | None:
    """Return the length in STREAMINFO; None where the encoder did not know it."""
    if len(head) < 42 or head[4] & 0x7F:
        return None
    packed = int.from_bytes(head[18:26], "big")
    rate_hz, samples = packed >> 44, packed & ((1 << 36) - 1)
    return samples / rate_hz if rate_hz and samples else None
