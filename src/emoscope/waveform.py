"""A sound in memory, and a stretch of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float32]

RATE_HZ = 16_000
"""The rate every model takes."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of time, start included and end excluded."""

    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not 0 <= self.start_s <= self.end_s:
            raise ValueError(
                f"a span runs forward from zero on, not {self.start_s} to {self.end_s}"
            )

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """Mono sound.

    Attributes:
        samples: float32 in [-1, 1], shape ``(n,)``.
        rate_hz: samples per second.
        name: what people call it, usually a file's name without its folder.
    """

    samples: Samples
    rate_hz: int = RATE_HZ
    name: str = ""

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or self.samples.dtype != np.float32:
            raise ValueError(
                f"a waveform is float32 of shape (n,), not {self.samples.dtype} "
                f"of shape {self.samples.shape}"
            )
        if self.rate_hz <= 0:
            raise ValueError(f"a rate is positive, not {self.rate_hz}")

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate_hz

    def cut(self, span: Span) -> Waveform:
        """Return the part inside ``span``, clipped to what is there; samples are shared."""
        first = round(span.start_s * self.rate_hz)
        last = round(span.end_s * self.rate_hz)
        return Waveform(self.samples[first:last], self.rate_hz, self.name)
