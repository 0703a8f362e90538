"""Test sounds from a seed, the same on every machine and without any library but NumPy.

``RandomState`` and not ``default_rng``: its streams are frozen for ever.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000


def clip(duration_s: float, *, seed: int) -> NDArray[np.float32]:
    """Return a voice-like sound, shape ``(n,)``, within [-1, 1].

    A gliding tone with harmonics, noise, a slow envelope and an offset: enough structure that an
    error of time, level or padding shows.
    """
    random = np.random.RandomState(seed)
    count = round(duration_s * RATE_HZ)
    time_s = np.arange(count) / RATE_HZ
    pitch_hz = 120 + 60 * np.sin(2 * np.pi * (0.7 * time_s + random.rand()))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    voice = sum(np.sin(k * phase + random.rand()) / k for k in range(1, 9))
    envelope = 0.55 + 0.45 * np.sin(2 * np.pi * (1.3 * time_s + random.rand()))
    sound = 0.15 * voice * envelope + 0.03 * random.standard_normal(count) + 0.01
    return np.clip(sound, -1, 1).astype(np.float32)
