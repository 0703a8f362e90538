"""Multichannel recognition: one result per channel, as for a call with a speaker on each.

The channels go one after another through the path of ``Recognizer`` and lie on one axis of time.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from emoscope.audio import quality
from emoscope.audio.inputs import Source, given_name, received
from emoscope.audio.missing import without_gaps
from emoscope.audio.prepare import PreparedAudio
from emoscope.audio.sound_array import SoundArray
from emoscope.audio.source import receive
from emoscope.audio.validate import reasons_of, resampled_waveform
from emoscope.errors import AudioSilentError
from emoscope.events import Event, Listener, Progress, StepLog, ignore
from emoscope.models import catalog
from emoscope.once import load_once
from emoscope.paths.choices import EmbeddingRequest, Granularity
from emoscope.recognizer import Recognizer
from emoscope.results.activity import ChannelActivity, channel_activity
from emoscope.results.result import Result, SourceRef, check_granularity
from emoscope.results.utterances import UtteranceChoice, utterance_plan
from emoscope.waveform import Waveform


@dataclass(frozen=True, slots=True, eq=False)
class MultichannelResult:
    """Results of the channels of one recording, on one time axis: frame k is the same moment."""

    results: tuple[Result, ...]
    """One per channel, in their order; a channel without speech abstains (``no_speech``)."""
    waveforms: tuple[Waveform, ...]
    """Mono sound of each channel at 16 kHz; all are of one length."""
    activity: ChannelActivity
    """Share of speech of each channel, and of overlapping speech."""


def recognize_channels_with(
    recognizer: Recognizer,
    source: Source,
    *,
    granularity: Granularity = "utterance",
    embedding: EmbeddingRequest = False,
    utterances: UtteranceChoice = False,
    name: str = "",
    listener: Listener = ignore,
    checkpoint_dir: Path | None = None,
) -> MultichannelResult:
    """Recognize each channel of a recording by itself.

    Args:
        recognizer: runs the model and decodes, in this process unless told otherwise.
        source: a path, bytes, or samples; see ``Source``. Mono sound has one channel.
        granularity: ``frame`` adds the track of 20 ms rows, the segments and their summary.
        embedding: True keeps the frame embeddings, ``utterance`` their mean alone.
        utterances: recognize each utterance of each channel alone as well: True, rules, or spans.
        name: name of the recording in the results; the file's name by default.
        listener: called with each finished step and with progress over all channels; does nothing
            by default.
        checkpoint_dir: folder for the model's outputs of each window of long sound, from which
            interrupted work resumes; by default nothing is kept.

    Raises:
        InputError: the recording cannot be used, or all of its channels are silent.
        ModelError: the model failed.
    """
    check_granularity(granularity)
    plan = utterance_plan(utterances)
    recordings = _prepared(recognizer, source, name, listener)
    by_frame = [
        # By frame also for one answer each: the activity needs the speech segments.
        recognizer.infer(
            recording,
            granularity="frame",
            embedding=embedding,
            utterances=plan,
            listener=_over_all(listener, at, len(recordings)),
            # Two channels are one source with one model: each has a place of its own.
            checkpoint_dir=checkpoint_dir and checkpoint_dir / f"channel{at + 1}",
        )
        for at, recording in enumerate(recordings)
    ]
    activity = channel_activity([one.segments for one in by_frame], by_frame[0].duration_s)
    created = by_frame[0].created  # one moment for all, so that their runs are neighbours
    results = tuple(
        replace(result, created=created, channel=channel)
        for result, channel in zip(by_frame, activity.channels, strict=True)
    )
    if granularity == "utterance":
        results = tuple(
            replace(
                result,
                granularity=granularity,
                track=None,
                segments=(),
                summary=None,
                heads=tuple(head.without_frames() for head in result.heads),
            )
            for result in results
        )
    waveforms = tuple(recording.waveform for recording in recordings)
    return MultichannelResult(results, waveforms, activity)


def recognize_channels(
    source: Source,
    *,
    model: str | os.PathLike[str] = catalog.AUTO,
    granularity: Granularity = "utterance",
    embedding: EmbeddingRequest = False,
    utterances: UtteranceChoice = False,
) -> MultichannelResult:
    """Recognize each channel of one recording with a model that stays in memory.

    Args:
        source: a path, bytes, or samples; see ``Source``. Mono sound has one channel.
        model: ``auto`` (the large model if it is on this machine, else ``compact``), a name of
            ``emoscope models list``, or a folder.
        granularity: ``frame`` adds the track of 20 ms rows, the segments and their summary.
        embedding: True keeps the frame embeddings, ``utterance`` their mean alone.
        utterances: recognize each utterance of each channel alone as well: True, rules, or spans.

    Raises:
        InputError: the recording or a parameter cannot be used, or all channels are silent.
        ModelError: the model cannot be loaded, or it failed.
    """
    recognizer = load_once(os.fspath(model))
    return recognize_channels_with(
        recognizer, source, granularity=granularity, embedding=embedding, utterances=utterances
    )


def _prepared(
    recognizer: Recognizer, source: Source, name: str, listener: Listener
) -> list[PreparedAudio]:
    """Decode a source and check each channel; a silent one is no error while another is not."""
    log, name = StepLog(listener), name or given_name(source)
    channels, sha256 = _decoded(recognizer, source, name, log)
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


def _decoded(
    recognizer: Recognizer, source: Source, name: str, log: StepLog
) -> tuple[tuple[Waveform, ...], str | None]:
    """Return the waveform of each channel, and the sha256 of the file if there is one."""
    recording, limits = received(source, recognizer.limits), recognizer.limits
    if isinstance(recording, Waveform):
        return (recording,), None
    if isinstance(recording, SoundArray):
        channels = recording.channels(limits)
        return tuple(resampled_waveform(one, limits) for one in channels), None
    recording, sha256 = receive(recording, log)
    return recognizer.channel_decoder(recording, limits=limits, name=name, log=log), sha256


def _over_all(listener: Listener, channel: int, count: int) -> Listener:
    """Return a listener that turns progress of one channel into progress of all channels."""

    def listen(event: Event) -> None:
        if isinstance(event, Progress):
            done_s = channel * event.total_s + event.done_s
            event = replace(event, done_s=done_s, total_s=count * event.total_s)
        listener(event)

    return listen
