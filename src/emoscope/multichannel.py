"""One recording, one result per channel: a call with each speaker on a channel of their own.

The channels go one after another through the path of ``Recognizer`` and lie on one axis of time.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from emoscope.audio import quality
from emoscope.audio.decode import decode_channels
from emoscope.audio.missing import without_gaps
from emoscope.audio.source import receive
from emoscope.audio.validate import reasons_of
from emoscope.errors import AudioSilentError, GranularityError
from emoscope.events import Event, Listener, Progress, StepLog, ignore
from emoscope.models import catalog
from emoscope.recognizer import PreparedAudio, Recognizer, Source, load_once
from emoscope.results.activity import ChannelActivity, channel_activity
from emoscope.results.result import GRANULARITIES, Granularity, Result, SourceRef
from emoscope.waveform import Waveform


@dataclass(frozen=True, slots=True, eq=False)
class MultichannelResult:
    """What the channels of one recording say. Frame k is the same moment on each."""

    results: tuple[Result, ...]
    """One per channel, in their order; one on which nobody speaks abstains (``no_speech``)."""
    waveforms: tuple[Waveform, ...]
    """What the model heard of each channel; all are of one length."""
    activity: ChannelActivity
    """Who speaks how much, and at once with others."""


def recognize_channels_with(
    recognizer: Recognizer,
    source: Source,
    *,
    granularity: Granularity = "utterance",
    embedding: bool = False,
    name: str = "",
    listener: Listener = ignore,
    checkpoint_dir: Path | None = None,
) -> MultichannelResult:
    """Recognize each channel of a recording by itself.

    Args:
        recognizer: what recognizes; decoding happens in this process.
        source: as in ``Recognizer.recognize``; mono sound has one channel.
        granularity: as there.
        embedding: as there.
        name: as there.
        listener: is told of steps, and of progress over all channels.
        checkpoint_dir: as in ``Recognizer.infer``.

    Raises:
        InputError: the recording cannot be used, or all of its channels are silent.
        ModelError: the model failed.
    """
    if granularity not in GRANULARITIES:
        raise GranularityError(value=granularity)
    recordings = _prepared(recognizer, source, name, listener)
    heard = [
        # By frame whatever is asked for: who speaks when must be known.
        recognizer.infer(
            recording,
            granularity="frame",
            embedding=embedding,
            listener=_over_all(listener, at, len(recordings)),
            # Two channels are one source with one model: each has a place of its own.
            checkpoint_dir=checkpoint_dir and checkpoint_dir / f"channel{at + 1}",
        )
        for at, recording in enumerate(recordings)
    ]
    who = channel_activity([result.segments for result in heard], heard[0].duration_s)
    created = heard[0].created  # one moment for all, so that their runs are neighbours
    results = tuple(
        replace(result, created=created, channel=channel)
        for result, channel in zip(heard, who.channels, strict=True)
    )
    if granularity == "utterance":
        results = tuple(
            replace(result, granularity=granularity, track=None, segments=(), reading=None)
            for result in results
        )
    return MultichannelResult(results, tuple(recording.waveform for recording in recordings), who)


def recognize_channels(
    source: Source,
    *,
    model: str | os.PathLike[str] = catalog.AUTO,
    granularity: Granularity = "utterance",
    embedding: bool = False,
) -> MultichannelResult:
    """Recognize each channel of one recording by itself; the model is loaded once and kept.

    The same as ``converse(load(model), source, ...)``, with the same arguments and errors.
    """
    recognizer = load_once(os.fspath(model))
    return recognize_channels_with(recognizer, source, granularity=granularity, embedding=embedding)


def _prepared(
    recognizer: Recognizer, source: Source, name: str, listener: Listener
) -> list[PreparedAudio]:
    """Decode a source and check each channel; a silent one is no error while another is not."""
    log, sha256 = StepLog(listener), None
    if isinstance(source, Waveform):
        channels: tuple[Waveform, ...] = (source,)
    else:
        source, sha256 = receive(source, log)
        channels = decode_channels(source, limits=recognizer.limits, name=name, log=log)
    broken = reasons_of(log.steps)
    recordings, silent = [], list[AudioSilentError]()
    for channel in channels:
        try:
            recording = recognizer.decode(channel, name=name, listener=listener)
        except AudioSilentError as error:
            silent.append(error)
            checked = StepLog(listener)
            with checked.timed("check"):
                sound = without_gaps(channel)
                found = quality.check_quality(sound)
            reference = SourceRef(name or channel.name or "audio", None)
            recording = PreparedAudio(channel, sound, found, reference, checked.steps)
        found = replace(recording.quality, reasons=(*recording.quality.reasons, *broken))
        recordings.append(
            replace(
                recording,
                quality=found,
                source=replace(recording.source, sha256=sha256),
                steps=(*log.steps, *recording.steps),
            )
        )
    if len(silent) == len(recordings):
        raise silent[0]
    return recordings


def _over_all(listener: Listener, channel: int, count: int) -> Listener:
    """Return a listener to whom a channel's progress is a part of that of the recording."""

    def listen(event: Event) -> None:
        if isinstance(event, Progress):
            done_s = channel * event.total_s + event.done_s
            event = replace(event, done_s=done_s, total_s=count * event.total_s)
        listener(event)

    return listen
