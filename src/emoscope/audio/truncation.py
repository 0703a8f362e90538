"""Truncation check: whether a file holds less sound than its header states.

Only lengths that a container states count: bytes of sound, samples, or entries of its table of
contents. A length that FFmpeg guesses from the file size is used for progress alone.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from emoscope.audio.headers import Header
from emoscope.audio.resample import Stages

TOLERANCE_S = 0.5
"""Sound that may be missing: encoders and counters disagree about so much."""
_LEAST_BITS_PER_S = 1_000
"""A header that claims a thinner stream than this is a lie or a placeholder: decode and see."""
_PCM = re.compile(r"pcm_(?:[suf](\d+)|alaw|mulaw)")
_TIME = re.compile(r"(\d{1,6}):(\d\d):(\d\d(?:\.\d{1,9})?)")


@dataclass(frozen=True, slots=True)
class LengthClaim:
    """Length of a file's sound as stated before decoding."""

    header: Header
    counted_s: float | None
    """Seconds that the container counts; None where it does not."""
    likely_s: float
    """Seconds to expect, counted or guessed; 0 where nothing is known."""
    start_s: float | None = None
    """Presentation time from which ``counted_s`` runs; None for the beginning of the sound."""


def length_claim_of(header: Header, container: Any, stream: Any, size_bytes: int) -> LengthClaim:
    """Return what a file says of the length of one of its streams.

    Args:
        header: what was read of its header.
        container: as PyAV opened it.
        stream: the sound to be decoded.
        size_bytes: of the file; 0 where it is still arriving.
    """

    def believed(seconds: float | None) -> float | None:
        return seconds if seconds and 0 < seconds * _LEAST_BITS_PER_S <= size_bytes * 8 else None

    counted_s, start_s = _counted(header, container, stream)
    counted_s = believed(counted_s)
    guessed_s = believed((container.duration or 0) / 1_000_000)
    return LengthClaim(header, counted_s, counted_s or guessed_s or 0.0, start_s)


def _counted(header: Header, container: Any, stream: Any) -> tuple[float | None, float | None]:
    """Return the seconds that a container counts, and the presentation time they run from."""
    counted_s, start_s = None, None
    match container.format.name:
        case "mp3":
            counted_s = header.length_s
        case "flac":
            # A frame says which samples of the whole it holds: the last part of a recording that
            # was cut into files states the length of all, and its last frame ends there.
            counted_s, start_s = header.length_s, 0.0
        case "mov,mp4,m4a,3gp,3g2,mj2" if stream.frames and stream.duration:
            # One in fragments has no table of its samples, and its length is a guess.
            counted_s = float(stream.duration * stream.time_base)
        case "matroska,webm" if header.states_size:
            start_s = (container.start_time or 0) / 1_000_000
            counted_s = _counted_by_matroska(header, container, stream, start_s)
        case _ if header.present_bytes:
            counted_s = header.present_bytes / _bytes_per_s(stream.codec_context)
    return counted_s, start_s


def _counted_by_matroska(
    header: Header, container: Any, stream: Any, start_s: float
) -> float | None:
    end_s = _seconds(stream.metadata.get("DURATION", ""))
    if end_s is not None:  # the time at its end, or (mkvmerge) its length
        return end_s - max(0.0, start_s)
    if header.is_cut and len(container.streams) == 1:
        return (container.duration or 0) / 1_000_000
    return None


def _bytes_per_s(context: Any) -> float:
    """Return the rate of PCM by its width: what a header says of it may be wrong."""
    found = _PCM.match(context.name)
    if found is None:
        return math.inf
    return int(found[1] or 8) / 8 * int(context.channels) * int(context.sample_rate)


def is_truncated(length: LengthClaim, stages: Stages) -> bool:
    """Whether the sound ends earlier than the file states.

    Args:
        length: what the file states.
        stages: what decoding found.
    """
    header = length.header
    if header.is_open:
        return False
    if header.present_bytes:
        return stages.sound_s * header.missing_bytes / header.present_bytes > TOLERANCE_S
    if length.counted_s is not None:
        start_s = stages.start_s if length.start_s is None else length.start_s
        return max(stages.sound_s, stages.end_s - start_s) < length.counted_s - TOLERANCE_S
    return header.is_cut or stages.broken_off


def _seconds(text: str) -> float | None:
    """Read the length that Matroska keeps of a track as text."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds = found.groups()
    return 3_600 * int(hours) + 60 * int(minutes) + float(seconds)
