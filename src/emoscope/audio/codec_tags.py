"""Codec names from container tags, for codecs that FFmpeg does not know."""

from __future__ import annotations

from collections.abc import Iterator

from emoscope.audio.headers import FORMS, Readable, chunks, elements, read_at, segment_of

AIFC_CODECS = (
    *("NONE", "none", "raw", "twos", "sowt", "in24", "in32", "42ni", "23ni"),
    *("fl32", "FL32", "fl64", "FL64", "alaw", "ALAW", "ulaw", "ULAW", "ima4", "ADP4"),
    *("MAC3", "MAC6", "GSM", "agsm", "G722", "G726", "G728", "Qclp", "QDMC", "QDM2"),
    *("DWVW", "SDX2"),
)
"""What an AIFF file may name; FFmpeg cannot even open one that names anything else."""

_BOXES = 256
_FMT_BYTES = 40
_EXTENSIBLE = 0xFFFE
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
"""What follows the two bytes of a format tag in the GUID of a format that has one."""
_EBML_TRACKS, _EBML_TRACK = 0x1654AE6B, 0xAE
_EBML_TYPE, _EBML_CODEC, _EBML_AUDIO = 0x83, 0x86, 2


def codec_tag(reader: Readable, size_bytes: int, track: int) -> str | None:
    """Return the name by which a container calls the codec of its sound, or None.

    Args:
        reader: the bytes of the file; the position is lost.
        size_bytes: how many there are.
        track: which of its sound tracks, from 0.
    """
    head = read_at(reader, 0, 16)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        tags = list(_matroska_codecs(reader, size_bytes))
    elif head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        tags = list(_mp4_codecs(reader, size_bytes))
    else:
        tags = [tag for tag in (_chunk_codec(reader, size_bytes),) if tag]
    return tags[track] if track < len(tags) else None


def _chunk_codec(reader: Readable, size_bytes: int) -> str | None:
    form = FORMS.get(read_at(reader, 0, 4))
    for name, at, _size in chunks(reader, form, size_bytes) if form else ():
        if name == b"fmt ":
            return _wav_tag(read_at(reader, at, _FMT_BYTES), big=form is FORMS[b"RIFX"])
        if name == b"COMM":
            return _letters(read_at(reader, at, 22)[18:])
        if name == b"desc":
            return _letters(read_at(reader, at, 12)[8:])
    return None


def _wav_tag(fmt: bytes, *, big: bool) -> str | None:
    tag = int.from_bytes(fmt[:2], "big" if big else "little")
    if tag == _EXTENSIBLE and len(fmt) == _FMT_BYTES:
        guid = fmt[24:40]
        if guid[2:] != _GUID_TAIL:
            return guid.hex()
        tag = int.from_bytes(guid[:2], "little")
    return f"0x{tag:04X}" if len(fmt) > 1 else None


def _letters(code: bytes) -> str | None:
    """Return a code of four letters, or its bytes where they are no letters."""
    if len(code) != 4:
        return None
    text = code.decode("latin-1")
    return text.strip() if text.isascii() and text.isprintable() and text.strip() else code.hex()


def _mp4_codecs(reader: Readable, size_bytes: int) -> Iterator[str]:
    """Yield the codec of each sound track."""
    for kind, at, end in _boxes(reader, 0, size_bytes):
        for track, first, last in _boxes(reader, at, end) if kind == b"moov" else ():
            if track == b"trak" and (code := _mp4_codec(reader, first, last)) is not None:
                yield code


def _mp4_codec(reader: Readable, at: int, end: int) -> str | None:
    """Return the code of a track if it is one of sound."""
    inside = {kind: (first, last) for kind, first, last in _boxes(reader, at, end)}
    media = {
        kind: (first, last) for kind, first, last in _boxes(reader, *inside.get(b"mdia", (0, 0)))
    }
    if read_at(reader, media.get(b"hdlr", (0, 0))[0] + 8, 4) != b"soun":
        return None
    where = media.get(b"minf", (0, 0))
    for step in (b"stbl", b"stsd"):
        where = next((box[1:] for box in _boxes(reader, *where) if box[0] == step), (0, 0))
    return _letters(read_at(reader, where[0] + 12, 4))


def _boxes(reader: Readable, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield ``(kind, where its body begins, where it ends)`` of the boxes in a stretch."""
    for _ in range(_BOXES):
        head = read_at(reader, at, 16)
        size, kind, body = int.from_bytes(head[:4], "big"), head[4:8], at + 8
        if size == 1:
            size, body = int.from_bytes(head[8:16], "big"), at + 16
        if len(kind) < 4 or at >= end:
            return
        last = min(end, at + size) if size else end
        if last < body:
            return
        yield kind, body, last
        at = last


def _matroska_codecs(reader: Readable, size_bytes: int) -> Iterator[str]:
    """Yield the codec of each sound track."""
    segment = segment_of(reader, size_bytes)
    if segment is None:
        return
    for key, at, size in elements(reader, segment[0], size_bytes):
        for entry, first, length in (
            elements(reader, at, at + (size or 0)) if key == _EBML_TRACKS else ()
        ):
            if entry != _EBML_TRACK:
                continue
            found = {
                part: read_at(reader, where, min(count or 0, 64))
                for part, where, count in elements(reader, first, first + (length or 0))
                if part in (_EBML_TYPE, _EBML_CODEC)
            }
            if int.from_bytes(found.get(_EBML_TYPE, b""), "big") == _EBML_AUDIO:
                text = found.get(_EBML_CODEC, b"").rstrip(b"\0").decode("latin-1")
                yield text if text.isascii() and text.isprintable() and text else "?"
