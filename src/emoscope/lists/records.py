"""Reader of lists with typed columns, JSON Lines and Parquet, row by row in bounded memory."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from emoscope.errors import EmoscopeError, ListError
from emoscope.lists.json_lines import JSON_LINES_ENDINGS
from emoscope.messages.reasons import reason
from emoscope.optional import require
from emoscope.paths.access import opened

PARQUET = frozenset((".parquet",))
RECORD_ENDINGS = JSON_LINES_ENDINGS | PARQUET
"""Endings of such lists."""

Value: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class ListRecord:
    """Row of a list."""

    line: int
    """Line, or row, counted from 1."""
    values: dict[str, Value]
    """By column; lists, times and other values as text."""
    error: EmoscopeError | None = None
    """Why it cannot be read."""


def read_records(path: Path) -> Iterator[ListRecord]:
    """Read a list, row by row.

    Raises:
        SourceNotFoundError: there is no such list.
        SourceError: the system refuses to read it.
        ListError: it is no Parquet file, or damaged.
        ExtraMissingError: it is Parquet, and pyarrow is not installed.
    """
    reader = _parquet if path.suffix.lower() in PARQUET else _json_lines
    yield from reader(path)


def _json_lines(path: Path) -> Iterator[ListRecord]:
    with opened(path) as file:
        for line, data in enumerate(file, 1):
            if not data.strip():
                continue
            try:
                values = json.loads(data.decode("utf-8-sig"))
                if not isinstance(values, dict):
                    raise ValueError("no object")
            except (ValueError, RecursionError) as exc:
                yield ListRecord(line, {}, _malformed(path, line, "list_not_json", exc))
                continue
            yield ListRecord(line, {str(name): _plain(one) for name, one in values.items()})


def _parquet(path: Path) -> Iterator[ListRecord]:
    arrow, parquet = (require(name, extra="parquet") for name in ("pyarrow", "pyarrow.parquet"))
    line = 0
    with opened(path) as file:
        try:
            for batch in parquet.ParquetFile(file).iter_batches(batch_size=1_024):
                for values in batch.to_pylist():
                    line += 1
                    yield ListRecord(line, {name: _plain(one) for name, one in values.items()})
        except arrow.ArrowException as exc:
            raise _malformed(path, line + 1, "list_not_parquet", exc) from exc


def _plain(value: Any) -> Value:
    """Return a value as a table can hold it in one cell."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _malformed(path: Path, line: int, why: str, exc: Exception) -> ListError:
    found = str(exc).partition("\n")[0][:120]
    return ListError("list_malformed", name=path.name, line=line, **reason(why, reason=found))
