"""Utterances as rows of CSV, one file for the recordings of a command, a server, an archive.

A recording that could not be recognized, and one without an utterance, has a row too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from emoscope.export.records import (
    RUN_COLUMN,
    csv_line,
    error_record,
    head_columns,
    spreadsheet_cell,
)
from emoscope.labels import KEYS
from emoscope.results.result import Failure, Result
from emoscope.results.utterances import Utterance

UTTERANCE_COLUMNS = (
    "name",
    "channel",
    "start_s",
    "end_s",
    "id",
    "text",
    "emotion",
    "confidence",
    "confidence_calibrated",
    "label_set",
    *KEYS,
    "abstain",
    "error",
    "error_zh",
    "error_en",
)


def utterance_csv_header(extra: Sequence[str] = ()) -> str:
    """First line of the CSV, with further columns, as of ``head_columns``."""
    return csv_line(_columns(extra))


def _columns(extra: Sequence[str]) -> list[str]:
    """Return all columns; what corrections changed of the recording is no matter of utterances."""
    return [*UTTERANCE_COLUMNS, *(one for one in extra if one.startswith("head."))]


def to_utterance_csv(answer: Result | Failure, extra: Sequence[str] = ()) -> str:
    """Lines of one recording, in the order of ``UTTERANCE_COLUMNS`` and of further columns."""
    return "".join(csv_line(cells) for cells in utterance_cells(answer, extra))


def archive_utterances(answers: Iterable[tuple[str, Result]]) -> str:
    """Return the CSV of an archive, with the folder of each run before its rows.

    Args:
        answers: name of the run's folder, and its result.
    """
    found = list(answers)
    extra = head_columns(head for _, result in found for head in result.heads)
    lines = [csv_line([RUN_COLUMN, *_columns(extra)])]
    lines += [
        csv_line([run, *cells]) for run, result in found for cells in utterance_cells(result, extra)
    ]
    return "".join(lines)


def utterance_cells(answer: Result | Failure, extra: Sequence[str] = ()) -> list[list[str]]:
    """Rows of one recording, in the order of ``UTTERANCE_COLUMNS`` and of further columns."""
    result = answer.result if isinstance(answer, Failure) else answer
    rows: list[dict[str, str]] = []
    if result is not None:
        number = str(result.channel.number) if result.channel else ""
        rows = [{"channel": number, **_values(one)} for one in result.utterances]
        spoken = result.utterance_set
        if not rows and spoken is not None:
            rows = [{"channel": number, "abstain": spoken.cut.reason or ""}]
    if isinstance(answer, Failure):
        error = error_record(answer)
        rows = rows or [{}]
        rows[0] |= {
            "error": error["code"],
            "error_zh": error["detail_zh"],
            "error_en": error["detail_en"],
        }
    named = [{"name": answer.name, **row} for row in rows]
    return [[spreadsheet_cell(row.get(one, "")) for one in _columns(extra)] for row in named]


def _values(one: Utterance) -> dict[str, str]:
    sure, kept = one.confidence_calibrated, one.label_set
    return {
        "start_s": f"{one.start_s:.3f}",
        "end_s": f"{one.end_s:.3f}",
        "id": one.id,
        "text": one.text,
        "emotion": one.emotion.key,
        "confidence": repr(one.confidence),
        "confidence_calibrated": "" if sure is None else repr(sure),
        "label_set": " ".join(kept.emotions) if kept else "",
        **{key: repr(value) for key, value in one.scores.to_dict().items()},
        "abstain": " ".join(one.abstain),
        **_head_values(one),
    }


def _head_values(one: Utterance) -> dict[str, str]:
    """Cells of the columns that ``head_columns`` names."""
    row: dict[str, str] = {}
    for name, scores in one.heads.items():
        start, top = f"head.{name}", max(scores, key=scores.__getitem__)
        row |= {start: top, f"{start}.confidence": repr(scores[top])}
        row |= {f"{start}.{key}": repr(score) for key, score in scores.items()}
    return row
