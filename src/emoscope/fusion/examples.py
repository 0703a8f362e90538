"""Labelled lists for fusion: a CSV with an emotion, a speaker, and the words or their scores.

Scores may stand in columns ``voice_angry`` … and ``words_angry`` …; else the voice is recognized
from the path, and the words are read from a text column by a text model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emoscope.errors import EmoscopeError, ListError, RequestError
from emoscope.evaluate.words import emotion_of
from emoscope.fusion.fit import Example
from emoscope.fusion.recording import WordReader
from emoscope.fusion.words import WordScores
from emoscope.labels import KEYS
from emoscope.lists import reader
from emoscope.lists.reader import PATH
from emoscope.messages.aliases import LABEL_WORDS
from emoscope.messages.reasons import reason
from emoscope.results.result import Failure
from emoscope.results.scores import Scores

_LABEL, _SPEAKER, _TEXT = "label", "speaker", "text"
TEXT_WORDS = ("text", "transcript", "sentence", "words")
"""What the column of the text may be called, first of these that is there."""
_SPEAKER_WORDS = ("speaker", "speaker_id", "actor")

Voice = Callable[[Path], Scores]
"""Recognizes a recording."""


@dataclass(frozen=True, slots=True)
class FusionColumns:
    """Columns of the list where they are not called by a usual word."""

    text: str | None = None
    label: str | None = None
    speaker: str | None = None

    def table(self) -> dict[str, tuple[str, ...]]:
        """Return what each column may be called."""
        return {
            PATH: tuple(reader.COLUMNS[PATH]),
            _LABEL: (self.label,) if self.label else tuple(LABEL_WORDS),
            _SPEAKER: (self.speaker,) if self.speaker else _SPEAKER_WORDS,
            _TEXT: (self.text,) if self.text else TEXT_WORDS,
            **{f"{part}_{key}": (f"{part}_{key}",) for part in ("voice", "words") for key in KEYS},
        }


def read_examples(
    path: Path, voice: Voice, words: WordReader | None, columns: FusionColumns | None = None
) -> Iterator[Example | Failure]:
    """Read a list and bring each row to scores of voice and words.

    Args:
        path: the CSV; relative paths in it start at its folder.
        voice: recognizes a recording whose row has no scores of its voice.
        words: reads the text of a row that has no scores of its words; None: there is no model.
        columns: their names, where they are not the usual ones.

    Yields:
        Example or Failure: a failure is called ``list:line``.

    Raises:
        SourceNotFoundError: there is no such list.
        SourceError: the system refuses to read it.
        ListError: a needed column is missing, or there is no row.
    """
    table = (columns or FusionColumns()).table()
    for row in reader.read(path, table, (PATH, _LABEL, _SPEAKER)):
        if isinstance(row, Failure):
            yield row
            continue
        try:
            yield _example(row.cells, path, row.line, voice, words)
        except EmoscopeError as error:
            yield Failure(f"{path.name}:{row.line}", error)


def _example(
    cells: Mapping[str, str], path: Path, line: int, voice: Voice, words: WordReader | None
) -> Example:
    truth = emotion_of(cells[_LABEL]).index
    told = _numbers(cells, "words", path, line)
    if told:
        spoken = WordScores.from_dict(told)
    elif words is None:
        raise RequestError("text_model_missing")
    else:
        spoken = words.scores(cells.get(_TEXT, ""))
    heard = _numbers(cells, "voice", path, line)
    scores = _nine(heard) if heard else voice(path.parent / cells[PATH])
    return Example(scores, spoken, truth, cells[_SPEAKER])


def _numbers(cells: Mapping[str, str], part: str, path: Path, line: int) -> dict[str, float]:
    """Scores of one part that stand in the row; empty when it has none."""
    found = {}
    for key in KEYS:
        cell = cells.get(f"{part}_{key}", "")
        if not cell:
            continue
        try:
            found[key] = float(cell)
        except ValueError:
            found[key] = math.nan
        if not math.isfinite(found[key]):
            raise ListError(
                "list_malformed", name=path.name, line=line,
                **reason("no_number", column=f"{part}_{key}", value=cell[:40]),
            )  # fmt: skip
    return found


def _nine(given: Mapping[str, float]) -> Scores:
    """Nine scores of those that a row has; others are 0."""
    words = WordScores.from_dict(given)
    return Scores(np.asarray(words.values))
