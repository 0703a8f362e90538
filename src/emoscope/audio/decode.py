"""Audio decoding: a file or bytes to float32 samples at 16 kHz, mono or per channel.

PyAV brings FFmpeg's libraries, so one path reads every format. FFmpeg can follow playlists to
files and addresses; therefore it is never given a name or an address, only an object to read from,
a list of demuxers and no protocol at all.

What this covers: references to other files and addresses, absurd headers, endless sound, too many
channels or bytes. What it does not: a decoder that crashes or hangs inside one call; a server runs
this in a process that it can kill (``decoder_pool``).
"""

from __future__ import annotations

import io
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, cast

import numpy as np

from emoscope.audio.containers import (
    Arriving,
    check_layout,
    checked,
    open_container,
    track_of,
    unknown_codec,
)
from emoscope.audio.decode_pass import DecodePass, DecodePlan
from emoscope.audio.frames import Raw, in_blocks, samples_of
from emoscope.audio.headers import Header, Readable, read_header
from emoscope.audio.missing import Gap, interleaved, spans_of
from emoscope.audio.mixing import Mixer, mixed
from emoscope.audio.packets import decoded_frames
from emoscope.audio.resample import Stages, at_rate
from emoscope.audio.sound_array import FILE_MAX_PEAK, check_full_scale
from emoscope.audio.spool import MEMORY_BYTES, Spools
from emoscope.audio.timeline import Timeline
from emoscope.audio.truncation import is_truncated
from emoscope.errors import AudioError, AudioTooLargeError
from emoscope.events import StepLog
from emoscope.limits import COMMAND_LINE, Limits
from emoscope.paths.access import opened
from emoscope.waveform import RATE_HZ, Samples, Waveform

FileSource: TypeAlias = bytes | str | os.PathLike[str]
"""The bytes of a file, or a path to one."""

_HEAD_BYTES = 4_096
_LIVE_HEAD_BYTES = 512
_BLOCK = 16_384
"""Samples of a channel that are handled together."""
_TELL_S = 30.0
"""Sound decoded between two reports of progress."""


