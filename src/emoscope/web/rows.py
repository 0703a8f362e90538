"""Rows of runs in the batch and in the history: what they show, and small rivers."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from emoscope.errors import EmoscopeError
from emoscope.figures.small_river import small_river
from emoscope.messages.verdict import Verdict, model_verdict, verdict
from emoscope.outputs import history
from emoscope.outputs.history import RunEntry
from emoscope.outputs.store import RESULT, RunStore, read_result

RIVER_AT_ONCE_S = 60.0
"""Longer recordings get their small river after the list is shown; reading them takes a while."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """Run with what its row shows."""

    entry: RunEntry
    verdict: Verdict | None
    """None where the run cannot be read."""
    river: Markup | None
    """None where it is asked for later, or cannot be made."""
    reasons: tuple[str, ...] = ()
    """What the recording check found; codes."""

    @property
    def group(self) -> str:
        """What a batch counts it under: its emotion's key, ``changing`` or ``abstained``."""
        if self.verdict is None:
            return ""
        return self.verdict.emotion.key if self.verdict.emotion else self.verdict.kind


def row_of(store: RunStore, run: str) -> RunRow:
    """Return the row of one run, with all that it can show, as it was corrected.

    Raises:
        RunNotFoundError: there is no such run.
        RunDamagedError: it cannot be read.
    """
    result = history.corrected_result(store, run)
    entry = history.run_entry(store, run)
    return RunRow(entry, verdict(result), river_of(store, run), result.quality.reasons)


def rows_of(store: RunStore, entries: Sequence[RunEntry]) -> list[RunRow]:
    """Return the rows of a list; those of long recordings without what needs their time axis."""
    return [_row_at_once(store, entry) for entry in entries]


def river_of(store: RunStore, run: str) -> Markup:
    """Return the small river of a run as SVG.

    Raises:
        RunNotFoundError: there is no such run.
        RunDamagedError: it cannot be read.
    """
    return Markup(_seen(store, run)[0])  # noqa: S704 - ours, no words in it


def _row_at_once(store: RunStore, entry: RunEntry) -> RunRow:
    facts = entry.facts
    if facts is None:
        return RunRow(entry, None, None)
    if facts.duration_s > RIVER_AT_ONCE_S:
        return RunRow(entry, facts.verdict, None)
    try:
        river, answer = _seen(store, entry.name)
    except (EmoscopeError, OSError):  # deleted or damaged meanwhile
        return RunRow(entry, facts.verdict, None)
    return RunRow(entry, answer, Markup(river))  # noqa: S704 - ours, no words in it


def _seen(store: RunStore, run: str) -> tuple[str, Verdict]:
    path = store.file(run, RESULT)
    status = path.stat()
    return _read(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=5_000)
def _read(path: Path, _modified_ns: int, _size: int) -> tuple[str, Verdict]:
    """Read a run, draw it and sum it up; a run never changes. About 1 KB each."""
    result = read_result(path)
    return small_river(result, label=""), model_verdict(result)
