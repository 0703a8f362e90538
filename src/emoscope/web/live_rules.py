"""Numbers that the live view's scripts need: hop, smoothing, doubt, pauses, colours."""

from __future__ import annotations

from emoscope.figures.pyramid import DOUBT_MARGIN, SMOOTHING_S
from emoscope.results.segments import DEFAULT_RULES
from emoscope.waveform import HOP_S
from emoscope.web.figure import palette


def live_rules() -> dict[str, object]:
    """Return what ``static/livecurve.js`` draws by; the same rules as those of finished results."""
    return {
        "hop_s": HOP_S,
        "smoothing_s": SMOOTHING_S,
        "doubt_margin": DOUBT_MARGIN,
        "pause_s": DEFAULT_RULES.pause_s,
        "emotions": palette(),
    }
