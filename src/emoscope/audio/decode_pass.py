"""One pass of decoding over a file: its plan, what it found, and whether another is needed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from emoscope.audio.containers import Encoding, SoundTrack
from emoscope.audio.missing import Gap
from emoscope.audio.resample import Stages
from emoscope.audio.timeline import Timeline
from emoscope.events import StepLog
from emoscope.limits import Limits
from emoscope.waveform import RATE_HZ


@dataclass(frozen=True, slots=True)
class DecodePlan:
    """How one pass makes sound of a file."""

    separate: bool
    """Keep the channels apart instead of mixing them."""
    channel: int | None = None
    """Channel to take instead of the mean of all, from 0."""
    is_timed: bool = True
    """Look for gaps in the timestamps; if not, frames follow one another."""

    def timeline(self, container: Any, track: SoundTrack, limits: Limits) -> Timeline:
        """Return what finds the gaps of a track.

        Args:
            container: the open container.
            track: its track of sound.
            limits: its ``longest_s`` is that of sound and gaps together.
        """
        if not self.is_timed:
            return Timeline(is_timed=False)
        return Timeline.of(container, track.stream, limits.longest_s)


@dataclass(frozen=True, slots=True)
class DecodePass:
    """What one pass found, besides the sound in the spools."""

    plan: DecodePlan
    gaps: list[Gap]
    fits: bool
    """Whether sound and gaps together are within the limit."""
    louder: int | None
    """Channel that is much louder than the mean of all, whose channels cancel each other out."""
    stages: Stages
    encoding: Encoding
    track: SoundTrack
    is_truncated: bool

    def better_plan(self) -> DecodePlan | None:
        """Return how to decode the file again; None where this pass is the result."""
        if not self.fits:  # gaps that make usable sound too long cannot be right
            return replace(self.plan, is_timed=False)
        return None if self.louder is None else replace(self.plan, channel=self.louder)

    def record(self, log: StepLog) -> None:
        """Record the steps decode, resample and mix."""
        stages, encoding, track, plan = self.stages, self.encoding, self.track, self.plan
        log.add(
            "decode",
            stages.decode_s * 1000,
            container=encoding.container,
            codec=encoding.codec,
            rate_hz=encoding.rate_hz,
            skipped_packets=stages.skipped_packets,
            **({"track": track.number, "tracks": track.count} if track.count > 1 else {}),
            **({"broken_off": True} if self.is_truncated else {}),
        )
        log.add("resample", stages.resample_s * 1000, from_hz=encoding.rate_hz, to_hz=RATE_HZ)
        if not plan.separate:
            number = None if plan.channel is None else plan.channel + 1
            chosen = {"phase_cancelled": True, "channel": number} if number else {}
            log.add("mix", stages.mix_s * 1000, channels=encoding.channels, **chosen)
