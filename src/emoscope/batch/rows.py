"""Rows of a batch: what the tables of the output hold of one result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

from emoscope.batch.items import BatchItem, Cell
from emoscope.batch.shards import ShardJob
from emoscope.export.records import error_record
from emoscope.export.tables import curve_table
from emoscope.labels import KEYS
from emoscope.paths.file_names import readable
from emoscope.results.result import Failure, Result
from emoscope.results.rows import head_values, segment_cells

RowCells: TypeAlias = dict[str, Any]
"""Value by column."""

_PLACE_TYPES: Mapping[str, str] = {"row": "int64", "id": "string"}
"""Columns that every table begins with: place in the input from 0, and the recording's name."""
_SCORES: Mapping[str, str] = dict.fromkeys(KEYS, "float64")
_ANSWER: Mapping[str, str] = {
    "emotion": "string",
    "confidence": "float64",
    "confidence_calibrated": "float64",
    "label_set": "strings",
    **_SCORES,
    "abstain": "strings",
}
_QUALITY: Mapping[str, str] = {
    "level_dbfs": "float64",
    "peak": "float64",
    "clipped_share": "float64",
    "snr_db": "float64",
    "bandwidth_hz": "float64",
    "speech_share": "float64",
    "silence_share": "float64",
    "speech_dbfs": "float64",
    "dc_offset": "float64",
    "band_is_cut": "bool",
}
PART_TYPES: Mapping[str, str] = {
    **_PLACE_TYPES,
    "path": "string",
    "member": "string",
    "start_s": "float64",
    "end_s": "float64",
    "sha256": "string",
    "duration_s": "float64",
    **_ANSWER,
    "warnings": "strings",
    **_QUALITY,
}
"""Columns of a part and their types, before those of heads, the embedding and carried ones."""
OWN_COLUMNS = (*PART_TYPES, "embedding", "adaptation", "emotion_before")
"""Names that no carried column can have."""
SEGMENT_TYPES: Mapping[str, str] = {
    **_PLACE_TYPES,
    "start_s": "float64",
    "end_s": "float64",
    "emotion": "string",
    "score": "float64",
}
UTTERANCE_TYPES: Mapping[str, str] = {
    **_PLACE_TYPES,
    "start_s": "float64",
    "end_s": "float64",
    **_ANSWER,
}
FRAME_TYPES: Mapping[str, str] = {
    **_PLACE_TYPES,
    "start_s": "float64",
    "speech": "bool",
    **_SCORES,
    **{f"logit_{key}": "float32" for key in KEYS},
}
ERROR_TYPES: Mapping[str, str] = {
    **_PLACE_TYPES,
    "path": "string",
    "member": "string",
    "start_s": "float64",
    "end_s": "float64",
    "error": "string",
    "error_zh": "string",
    "error_en": "string",
}


def part_types(job: ShardJob) -> dict[str, str]:
    """Return the columns of a part and their types, without the embedding."""
    # The class of a head has its confidence beside it; scores have none.
    classes = {name for name in job.heads if f"{name}.confidence" in job.heads}
    classes |= {name for name in job.heads if "." not in name}
    return {
        **PART_TYPES,
        **{name: "string" if name in classes else "float64" for name in job.heads},
        **{column.name: column.kind for column in job.columns},
    }


def part_row(item: BatchItem, result: Result, job: ShardJob) -> RowCells:
    """Return the row of a recording, without the embedding.

    Args:
        item: the row of the input.
        result: what was recognized.
        job: names the carried columns.
    """
    quality = result.quality.to_dict()
    return {
        **_place(item),
        **_where(item),
        "sha256": result.source.sha256,
        "duration_s": result.duration_s,
        **_answer(result),
        "warnings": list(result.quality.reasons),
        **{name: quality[name] for name in _QUALITY},
        **head_values(result),
        **{column.name: _writable(column.value(item.carried)) for column in job.columns},
    }


def error_row(item: BatchItem, failure: Failure) -> RowCells:
    """Return the row of a recording that failed."""
    found = error_record(failure)
    return {
        **_place(item),
        **_where(item),
        "error": found["code"],
        "error_zh": _writable(found["detail_zh"]),
        "error_en": _writable(found["detail_en"]),
    }


def batch_segments(item: BatchItem, result: Result) -> Iterator[RowCells]:
    """Return a row for each segment."""
    for cells in segment_cells(result):
        yield {**_place(item), **cells}


def batch_utterances(item: BatchItem, result: Result) -> Iterator[RowCells]:
    """Return a row for each utterance."""
    for one in result.utterances:
        yield {
            **_place(item),
            "start_s": one.start_s,
            "end_s": one.end_s,
            "emotion": one.emotion.key,
            "confidence": one.confidence,
            "confidence_calibrated": one.confidence_calibrated,
            "label_set": None if one.label_set is None else list(one.label_set.emotions),
            **one.scores.to_dict(),
            "abstain": list(one.abstain),
        }


def frame_columns(item: BatchItem, result: Result) -> dict[str, Any]:
    """Return the rows of 20 ms as columns of equal length, without embeddings."""
    columns = curve_table([result]).columns
    count = len(columns["start_s"])
    return {
        "row": np.full(count, item.row, np.int64),
        "id": [_writable(item.id)] * count,
        **{name: columns[name] for name in FRAME_TYPES if name in columns},
    }


def _answer(result: Result) -> RowCells:
    sure = result.calibrated
    return {
        "emotion": result.emotion.key,
        "confidence": result.confidence,
        "confidence_calibrated": None if sure is None else sure.confidence,
        "label_set": None if sure is None else list(sure.label_set),
        **result.scores.to_dict(),
        "abstain": list(result.abstain),
    }


def _place(item: BatchItem) -> RowCells:
    return {"row": item.row, "id": _writable(item.id)}


def _writable(value: Cell) -> Cell:
    """Escape what UTF-8 cannot hold: file names that are no UTF-8 come as lone surrogates."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _where(item: BatchItem) -> RowCells:
    return {
        "path": _writable(readable(item.path)),
        "member": _writable(item.member) or None,
        "start_s": item.start_s,
        "end_s": item.end_s,
    }
