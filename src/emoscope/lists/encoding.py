"""Encodings of lists: UTF-8, UTF-16, UTF-32 and GB18030, by marks, bytes and a rule."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

_MARKS = (
    # UTF-32 before UTF-16, whose mark it begins with.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
SURROGATE = re.compile("[\ud800-\udfff]")
"""A byte that is no UTF-8, kept as half a character."""


def decoded_list(data: bytes, names_a_file: Callable[[str], bool]) -> str:
    """Decode a list; every line then ends in a line feed, whatever it ended in.

    The rule: a byte order mark is believed, and many NUL bytes in every second place are UTF-16.
    Else the list is UTF-8 if at least half of the lines that are not ASCII are; the other lines
    keep their bytes as lone surrogates, so that a path that is no UTF-8 still finds its file. Else
    it is GB18030 if all of it can be, and if either a path that is not ASCII then leads to a file
    or only characters of GB2312 come of it, the everyday ones.

    Args:
        data: the whole list.
        names_a_file: whether a path beyond ASCII leads to a file when the list is read like this.
    """
    unicode = _marked(data)
    if unicode is None and b"\0" in data:
        unicode = _unmarked_utf16(data)
    if unicode is not None:
        return _lines(unicode)
    as_bytes = _lines(data.decode("utf-8", "surrogateescape"))
    if _is_mostly_utf8(as_bytes) or names_a_file(as_bytes):
        return as_bytes
    try:
        chinese = _lines(data.decode("gb18030"))
    except UnicodeDecodeError:
        return as_bytes
    if _is_gb2312(chinese) or names_a_file(chinese):
        return chinese
    return as_bytes


def _marked(data: bytes) -> str | None:
    """Decode a list that begins with a byte order mark; None for one without."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if data.startswith(codecs.BOM_UTF8):
        return data[len(codecs.BOM_UTF8) :].decode("utf-8", "surrogateescape")
    return None


def _is_mostly_utf8(text: str) -> bool:
    """Whether at least half of the lines beyond ASCII hold no lone surrogate."""
    foreign = [line for line in text.split("\n") if not line.isascii()]
    bad = sum(SURROGATE.search(line) is not None for line in foreign)
    return 2 * bad <= len(foreign)


def _unmarked_utf16(data: bytes) -> str | None:
    low, high = data[::2].count(0), data[1::2].count(0)
    is_little = high > low
    if 10 * max(low, high) < len(data):  # commas, dots and line ends alone are more than that
        return None
    try:
        text = data.decode("utf-16-le" if is_little else "utf-16-be")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _is_gb2312(text: str) -> bool:
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
