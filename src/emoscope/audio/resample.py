"""Resampling of any rate to 16 kHz, block by block, with soxr HQ."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from emoscope.waveform import RATE_HZ, Samples, Span, Waveform


@dataclass(slots=True)
class Stages:
    """Timings and counts of decoding one recording."""

    decode_s: float = 0.0
    mix_s: float = 0.0
    resample_s: float = 0.0
    skipped_packets: int = 0
    broken_off: bool = False
    """Whether the last packet is half a frame, or the packets ended in an error."""
    sound_s: float = 0.0
    """Seconds of sound that came out of the decoder."""
    start_s: float = 0.0
    """Presentation time at which the sound begins."""
    end_s: float = 0.0
    """Presentation time at which it ends."""


def at_rate(planes: Iterator[tuple[int, Samples]], stages: Stages) -> Iterator[Samples]:
    """Bring every channel to 16 kHz, sample-aligned; blocks of shape ``(channels, n)``."""
    resampler: Resampler | None = None
    for rate_hz, samples in planes:
        if resampler is None or not resampler.fits(rate_hz, len(samples)):
            if resampler is not None:
                yield resampler.rest(stages)
            resampler = Resampler(rate_hz, len(samples))
        yield resampler(samples, stages)
    if resampler is not None:
        yield resampler.rest(stages)


class Resampler:
    """Resampler to 16 kHz, block by block; planes are ``(channels, n)``.

    soxr's HQ recipe: flat to 7.5 kHz, aliases below −130 dB.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        import soxr

        self._layout = rate_hz, channels
        self._stream: Any = None
        if rate_hz != RATE_HZ:
            self._stream = soxr.ResampleStream(
                rate_hz, RATE_HZ, channels, dtype="float32", quality="HQ"
            )

    def fits(self, rate_hz: int, channels: int) -> bool:
        """Whether it was made for this rate and number of channels."""
        return self._layout == (rate_hz, channels)

    def __call__(self, planes: Samples, stages: Stages, *, last: bool = False) -> Samples:
        """Resample the next block; the last samples come out with the block after it.

        Args:
            planes: float32 of shape ``(channels, n)`` at the rate of this resampler.
            stages: collects the seconds spent.
            last: whether no block follows, so that the filter gives all it holds.

        Returns:
            float32 at 16 kHz, shape ``(channels, m)``.
        """
        if self._stream is None:
            return planes
        start_s = time.perf_counter()
        # soxr takes (n, channels), and a plain (n,) for one channel.
        rows = np.ascontiguousarray(planes[0] if len(planes) == 1 else planes.T)
        out = self._stream.resample_chunk(rows, last=last)
        stages.resample_s += time.perf_counter() - start_s
        return cast(Samples, out[None] if out.ndim == 1 else out.T)

    def rest(self, stages: Stages) -> Samples:
        """Return what the filter still holds."""
        nothing = np.zeros((self._layout[1], 0), np.float32)
        return self(nothing, stages, last=True)


def at_16_khz(waveform: Waveform) -> Waveform:
    """Return the same sound at 16 kHz."""
    if waveform.rate_hz == RATE_HZ or not len(waveform.samples):
        return waveform
    stages, resampler = Stages(), Resampler(waveform.rate_hz, 1)
    parts = [resampler(waveform.samples[None], stages), resampler.rest(stages)]
    samples = np.clip(np.concatenate(parts, axis=1)[0], -1.0, 1.0)
    end_s = len(samples) / RATE_HZ
    missing = (Span(span.start_s, min(span.end_s, end_s)) for span in waveform.missing)
    return Waveform(samples, RATE_HZ, waveform.name, tuple(missing))
