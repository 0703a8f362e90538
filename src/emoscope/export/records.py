"""Results as JSON, JSON Lines and CSV text.

A recording that could not be recognized has a line too, with its error, so that nothing is lost.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from emoscope.models.head_file import Head
from emoscope.results.heads import HeadAnswer
from emoscope.results.result import Failure, Result
from emoscope.results.rows import ADAPTED, RECORDING_COLUMNS, carried_name, head_values

CSV_COLUMNS = tuple(column for column in RECORDING_COLUMNS if column != "margin")
RUN_COLUMN = "run"
"""The column that an archive of runs has before these."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What spreadsheets take for the start of a formula; the wide forms in Chinese settings."""


def to_record(answer: Result | Failure) -> dict[str, Any]:
    """Return what JSON shows for one recording: ``result.json``, or its name and the error.

    Both where it was recognized and could not be saved.
    """
    if isinstance(answer, Result):
        return {"name": answer.name, **answer.to_dict()}
    known = {} if answer.result is None else answer.result.to_dict()
    return {"name": answer.name, **known, "error": error_record(answer)}


def error_record(failure: Failure) -> dict[str, str]:
    """Code and both sentences."""
    error = failure.error
    return {"code": error.code, "detail_zh": error.detail_zh, "detail_en": error.detail_en}


def to_json(answers: Iterable[Result | Failure]) -> str:
    """One JSON list."""
    records = [to_record(answer) for answer in answers]
    return as_words(json.dumps(records, ensure_ascii=False, indent=1, allow_nan=False)) + "\n"


def to_json_line(answer: Result | Failure) -> str:
    """One line of JSON Lines."""
    return as_words(json.dumps(to_record(answer), ensure_ascii=False, allow_nan=False)) + "\n"


def head_columns(heads: Iterable[Head | HeadAnswer]) -> tuple[str, ...]:
    """Return the columns that heads add to the CSV, behind ``CSV_COLUMNS``.

    ``head.NAME``, ``head.NAME.confidence`` and ``head.NAME.CLASS`` for each head with classes of
    its own; ``adaptation`` and ``emotion_before`` where one of corrections changes the nine.
    """
    names: dict[str, None] = {}
    for head in heads:
        if isinstance(head, Head) and head.kind == "corrections":
            names |= dict.fromkeys(ADAPTED)
            continue
        start = f"head.{head.name}"
        keys = (f"{start}.{one.key}" for one in head.labels)
        names |= dict.fromkeys((start, f"{start}.confidence", *keys))
    return tuple(names)


def csv_header(extra: Sequence[str] = (), carried: Sequence[str] = ()) -> str:
    """First line of the CSV.

    Args:
        extra: further columns, such as those of ``head_columns``.
        carried: columns of the user's list; one with a name of ours gets ``list_`` before it.
    """
    own = (*CSV_COLUMNS, *extra)
    return csv_line([*own, *(carried_name(name, own) for name in carried)])


def to_csv_line(
    answer: Result | Failure, extra: Sequence[str] = (), carried: Sequence[str] = ()
) -> str:
    """One line of the CSV.

    Args:
        answer: a result or failure.
        extra: further columns, in order.
        carried: values of the user's list, in order.
    """
    return csv_line([*_cells(answer, extra), *map(spreadsheet_cell, carried)])


def archive_csv(answers: Iterable[tuple[str, Result]]) -> str:
    """Return the CSV of an archive: as ``to_csv_line``, with the folder of each run before it.

    Args:
        answers: name of the run's folder, and its result.
    """
    rows = list(answers)
    heads = head_columns(head for _, result in rows for head in result.heads)
    extra = (*heads, *(ADAPTED if any(result.adaptation for _, result in rows) else ()))
    lines = [csv_line([RUN_COLUMN, *CSV_COLUMNS, *extra])]
    lines += [csv_line([run, *_cells(result, extra)]) for run, result in rows]
    return "".join(lines)


def _head_cells(result: Result) -> dict[str, str]:
    values = head_values(result).items()
    return {name: value if isinstance(value, str) else repr(value) for name, value in values}


def _cells(answer: Result | Failure, extra: Sequence[str] = ()) -> list[str]:
    row = {"name": answer.name}
    if isinstance(answer, Failure):
        error = error_record(answer)
        row |= {
            "error": error["code"],
            "error_zh": error["detail_zh"],
            "error_en": error["detail_en"],
        }
    result = answer.result if isinstance(answer, Failure) else answer
    if result is not None:
        sure, channel = result.calibrated, result.channel
        row |= {
            "emotion": result.emotion.key,
            "confidence": repr(result.confidence),
            **{key: repr(value) for key, value in result.scores.to_dict().items()},
            "duration_s": repr(result.duration_s),
            "confidence_calibrated": repr(sure.confidence) if sure else "",
            "label_set": " ".join(sure.label_set) if sure else "",
            "abstain": " ".join(result.abstain),
            "warnings": " ".join(result.quality.reasons),
            "model": result.model.name,
            "channel": str(channel.number) if channel else "",
            "talk_share": repr(channel.talk_share) if channel else "",
            "overlap_share": repr(channel.overlap_share) if channel else "",
            **_head_cells(result),
        }
    return [spreadsheet_cell(row.get(column, "")) for column in (*CSV_COLUMNS, *extra)]


def spreadsheet_cell(cell: str) -> str:
    """Keep a spreadsheet from running a name or what is said as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def as_words(text: str) -> str:
    """Escape what UTF-8 cannot hold: file names that are no UTF-8 come as lone surrogates."""
    return text.encode("utf-8", "backslashreplace").decode()


def csv_line(cells: list[str]) -> str:
    """One line of CSV, written as UTF-8 can hold it."""
    buffer = io.StringIO()
    # With "\n" alone the writer would leave a "\r" inside a name without quotes.
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return as_words(buffer.getvalue().removesuffix("\r\n")) + "\n"
