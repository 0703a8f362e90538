"""Item of a batch: one row of the input, a recording or a span of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeAlias

from emoscope.errors import EmoscopeError, InternalError, restore

Cell: TypeAlias = str | int | float | bool | None
"""Value of a column that a list has and that is carried to the output."""


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One row of the input."""

    row: int
    """Its place in the input, from 0."""
    id: str
    """Its name in a list, else its path in the folder that was named."""
    path: str
    """Absolute path of a local file, or an address."""
    member: str = ""
    """Name inside an archive; empty for a file of its own."""
    offset: int = -1
    """Where the bytes of the member begin in an archive without compression; -1: not known."""
    size: int = -1
    """Bytes; -1: not known."""
    start_s: float | None = None
    """Begin of the span in seconds; None: from the start."""
    end_s: float | None = None
    """End of the span in seconds; None: to the end."""
    carried: Mapping[str, Cell] = field(default_factory=dict)
    """Further columns of the list."""
    error: EmoscopeError | None = None
    """Why nothing can be recognized, where the list itself is at fault."""

    @property
    def is_span(self) -> bool:
        """Whether it is only a part of its recording."""
        return self.start_s is not None or self.end_s is not None

    @property
    def file(self) -> tuple[str, str]:
        """What is decoded: the file, and the member of an archive."""
        return self.path, self.member


def item_record(item: BatchItem) -> dict[str, Any]:
    """Return an item as JSON can hold it."""
    record = asdict(replace(item, error=None))
    if item.error is not None:
        record["error"] = {"code": item.error.code, "data": item.error.data}
    return record


def item_of(record: dict[str, Any]) -> BatchItem:
    """Return the item of a record."""
    error = record["error"]
    found = None if error is None else restore(error["code"], error["data"]) or InternalError()
    return BatchItem(**{**record, "error": found})
