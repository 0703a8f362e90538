"""Labelled lists: a CSV of path, label and columns such as speaker or corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from emoscope.errors import ListError
from emoscope.evaluate.words import emotion_of
from emoscope.labels import Emotion
from emoscope.lists import reader
from emoscope.lists.reader import PATH
from emoscope.messages.aliases import LABEL_WORDS, SPEAKER_WORDS
from emoscope.results.result import Failure

_LABEL, _SPEAKER, _TEXT = "label", "speaker", "text"
_GROUPS = ("corpus", "language", "sex", "gender", "intensity")
_COLUMNS = {
    PATH: reader.COLUMNS[PATH],
    _LABEL: LABEL_WORDS,
    _SPEAKER: SPEAKER_WORDS,
    _TEXT: ("text_id", "sentence", "text"),
    **{group: (group,) for group in _GROUPS},
}
DURATIONS_S = (1.0, 2.0, 3.0, 5.0, 10.0)
"""Borders of the duration groups, in seconds."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labelled recording: path, emotion and optional columns."""

    path: Path
    emotion: Emotion
    speaker: str = ""
    text: str = ""
    groups: dict[str, str] = field(default_factory=dict)
    """Value by column: corpus, language, sex, gender, intensity, as far as the list has them."""


Labels: TypeAlias = Sequence[Labelled | Failure]
"""A list, with a failure in the place of each row that cannot be used."""


def read_labelled(path: Path) -> list[Labelled | Failure]:
    """Read a CSV of labelled recordings; see ``emoscope.lists.reader`` for what such a file may be.

    Needed columns: a path (``path``, ``file``, ``wav``, ``audio`` or ``filename``; relative ones
    start at the list's folder) and ``emotion`` or ``label``. Used when there: a speaker, a text,
    and the columns of groups.

    Returns:
        A row without a path or a label, or with a label word that is not in the table, is a
        ``Failure`` called ``list:line``.

    Raises:
        SourceNotFoundError: there is no such list.
        SourceError: the system refuses to read it.
        ListError: a needed column is missing, or no row has what is needed.
        ListError: no row has a label that is in the table.
    """
    found = [_labelled(row, path) for row in reader.read(path, _COLUMNS, (PATH, _LABEL))]
    usable(found, least=1)
    return found


def usable(rows: Labels, *, least: int | None = None) -> list[Labelled]:
    """Return the rows that can be used.

    Args:
        rows: what ``read_labelled`` returned.
        least: how many there must be; None for all.

    Raises:
        EmoscopeError: why the first of the others cannot be used, where there are fewer.
    """
    found = [row for row in rows if isinstance(row, Labelled)]
    if len(found) < (len(rows) if least is None else least):
        raise next(row.error for row in rows if isinstance(row, Failure))
    return found


def _labelled(row: reader.Row | Failure, path: Path) -> Labelled | Failure:
    if isinstance(row, Failure):
        line = row.error.data["line"]
        return Failure(f"{path.name}:{line}", row.error)
    try:
        emotion = emotion_of(row.cells[_LABEL])
    except ListError as error:
        return Failure(f"{path.name}:{row.line}", error)
    return Labelled(
        path.parent / row.path,
        emotion,
        row.cells.get(_SPEAKER, ""),
        row.cells.get(_TEXT, ""),
        {name: row.cells[name] for name in _GROUPS if row.cells.get(name)},
    )


def duration_group(duration_s: float) -> str:
    """Name of the duration group, such as ``2-3 s``."""
    borders = (0.0, *DURATIONS_S)
    for low, high in zip(borders, DURATIONS_S, strict=False):
        if duration_s < high:
            return f"{low:g}-{high:g} s"
    return f"over {DURATIONS_S[-1]:g} s"


@dataclass(frozen=True, slots=True)
class Leak:
    """Overlap of a training list and an evaluated list."""

    speakers: tuple[str, ...]
    texts: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def found(self) -> bool:
        """Whether the figures are flattered."""
        return bool(self.speakers or self.files)


def leak(trained: Labels, evaluated: Labels) -> Leak:
    """Find speakers, sentences and files that stand in both lists.

    Args:
        trained: a list of which every row can be used: what it lacks could not be found.
        evaluated: the other list; rows that cannot be used count in no figure, and are left out.

    Raises:
        EmoscopeError: a row of the training list cannot be used, and why.
    """
    ours, theirs = usable(trained), usable(evaluated, least=0)

    def both(values: tuple[set[str], set[str]]) -> tuple[str, ...]:
        return tuple(sorted((values[0] & values[1]) - {""}))

    return Leak(
        both(({item.speaker for item in ours}, {item.speaker for item in theirs})),
        both(({item.text for item in ours}, {item.text for item in theirs})),
        both(({_real(item.path) for item in ours}, {_real(item.path) for item in theirs})),
    )


def _real(path: Path) -> str:
    """A path with its links followed, as far as they lead."""
    try:
        return str(path.resolve())
    except (OSError, RuntimeError, ValueError):  # a circle, or a name that no file can have
        return str(path)
