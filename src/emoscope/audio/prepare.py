"""Preparation of a recording: decoded to 16 kHz mono and checked."""

from __future__ import annotations

from dataclasses import dataclass, replace

from emoscope.audio import quality
from emoscope.audio.decoder_pool import Decoder
from emoscope.audio.inputs import Source, given_name, received
from emoscope.audio.missing import without_gaps
from emoscope.audio.mixing import mono_of
from emoscope.audio.sound_array import SoundArray
from emoscope.audio.source import receive
from emoscope.audio.validate import check_usable, reasons_of, resampled_waveform
from emoscope.events import Step, StepLog
from emoscope.limits import Limits
from emoscope.results.quality import Quality
from emoscope.results.result import SourceRef
from emoscope.waveform import Waveform


@dataclass(frozen=True, slots=True, eq=False)
class PreparedAudio:
    """A source that was decoded and found usable."""

    waveform: Waveform
    """Mono, 16 kHz, with zeros where the medium holds no sound."""
    sound: Waveform
    """The waveform without its missing spans: input of the model."""
    quality: Quality
    source: SourceRef
    steps: tuple[Step, ...]
    """What was done so far, with milliseconds."""


def prepare(
    source: Source,
    decoder: Decoder,
    limits: Limits,
    log: StepLog,
    *,
    name: str = "",
    received_ms: float = 0.0,
) -> PreparedAudio:
    """Decode a source to 16 kHz mono and check that it can be used.

    Args:
        source: a path, the bytes of a file, samples, or another form of ``Source``.
        decoder: decodes bytes and files.
        limits: which recordings are accepted.
        log: gets the steps receive, decode, resample, mix and check.
        name: name of the recording in the result; the file's name by default.
        received_ms: milliseconds that a front end spent receiving the bytes, for the log.

    Raises:
        InputError: the recording cannot be used; each reason has its own class or code.
        StoreError: long sound does not fit into the folder for temporary files.
    """
    sha256, name = None, name or given_name(source)
    recording = received(source, limits)
    if isinstance(recording, Waveform):
        waveform = resampled_waveform(recording, limits)
    elif isinstance(recording, SoundArray):
        channels = recording.channels(limits)
        waveform = mono_of([resampled_waveform(one, limits) for one in channels], log)
    else:
        recording, sha256 = receive(recording, log, before_ms=received_ms)
        waveform = decoder(recording, limits=limits, name=name, log=log)
    with log.timed("check"):
        sound = without_gaps(waveform)
        found = quality.check_quality(sound)
        check_usable(sound, found, limits)
        found = replace(found, reasons=(*found.reasons, *reasons_of(log.steps)))
    reference = SourceRef(name or waveform.name or "audio", sha256)
    return PreparedAudio(waveform, sound, found, reference, log.steps)
