"""Rows of tables for Python: an answer as plain numbers and words, by the columns of the CSV.

A recording that could not be recognized has one row, whose column ``error`` is its code.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any, Literal, TypeAlias, get_args

from emoscope.errors import EmoscopeError, RequestError
from emoscope.labels import KEYS
from emoscope.results.result import Failure, Result
from emoscope.results.utterances import Utterance

Cells: TypeAlias = Mapping[str, Any]
RowKind: TypeAlias = Literal["recordings", "segments", "utterances", "frames"]
ROW_KINDS: tuple[RowKind, ...] = get_args(RowKind)

RECORDING_COLUMNS = (
    "name",
    "emotion",
    "confidence",
    *KEYS,
    "margin",
    "duration_s",
    "abstain",
    "warnings",
    "model",
    "error",
    "error_zh",
    "error_en",
    "confidence_calibrated",
    "label_set",
    "channel",
    "talk_share",
    "overlap_share",
)
"""Columns of recordings: those of the CSV, and ``margin``, by which the first leads the second."""
ADAPTED = ("adaptation", "emotion_before")
"""Columns where corrections changed the nine: the head, and the model's own answer."""
SEGMENT_COLUMNS = ("name", "channel", "start_s", "end_s", "emotion", "score", "error")
UTTERANCE_ROW_COLUMNS = (
    *("name", "channel", "start_s", "end_s", "id", "text", "emotion", "confidence"),
    *("confidence_calibrated", "label_set", *KEYS, "abstain", "error"),
)
FRAME_COLUMNS = ("name", "channel", "start_s", "speech", *KEYS, "error")
COLUMNS_OF: Mapping[RowKind, tuple[str, ...]] = {
    "recordings": RECORDING_COLUMNS,
    "segments": SEGMENT_COLUMNS,
    "utterances": UTTERANCE_ROW_COLUMNS,
    "frames": FRAME_COLUMNS,
}


def carried_name(name: str, taken: Container[str]) -> str:
    """Return the name of a column that comes from the user's list.

    Args:
        name: as the list has it.
        taken: names of the answers' own columns; one of them gets ``list_`` before it.
    """
    return f"list_{name}" if name in taken else name


def check_row_kind(value: str) -> RowKind:
    """Return a kind of rows as given, if it is one.

    Raises:
        RequestError: it is none of the four.
    """
    if value not in ROW_KINDS:
        raise RequestError("row_kind_invalid", value=str(value)[:32])
    return value


def answer_rows(answer: Result | Failure, kind: RowKind) -> Iterator[dict[str, Any]]:
    """Yield the rows of one answer: one for a recording and for a failure, else any number.

    Args:
        answer: what was recognized, or why not.
        kind: what a row is about.
    """
    result = answer.result if isinstance(answer, Failure) else answer
    error = _error(answer.error) if isinstance(answer, Failure) else {}
    if result is None:
        yield {"name": answer.name, **error}
        return
    channel = {} if result.channel is None else {"channel": result.channel.number}
    for row in _MAKERS[kind](result):
        yield {"name": answer.name, **channel, **row, **error}


def _error(error: EmoscopeError) -> dict[str, str]:
    return {"error": error.code, "error_zh": error.detail_zh, "error_en": error.detail_en}


def _recording(result: Result) -> Iterator[Cells]:
    sure, channel = result.calibrated, result.channel
    row: dict[str, Any] = {
        "emotion": result.emotion.key,
        "confidence": result.confidence,
        **result.scores.to_dict(),
        "margin": result.scores.margin,
        "duration_s": result.duration_s,
        "abstain": " ".join(result.abstain),
        "warnings": " ".join(result.quality.reasons),
        "model": result.model.name,
    }
    if sure is not None:
        row |= {"confidence_calibrated": sure.confidence, "label_set": " ".join(sure.label_set)}
    if channel is not None:
        row |= {"talk_share": channel.talk_share, "overlap_share": channel.overlap_share}
    yield row | head_values(result)


def head_values(result: Result) -> dict[str, str | float]:
    """Return the values of the columns that heads add, by the names that tables have for them."""
    row: dict[str, str | float] = {}
    if (change := result.adaptation) is not None:
        row |= dict(zip(ADAPTED, (change.name, change.emotion), strict=True))
    for head in result.heads:
        start = f"head.{head.name}"
        row |= {start: head.label, f"{start}.confidence": head.confidence}
        row |= {f"{start}.{key}": score for key, score in head.scores.items()}
    return row


def segment_cells(result: Result) -> Iterator[Cells]:
    """Yield what a table says of each segment."""
    for one in result.segments:
        place = {"start_s": one.start_s, "end_s": one.end_s}
        yield {**place, "emotion": one.emotion.key, "score": one.score}


def _utterances(result: Result) -> Iterator[Cells]:
    return (_utterance(one) for one in result.utterances)


def _utterance(one: Utterance) -> Cells:
    return {
        "start_s": one.start_s,
        "end_s": one.end_s,
        "id": one.id,
        "text": one.text,
        "emotion": one.emotion.key,
        "confidence": one.confidence,
        "confidence_calibrated": one.confidence_calibrated,
        "label_set": " ".join(one.label_set.emotions) if one.label_set else "",
        **one.scores.to_dict(),
        "abstain": " ".join(one.abstain),
    }


def _frames(result: Result) -> Iterator[Cells]:
    track = result.track
    if track is None:
        return
    times, spoken = track.times.tolist(), track.voiced.tolist()
    for start_s, speech, scores in zip(times, spoken, track.scores.tolist(), strict=True):
        yield {"start_s": start_s, "speech": speech, **dict(zip(KEYS, scores, strict=True))}


_MAKERS = {
    "recordings": _recording,
    "segments": segment_cells,
    "utterances": _utterances,
    "frames": _frames,
}
