"""Carried columns of a batch: names and types of what lists have beside their recordings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from emoscope.batch.items import Cell
from emoscope.results.rows import carried_name

ColumnKind: TypeAlias = Literal["bool", "int64", "float64", "string"]
"""Type of a carried column, by its name in Arrow."""


@dataclass(frozen=True, slots=True)
class CarriedColumn:
    """One carried column."""

    source: str
    """What the list calls it."""
    name: str
    """What the output calls it."""
    kind: ColumnKind

    def value(self, cells: Mapping[str, Cell]) -> Cell:
        """Return its value in a row, in its type; None where the row has none."""
        value = cells.get(self.source)
        if value is None:
            return None
        if self.kind == "string":
            return value if isinstance(value, str) else str(value)
        return float(value) if self.kind == "float64" else value


_HEADS = "head."
"""Beginning of the names of columns of heads."""


class ColumnFinder:
    """Finds names and types of the carried columns while the rows pass by."""

    def __init__(self) -> None:
        self._kinds: dict[str, ColumnKind | None] = {}

    def look(self, cells: Mapping[str, Cell]) -> None:
        """Take note of the cells of a row."""
        for name, value in cells.items():
            known = self._kinds.setdefault(name, None)
            if value is not None and known != "string":
                self._kinds[name] = _common(known, _kind_of(value))

    def columns(self, taken: Collection[str]) -> tuple[CarriedColumn, ...]:
        """Return the columns, in the order in which they were first seen.

        Args:
            taken: names of the output's own columns.
        """
        used, found = set(taken), []
        for source, kind in self._kinds.items():
            if source.startswith(_HEADS):  # whichever heads there are
                used.add(source)
            name = carried_name(source, used)
            while name in used:
                name = f"{name}_"
            used.add(name)
            found.append(CarriedColumn(source, name, kind or "string"))
        return tuple(found)


def _kind_of(value: str | float | bool) -> ColumnKind:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int64" if -(1 << 63) <= value < 1 << 63 else "string"
    return "float64" if isinstance(value, float) else "string"


def _common(one: ColumnKind | None, other: ColumnKind) -> ColumnKind:
    if one is None or one == other:
        return other
    return "float64" if {one, other} == {"int64", "float64"} else "string"
