"""Findings of the recording check, as part of a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

QUALITY_REASONS = (
    "too_short",
    "too_long",
    "no_speech",
    "little_speech",
    "too_quiet",
    "clipped",
    "dc_offset",
    "low_snr",
    "band_limited",
    "heavy_codec",
    "broken_off",
    "phase_cancelled",
)
"""Codes of the recording check; ``messages`` has a sentence of advice for each."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Measurements and reason codes of the recording check."""

    level_dbfs: float
    """Root mean square of the whole recording without its offset; 0 is full scale."""
    peak: float
    """Largest magnitude, 0 to 1."""
    clipped_share: float
    """Share of samples that sit in flat tops."""
    snr_db: float | None
    """Power of the speech over that of the noise; None where there is next to no speech."""
    bandwidth_hz: float
    """Frequency below which the sound has practically all of its energy."""
    speech_share: float
    """Share of the time with speech."""
    reasons: tuple[str, ...] = ()
    """Codes out of ``QUALITY_REASONS``; empty when there is nothing to say."""
    silence_share: float = 0.0
    """Share of the time that is nearly silent."""
    speech_dbfs: float | None = None
    """Root mean square level of the speech; None without speech."""
    dc_offset: float = 0.0
    """Mean of the samples: what a bad converter adds to all of them."""
    band_is_cut: bool = False
    """Whether the sound ends at ``bandwidth_hz`` as by a filter or a codec, which no voice does."""

    def to_dict(self) -> dict[str, object]:
        """As in ``result.json``."""
        return {
            "level_dbfs": self.level_dbfs,
            "peak": self.peak,
            "clipped_share": self.clipped_share,
            "snr_db": self.snr_db,
            "bandwidth_hz": self.bandwidth_hz,
            "speech_share": self.speech_share,
            "reasons": list(self.reasons),
            "silence_share": self.silence_share,
            "speech_dbfs": self.speech_dbfs,
            "dc_offset": self.dc_offset,
            "band_is_cut": self.band_is_cut,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Quality:
        """Read what ``to_dict`` wrote."""
        return cls(**{**data, "reasons": tuple(data["reasons"])})
