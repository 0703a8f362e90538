"""Abstention: when no emotion is claimed, and why.

Apart from the classes ``other`` and ``unknown``: those are answers of the model, abstention says
that its answer should not be used.
"""

from __future__ import annotations

from dataclasses import dataclass

from emoscope.results.quality import Quality
from emoscope.results.scores import Scores

ABSTENTION_REASONS = ("too_short", "no_speech", "low_snr", "clipped", "band_limited", "low_margin")
"""Codes in order of precedence; ``messages`` has a sentence for each."""


@dataclass(frozen=True, slots=True)
class AbstentionThresholds:
    """Thresholds of abstention.

    The defaults are where the compact model, on clips of the dev splits with that defect made on
    purpose, keeps two thirds of its accuracy or less (docs/trust.md).
    """

    min_duration_s: float = 0.9
    min_snr_db: float = 10.0
    max_clipped_share: float = 0.3
    min_bandwidth_hz: float = 2_200.0
    min_margin: float = 0.05
    """By how much the largest score must lead the second."""


ABSTENTION_THRESHOLDS = AbstentionThresholds()


def abstention_reasons(
    quality: Quality,
    duration_s: float,
    scores: Scores,
    thresholds: AbstentionThresholds = ABSTENTION_THRESHOLDS,
) -> tuple[str, ...]:
    """Return the codes of all reasons to abstain, in the order of ``ABSTENTION_REASONS``.

    Args:
        quality: the recording check.
        duration_s: seconds of sound, missing spans left out.
        scores: scores of the whole recording.
        thresholds: values below or above which no emotion is claimed.
    """
    snr_db = quality.snr_db
    found = {
        "too_short": duration_s < thresholds.min_duration_s,
        "no_speech": "no_speech" in quality.reasons,
        "low_snr": snr_db is not None and snr_db < thresholds.min_snr_db,
        "clipped": quality.clipped_share > thresholds.max_clipped_share,
        "band_limited": quality.bandwidth_hz < thresholds.min_bandwidth_hz,
        "low_margin": scores.margin < thresholds.min_margin,
    }
    if found["no_speech"]:
        # Without speech, bandwidth and the margin of scores say nothing more.
        found |= dict.fromkeys(("low_snr", "clipped", "band_limited", "low_margin"), False)
    return tuple(code for code in ABSTENTION_REASONS if found[code])
