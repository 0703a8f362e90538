"""Validation of recording names and run titles from untrusted input.

A name is shown to people and kept in ``result.json``; it never becomes a path here. Refused is what
could pass for a path, what breaks a line or drives a terminal, and what shows the characters of a
name in another order than they stand in. Everything else that people name files with is fine:
every script and every space, joiners and soft hyphens, and characters newer than this Python.
"""

from __future__ import annotations

import re

from emoscope.errors import RequestError

NAME_MAX = 255
"""Characters of a name, not bytes."""
TITLE_MAX = 120
"""Characters of a title."""
HIDDEN = r"\x00-\x1f\x7f-\x9f\u202d\u202e\u2066-\u2069"
"""Controls (Unicode's Cc), and what overrides or isolates the direction of text; for a regular
expression. Marks and embeddings of direction are not among them: they stand in the names of calls
that telephones with right-to-left contacts record."""

_HIDDEN = re.compile(f"[{HIDDEN}]")
_REFUSED = re.compile(f"[/\\\\{HIDDEN}]")


def plain_name(name: str) -> str:
    """Check the name of a recording.

    Args:
        name: as it came; may be empty.

    Returns:
        The name, with halves of characters (lone surrogates) replaced by U+FFFD.

    Raises:
        RequestError: it holds a path or hidden characters, or is longer than ``NAME_MAX``.
    """
    if _REFUSED.search(name) or name in (".", "..") or len(name) > NAME_MAX:
        raise RequestError("name_refused")
    return _whole_characters(name)


def sendable_name(name: str) -> str:
    """Return a name that ``plain_name`` accepts: what it refuses becomes ``_``.

    Args:
        name: name of a file of this machine, where more is allowed.
    """
    name = _whole_characters(_REFUSED.sub("_", name))
    return "_" if name in (".", "..") else name[-NAME_MAX:]


def plain_title(title: str) -> str:
    """Check the title of a run; spaces around it and line breaks within it are taken away.

    Raises:
        RequestError: it is longer than ``TITLE_MAX``, or holds hidden characters.
    """
    title = re.sub(r"[ \t\r\n]+", " ", title).strip()
    if len(title) > TITLE_MAX or not is_shown(title):
        raise RequestError("title_refused", limit=TITLE_MAX)
    return _whole_characters(title)


def is_shown(text: str) -> bool:
    """Whether a text holds no hidden characters: it stands on one line, in the order it has."""
    return not _HIDDEN.search(text)


def _whole_characters(text: str) -> str:
    """Join halves of characters that stand side by side, and replace those that stand alone.

    A script that cuts a name at some length may cut an emoji in two.
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
