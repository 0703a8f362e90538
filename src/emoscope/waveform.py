"""Waveform (mono samples and rate) and time spans."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float32]
"""Sound, shape ``(n,)``."""
Array32: TypeAlias = NDArray[np.float32]
Array64: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]
Indices: TypeAlias = NDArray[np.intp]

RATE_HZ = 16_000
"""The rate every model takes."""
HOP_S = 0.02
"""Seconds from one frame to the next."""
FRAME_S = 0.025
"""Seconds of sound that one frame covers."""


_BLOCK = 1 << 18
"""Samples looked at at once: 16 s, one MB."""
HOP = 320
"""Samples from one frame to the next: 20 ms at 16 kHz."""
FRAME = 400
"""Samples under one frame: 25 ms at 16 kHz."""


def frame_count(n_samples: int) -> int:
    """Rows for ``n_samples`` at 16 kHz: ⌊(N − 400) / 320⌋ + 1, and none below one frame."""
    return (n_samples - FRAME) // HOP + 1 if n_samples >= FRAME else 0


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Time span, start included and end excluded."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "json_schema_extra": {"additionalProperties": False}
    }

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
    """Mono waveform.

    Attributes:
        samples: float32 in [-1, 1], shape ``(n,)``.
        rate_hz: samples per second.
        name: what people call it, usually a file's name without its folder.
        missing: spans of the medium that hold no sound (a late start, gaps), in order and apart;
            the samples there are zeros that only keep the time.
    """

    samples: Samples
    rate_hz: int = RATE_HZ
    name: str = ""
    missing: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or self.samples.dtype != np.float32:
            raise ValueError(
                f"a waveform is float32 of shape (n,), not {self.samples.dtype} "
                f"of shape {self.samples.shape}; emoscope.SoundArray takes other arrays"
            )
        if self.rate_hz <= 0:
            raise ValueError(f"a rate is positive, not {self.rate_hz}")
        borders = [at_s for span in self.missing for at_s in (span.start_s, span.end_s)]
        if borders != sorted(borders) or round(max(borders, default=0) * self.rate_hz) > len(
            self.samples
        ):
            raise ValueError("missing spans lie in order inside the waveform")

    def __repr__(self) -> str:
        return f"<Waveform {self.name!r} of {self.duration_s:.2f} s at {self.rate_hz} Hz>"

    @property
    def duration_s(self) -> float:
        """Length in seconds, missing spans included."""
        return len(self.samples) / self.rate_hz

    def blocks(self, size: int = _BLOCK) -> Iterator[Samples]:
        """Walk through the samples in pieces, shape ``(size,)``; the last may be shorter.

        Hours of sound lie in a file that is mapped into memory (``audio/spool.py``); what this
        walk has passed is given back to the system.
        """
        for first in range(0, len(self.samples), size):
            yield self.samples[first : first + size]
            release_pages(self.samples)

    def cut(self, span: Span) -> Waveform:
        """Return the part inside ``span``, clipped to what is there; samples are shared."""
        first = round(span.start_s * self.rate_hz)
        last = min(round(span.end_s * self.rate_hz), len(self.samples))
        start_s, end_s = first / self.rate_hz, last / self.rate_hz
        missing = tuple(
            Span(max(gap.start_s, start_s) - start_s, min(gap.end_s, end_s) - start_s)
            for gap in self.missing
            if gap.start_s < end_s and gap.end_s > start_s
        )
        return Waveform(self.samples[first:last], self.rate_hz, self.name, missing)


def release_pages(array: NDArray[np.float32]) -> None:
    """Give the memory of a mapped array back; it is read again when it is looked at again."""
    owner: object = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, memoryview):
        owner = owner.obj
    if isinstance(owner, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)
