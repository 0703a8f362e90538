"""Reproduction of a report: how its figures were made, and which differ when made again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emoscope.errors import ListError
from emoscope.evaluate.record import FileRef, RunRecord
from emoscope.messages.reasons import reason
from emoscope.paths.access import read_json

TOLERANCE = 1e-5
"""Figures nearer than this are equal: threads and processors add up in other orders."""
_MAX_BYTES = 256 << 20
_NO_FIGURES = ("created", "versions", "command", "list", "training_list", "label_map", "options")
"""Parts of a report that say how it was made."""


@dataclass(frozen=True, slots=True)
class FigureChange:
    """Part of a report that is another one now."""

    place: str
    """Keys that lead to it, with dots between them."""
    reported: Any
    found: Any


@dataclass(frozen=True, slots=True)
class Report:
    """Report that was read: its figures, and how they were made."""

    record: RunRecord
    figures: Mapping[str, Any]

    def changes(self, figures: Mapping[str, Any]) -> tuple[FigureChange, ...]:
        """Return what differs from figures that were made again."""
        return tuple(_changes("", dict(self.figures), dict(figures)))


def read_report(path: Path) -> Report:
    """Read the JSON that an evaluation wrote.

    Raises:
        SourceNotFoundError: there is no such file.
        SourceError: the system refuses to read it.
        ListError: it is no report that says how it was made.
    """
    try:
        data = read_json(path, _MAX_BYTES)
        if not isinstance(data, dict):
            raise TypeError("no object")
        figures = {key: value for key, value in data.items() if key not in _NO_FIGURES}
        return Report(_record(data), figures)
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        told = reason("as_said", reason=f"{type(exc).__name__}: {exc}"[:200])
        raise ListError("report_unreadable", name=path.name, **told) from exc


def found_file(reference: FileRef, report: Path) -> Path:
    """Return where a file of a report is: as it was given, else from the report's folder."""
    given = Path(reference.path)
    beside = report.parent / reference.path
    return beside if not given.exists() and beside.exists() else given


def changed_files(
    references: Mapping[str, tuple[FileRef | None, FileRef | None]],
) -> tuple[FigureChange, ...]:
    """Return the files that have another content now.

    Args:
        references: as reported and as found, by what they are.
    """
    return tuple(
        FigureChange(f"{kind}.sha256", before.sha256, now.sha256 if now else None)
        for kind, (before, now) in references.items()
        if before is not None and (now is None or before.sha256 != now.sha256)
    )


def _record(data: Mapping[str, Any]) -> RunRecord:
    return RunRecord(
        created=str(data["created"]),
        versions={str(name): str(one) for name, one in data["versions"].items()},
        command=tuple(map(str, data["command"])),
        listing=_file(data["list"]),
        model_sha256=str(data["model"]["sha256"]),
        training=_file(data["training_list"]) if data["training_list"] else None,
        label_map=_file(data["label_map"]) if data["label_map"] else None,
        options=dict(data["options"]),
    )


def _file(data: Mapping[str, Any]) -> FileRef:
    return FileRef(str(data["path"]), str(data["sha256"]))


def _changes(place: str, reported: Any, found: Any) -> Iterator[FigureChange]:
    if isinstance(reported, dict) and isinstance(found, dict):
        for key in sorted(reported.keys() | found.keys()):
            yield from _changes(
                f"{place}.{key}" if place else key, reported.get(key), found.get(key)
            )
    elif isinstance(reported, list) and isinstance(found, list) and len(reported) == len(found):
        for at, (one, other) in enumerate(zip(reported, found, strict=True)):
            yield from _changes(f"{place}.{at}", one, other)
    elif not _is_equal(reported, found):
        yield FigureChange(place, reported, found)


def _is_equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=0.0, abs_tol=TOLERANCE)
    return bool(one == other)
