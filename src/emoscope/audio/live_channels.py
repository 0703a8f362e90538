"""Downmix of live multichannel sound, with the phase decision of the file path.

Whether channels cancel each other (``audio/mixing.py``) is decided over a whole recording. A stream
must hand sound on at once: the mean, or, where the channels have cancelled so far, the louder one.
When its end shows that something else would have been right, that sound is given whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from emoscope.audio.mixing import Mixer, taken_from
from emoscope.audio.resample import Stages
from emoscope.audio.spool import MEMORY_BYTES, Spool, Spools
from emoscope.events import Step
from emoscope.waveform import RATE_HZ, Samples

_SURE_S = 1.0
"""Seconds of sound before a stream's channels are said to cancel."""
_BLOCK = 1 << 18


@dataclass(frozen=True, slots=True)
class Mixed:
    """Outcome of the downmix of a stream."""

    step: Step | None = None
    """The step ``mix`` of the log; None for a stream of one channel."""
    samples: Samples | None = None
    """All of the sound at 16 kHz, where it is not what was handed on."""


ONE_CHANNEL = Mixed()
"""Of a stream that had nothing to mix."""


class LiveChannels:
    """Downmix of blocks ``(channels, n)`` at 16 kHz to mono blocks. Not thread-safe.

    A stream that begins with one channel is averaged, whatever comes later.
    """

    def __init__(self) -> None:
        self._mixer, self._stages = Mixer(), Stages()
        self._channels = 0
        self._sound = 0
        """Samples of sound, gaps left out."""
        self._late = 0
        """Samples without sound before the first block, which says how many channels there are."""
        self._spools = Spools(MEMORY_BYTES)
        self._given: set[int | None] = set()
        """What was handed on: the mean (None), or these channels."""

    def feed(self, planes: Samples) -> Samples:
        """Take the next block; return its sound, shape ``(n,)``.

        Raises:
            StoreError: the folder for temporary files is full or cannot be written.
        """
        if not self._channels:
            self._channels = len(planes)
            self.miss(self._late)
        mean = self._mixer(planes, self._stages)
        if self._channels == 1:
            return cast(Samples, mean[0])
        self._keep(planes)
        self._sound += planes.shape[1]
        sure = self._sound >= _SURE_S * RATE_HZ
        channel = self._mixer.louder() if sure else None
        self._given.add(channel)
        return cast(Samples, (mean if channel is None else taken_from(planes, channel))[0])

    def miss(self, samples: int) -> None:
        """Record a gap of so many samples at 16 kHz.

        Raises:
            StoreError: the folder for temporary files is full or cannot be written.
        """
        self._late += 0 if self._channels else samples
        for first in range(0, samples if self._channels > 1 else 0, _BLOCK):
            size = min(_BLOCK, samples - first)
            self._spools.add(np.zeros((self._channels, size), np.float32))

    def finish(self) -> Mixed:
        """Return what became of the channels; nothing may be fed afterwards.

        Raises:
            StoreError: the folder for temporary files is full or cannot be written.
        """
        if self._channels <= 1:
            return ONE_CHANNEL
        channel = self._mixer.louder()
        data: dict[str, object] = {"channels": self._channels}
        if channel is not None:
            data |= {"phase_cancelled": True, "channel": channel + 1}
        step = Step("mix", self._stages.mix_s * 1000, data)
        return Mixed(step, None if self._given <= {channel} else self._whole(channel))

    def _keep(self, planes: Samples) -> None:
        stored = [taken_from(planes, channel)[0] for channel in range(self._channels)]
        self._spools.add(np.stack(stored))

    def _whole(self, channel: int | None) -> Samples:
        planes, whole = self._spools.take(), Spool(MEMORY_BYTES)
        for first in range(0, len(planes[0]), _BLOCK):
            block = np.stack([plane[first : first + _BLOCK] for plane in planes])
            one = block.mean(0, np.float32) if channel is None else block[channel]
            whole.add(np.clip(one, -1.0, 1.0))
        return whole.take()
