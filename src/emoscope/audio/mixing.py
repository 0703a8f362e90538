"""Downmix of several channels to mono that detects channels of opposite phase.

The mean of two channels is what both have in common. Where one of them has its poles swapped (a
wrong cable, a balanced line taken as stereo), the voice is in their difference and the mean is
empty. So the power of the channels is compared with that of their sum: for channels that have
nothing to do with one another the sum has the power of all together, for equal ones more, for
opposite ones almost none.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np

from emoscope.audio.resample import Stages
from emoscope.events import StepLog
from emoscope.waveform import Samples, Waveform

CANCELLED = 0.125
"""Channels cancel one another where their sum has less than this of the power of all together.

It is 1 for unrelated channels, and 0.18 for the worst of eight voices beside its own copy, late by
any time up to 10 ms. A copy turned over is below it from 0.6 of the level on, and with noise of its
own on each channel up to 8 dB below the voice.
"""
_AS_LOUD = 10 ** (-1 / 10)
"""A channel within 1 dB of the loudest is as loud, so that noise does not choose between two."""
_LEAST_POWER = 1e-9
"""Mean power below which there is nothing that could cancel: -90 dB below full scale."""


class Mixer:
    """Downmix to mono, block by block, with detection of channels that cancel.

    Args:
        channel: the one to take instead of the mean, from 0; where there are fewer, the last.
    """

    def __init__(self, channel: int | None = None) -> None:
        self._channel = channel
        self._count = 0
        self._sums = np.zeros(2)
        """Of the sum of all channels: sum, and sum of squares."""
        self._of_channels = np.zeros((0, 2))
        """The same for each channel, shape ``(channels, 2)``."""

    def __call__(self, planes: Samples, stages: Stages) -> Samples:
        """Mix the next block: ``(channels, n)`` to ``(1, n)``."""
        if len(planes) == 1:
            if len(self._of_channels):
                self._listen(planes, planes)
            return planes
        start_s = time.perf_counter()
        mean = planes.mean(0, np.float32, keepdims=True)
        self._listen(planes, mean * np.float32(len(planes)))
        taken = mean if self._channel is None else taken_from(planes, self._channel)
        stages.mix_s += time.perf_counter() - start_s
        return taken

    def louder(self) -> int | None:
        """Return the channel to take instead of the mean, from 0; None where the mean is right."""
        if not self._count or not len(self._of_channels):
            return None
        powers = _powers(self._of_channels, self._count)
        together = float(powers.sum())
        alike = float(_powers(self._sums[None], self._count)[0])
        if together < _LEAST_POWER or alike >= CANCELLED * together:
            return None
        return int(np.argmax(powers >= powers.max() * _AS_LOUD))

    def _listen(self, planes: Samples, together: Samples) -> None:
        more = len(planes) - len(self._of_channels)
        if more > 0:
            self._of_channels = np.vstack([self._of_channels, np.zeros((more, 2))])
        self._count += planes.shape[1]
        self._of_channels[: len(planes)] += _sums(planes)
        self._sums += _sums(together)[0]


def mixed(blocks: Iterator[Samples], stages: Stages, mixer: Mixer) -> Iterator[Samples]:
    """Mix blocks of several channels to one channel.

    Args:
        blocks: float32, each of shape ``(channels, n)``.
        stages: collects the seconds spent.
        mixer: mixes, and notes whether the channels cancel.

    Yields:
        float32 of shape ``(1, n)`` for each block.
    """
    for planes in blocks:
        yield mixer(planes, stages)


def mono_of(channels: Sequence[Waveform], log: StepLog) -> Waveform:
    """Mix the channels of an array, as those of a file are mixed.

    Args:
        channels: at 16 kHz, of one length.
        log: gets the step mix, where there is more than one.
    """
    if len(channels) == 1:
        return channels[0]
    stages, mixer = Stages(), Mixer()
    planes = np.stack([one.samples for one in channels])
    mono, louder = mixer(planes, stages), mixer.louder()
    chosen = {} if louder is None else {"phase_cancelled": True, "channel": louder + 1}
    log.add("mix", stages.mix_s * 1000, channels=len(channels), **chosen)
    samples = (mono if louder is None else taken_from(planes, louder))[0]
    return Waveform(np.ascontiguousarray(samples), channels[0].rate_hz, channels[0].name)


def taken_from(planes: Samples, channel: int) -> Samples:
    """Return one channel of a block, shape ``(1, n)``; where there are fewer, the last."""
    at = min(channel, len(planes) - 1)
    return planes[at : at + 1]


def _sums(planes: Samples) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Sum and sum of squares of each row, shape ``(rows, 2)``."""
    return np.array([[plane.sum(), np.dot(plane, plane)] for plane in planes], np.float64)


def _powers(
    sums: np.ndarray[tuple[int, int], np.dtype[np.float64]], count: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Mean power without the offset, which is no sound."""
    powers: np.ndarray[tuple[int], np.dtype[np.float64]] = (
        sums[:, 1] / count - (sums[:, 0] / count) ** 2
    )
    return powers
