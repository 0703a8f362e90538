"""Segments and curves as tables: CSV, JSON Lines, Parquet, NumPy.

A table has a line per segment, or with the curve a line per frame of 20 ms; where the channels of
a recording were kept apart, a column says whose line it is.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emoscope.export.records import as_words, spreadsheet_cell
from emoscope.labels import KEYS
from emoscope.messages.languages import LANGUAGES, Language
from emoscope.optional import require
from emoscope.paths.file_names import readable
from emoscope.results.result import Result
from emoscope.results.scores import softmax
from emoscope.results.track import Track
from emoscope.waveform import HOP_S

Column: TypeAlias = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Table as columns of equal length."""

    columns: dict[str, Column]
    """By name, each of shape ``(n,)``: numbers, truth values, or words."""
    about: dict[str, Any]
    """What it was made from, for formats that have a place for that."""

    def lines(self) -> Iterator[dict[str, Any]]:
        """Walk through the lines, with plain Python values; None where there is no number."""
        lists = [column.tolist() for column in self.columns.values()]
        for values in zip(*lists, strict=True):
            # NaN alone is unequal to itself.
            known = (value if value == value else None for value in values)
            yield dict(zip(self.columns, known, strict=True))


def segment_rows_table(
    results: Sequence[Result], languages: Sequence[Language] = LANGUAGES
) -> Table:
    """Return a line per segment, with columns as in ``docs/export.md``.

    Args:
        results: one, or one per channel of a recording.
        languages: with Chinese among them there is a column ``emotion_zh``.
    """
    numbers = [_number(result) for result in results for _ in result.segments]
    segments = [segment for result in results for segment in result.segments]
    columns: dict[str, Column] = {
        "name": recording_names(results, [len(result.segments) for result in results]),
        "channel": np.array(numbers, np.int8),
        "start_s": np.array([one.span.start_s for one in segments], np.float64),
        "end_s": np.array([one.span.end_s for one in segments], np.float64),
        "emotion": np.array([one.emotion.key for one in segments]),
        "emotion_zh": np.array([one.emotion.zh for one in segments]),
        # None, of silence, is no number: it becomes NaN, which no format writes.
        "score": np.array([one.score for one in segments], np.float64),
        "corrected": np.array([one.corrected for one in segments], np.bool_),
    }
    if "zh" not in languages:
        del columns["emotion_zh"]
    return Table(_without_lone(columns, results), _about(results))


def curve_table(results: Sequence[Result]) -> Table:
    """Return a line per frame: ``start_s``, ``speech``, nine scores, nine logits (``logit_happy``).

    Behind them the scores of heads, where the recording was recognized with some.

    Args:
        results: one result, or one for each channel of a recording.
    """
    tracks = list(zip(results, _tracks(results), strict=True))
    scores = np.concatenate([track.scores for _, track in tracks])
    logits = np.concatenate([track.logits for _, track in tracks])
    columns: dict[str, Column] = {
        "channel": np.concatenate(
            [np.full(len(track), _number(result), np.int8) for result, track in tracks]
        ),
        # Not k * 0.02, which is 0.28 and a hair; a frame begins at a whole millisecond.
        "start_s": np.concatenate(
            [(np.arange(len(track)) * HOP_S).round(3) for _, track in tracks]
        ),
        "speech": np.concatenate([_speech(track) for _, track in tracks]),
        **dict(zip(KEYS, scores.T, strict=True)),
        **dict(zip((f"logit_{key}" for key in KEYS), logits.T, strict=True)),
        **_head_curves(results),
    }
    return Table(_without_lone(columns, results), _about(results))


def _head_curves(results: Sequence[Result]) -> dict[str, Column]:
    """Columns of the heads that all results have: scores of each class, ``head.NAME.CLASS``."""
    columns: dict[str, Column] = {}
    for at, head in enumerate(results[0].heads):
        rows = [one.heads[at].frames for one in results if len(one.heads) > at]
        known = [one for one in rows if one is not None]
        if len(known) == len(results):
            scores = softmax(np.concatenate(known))
            names = (f"head.{head.name}.{one.key}" for one in head.labels)
            columns |= dict(zip(names, scores.T, strict=True))
    return columns


