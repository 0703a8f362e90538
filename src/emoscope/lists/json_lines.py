"""Parser of JSON Lines: an object a line, as cells of words under lower-case keys.

EmoBox's lists are JSON Lines with ``wav``, ``emo`` and ``dataset``; their paths start at the root
of that repository, some folders above the list.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emoscope.paths.access import is_file

JSON_LINES_ENDINGS = frozenset((".jsonl", ".ndjson"))
EMOBOX_KEYS = frozenset(("key", "dataset", "wav", "emo"))
"""What every object of an EmoBox list has."""


@dataclass(frozen=True, slots=True)
class JsonLine:
    """A line that is not blank."""

    line: int
    """Counted from 1."""
    cells: dict[str, str] | None
    """Value by key; None where the line is no JSON object."""


def json_lines(text: str) -> Iterator[JsonLine]:
    """Parse text whose lines end in a line feed; blank lines are passed over.

    Numbers and truth values become words, null and what is nested an empty one.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            yield JsonLine(number, {str(key).strip().lower(): _word(found[key]) for key in found})
        else:
            yield JsonLine(number, None)


def found_above(folder: Path, path: str) -> str:
    """Return where a relative path leads from the nearest folder above a list that has it.

    Args:
        folder: of the list.
        path: as the list has it; returned as it is where no folder above has it.
    """
    for above in folder.resolve().parents:
        if is_file(above / path):
            return str(above / path)
    return path


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""
