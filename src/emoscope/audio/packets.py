"""Packet decoding of an audio track to frames, with counts of what was lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emoscope.audio.containers import SoundTrack
from emoscope.audio.mpeg import is_cut_frame
from emoscope.audio.resample import Stages

_FRAME_HEAD_BYTES = 16


def decoded_frames(container: Any, track: SoundTrack, stages: Stages) -> Iterator[Any]:
    """Decode a sound track, packet by packet; one that cannot be decoded is skipped and counted.

    Args:
        container: as PyAV opened it.
        track: its sound track.
        stages: gets the count of skipped packets, the times of the sound, and whether it broke off.

    Yields:
        Frames as PyAV decodes them, in order.
    """
    packets = container.demux(track.stream)
    last, failed, started = None, False, False
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except Exception:  # a file that breaks off: keep what came before
            stages.skipped_packets += 1
            stages.broken_off = True
            return
        last = packet if packet.size else last
        try:
            frames = track.decoder.decode(packet)
        except Exception:  # see ``open_container``: not only FFmpeg's own errors
            stages.skipped_packets += 1
            failed = True
            continue
        for frame in frames:
            failed = False
            _note_times(frame, stages, is_first=not started)
            started = True
            yield frame
    if last is not None:
        beginning = memoryview(last)[:_FRAME_HEAD_BYTES].tobytes()
        is_cut = is_cut_frame(container.format.name, beginning, last.size)
        stages.broken_off = failed if is_cut is None else is_cut


def _note_times(frame: Any, stages: Stages, *, is_first: bool) -> None:
    """Extend the presentation time of the sound by that of a frame."""
    length_s = frame.samples / frame.sample_rate
    if frame.pts is None:
        stages.end_s += length_s
    else:
        begins_s = float(frame.pts * frame.time_base)
        stages.start_s = begins_s if is_first else min(stages.start_s, begins_s)
        stages.end_s = max(stages.end_s, begins_s + length_s)
    stages.sound_s += length_s
