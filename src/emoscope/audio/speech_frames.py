"""Speech mask per model frame, from the steps of the voice detector."""

from __future__ import annotations

import numpy as np

from emoscope.audio.vad import VAD_RULES, VAD_STEP, SpeechProbabilities
from emoscope.waveform import FRAME, HOP, Array32, Mask, Samples


class SpeechFrames:
    """Incremental speech mask: samples in portions of any size, one boolean per model frame out.

    The detector is causal, so a live stream and a file get the same mask.
    Pauses are closed and clicks dropped where segments are made (``segments.Rules``).
    """

    def __init__(self) -> None:
        self._listener = SpeechProbabilities()
        self._speaks = np.zeros(0, np.bool_)
        """One per step of 32 ms."""

    def feed(self, samples: Samples) -> None:
        """Take the next samples at 16 kHz, shape ``(n,)``."""
        self._add(self._listener.feed(samples))

    def finish(self) -> None:
        """Judge the last, incomplete step too."""
        self._add(self._listener.finish())

    def rows(self, first: int, last: int) -> Mask:
        """Return frames ``[first, last)``; one that is newer than the last step follows it."""
        if not len(self._speaks):
            return np.zeros(last - first, np.bool_)
        middles = np.arange(first, last) * HOP + FRAME // 2
        return self._speaks[np.minimum(middles // VAD_STEP, len(self._speaks) - 1)]

    def _add(self, probabilities: Array32) -> None:
        if len(probabilities):
            self._speaks = np.concatenate([self._speaks, probabilities >= VAD_RULES.enter])
