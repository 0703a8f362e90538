"""Labelled lists: a CSV of path and label, and whatever else is known of each recording."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from emoscope.errors import ListMalformedError, SourceNotFoundError
from emoscope.evaluate.words import emotion_of
from emoscope.labels import Emotion

_PATH = ("path", "file", "wav", "audio", "filename")
_LABEL = ("emotion", "label")
_SPEAKER = ("speaker", "speaker_id", "actor")
_TEXT = ("text_id", "sentence", "text")
_GROUPS = ("corpus", "language", "sex", "gender", "intensity")
DURATIONS_S = (1.0, 2.0, 3.0, 5.0, 10.0)
"""Borders of the duration groups, in seconds."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One recording and what is known of it."""

    path: Path
    emotion: Emotion
    speaker: str = ""
    text: str = ""
    groups: dict[str, str] = field(default_factory=dict)
    """Value by column: corpus, language, sex, gender, intensity, as far as the list has them."""


def read(path: Path) -> list[Labelled]:
    """Read a CSV with a header.

    Needed columns: a path (``path``, ``file``, ``wav``, ``audio`` or ``filename``; relative ones
    start at the list's folder) and ``emotion`` or ``label``. Used when there: a speaker, a text,
    and the columns of groups.

    Raises:
        SourceNotFoundError: there is no such list.
        ListMalformedError: a needed column or value is missing; says in which line.
        LabelUnknownError: a label word that is not in the table; says which.
    """
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError as exc:
        raise SourceNotFoundError(name=str(path)) from exc
    except UnicodeDecodeError as exc:
        raise ListMalformedError(name=path.name, line=1) from exc
    rows = csv.DictReader(io.StringIO(text))
    columns = {name.strip().lower(): name for name in rows.fieldnames or ()}
    where, label = _first(columns, _PATH), _first(columns, _LABEL)
    if where is None or label is None:
        raise ListMalformedError(name=path.name, line=1)
    speaker, sentence = _first(columns, _SPEAKER), _first(columns, _TEXT)
    found = []
    for row in rows:
        if not row[where] or not row[label]:
            raise ListMalformedError(name=path.name, line=rows.line_num)
        found.append(
            Labelled(
                path.parent / row[where].strip(),
                emotion_of(row[label]),
                row[speaker] or "" if speaker else "",
                row[sentence] or "" if sentence else "",
                {name: row[columns[name]] for name in _GROUPS if row.get(columns.get(name, ""))},
            )
        )
    return found


def duration_group(duration_s: float) -> str:
    """Name of the duration group, such as ``2-3 s``."""
    borders = (0.0, *DURATIONS_S)
    for low, high in zip(borders, DURATIONS_S, strict=False):
        if duration_s < high:
            return f"{low:g}-{high:g} s"
    return f"over {DURATIONS_S[-1]:g} s"


@dataclass(frozen=True, slots=True)
class Leak:
    """What a training list and an evaluated list have in common."""

    speakers: tuple[str, ...]
    texts: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def found(self) -> bool:
        """Whether the figures are flattered."""
        return bool(self.speakers or self.files)


def leak(trained: Iterable[Labelled], evaluated: Iterable[Labelled]) -> Leak:
    """Find speakers, sentences and files that stand in both lists."""
    trained, evaluated = list(trained), list(evaluated)

    def both(values: tuple[set[str], set[str]]) -> tuple[str, ...]:
        return tuple(sorted((values[0] & values[1]) - {""}))

    return Leak(
        both(({item.speaker for item in trained}, {item.speaker for item in evaluated})),
        both(({item.text for item in trained}, {item.text for item in evaluated})),
        both(
            (
                {str(item.path.resolve()) for item in trained},
                {str(item.path.resolve()) for item in evaluated},
            )
        ),
    )


def _first(columns: dict[str, str], names: tuple[str, ...]) -> str | None:
    return next((columns[name] for name in names if name in columns), None)