def to_csv(table: Table) -> bytes:
    """UTF-8 with a header line; times to the millisecond, the rest to six decimals."""
    buffer = io.StringIO()
    rows = csv.writer(buffer, lineterminator="\n")
    rows.writerow(table.columns)
    for line in table.lines():
        rows.writerow([_cell(name, value) for name, value in line.items()])
    return buffer.getvalue().encode()


def to_jsonl(table: Table) -> bytes:
    """One JSON object a line, in full precision."""
    lines = (json.dumps(line, ensure_ascii=False, allow_nan=False) for line in table.lines())
    return "".join(f"{line}\n" for line in lines).encode()


def to_parquet(table: Table) -> bytes:
    """Apache Parquet, in full precision; ``about`` stands in the schema's ``emoscope``.

    Raises:
        ExtraMissingError: pyarrow is not installed.
    """
    arrow, parquet = (require(name, extra="parquet") for name in ("pyarrow", "pyarrow.parquet"))
    about = json.dumps(table.about)
    arrays = {
        name: arrow.array(column, from_pandas=True)  # which makes null of NaN
        for name, column in table.columns.items()
    }
    made = arrow.table(arrays).replace_schema_metadata({"emoscope": about})
    buffer = io.BytesIO()
    parquet.write_table(made, buffer, compression="zstd")
    return buffer.getvalue()


def to_npy(results: Sequence[Result]) -> bytes:
    """Logits as float32, shape ``(T, 9)``, or ``(channels, T, 9)`` of several results.

    Loads with ``allow_pickle=False``.
    """
    logits = np.stack([track.logits for track in _tracks(results)])
    buffer = io.BytesIO()
    np.save(buffer, logits if len(results) > 1 else logits[0], allow_pickle=False)
    return buffer.getvalue()


def _tracks(results: Sequence[Result]) -> list[Track]:
    return [result.track for result in results if result.track is not None]


def _speech(track: Track) -> Column:
    return np.ones(len(track), np.bool_) if track.speech is None else track.speech


def recording_names(results: Sequence[Result], counts: Sequence[int]) -> Column:
    """Return the name of the recording of each line.

    Args:
        results: one, or one per channel of a recording.
        counts: lines of each of them.
    """
    names = [as_words(readable(result.source.name)) for result in results]
    return np.repeat(np.array(names, np.str_), counts)


def channel_numbers(results: Sequence[Result], counts: Sequence[int]) -> Column:
    """Return the channel of each line.

    Args:
        results: one, or one per channel of a recording.
        counts: lines of each of them.
    """
    return np.repeat([_number(result) for result in results], counts).astype(np.int8)


def table_of(columns: dict[str, Column], results: Sequence[Result]) -> Table:
    """Return the table of these results; without a column of channels where they were averaged."""
    return Table(_without_lone(columns, results), _about(results))


def _number(result: Result) -> int:
    return result.channel.number if result.channel else 1


def _without_lone(columns: dict[str, Column], results: Sequence[Result]) -> dict[str, Column]:
    """Leave the column of channels away where they were averaged."""
    if results[0].channel is None:
        del columns["channel"]
    return columns


def _about(results: Sequence[Result]) -> dict[str, Any]:
    first = results[0]
    return {
        "emoscope": first.versions.get("emoscope", ""),
        "source": first.source.to_dict(),
        "duration_s": first.duration_s,
        "hop_s": HOP_S,
        "model": first.model.to_dict(),
        "created_utc": first.to_dict()["created_utc"],
    }


def _cell(name: str, value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return f"{value:.3f}" if name.endswith("_s") else f"{value:.6f}"
    return spreadsheet_cell(value) if isinstance(value, str) else value
