"""Item of a batch: one row of the input, a recording or a span of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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


def item_record(item: BatchItem) -> list[Any]:
    """Return the values of an item as JSON can hold them, in the order of its fields."""
    error = None if item.error is None else [item.error.code, item.error.data]
    where = (item.row, item.id, item.path, item.member, item.offset, item.size)
    return [*where, item.start_s, item.end_s, dict(item.carried), error]


def item_of(record: list[Any]) -> BatchItem:
    """Return the item of a record."""
    row, name, path, member, offset, size, start_s, end_s, carried, error = record
    where = BatchItem(row, name, path, member, offset, size, start_s, end_s, carried)
    return where if error is None else replace(where, error=restore(*error) or InternalError())
