"""Utterances as rows of CSV, one file for the recordings of a command, a server, an archive.

A recording that could not be recognized, and one without an utterance, has a row too.
"""

from __future__ import annotations

from collections.abc import Iterable

from emoscope.export.records import RUN_COLUMN, csv_line, error_record, spreadsheet_cell
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


def utterance_csv_header() -> str:
    """First line of the CSV."""
    return csv_line(list(UTTERANCE_COLUMNS))


def to_utterance_csv(answer: Result | Failure) -> str:
    """Lines of one recording, in the order of ``UTTERANCE_COLUMNS``."""
    return "".join(csv_line(cells) for cells in utterance_cells(answer))


def archive_utterances(answers: Iterable[tuple[str, Result]]) -> str:
    """Return the CSV of an archive, with the folder of each run before its rows.

    Args:
        answers: name of the run's folder, and its result.
    """
    lines = [csv_line([RUN_COLUMN, *UTTERANCE_COLUMNS])]
    lines += [
        csv_line([run, *cells]) for run, result in answers for cells in utterance_cells(result)
    ]
    return "".join(lines)


def utterance_cells(answer: Result | Failure) -> list[list[str]]:
    """Rows of one recording, in the order of ``UTTERANCE_COLUMNS``."""
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
    return [[spreadsheet_cell(row.get(one, "")) for one in UTTERANCE_COLUMNS] for row in named]


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
    }
