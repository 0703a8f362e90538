"""Prediction files: what a system answered to each clip, as CSV, JSON Lines or Parquet.

Written by ``evaluate`` with all nine scores; read from any tool whose file has a path (or another
name of the clip) and an answer, or a column of probabilities for each class.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emoscope.errors import ListError
from emoscope.evaluate.clips import DURATION, ScoredClips
from emoscope.evaluate.lists import CORPUS, Labelled, list_sha256
from emoscope.evaluate.scores import score_matrix
from emoscope.evaluate.words import LabelWords, emotion_of
from emoscope.export.tables import Column, Table, to_csv, to_jsonl, to_parquet
from emoscope.labels import KEYS
from emoscope.lists import reader
from emoscope.lists.reader import PATH, Row
from emoscope.lists.records import PARQUET, read_records
from emoscope.messages.aliases import CORPUS_WORDS, LABEL_WORDS, NAME_WORDS, SPEAKER_WORDS
from emoscope.messages.reasons import reason
from emoscope.results.result import Failure

PREDICTION_ENDINGS = frozenset((".csv", ".tsv", ".jsonl", ".ndjson")) | PARQUET
"""Endings of files of predictions."""
_TRUTH, _ANSWER, _SPEAKER = "truth", "answer", "speaker"
_COLUMNS: Mapping[str, Sequence[str]] = {
    PATH: (*reader.COLUMNS[PATH], *NAME_WORDS, "key", "clip", "utterance"),
    _TRUTH: (_TRUTH, "target", "reference", "y_true", *LABEL_WORDS),
    _ANSWER: (_ANSWER, "prediction", "predicted", "pred", "hypothesis", "y_pred", "result"),
    _SPEAKER: SPEAKER_WORDS,
    CORPUS: CORPUS_WORDS,
}
_PREFIX = re.compile(r"^(?:scores?|probs?|probabilit(?:y|ies)|p)[_. ]")
"""Beginnings of the names of columns of scores, before the class."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Answer of a system to one clip."""

    name: str
    answer: int
    """Index of the emotion; -1 of a list, which answers nothing."""
    scores: tuple[float, ...] | None
    """Of the nine; None where the file only answers."""
    truth: int | None
    speaker: str
    corpus: str


@dataclass(frozen=True, slots=True, eq=False)
class PredictionFile:
    """Answers of a system, read from a file."""

    name: str
    sha256: str
    rows: tuple[Prediction, ...]


def prediction_table(clips: ScoredClips, about: Mapping[str, Any]) -> Table:
    """Return a line per clip: path, corpus, speaker, truth, answer, scores, margin, abstained.

    Behind them stand the other columns of the list.

    Args:
        clips: answers of a system.
        about: how they were made, for Parquet.
    """
    columns: dict[str, Column] = {
        PATH: np.array(clips.names),
        CORPUS: np.array(clips.corpora),
        _SPEAKER: np.array(clips.speakers),
        _TRUTH: np.array([KEYS[at] for at in clips.truth]),
        _ANSWER: np.array([KEYS[at] for at in clips.answers]),
    }
    if clips.scores is not None:
        columns |= dict(zip(KEYS, clips.scores.T, strict=True))
        ranked = np.sort(clips.scores, axis=1)
        columns["margin"] = ranked[:, -1] - ranked[:, -2]
    if clips.abstained is not None:
        columns["abstained"] = clips.abstained
    carried = [
        {name: value for name, value in group.items() if name not in (DURATION, CORPUS)} | {**more}
        for group, more in zip(clips.groups, clips.others or ({},) * len(clips), strict=True)
    ]
    for name in dict.fromkeys(name for one in carried for name in one):
        if name not in columns:
            columns[name] = np.array([one.get(name, "") for one in carried])
    return Table(columns, dict(about))


def prediction_bytes(table: Table, ending: str) -> bytes:
    """Return a table of predictions as a file's content, by the ending of its name.

    Raises:
        ExtraMissingError: it is Parquet, and pyarrow is not installed.
    """
    if ending in PARQUET:
        return to_parquet(table)
    return to_jsonl(table) if ending in (".jsonl", ".ndjson") else to_csv(table)


def read_predictions(
    path: str | os.PathLike[str], words: LabelWords | None = None
) -> PredictionFile:
    """Read the answers of any tool: CSV, TSV, JSON Lines or Parquet.

    A clip is named by ``path`` (or ``file``, ``id``, ``key``, …). The answer stands in ``answer``
    (or ``prediction``, ``pred``, …), or is the largest of the columns of probabilities, which are
    called as the emotions, with or without ``score_`` or ``prob_`` before. Truth, speaker and
    corpus are read where they are there.

    Args:
        path: the file.
        words: what labels mean; by default what the table of words says.

    Raises:
        SourceNotFoundError: there is no such file.
        SourceError: the system refuses to read it.
        ListError: a row cannot be read, has no answer, or a label that is unknown.
        ExtraMissingError: it is Parquet, and pyarrow is not installed.
    """
    path, table = Path(path), words or LabelWords()
    rows = [_prediction(path.name, row, table) for row in _rows(path)]
    return PredictionFile(path.name, list_sha256(path), tuple(one for one in rows if one))


