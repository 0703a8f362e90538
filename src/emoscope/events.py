"""Progress and step events of a recognition.

The core reports what happened (sound was decoded, the model ran); a front end decides whether that
becomes a log line, a metric or a progress bar. A listener is any callable; it must be quick, and an
exception that it raises reaches the caller, because hiding it would hide a bug.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, TypeAlias


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the processing log."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "json_schema_extra": {"additionalProperties": False}
    }

    name: str = field(metadata={"alias": "step"})
    """receive, decode, resample, mix, check, infer, utterances, write."""
    milliseconds: float = field(metadata={"alias": "ms"})
    data: dict[str, Any] = field(default_factory=dict, metadata={"exclude_if": operator.not_})
    """Numbers for the sentence that a front end makes of it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of one recording."""

    done_s: float
    """Seconds of sound finished."""
    total_s: float
    step: str = "infer"
    """``decode`` while a file is read, then ``infer``, then ``utterances`` where asked for."""


Event: TypeAlias = Step | Progress
Listener: TypeAlias = Callable[[Event], None]
Clock: TypeAlias = Callable[[], float]
"""Seconds that only go forward."""


def local_now() -> datetime:
    """Return the time, with the zone of this machine."""
    return datetime.now().astimezone()


def ignore(_event: Event) -> None:
    """Do nothing: the default listener."""


class StepLog:
    """Log of the steps of one run, in order, that forwards each to a listener."""

    def __init__(self, listener: Listener = ignore, clock: Clock = time.perf_counter) -> None:
        self._listener = listener
        self._clock = clock
        self._steps: list[Step] = []

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps so far."""
        return tuple(self._steps)

    def add(self, name: str, milliseconds: float, **data: object) -> None:
        """Record a step that was timed elsewhere.

        Args:
            name: receive, decode, resample, mix, check, infer, utterances or write.
            milliseconds: time that it took.
            data: numbers for the sentence that a front end makes of it.
        """
        step = Step(name, milliseconds, data)
        self._steps.append(step)
        self._listener(step)

    def moved(self, name: str, done_s: float, total_s: float) -> None:
        """Report the progress of a step.

        Args:
            name: ``decode``, ``infer`` or ``utterances``.
            done_s: seconds of sound finished.
            total_s: seconds of sound in all.
        """
        self._listener(Progress(done_s, total_s, name))

    @contextmanager
    def timed(self, name: str, **data: object) -> Iterator[dict[str, object]]:
        """Time the block; it may put numbers into the dict it is given."""
        start_s = self._clock()
        yield data
        self.add(name, (self._clock() - start_s) * 1000, **data)
