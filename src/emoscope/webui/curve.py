"""What the timeline draws, as plain numbers: small enough for hours of sound."""

from __future__ import annotations

import numpy as np

from emoscope.labels import EMOTIONS
from emoscope.result import Result
from emoscope.waveform import HOP_S, Waveform

COLUMNS = 1_200
"""A screen shows no more; longer recordings are averaged into this many columns."""
SMOOTHING_S = 0.3


def timeline_data(result: Result, waveform: Waveform) -> dict[str, object]:
    """Return what ``timeline.js`` draws.

    Args:
        result: a result with a track.
        waveform: the sound it was made from.

    Returns:
        ``duration_s``; ``emotions``: key, names, emoji and colour of the nine; ``scores``: one row
        per column with nine thousandths; ``peaks``: one value per (other) column, 0 to 100,
        relative to the loudest; ``segments``: start, end, index of the emotion; silence has none.

    Raises:
        ValueError: the result has no track.
    """
    if result.track is None:
        raise ValueError("only a result with a track has a timeline")
    curve = result.track.smoothed(SMOOTHING_S)
    columns = min(COLUMNS, len(curve))
    # Frames end up to 25 ms before the sound does; columns span the whole of it.
    times_s = (np.arange(columns) + 0.5) * result.duration_s / columns
    borders = np.linspace(0, len(curve), columns + 1).round().astype(np.int64)
    if columns < len(curve):
        means = np.add.reduceat(curve, borders[:-1], axis=0) / np.diff(borders)[:, None]
    else:
        nearest = np.minimum((times_s / HOP_S).astype(np.int64), len(curve) - 1)
        means = curve[nearest]
    return {
        "duration_s": round(result.duration_s, 4),
        "emotions": [
            {"key": e.key, "zh": e.zh, "en": e.en, "emoji": e.emoji, "colour": e.colour}
            for e in EMOTIONS
        ],
        "scores": (means * 1000).round().astype(int).tolist(),
        "peaks": _peaks(waveform),
        "segments": [
            [round(s.span.start_s, 3), round(s.span.end_s, 3), s.emotion.index]
            for s in result.segments
            if not s.silent
        ],
    }


def _peaks(waveform: Waveform) -> list[int]:
    """Return the loudest sample of each column in hundredths of the loudest of all."""
    columns = min(COLUMNS, len(waveform.samples))
    borders = np.linspace(0, len(waveform.samples), columns, endpoint=False).astype(np.int64)
    peaks = np.maximum.reduceat(np.abs(waveform.samples), borders)
    loudest = max(float(peaks.max()), 1e-9)
    return [int(value) for value in (peaks / loudest * 100).round()]