class _Nameless:
    """File object without a ``name``, which PyAV would hand on to FFmpeg."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read
        self.seek = file.seek
        self.tell = file.tell


def decode(
    source: FileSource, *, limits: Limits = COMMAND_LINE, name: str = "", log: StepLog | None = None
) -> Waveform:
    """Decode to mono float32 at 16 kHz; several channels are averaged.

    Times are those of the medium: where it holds no sound (``Waveform.missing``) there are zeros.

    Args:
        source: the bytes of a file, or its path.
        limits: checked before the first frame and while decoding; by default those of the command
            line.
        name: name of the waveform; by default the file's name, empty for bytes.
        log: gets the steps decode, resample and mix with their milliseconds; none by default.

    Raises:
        AudioError: the sound cannot be used; each reason has its own class.
        SourceNotFoundError: there is no such file.
        SourceError: the system refuses to read it.
    """
    return _decode(source, limits, name, log or StepLog(), Spools())[0]


def decode_of_any_length(
    source: FileSource, *, limits: Limits = COMMAND_LINE, name: str = "", log: StepLog | None = None
) -> Waveform:
    """Decode to mono float32 at 16 kHz; long sound lies in a temporary file, so memory is bounded.

    Several channels are averaged. Times are those of the medium: where it holds no sound
    (``Waveform.missing``) there are zeros.

    Args:
        source: the bytes of a file, or its path.
        limits: checked before the first frame and while decoding; by default those of the command
            line.
        name: name of the waveform; by default the file's name, empty for bytes.
        log: gets the steps decode, resample and mix with their milliseconds; none by default.

    Raises:
        AudioError: the sound cannot be used; each reason has its own class or code.
        SourceNotFoundError: there is no such file.
        SourceError: the system refuses to read it.
        StoreError: the folder for temporary files is full or cannot be written.
    """
    return _decode(source, limits, name, log or StepLog(), Spools(MEMORY_BYTES))[0]


def decode_channels(
    source: FileSource,
    *,
    limits: Limits = COMMAND_LINE,
    name: str = "",
    log: StepLog | None = None,
    in_memory: bool = False,
) -> tuple[Waveform, ...]:
    """Decode each channel to a waveform of its own at 16 kHz; all are of one length.

    Args:
        source: the bytes of a file, or its path.
        limits: checked before the first frame and while decoding; by default those of the command
            line.
        name: name of the waveform; by default the file's name, empty for bytes.
        log: gets the steps decode, resample and mix with their milliseconds; none by default.
        in_memory: keep all of it in memory; by default long sound lies in temporary files.

    Raises:
        AudioError: the sound cannot be used, or the number of channels changes within it.
        SourceNotFoundError: there is no such file.
        SourceError: the system refuses to read it.
        StoreError: the folder for temporary files is full or cannot be written.
    """
    spools = Spools() if in_memory else Spools(MEMORY_BYTES)
    return _decode(source, limits, name, log or StepLog(), spools, separate=True)


def decode_live(read: Callable[[int], bytes], limits: Limits) -> Iterator[Samples | Gap]:
    """Decode sound while it arrives, to blocks of float32 at 16 kHz, shape ``(channels, n)``.

    Between them come the gaps in which the medium holds no sound.

    Args:
        read: returns up to the number of bytes given, blocks until there is one, and returns none
            at the end.
        limits: checked before the first frame and while decoding; its containers should be ones
            that can be read without seeking.

    Raises:
        AudioError: the sound cannot be used; each reason has its own class or code.
    """
    head = b""
    while len(head) < _LIVE_HEAD_BYTES and (more := read(_LIVE_HEAD_BYTES - len(head))):
        head += more
    if not head:
        raise AudioError("audio_empty_file")
    with open_container(Arriving(head, read), head, limits) as container:
        track = track_of(container, limits)
        if track is None:
            raise AudioError("audio_damaged")
        checked(container, track, head, Header(), 0, limits)
        stages, timeline = Stages(), Timeline.of(container, track.stream, limits.longest_s)
        # Block by block as they come: a reader that waits for a full block would be late.
        frames = timeline.watch(decoded_frames(container, track, stages))
        planes = at_rate(_planes(frames, limits, stages, least=1), stages)
        yield from interleaved(planes, timeline.gaps)


def library_versions() -> dict[str, str]:
    """Return the versions of what decodes and resamples."""
    import av
    import soxr

    return {"av": av.__version__, "soxr": soxr.__version__, "numpy": np.__version__}


def _decode(
    source: FileSource,
    limits: Limits,
    name: str,
    log: StepLog,
    spools: Spools,
    *,
    separate: bool = False,
) -> tuple[Waveform, ...]:
    if isinstance(source, bytes):
        reader: Readable = io.BytesIO(source)
        gaps = _decode_into(spools, reader, len(source), limits, log, separate)
    else:
        name = name or Path(source).name
        with opened(source) as file:
            size_bytes = os.fstat(file.fileno()).st_size
            reader = cast(Readable, _Nameless(file))
            gaps = _decode_into(spools, reader, size_bytes, limits, log, separate)
    missing = spans_of(gaps)
    return tuple(Waveform(samples, RATE_HZ, name, missing) for samples in spools.take())


def _decode_into(
    spools: Spools,
    reader: Readable,
    size_bytes: int,
    limits: Limits,
    log: StepLog,
    separate: bool,
) -> list[Gap]:
    """Decode into the spools, silence where sound is missing, and return these gaps.

    One pass, and another where it shows that timestamps or the mean of the channels are no use.

    Args:
        spools: take the sound.
        reader: the bytes of a file.
        size_bytes: size of the file.
        limits: checked before the first frame and while decoding.
        log: gets the steps and progress.
        separate: keep the channels apart instead of mixing them.
    """
    if size_bytes == 0:
        raise AudioError("audio_empty_file")
    if limits.max_bytes is not None and size_bytes > limits.max_bytes:
        raise AudioTooLargeError(max_bytes=limits.max_bytes)
    plan: DecodePlan | None = DecodePlan(separate)
    while plan is not None:
        spools.clear()
        decoded = _decode_once(spools, reader, size_bytes, limits, log, plan)
        plan = decoded.better_plan()
    decoded.record(log)
    return decoded.gaps


def _decode_once(
    spools: Spools,
    reader: Readable,
    size_bytes: int,
    limits: Limits,
    log: StepLog,
    plan: DecodePlan,
) -> DecodePass:
    """Decode a file from its beginning into empty spools."""
    reader.seek(0)
    header = read_header(reader, size_bytes)
    reader.seek(0)
    head = reader.read(_HEAD_BYTES)
    reader.seek(0)
    with open_container(reader, head, limits, is_open=header.is_open) as container:
        track = track_of(container, limits)
        if track is None:
            raise unknown_codec(container, reader, size_bytes)
        encoding = checked(container, track, head, header, size_bytes, limits)
        stages, mixer, gaps = Stages(), Mixer(plan.channel), list[Gap]()
        timeline = plan.timeline(container, track, limits)
        frames = timeline.watch(decoded_frames(container, track, stages))
        planes = at_rate(_planes(frames, limits, stages), stages)
        most = FILE_MAX_PEAK if _keeps_floats(track.stream.codec.name) else math.inf
        sound = _sound(planes if plan.separate else mixed(planes, stages, mixer), most)
        blocks = _filled(interleaved(sound, timeline.gaps), gaps)
        fits = _spool(blocks, spools, gaps, limits, log, encoding.length.likely_s)
        truncated = is_truncated(encoding.length, stages)
    if not spools.count:
        raise AudioError("audio_no_samples")
    louder = None if plan.separate or plan.channel is not None else mixer.louder()
    return DecodePass(plan, gaps, fits, louder, stages, encoding, track, truncated)


def _spool(
    blocks: Iterator[Samples],
    spools: Spools,
    gaps: list[Gap],
    limits: Limits,
    log: StepLog,
    likely_s: float,
) -> bool:
    """Take decoded sound into the spools and report progress.

    Args:
        blocks: float32 at 16 kHz, shape ``(channels, n)``, silence included.
        spools: take the sound.
        gaps: where silence stands for missing sound, filled while ``blocks`` is read.
        limits: its ``longest_s`` bounds sound and gaps together.
        log: gets progress.
        likely_s: length to expect in seconds, for progress; 0 where it is not known.

    Returns:
        Whether sound and gaps together fit the limit; it stops where they do not.
    """
    most = limits.longest_s * RATE_HZ
    told_s = 0.0
    for block in blocks:
        spools.add(block)
        if gaps and spools.count > most:
            return False
        done_s = spools.count / RATE_HZ
        if likely_s and done_s - told_s >= _TELL_S:
            told_s = done_s
            log.moved("decode", done_s, max(likely_s, done_s))
    return True


def _filled(blocks: Iterator[Samples | Gap], gaps: list[Gap]) -> Iterator[Samples]:
    """Put silence where sound is missing, and add to ``gaps`` where that is."""
    waiting = list[Gap]()
    for block in blocks:
        if isinstance(block, Gap):
            waiting.append(block)
            continue
        gaps += waiting
        for gap in waiting:
            yield from gap.silence(len(block))
        waiting.clear()
        yield block


def _keeps_floats(codec: str) -> bool:
    """Whether a codec stores floats as they are, so that they may be in the range of integers.

    A lossy one's decoder may overshoot by any factor: FFmpeg's of Opus does so in rare frames.
    """
    return codec.startswith("pcm_f") or codec == "wavpack"


def _sound(blocks: Iterator[Samples], max_peak: float) -> Iterator[Samples]:
    """Yield samples in [-1, 1], as the model takes them.

    Infinite ones and NaN are an error, and so are floats in the range of integers.
    """
    for block in blocks:
        if not np.isfinite(block).all():
            raise AudioError("audio_not_finite")
        check_full_scale(block, max_peak)
        # A resampler rings past full scale at steep edges.
        yield np.clip(block, -1.0, 1.0)


def _planes(
    frames: Iterator[Any], limits: Limits, stages: Stages, least: int = _BLOCK
) -> Iterator[tuple[int, Samples]]:
    """Yield ``(rate_hz, samples of shape (channels, n))``, stopping at the duration limit.

    A packet that cannot be decoded is skipped and counted: one bad packet of a thousand is no
    reason to lose the rest. When nothing at all could be decoded the file is damaged.
    """
    any_decoded = False
    start_s = time.perf_counter()
    for block in in_blocks(_within(limits, frames), least):
        any_decoded = True
        stages.decode_s += time.perf_counter() - start_s
        yield block
        start_s = time.perf_counter()
    stages.decode_s += time.perf_counter() - start_s
    if not any_decoded and stages.skipped_packets:
        raise AudioError("audio_damaged")


def _within(limits: Limits, frames: Iterator[Any]) -> Iterator[tuple[int, Raw]]:
    """Check every frame, and yield its rate and samples."""
    decoded_s = 0.0
    for frame in frames:
        rate_hz = int(frame.sample_rate)
        check_layout(rate_hz, len(frame.layout.channels), limits)
        decoded_s += frame.samples / rate_hz
        if decoded_s > limits.longest_s:
            raise AudioError("audio_too_long", max_duration_s=limits.max_duration_s)
        yield rate_hz, samples_of(frame)
