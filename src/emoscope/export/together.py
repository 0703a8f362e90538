"""One table of many runs: their segments, utterances or curves below one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from emoscope.export.annotations import FORMATS, Languages, check_segments
from emoscope.export.records import RUN_COLUMN
from emoscope.export.spoken_segments import check_utterances
from emoscope.export.tables import Column, Table, curve_table, recording_names, segment_rows_table
from emoscope.export.utterance_table import utterance_rows_table
from emoscope.messages.languages import LANGUAGES
from emoscope.results.result import Result

NamedResults: TypeAlias = tuple[str, Sequence[Result]]
"""Name of a run, and its results: one, or one per channel of a recording."""


def export_together(
    runs: Sequence[NamedResults],
    name: str,
    *,
    curve: bool = False,
    utterances: bool = False,
    languages: Languages = LANGUAGES,
) -> bytes:
    """Return the segments of many runs as one table, with columns ``run`` and ``name`` before it.

    Args:
        runs: name of each run, and its results.
        name: a key of ``FORMATS`` that is a table: ``csv``, ``jsonl``, ``parquet``.
        curve: the rows of 20 ms in place of the segments.
        utterances: the utterances that were recognized alone, in place of the segments.
        languages: with Chinese among them there is a column ``emotion_zh``.

    Raises:
        KeyError: the format is no table.
        ResultError: a result has no segments, or no utterances.
        ExtraMissingError: the library for this format is not installed.
    """
    write = FORMATS[name].table
    if write is None:
        raise KeyError(name)
    return write(joined_tables([_table(run, curve, utterances, languages) for run in runs]))


def _table(run: NamedResults, curve: bool, utterances: bool, languages: Languages) -> Table:
    name, results = run
    if utterances:
        check_utterances(results)
        made = utterance_rows_table(results, languages)
    else:
        check_segments(results)
        made = curve_table(results) if curve else segment_rows_table(results, languages)
    count = len(made.columns["start_s"])
    about = {RUN_COLUMN: name, **made.about}
    columns: dict[str, Column] = {RUN_COLUMN: np.full(count, name)}
    if curve:  # whose rows are all of one recording
        columns["name"] = recording_names(results[:1], [count])
    return Table(columns | made.columns, about)


def joined_tables(tables: Sequence[Table]) -> Table:
    """Put tables below one another; a column that one of them lacks is empty there.

    Args:
        tables: at least one; of what they were made from a list is kept.
    """
    kinds = {name: column.dtype for table in tables for name, column in table.columns.items()}
    counts = [len(next(iter(table.columns.values()))) for table in tables]
    columns = {
        name: np.concatenate(
            [
                table.columns.get(name, _missing(name, kind, count))
                for table, count in zip(tables, counts, strict=True)
            ]
        )
        for name, kind in kinds.items()
    }
    return Table(columns, {"runs": [table.about for table in tables]})


def _missing(name: str, kind: np.dtype, count: int) -> Column:
    """Return a column of a run that has none; the one channel of a recording is the first."""
    if name == "channel":
        return np.ones(count, kind)
    return np.full(count, "" if kind.kind == "U" else np.nan)
