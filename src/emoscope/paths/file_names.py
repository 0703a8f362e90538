"""Safe file names and ids, derived from arbitrary names of recordings.

A recording's name is whatever its file, its list or its sender called it: with dots, folders,
spaces, characters that other systems refuse, bytes that are no UTF-8, or more bytes than a file
name may have. What is derived here can be written on Linux, macOS and Windows.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator

from emoscope.limits import COMMAND_LINE

AUDIO_SUFFIXES = COMMAND_LINE.endings | {".mp2", ".spx"}
"""Endings of sound files and of films with sound; only these are cut off a name."""

NAME_MAX_BYTES = 255
"""Longest file name of the usual file systems, in bytes of UTF-8."""

_NOT_IN_FILES = frozenset('<>:"/\\|?*')
"""What Windows allows in no file name."""
_DEVICES = frozenset(("CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$")).union(
    f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789¹²³"
)
"""Names that mean a device on Windows, whatever ending follows."""
_SEPARATOR = re.compile(r"[/\\]+")
_HASH_DIGITS = 8
_JOINER = "\N{ZERO WIDTH JOINER}"


def readable(name: str) -> str:
    """Return a name with the bytes that a locale could not decode read as UTF-8, where they are.

    With ``LC_ALL=C`` Python hands over ``快乐.wav`` as nine lone surrogates. Bytes that are no
    UTF-8 stay lone surrogates.
    """
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return name


def shown(name: str) -> str:
    """Return a name that every page, picture and protocol can hold.

    Control characters and bytes that are no UTF-8 are written out, as in a Python string.
    """
    return "".join(
        char.encode("unicode_escape").decode() if _is_unprintable(char) else char
        for char in readable(name)
    )


def without_audio_suffix(name: str) -> str:
    """Return a name without the ending of a sound file; any other ending belongs to the name.

    ``spk1.utt1`` and ``2024.01.04`` stay as they are; ``a/x.wav`` becomes ``a/x``.
    """
    stem, dot, ending = name.rpartition(".")
    is_audio = dot and f".{ending.lower()}" in AUDIO_SUFFIXES
    return stem if is_audio and _SEPARATOR.split(stem)[-1] else name


def path_parts(name: str) -> list[str]:
    """Return the folders and the last part of a name; of a path from any system."""
    return [part for part in _SEPARATOR.split(name) if part not in ("", ".", "..")]


def file_name(stem: str, suffix: str, *, max_bytes: int = NAME_MAX_BYTES) -> str:
    """Return ``stem`` and ``suffix`` as a file name that every system can write.

    Characters that Windows refuses, control characters and bytes that are no UTF-8 are written as
    in an address (``%3A``); before the name of a device stands ``_``. What is too long is cut
    between two characters and ends in ``~`` and eight hexadecimal digits of the whole stem's
    SHA-256, so that long names which begin alike stay apart.

    Args:
        stem: what the file is to be called; may be empty.
        suffix: its ending, with the dot; ASCII.
        max_bytes: longest name, ending included, in bytes of UTF-8.
    """
    characters = [
        "".join(_percent(char) if _is_refused(char) else char for char in character)
        for character in _characters(stem or "audio")
    ]
    if stem.partition(".")[0].rstrip(" ").upper() in _DEVICES:
        characters.insert(0, "_")
    room = max_bytes - len(suffix)
    if sum(len(one.encode()) for one in characters) > room:
        mark = f"~{name_digest(stem)}"
        characters = [*_fitting(characters, room - len(mark)), mark]
    return "".join(characters) + suffix


def field_id(name: str) -> str:
    """Return a name as a field of a format whose fields are parted by spaces, such as RTTM.

    The ending of a sound file is cut off; white space, control characters, bytes that are no
    UTF-8, and ``%`` itself are written as in an address: ``my call 1.wav`` is ``my%20call%201``.
    Two different names never give the same id, apart from their endings.
    """
    stem = without_audio_suffix(name) or "audio"
    return "".join(
        _percent(char) if char == "%" or char.isspace() or _is_unprintable(char) else char
        for char in stem
    )


def name_digest(text: str | bytes) -> str:
    """Return eight hexadecimal digits of the SHA-256 of bytes, or of a text with anything in it."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return hashlib.sha256(data).hexdigest()[:_HASH_DIGITS]


def comparable(name: str) -> str:
    """Return what two names share that are one file on a system which ignores case."""
    return unicodedata.normalize("NFC", name).casefold()


def _is_refused(char: str) -> bool:
    return char in _NOT_IN_FILES or _is_unprintable(char)


def _is_unprintable(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")


def _percent(char: str) -> str:
    try:
        data = char.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = char.encode("utf-8", "surrogatepass")
    return "".join(f"%{byte:02X}" for byte in data)


def _characters(text: str) -> Iterator[str]:
    """Give what people take for characters: marks, modifiers and joined emoji stay together."""
    start = 0
    for at in range(1, len(text)):
        if text[at - 1] != _JOINER and not _continues(text[at]):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


def _continues(char: str) -> bool:
    """Whether a code point belongs to the character before it."""
    is_skin_tone = "\U0001f3fb" <= char <= "\U0001f3ff"
    return char == _JOINER or is_skin_tone or unicodedata.category(char) in ("Mn", "Me", "Mc")


def _fitting(characters: list[str], max_bytes: int) -> Iterator[str]:
    for character in characters:
        max_bytes -= len(character.encode())
        if max_bytes < 0:
            return
        yield character
