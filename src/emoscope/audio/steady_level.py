"""Causal gain that lifts soft sound to a steady level, for the voice detector alone.

The detector misses the edges of soft speech. The gain follows the loudest sound so far, which
fades with a half-life of seconds; it looks back only, so a stream and a file get the same. Sound
that is loud enough stays as it is.
"""

from __future__ import annotations

import numpy as np

from emoscope.audio.vad import VAD_STEP, VAD_STEP_S
from emoscope.waveform import Samples

_PEAK = 0.3
"""Peak to which soft sound is lifted."""
_FAINTEST = 0.01
"""Sound whose peak is under this is lifted as if it had this peak, so that hiss stays soft."""
_HALF_LIFE_S = 5.0
_FADING = 0.5 ** (VAD_STEP_S / _HALF_LIFE_S)


class SteadyLevel:
    """Gain for one recording, a step of the voice detector at a time."""

    def __init__(self) -> None:
        self._peak = 0.0
        self._rest = np.zeros(0, np.float32)

    def feed(self, samples: Samples) -> Samples:
        """Return all steps that are complete now, at their new level.

        Args:
            samples: float32 at 16 kHz, shape ``(n,)``, any ``n``.
        """
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // VAD_STEP * VAD_STEP
        self._rest = samples[whole:].copy()
        steps = samples[:whole].reshape(-1, VAD_STEP)
        gains = np.array([self._gain(peak) for peak in np.abs(steps).max(axis=1).tolist()])
        return (steps * gains.astype(np.float32)[:, None]).reshape(-1) if whole else samples[:0]

    def finish(self) -> Samples:
        """Return the last, incomplete step."""
        if not len(self._rest):
            return self._rest
        return self._rest * np.float32(self._gain(float(np.abs(self._rest).max())))

    def _gain(self, peak: float) -> float:
        self._peak = max(peak, self._peak * _FADING)
        return max(1.0, _PEAK / max(self._peak, _FAINTEST))
