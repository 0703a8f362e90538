"""Speech activity per channel: shares of time, and overlapping speech."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from emoscope.results.json_type import JsonType, Share
from emoscope.results.segments import Segment


@dataclass(frozen=True, slots=True)
class Channel(JsonType):
    """The channel that a result is about, and its share of time with speech.

    Speech is wherever there is no segment of silence, so a short pause counts as speech.
    """

    number: int
    """From 1; of stereo 1 is the left one."""
    count: int
    """Channels of the recording."""
    talk_share: Share
    """Share of the recording's time with speech on this channel."""
    overlap_share: Share
    """Share of the recording's time with speech on this channel and another."""


@dataclass(frozen=True, slots=True)
class ChannelActivity:
    """Speech activity of all channels of a recording."""

    channels: tuple[Channel, ...]
    overlap_share: float
    """Share of the time in which two or more speak at once."""
    silence_share: float
    """Share of the time without speech."""


def channel_activity(tracks: Sequence[Sequence[Segment]], duration_s: float) -> ChannelActivity:
    """Lay the segments of all channels over one another.

    Args:
        tracks: for each channel the segments that cover [0, ``duration_s``].
        duration_s: length of the recording in seconds.
    """
    talk_s, overlap_s = [0.0] * len(tracks), [0.0] * len(tracks)
    together_s = silence_s = 0.0
    changes: list[tuple[float, int, int]] = []
    for channel, segments in enumerate(tracks):
        for segment in segments:
            if not segment.silent:
                changes += [(segment.span.start_s, 1, channel), (segment.span.end_s, -1, channel)]
    speaking = [0] * len(tracks)
    # Zero changes at both ends, so that the time before and after all talk is counted too.
    for (start_s, change, channel), (end_s, _, _) in pairwise(
        [(0.0, 0, 0), *sorted(changes), (duration_s, 0, 0)]
    ):
        speaking[channel] += change
        passed_s, now = end_s - start_s, [at for at, one in enumerate(speaking) if one]
        for at in now:
            talk_s[at] += passed_s
            overlap_s[at] += passed_s if len(now) > 1 else 0.0
        together_s += passed_s if len(now) > 1 else 0.0
        silence_s += 0.0 if now else passed_s

    def share(seconds: float) -> float:
        return min(1.0, seconds / duration_s)  # sums of floats may pass it by a hair

    return ChannelActivity(
        tuple(
            Channel(at + 1, len(tracks), share(talk_s[at]), share(overlap_s[at]))
            for at in range(len(tracks))
        ),
        overlap_share=share(together_s),
        silence_share=share(silence_s),
    )
