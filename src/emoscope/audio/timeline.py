"""Gap detection in a medium's sound, from the timestamps of its packets.

Samples follow one another without a gap in a decoder's output; whether they do so in the medium
only the timestamps say. The rule, the same for files and live streams:

- Time zero is the container's own for MP4/MOV (after its edit lists) and Matroska/WebM. Where every
  stream of it begins later than ``LATEST_START_S``, as after a recorder that counted on from
  another recording, and in every other container, it is the beginning of the earliest stream.
- Sound that lies more than ``GAP_TOLERANCE_S`` behind the end of the sound so far leaves a gap, in
  whole hops of 20 ms. Positions are absolute, so small differences never add up.
- A leap is believed when the frames that follow go on from there, and when it stays within the
  length that the header claims and the longest sound that is accepted. Otherwise the frames join.
- Sound is never dropped: what overlaps, or lies before zero, follows what was before. Timestamps
  that went back for good are counted from where the sound is.
- Formats whose frames bear no timestamps (WAV, MP3, AAC, FLAC, AMR, AIFF, CAF) have no gaps.
  Nor has FLAC in Ogg, whose first timestamps are guesses.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from emoscope.audio.missing import Gap
from emoscope.waveform import HOP, HOP_S, RATE_HZ

GAP_TOLERANCE_S = 0.1
"""Timestamps may be rounded and jitter by this much without a gap."""
LATEST_START_S = 60.0
"""A container whose streams all begin later than this is counted from the earliest of them."""
_ABSOLUTE = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}
_UNTIMED = {"wav", "w64", "mp3", "aac", "flac", "amr", "amrnb", "amrwb", "aiff", "caf", "loas"}
_SURE_FRAMES, _SURE_S = 4, 0.2
"""So many frames and so much sound go on from a leap before it is believed."""
_RESET_S = 1.0
"""Timestamps that stay behind the sound by more than this were set back."""
_CLAIM_SLACK_S = 1.0


def zero_s(container: Any) -> float:
    """Return the timestamp, in seconds, at which the time axis of a medium begins."""
    start_s = float(container.start_time or 0) / 1e6
    if container.format.name in _ABSOLUTE and start_s <= LATEST_START_S:
        return 0.0
    return max(0.0, start_s)


def end_s(container: Any, stream: Any) -> float:
    """Return the timestamp, in seconds, at which the header says the medium ends, or infinity."""
    if not container.duration:
        return math.inf
    length_s, start_s = container.duration / 1e6, (container.start_time or 0) / 1e6
    if stream.duration is not None and stream.time_base is not None:
        if container.format.name == "matroska,webm":
            return math.inf  # it has no such field: FFmpeg guessed from size and bit rate
        length_s = max(length_s, float(stream.duration * stream.time_base))
        start_s = max(start_s, float((stream.start_time or 0) * stream.time_base))
    return float(start_s + length_s)


class Timeline:
    """Filter over decoded frames that records the gaps before them.

    Args:
        zero_s: timestamp at which the time axis begins, in seconds.
        end_s: timestamp at which the medium ends by its header; infinity where it says nothing.
        max_s: longest medium in seconds; a gap that would pass it is not believed.
        is_timed: whether the container gives its frames timestamps; if not, there are no gaps.
    """

    def __init__(
        self,
        zero_s: float = 0.0,
        *,
        end_s: float = math.inf,
        max_s: float = math.inf,
        is_timed: bool = True,
    ) -> None:
        self.gaps: list[Gap] = []
        """Those found so far, in order."""
        self._zero_s, self._max_s, self._is_timed = zero_s, max_s, is_timed
        self._end_s = end_s - zero_s + _CLAIM_SLACK_S
        self._sound_s = self._missing_s = 0.0
        self._behind = 0
        """Frames in a row whose timestamps lie far before the end of the sound so far."""

    @classmethod
    def of(cls, container: Any, stream: Any, max_s: float) -> Timeline:
        """Make the timeline of a stream from the header of its container.

        Args:
            container: as PyAV opened it.
            stream: its sound stream that is decoded.
            max_s: longest medium in seconds; a gap that would pass it is not believed.
        """
        return cls(
            zero_s(container),
            end_s=end_s(container, stream),
            max_s=max_s,
            is_timed=container.format.name not in _UNTIMED
            # FFmpeg puts the first page at zero, wherever the others are.
            and (container.format.name, stream.codec_context.name) != ("ogg", "flac"),
        )

    @property
    def at_s(self) -> float:
        """Time of the medium up to which frames were passed on."""
        return self._sound_s + self._missing_s

    def watch(self, frames: Iterator[Any]) -> Iterator[Any]:
        """Pass frames on in order; a gap before a frame is in ``gaps`` when that frame comes.

        Frames after a leap wait until it is certain, at most a few.
        """
        if not self._is_timed:
            yield from frames
            return
        held: list[tuple[float, Any]] = []
        wrong = False
        for frame in frames:
            stamp_s = _stamp_s(frame)
            if held and (stamp_s is None or stamp_s < _end_s(*held[-1]) - GAP_TOLERANCE_S):
                # What follows does not go on from the leap: it was one wrong timestamp.
                yield from self._joined(held)
                held, wrong = [], True
            if stamp_s is None or not (held or self._ahead_s(stamp_s) > GAP_TOLERANCE_S):
                self._look_back(stamp_s)
                yield from self._joined([(0.0, frame)])
                continue
            held.append((stamp_s, frame))
            if len(held) >= _SURE_FRAMES and sum(map(_length_s, held)) >= _SURE_S:
                yield from self._placed(held)
                held = []
        # At the end nothing can follow; then the header must know of it, and no other have been.
        is_sure = self._end_s < math.inf and not wrong
        yield from self._placed(held) if is_sure else self._joined(held)

    def _ahead_s(self, stamp_s: float) -> float:
        return stamp_s - self._zero_s - self.at_s

    def _joined(self, held: list[tuple[float, Any]]) -> Iterator[Any]:
        for _, frame in held:
            self._sound_s += _length_s((0.0, frame))
            yield frame

    def _placed(self, held: list[tuple[float, Any]]) -> Iterator[Any]:
        for stamp_s, frame in held:
            ahead_s = self._ahead_s(stamp_s)
            if ahead_s > GAP_TOLERANCE_S:
                behind_s = self.at_s + ahead_s + _length_s((stamp_s, frame))
                if behind_s <= min(self._end_s, self._max_s):
                    self._leave_out(round(ahead_s / HOP_S))
                else:
                    self._zero_s += ahead_s
            yield from self._joined([(stamp_s, frame)])

    def _leave_out(self, hops: int) -> None:
        self.gaps.append(Gap(round(self._sound_s * RATE_HZ), hops * HOP))
        self._missing_s += hops * HOP_S

    def _look_back(self, stamp_s: float | None) -> None:
        """Count on from the sound where timestamps were set back for good."""
        late = stamp_s is not None and self._ahead_s(stamp_s) < -_RESET_S
        self._behind = self._behind + 1 if late else 0
        if stamp_s is not None and self._behind >= _SURE_FRAMES:
            self._zero_s += self._ahead_s(stamp_s)
            self._behind = 0


def _stamp_s(frame: Any) -> float | None:
    if frame.pts is None or frame.time_base is None:
        return None
    return float(frame.pts * frame.time_base)


def _length_s(held: tuple[float, Any]) -> float:
    frame = held[1]
    return float(frame.samples / (frame.sample_rate or math.inf))


def _end_s(stamp_s: float, frame: Any) -> float:
    return stamp_s + _length_s((stamp_s, frame))
