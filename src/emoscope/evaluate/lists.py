"""Labelled lists: path, label and columns such as speaker or corpus, in the formats of lists."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from emoscope.errors import EmoscopeError, ListError
from emoscope.evaluate.words import LabelWords, is_emodb_lettering
from emoscope.labels import KEYS, Emotion
from emoscope.lists import reader
from emoscope.lists.audformat_list import HEADER, is_audformat, read_audformat
from emoscope.lists.reader import PATH
from emoscope.messages.aliases import CORPUS_WORDS, LABEL_WORDS, SPEAKER_WORDS
from emoscope.messages.reasons import reason
from emoscope.paths.access import opened
from emoscope.results.result import Failure

_LABEL, _SPEAKER, _TEXT = "label", "speaker", "text"
CORPUS = "corpus"
_GROUPS = (CORPUS, "language", "sex", "gender", "intensity")
_COLUMNS = {
    PATH: reader.COLUMNS[PATH],
    _LABEL: LABEL_WORDS,
    _SPEAKER: SPEAKER_WORDS,
    _TEXT: ("text_id", "sentence", "text"),
    **{group: (group,) for group in _GROUPS},
    CORPUS: CORPUS_WORDS,
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
    listed: str = ""
    """The path as the list has it."""
    others: dict[str, str] = field(default_factory=dict)
    """Value by header, of columns that are not used."""

    @property
    def corpus(self) -> str:
        """Name of the corpus; empty where the list does not say."""
        return self.groups.get(CORPUS, "")

    @property
    def speaker_key(self) -> str:
        """Speaker and corpus in one, as names repeat between corpora; empty for an unknown one."""
        return f"{self.corpus}/{self.speaker}" if self.speaker else ""


Labels: TypeAlias = Sequence[Labelled | Failure]
"""A list, with a failure in the place of each row that cannot be used."""


@dataclass(frozen=True, slots=True)
class UnknownLabel:
    """Label of a list that is none of the nine emotions."""

    word: str
    lines: tuple[int, ...]
    """Lines in which it stands."""

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.lines[:5]))
        return f"{self.word[:40]!r} × {len(self.lines)} ({shown}{' …' if self.lines[5:] else ''})"


@dataclass(frozen=True, slots=True)
class LabelledList:
    """Labelled list that was read."""

    name: str
    sha256: str
    """Of the file; of an audformat database, of its header and its tables."""
    rows: tuple[Labelled | Failure, ...]
    unknown: tuple[UnknownLabel, ...] = ()
    """Labels that mean nothing here, the most frequent first."""
    dropped: int = 0
    """Rows left out as the user wished; they are not among ``rows``."""


def read_labelled(path: str | os.PathLike[str]) -> list[Labelled | Failure]:
    """Read a list of labelled recordings and return its rows; see ``read_labelled_list``.

    Raises:
        SourceNotFoundError: there is no such list.
        SourceError: the system refuses to read it.
        ListError: a needed column is missing, or no row can be used.
    """
    return list(read_labelled_list(path).rows)


def read_labelled_list(
    path: str | os.PathLike[str],
    labels: LabelWords | None = None,
    *,
    drop_unknown: bool = False,
    table: str | None = None,
) -> LabelledList:
    """Read a list of labelled recordings: CSV, TSV, JSON Lines, EmoBox's, or an audformat database.

    Needed columns: a path (``path``, ``file``, ``wav``, ``audio`` or ``filename``; relative ones
    start at the list's folder) and ``emotion`` or ``label``. Used when there: a speaker, a text,
    and the columns of groups. A row without a path or a label, or with a label that is unknown, is
    a ``Failure`` called ``list:line``.

    Args:
        path: the list, or the folder of an audformat database.
        labels: what its labels mean; by default what the table of words says.
        drop_unknown: leave out rows with unknown labels.
        table: of an audformat database; by default every one with emotions.

    Raises:
        SourceNotFoundError: there is no such list.
        SourceError: the system refuses to read it.
        ListError: a needed column is missing, or no row can be used.
        ExtraMissingError: the list is an audformat database, and audformat is not installed.
    """
    path = Path(path)
    if is_audformat(path):
        rows = list(read_audformat(path, _COLUMNS, (PATH, _LABEL), table))
        path = path if path.name == HEADER else path / HEADER
    else:
        rows = list(reader.read(path, _COLUMNS, (PATH, _LABEL)))
    found = _Meanings(path, labels or LabelWords(), rows)
    kept = [one for row in rows if (one := found.labelled(row, drop_unknown)) is not None]
    unknown = found.unknown()
    if not any(isinstance(row, Labelled) for row in kept):
        raise _useless(path.name, kept, unknown)
    return LabelledList(path.name, list_sha256(path), tuple(kept), unknown, len(rows) - len(kept))


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


def list_sha256(path: Path) -> str:
    """Return the sha256 of a list: of its bytes, or of the files of an audformat database.

    Raises:
        SourceNotFoundError: there is no such list.
        SourceError: the system refuses to read it.
    """
    digest = hashlib.sha256()
    if path.name == HEADER:
        files = sorted(path.parent.glob("db.*"), key=lambda one: one.name)
    else:
        files = [path]
    for one in files:
        with opened(one) as file:
            digest.update(file.read())
    return digest.hexdigest()


def _useless(name: str, rows: Labels, unknown: Sequence[UnknownLabel]) -> EmoscopeError:
    """Return why a list cannot be used of which no row can be."""
    errors = [row.error for row in rows if isinstance(row, Failure)]
    if unknown and all(error.code == "label_unknown" for error in errors):
        known, told = ", ".join(KEYS), "; ".join(map(str, unknown))
        return ListError("labels_unknown", name=name, known=known, found=told)
    if errors:
        return errors[0]
    return ListError("list_malformed", name=name, line=1, **reason("list_empty"))


class _Meanings:
    """What the labels of one list mean, and which mean nothing."""

    def __init__(
        self, path: Path, labels: LabelWords, rows: Iterable[reader.Row | Failure]
    ) -> None:
        self._path, self._labels = path, labels
        self._unknown: dict[str, list[int]] = defaultdict(list)
        by_corpus: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            if isinstance(row, reader.Row):
                by_corpus[row.cells.get(CORPUS, "")].add(row.cells[_LABEL])
        self._emodb = {
            corpus
            for corpus, words in by_corpus.items()
            if corpus.casefold() == "emodb" or is_emodb_lettering(words)
        }

    def labelled(self, row: reader.Row | Failure, drop_unknown: bool) -> Labelled | Failure | None:
        """Return a row with its emotion; None for one that the user leaves out."""
        if isinstance(row, Failure):
            line = row.error.data["line"]
            return Failure(f"{self._path.name}:{line}", row.error)
        cells = row.cells
        try:
            is_emodb = cells.get(CORPUS, "") in self._emodb
            emotion = self._labels.emotion_of(cells[_LABEL], is_emodb=is_emodb)
        except ListError as error:
            self._unknown[cells[_LABEL]].append(row.line)
            return None if drop_unknown else Failure(f"{self._path.name}:{row.line}", error)
        if emotion is None:
            return None
        return Labelled(
            self._path.parent / row.path,
            emotion,
            cells.get(_SPEAKER, ""),
            cells.get(_TEXT, ""),
            {name: cells[name] for name in _GROUPS if cells.get(name)},
            row.path,
            row.others,
        )

    def unknown(self) -> tuple[UnknownLabel, ...]:
        """Return the labels that mean nothing, the most frequent first."""
        found = sorted(self._unknown.items(), key=lambda pair: -len(pair[1]))
        return tuple(UnknownLabel(word, tuple(lines)) for word, lines in found)


def duration_group(duration_s: float) -> str:
    """Name of the duration group, such as ``2-3 s``."""
    borders = (0.0, *DURATIONS_S)
    for low, high in zip(borders, DURATIONS_S, strict=False):
        if duration_s < high:
            return f"{low:g}-{high:g} s"
    return f"over {DURATIONS_S[-1]:g} s"