def _rows(path: Path) -> Iterator[Row]:
    found = _parquet(path) if path.suffix.lower() in PARQUET else reader.read(path, _COLUMNS)
    for row in found:
        if isinstance(row, Failure):
            raise row.error
        yield row


def _parquet(path: Path) -> Iterator[Row | Failure]:
    """Rows of a Parquet file, as those of JSON Lines."""
    for record in read_records(path):
        if record.error is not None:
            raise record.error
        values = record.values.items()
        given = {name.strip().lower(): "" if one is None else str(one) for name, one in values}
        names = {
            column: next((word for word in words if word in given), "")
            for column, words in _COLUMNS.items()
        }
        cells = {column: given[name] for column, name in names.items() if name}
        if not cells.get(PATH):
            raise _wrong(path.name, record.line, "no_value", column=PATH)
        claimed = set(names.values())
        others = {name: one for name, one in given.items() if name not in claimed}
        yield Row(record.line, cells, others)


def _prediction(name: str, row: Row, words: LabelWords) -> Prediction | None:
    """Return what a row says; None where the user's map leaves its truth out."""
    truth = _emotion(row.cells.get(_TRUTH, ""), words)
    if row.cells.get(_TRUTH) and truth is None:
        return None
    answer = _emotion(row.cells.get(_ANSWER, ""), words)
    scores = _scores(name, row)
    if answer is None and scores is None:
        found = ", ".join((*row.cells, *row.others))[:120]
        raise _wrong(name, row.line, "no_answer", found=found)
    return Prediction(
        name=row.path,
        answer=answer if answer is not None else int(np.argmax(scores or ())),
        scores=scores,
        truth=truth,
        speaker=row.cells.get(_SPEAKER, ""),
        corpus=row.cells.get(CORPUS, ""),
    )


def _emotion(word: str, words: LabelWords) -> int | None:
    found = words.emotion_of(word) if word else None
    return None if found is None else found.index


def _scores(name: str, row: Row) -> tuple[float, ...] | None:
    """Scores of the nine; None where no column is called as an emotion."""
    found = {column: value for column, value in row.others.items() if _class_of(column)}
    if len(found) < 2:
        return None
    numbers = [_number(name, row.line, column, value) for column, value in found.items()]
    classes = [_class_of(column) for column in found]
    return tuple(score_matrix([numbers], classes)[0].tolist())


def _class_of(column: str) -> str:
    """The emotion that a column is called after; empty for none."""
    try:
        return emotion_of(_PREFIX.sub("", column.strip().lower())).key
    except ListError:
        return ""


def _number(name: str, line: int, column: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _wrong(name, line, "no_number", column=column, value=value[:40])
    return number


def clips_of(
    rows: Iterable[Prediction], truths: Sequence[int], speakers: Sequence[tuple[str, str]]
) -> ScoredClips:
    """Return the answers of a file as clips.

    Args:
        rows: the answers.
        truths: index of the emotion of each.
        speakers: speaker and corpus of each.
    """
    rows = tuple(rows)
    scored = [row.scores for row in rows if row.scores is not None]
    return ScoredClips(
        names=tuple(row.name for row in rows),
        truth=np.array(truths, np.intp),
        answers=np.array([row.answer for row in rows], np.intp),
        scores=np.array(scored) if len(scored) == len(rows) else None,
        speakers=tuple(speaker for speaker, _ in speakers),
        groups=tuple({CORPUS: corpus} if corpus else {} for _, corpus in speakers),
    )


def predictions_of(clips: ScoredClips) -> tuple[Prediction, ...]:
    """Return clips as the rows of a file of predictions."""
    scores = [None] * len(clips) if clips.scores is None else clips.scores.tolist()
    answers, truths = clips.answers.tolist(), clips.truth.tolist()
    return tuple(
        Prediction(name, answers[at], scores[at], truths[at], clips.speakers[at], clips.corpora[at])
        for at, name in enumerate(clips.names)
    )


def listed_clips(items: Iterable[Labelled]) -> tuple[Prediction, ...]:
    """Return the recordings of a list as rows that know truth, speaker and corpus only."""
    return tuple(
        Prediction(item.listed, -1, None, item.emotion.index, item.speaker, item.corpus)
        for item in items
    )


def _wrong(name: str, line: int, why: str, **data: object) -> ListError:
    return ListError("list_malformed", name=name, line=line, **reason(why, **data))
