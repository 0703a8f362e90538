"""Findings of the recording check, as part of a result."""

from __future__ import annotations

from dataclasses import dataclass

from emoscope.results.json_type import JsonType, Share

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
class Quality(JsonType):
    """The recording check."""

    level_dbfs: float
    """Root mean square of the whole recording without its offset; 0 is full scale."""
    peak: Share
    """Largest magnitude, 0 to 1."""
    clipped_share: Share
    """Share of samples that sit in flat tops."""
    snr_db: float | None
    """Power of the speech over that of the noise; None where there is next to no speech."""
    bandwidth_hz: float
    """Frequency below which the sound has practically all of its energy."""
    speech_share: Share
    """Share of the time with speech."""
    reasons: tuple[str, ...] = ()
    """Codes out of ``QUALITY_REASONS``; empty when there is nothing to say."""
    silence_share: Share = 0.0
    """Share of the time that is nearly silent."""
    speech_dbfs: float | None = None
    """Root mean square level of the speech; None without speech."""
    dc_offset: float = 0.0
    """Mean of the samples: what a bad converter adds to all of them."""
    band_is_cut: bool = False
    """Whether the sound ends at ``bandwidth_hz`` as by a filter or a codec, which no voice does."""
