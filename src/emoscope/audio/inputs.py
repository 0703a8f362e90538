"""Recordings as Python programs hold them, brought to bytes, paths or samples in one place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from emoscope.audio.sound_array import SoundArray
from emoscope.errors import AudioTooLargeError, SourceNotFoundError, SourceTypeError
from emoscope.limits import Limits
from emoscope.messages.reasons import reason
from emoscope.paths.access import translated
from emoscope.waveform import Waveform

OPEN_FILE_MAX_BYTES = 1_000_000_000
"""Bytes read from an open file where the limits have no size; a path of any size is not read in."""
_CHUNK_BYTES = 1 << 20


@runtime_checkable
class OpenFile(Protocol):
    """File that is open for reading in binary mode; it is read from where it stands."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to so many bytes."""


@runtime_checkable
class LazySound(Protocol):
    """Decoder of a data set's audio column, as ``datasets`` and torchcodec have it."""

    def get_all_samples(self) -> Any:
        """Return an object with ``data``, shape ``(channels, n)``, and ``sample_rate``."""


Source: TypeAlias = (
    bytes
    | bytearray
    | memoryview
    | str
    | os.PathLike[str]
    | OpenFile
    | tuple[Any, Any]
    | Mapping[str, Any]
    | LazySound
    | SoundArray
    | Waveform
)
"""A path, the bytes of a file, an open binary file, ``(samples, rate_hz)``, a ``SoundArray``, a
``Waveform``, or a data set's ``{"array", "sampling_rate"}`` or ``{"bytes", "path"}``."""

Received: TypeAlias = bytes | str | os.PathLike[str] | SoundArray | Waveform
"""A recording to decode, or samples."""


def received(source: Source, limits: Limits) -> Received:
    """Return a recording as bytes, a path or samples; an open file is read.

    Args:
        source: any form in which a program may hold a recording.
        limits: its ``max_bytes`` bounds what is read from an open file.

    Raises:
        SourceTypeError: it is no recording; the error says what is missing.
        SourceNotFoundError: it is an address.
        SourceError: an open file cannot be read.
        AudioTooLargeError: an open file holds more than the limit.
    """
    if isinstance(source, bytes | SoundArray | Waveform):
        return source
    if isinstance(source, bytearray | memoryview):
        return bytes(source)
    if isinstance(source, str | os.PathLike):
        return _path(source)
    if isinstance(source, Mapping):
        return _from_mapping(source)
    if is_sound_pair(source):
        return _from_pair(source)
    if isinstance(source, LazySound):
        sound = source.get_all_samples()
        return SoundArray(sound.data, sound.sample_rate, 0)
    if isinstance(source, OpenFile):
        return _content(source, limits)
    raise _unsupported(source)


def name_of(source: Source) -> str:
    """Name of a source: the file's name without its folder, or ``audio``."""
    if isinstance(source, SoundArray | Waveform):
        return source.name or "audio"
    if isinstance(source, str | os.PathLike):
        return Path(source).name
    return given_name(source) or "audio"


def given_name(source: Source) -> str:
    """Name that an open file or a row of a data set brings along; empty for everything else."""
    path = source.get("path") if isinstance(source, Mapping) else getattr(source, "name", None)
    is_named = isinstance(source, Mapping | OpenFile) and isinstance(path, str)
    return Path(str(path)).name if is_named else ""


def check_several(sources: object) -> None:
    """Refuse one recording where a list of recordings is expected.

    Raises:
        SourceTypeError: it is a path, bytes, an open file, an array, a dict or a waveform.
    """
    known = (str, bytes, bytearray, memoryview, os.PathLike, Mapping, SoundArray, Waveform)
    is_one = isinstance(sources, (*known, OpenFile, LazySound))
    if is_one or is_sound_pair(sources) or _has_numbers(sources):
        raise SourceTypeError("source_not_a_list", kind=type(sources).__name__)


def is_sound_pair(source: object) -> bool:
    """Whether it is ``(samples, rate_hz)``, or the other way round as SciPy and Gradio have it."""
    if not isinstance(source, tuple) or len(source) != 2:
        return False
    first, second = (isinstance(one, Real) for one in source)
    samples = source[1] if first else source[0]
    return first != second and (hasattr(samples, "__array__") or isinstance(samples, list))


def _has_numbers(sources: object) -> bool:
    """Whether it is an array of numbers; arrays of paths are lists."""
    dtype = getattr(sources, "dtype", None)
    return hasattr(sources, "__array__") and getattr(dtype, "kind", "f") in "fiub"


def _path(source: str | os.PathLike[str]) -> str | os.PathLike[str]:
    if isinstance(source, str) and "://" in source and not Path(source).exists():
        raise SourceNotFoundError("source_is_address", name=source[:200])
    return source


def _from_pair(source: Any) -> SoundArray:
    first, second = source
    samples, rate_hz = (second, first) if isinstance(first, Real) else (first, second)
    return SoundArray(samples, float(rate_hz))


def _from_mapping(source: Mapping[str, Any]) -> Received:
    """Return what a row of a data set holds: samples, the bytes of a file, or a path."""
    path = source.get("path")
    if source.get("array") is not None and source.get("sampling_rate") is not None:
        axis = source.get("channel_axis")
        return SoundArray(source["array"], float(source["sampling_rate"]), axis, given_name(source))
    if isinstance(source.get("bytes"), bytes):
        return bytes(source["bytes"])
    if isinstance(path, str | os.PathLike):
        return _path(path)
    keys = ", ".join(str(key) for key in list(source)[:8])
    raise SourceTypeError("source_unsupported", **reason("source_keys", keys=keys))


def _content(file: OpenFile, limits: Limits) -> bytes:
    most = OPEN_FILE_MAX_BYTES if limits.max_bytes is None else limits.max_bytes
    parts, size = list[bytes](), 0
    with translated(given_name(file) or "audio"):
        while part := _part(file, min(_CHUNK_BYTES, most + 1 - size)):
            parts.append(part)
            size += len(part)
            if size > most:
                raise AudioTooLargeError(max_bytes=most)
    return b"".join(parts)


def _part(file: OpenFile, size: int) -> bytes:
    try:
        part: object = file.read(size)
    except ValueError as exc:  # closed, or open for writing
        if isinstance(exc, OSError):
            raise
        raise OSError(str(exc)) from exc
    if not isinstance(part, bytes):
        why = "source_text_file" if isinstance(part, str) else "source_kind"
        raise SourceTypeError("source_unsupported", **reason(why, **_kind(why, file)))
    return part


def _kind(why: str, source: object) -> dict[str, object]:
    return {"kind": type(source).__name__} if why == "source_kind" else {}


def _unsupported(source: object) -> SourceTypeError:
    why = "source_no_rate" if hasattr(source, "__array__") else "source_kind"
    return SourceTypeError("source_unsupported", **reason(why, **_kind(why, source)))
