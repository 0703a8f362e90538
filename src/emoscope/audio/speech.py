"""Which frames of a window have speech: the one place to put another detector in.

It sees a window of the model, contexts included, and nothing of what comes later: so a live stream
and a file are judged alike. What decides now is loudness against the window's own quiet parts;
steady noise without a pause counts as speech.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from emoscope.audio.quality import audible
from emoscope.audio.windows import FRAME, HOP
from emoscope.waveform import Samples

Mask: TypeAlias = NDArray[np.bool_]


def speech_frames(samples: Samples) -> Mask:
    """Return whether each frame of a window has speech, shape ``(T,)``.

    Args:
        samples: at 16 kHz, at least one frame.
    """
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    power = frames.var(axis=1, dtype=np.float64)
    levels = 10.0 * np.log10(np.maximum(power, 1e-10))
    return np.asarray(levels >= audible(levels)[2])
