"""From a recording to a ``Result``: the one path that every front end uses. Read this file first.

``decode`` turns a source into a ``PreparedAudio`` (decoded and checked), ``infer`` runs the model
on it and assembles the ``Result`` (windows, logits, scores, segments). ``recognize`` is the two in
a row, and ``recognize_many`` is that for a list in which one bad file ends nothing.
"""

from __future__ import annotations

import copy
import functools
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from emoscope._version import __version__
from emoscope.audio import quality
from emoscope.audio.decode import decode_of_any_length, library_versions
from emoscope.audio.decoder_pool import Decoder
from emoscope.audio.missing import gaps_of, without_gaps
from emoscope.audio.source import receive
from emoscope.audio.validate import check_usable, reasons_of, resampled_waveform
from emoscope.backends.base import Backend
from emoscope.backends.choice import BackendName, DeviceChoice, gains_by_rounding, open_backend
from emoscope.errors import EmoscopeError, GranularityError
from emoscope.events import Listener, Step, StepLog, ignore
from emoscope.inference.batching import Batcher
from emoscope.inference.forward import Forward, batch_budget
from emoscope.inference.resume import window_cache
from emoscope.inference.windowed import ClipRunner, WindowedInference, run_windows
from emoscope.limits import COMMAND_LINE, Limits
from emoscope.models import catalog, variants
from emoscope.models.agreement import AGREEMENT_THRESHOLDS, AgreementThresholds
from emoscope.models.variants import Precision
from emoscope.results import abstention
from emoscope.results.abstention import ABSTENTION_THRESHOLDS, AbstentionThresholds
from emoscope.results.quality import Quality
from emoscope.results.result import (
    GRANULARITIES,
    Failure,
    Granularity,
    ModelRef,
    Result,
    SourceRef,
)
from emoscope.results.track import Track
from emoscope.waveform import Array32, Waveform

Source: TypeAlias = bytes | str | os.PathLike[str] | Waveform
"""The bytes of a file, a path to one, or samples."""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedAudio:
    """A source that was decoded and found usable."""

    waveform: Waveform
    sound: Waveform
    """The waveform without its missing spans: what the model hears."""
    quality: Quality
    source: SourceRef
    steps: tuple[Step, ...]
    """What was done so far, with milliseconds."""


def local_now() -> datetime:
    """Return the time, with the zone of this machine."""
    return datetime.now().astimezone()


class Recognizer:
    """Recognizes emotion with one loaded model. Made once, never changed, safe in many threads.

    Args:
        backend: what runs the model.
        model: which model that is, for the result.
        card: what is known about it, where it has a card.
        origin: where its files came from.
        load_s: seconds that checking and loading it took.
        limits: what recordings are accepted.
        thresholds: when no emotion is claimed.
        now: the clock of ``Result.created``; must give a time zone.
    """

    def __init__(
        self,
        backend: Backend,
        model: ModelRef,
        *,
        card: catalog.ModelCard | None = None,
        origin: catalog.Origin = "folder",
        load_s: float = 0.0,
        limits: Limits = COMMAND_LINE,
        thresholds: AbstentionThresholds = ABSTENTION_THRESHOLDS,
        now: Callable[[], datetime] = local_now,
    ) -> None:
        self.model = model
        self.card = card
        self.origin = origin
        self.load_s = load_s
        self.limits = limits
        self.thresholds = thresholds
        # One for all threads that share this recognizer: requests, the page, Python callers.
        budget = batch_budget(backend.device, is_rounded=model.precision != "exact")
        forward = Forward(backend, max_padded_samples=budget)
        self._forward = Batcher(forward, at_once=backend.runs_at_once)
        self._now = now
        self._decode: Decoder = decode_of_any_length
        versions = {"emoscope": __version__, backend.name: backend.version}
        self._versions = versions | library_versions()

    def decoding_with(self, decoder: Decoder) -> Recognizer:
        """Return the same recognizer with another way to decode, as a server needs."""
        other = copy.copy(self)
        other._decode = decoder  # noqa: SLF001 - one of us
        return other

    def within(self, limits: Limits) -> Recognizer:
        """Return the same recognizer with other limits, as a live stream needs."""
        other = copy.copy(self)
        other.limits = limits
        return other

    def recognize(
        self,
        source: Source,
        *,
        granularity: Granularity = "utterance",
        embedding: bool = False,
        name: str = "",
        listener: Listener = ignore,
    ) -> Result:
        """Say which emotion a recording holds.

        Args:
            source: the bytes of a file, its path, or a ``Waveform``.
            granularity: ``frame`` adds the track of 20 ms rows and the segments.
            embedding: keep the embedding, shape ``(T, D)``.
            name: what to call the recording; a path's own name by default.
            listener: is told of steps and progress.

        Raises:
            InputError: the recording or a parameter cannot be used.
            ModelError: the model failed.
        """
        _check_granularity(granularity)
        recording = self.decode(source, name=name, listener=listener)
        return self.infer(
            recording, granularity=granularity, embedding=embedding, listener=listener
        )

    def recognize_many(
        self,
        sources: Iterable[Source],
        *,
        granularity: Granularity = "utterance",
        embedding: bool = False,
    ) -> Iterator[Result | Failure]:
        """Recognize one after another, in order; a bad one becomes a ``Failure``, no more.

        Raises:
            GranularityError: at once, before the first recording.
        """
        _check_granularity(granularity)

        def answers() -> Iterator[Result | Failure]:
            for source in sources:
                try:
                    yield self.recognize(source, granularity=granularity, embedding=embedding)
                except EmoscopeError as error:
                    yield Failure(name_of(source), error)

        return answers()

    def decode(
        self,
        source: Source,
        *,
        name: str = "",
        received_ms: float = 0.0,
        listener: Listener = ignore,
    ) -> PreparedAudio:
        """Decode and check a source.

        Args:
            source: as in ``recognize``.
            name: as in ``recognize``.
            received_ms: milliseconds that a face spent getting the bytes, for the log.
            listener: is told of each step.

        Raises:
            InputError: it cannot be used.
        """
        log = StepLog(listener)
        sha256 = None
        if isinstance(source, Waveform):
            waveform = resampled_waveform(source, self.limits)
        else:
            source, sha256 = receive(source, log, before_ms=received_ms)
            waveform = self._decode(source, limits=self.limits, name=name, log=log)
        with log.timed("check"):
            sound = without_gaps(waveform)
            found = quality.check_quality(sound)
            check_usable(sound, found, self.limits)
            found = replace(found, reasons=(*found.reasons, *reasons_of(log.steps)))
        reference = SourceRef(name or waveform.name or "audio", sha256)
        return PreparedAudio(waveform, sound, found, reference, log.steps)

    def infer(
        self,
        recording: PreparedAudio,
        *,
        granularity: Granularity = "utterance",
        embedding: bool = False,
        listener: Listener = ignore,
        checkpoint_dir: Path | None = None,
    ) -> Result:
        """Run the model on a prepared recording.

        Args:
            recording: what ``decode`` gave.
            granularity: as in ``recognize``.
            embedding: as in ``recognize``.
            listener: as in ``recognize``.
            checkpoint_dir: folder for the outputs of the windows of long sound; work that broke off
                is resumed from it when the same is asked again.

        Raises:
            GranularityError: ``granularity`` is neither of the two words.
            ModelError: the model failed.
            BusyError: too many threads wait for the model.
            EngineClosedError: ``close`` was called.
        """
        _check_granularity(granularity)
        sound, gaps = recording.sound, gaps_of(recording.waveform)
        log = StepLog(listener)
        with log.timed("infer", model=self.model.name) as numbers:
            work, duration_s = (recording.source, self.model.sha256), sound.duration_s
            with window_cache(
                self._forward, checkpoint_dir, work, duration_s=duration_s, embedding=embedding
            ) as kept:
                windowed_inference = self.windowed_inference(granularity, kept)
                track, vectors = run_windows(
                    sound, windowed_inference, gaps, embedding=embedding, listener=listener
                )
            if kept.found:
                numbers["windows_kept"] = kept.found
            numbers["frames"] = len(track)
        recording = replace(recording, steps=(*recording.steps, *log.steps))
        return self.build_result(recording, track, granularity=granularity, embedding=vectors)

    def windowed_inference(
        self, granularity: Granularity, forward: ClipRunner | None = None
    ) -> WindowedInference:
        """Begin a recording that arrives in portions; ``frame`` also looks for speech."""
        return WindowedInference(forward or self._forward, find_speech=granularity == "frame")

    def build_result(
        self,
        recording: PreparedAudio,
        track: Track,
        *,
        granularity: Granularity,
        embedding: Array32 | None = None,
    ) -> Result:
        """Make a result of what the model said about a recording.

        Args:
            recording: with all steps that the result's log shall have.
            track: all its rows, on the medium's time axis.
            granularity: as in ``recognize``.
            embedding: shape ``(T, D)``, to keep it.
        """
        waveform, sound_s, scores = recording.waveform, recording.sound.duration_s, track.utterance
        calibration = None if self.card is None else self.card.calibration
        by_frame, missing = granularity == "frame", waveform.missing
        segments = track.segments(waveform.duration_s) if by_frame else ()
        return Result(
            source=recording.source,
            created=self._now(),
            duration_s=waveform.duration_s,
            granularity=granularity,
            scores=scores,
            quality=recording.quality,
            model=self.model,
            track=track if by_frame else None,
            segments=segments,
            reading=track.reading(segments, waveform.duration_s, missing) if by_frame else None,
            embedding=embedding,
            calibrated=calibration.apply(scores) if calibration is not None else None,
            abstain=abstention.abstention_reasons(
                recording.quality, sound_s, scores, self.thresholds
            ),
            missing=missing,
            steps=recording.steps,
            versions=dict(self._versions),
        )

    def close(self) -> None:
        """Finish what has been asked and take nothing more; twice is no error."""
        self._forward.close()


def load(
    model: str | os.PathLike[str] = catalog.AUTO,
    *,
    backend: BackendName = "onnxruntime",
    precision: Precision = "exact",
    agreement_thresholds: AgreementThresholds = AGREEMENT_THRESHOLDS,
    threads: int = 0,
    device: DeviceChoice = "cpu",
    limits: Limits = COMMAND_LINE,
    thresholds: AbstentionThresholds = ABSTENTION_THRESHOLDS,
    now: Callable[[], datetime] = local_now,
) -> Recognizer:
    """Load a model that is on this machine.

    Args:
        model: ``auto`` (the large model if it is here, else ``compact``), a name of
            ``emoscope models list``, or a folder.
        backend: what runs it; ``openvino`` needs the extra of that name.
        precision: ``exact``; ``fast``, the rounded variant, or an error; ``auto``, that variant
            where it agreed with the exact model and was measured to be faster.
        agreement_thresholds: what a variant must have reached to be used.
        threads: threads inside one run; 0 takes all cores, for a small model one.
        device: ``cpu``; ``cuda``, or an error; ``auto``, an NVIDIA GPU where one can be used.
        limits: what recordings are accepted.
        thresholds: when no emotion is claimed.
        now: the clock of ``Result.created``.

    Raises:
        ModelError: the model is unknown, not on this machine, incomplete or changed; or ``fast``,
            and it has no variant that agrees; or ``cuda``, and it cannot be used.
        ExtraMissingError: the backend's library is not installed.
    """
    started_s = time.perf_counter()
    local = catalog.find(model)
    if precision == "auto" and not gains_by_rounding(backend, device):
        precision = "exact"
    path, reference = variants.verified(local, precision, agreement_thresholds)
    opened = open_backend(backend, path, threads, device)
    return Recognizer(
        opened,
        replace(reference, device=opened.device),
        card=local.card,
        origin=local.origin,
        load_s=time.perf_counter() - started_s,
        limits=limits,
        thresholds=thresholds,
        now=now,
    )


@functools.lru_cache(maxsize=4)
def load_once(model: str) -> Recognizer:
    """Return the same recognizer for the same name."""
    return load(model)


def recognize(
    source: Source,
    *,
    model: str | os.PathLike[str] = catalog.AUTO,
    granularity: Granularity = "utterance",
    embedding: bool = False,
) -> Result:
    """Recognize one recording; the model is loaded once and kept.

    The same as ``load(model).recognize(source, ...)``, with the same arguments and errors.
    """
    recognizer = load_once(os.fspath(model))
    return recognizer.recognize(source, granularity=granularity, embedding=embedding)


def recognize_many(
    sources: Iterable[Source],
    *,
    model: str | os.PathLike[str] = catalog.AUTO,
    granularity: Granularity = "utterance",
    embedding: bool = False,
) -> Iterator[Result | Failure]:
    """Recognize one after another; the same as ``load(model).recognize_many(sources, ...)``."""
    recognizer = load_once(os.fspath(model))
    return recognizer.recognize_many(sources, granularity=granularity, embedding=embedding)


def name_of(source: Source) -> str:
    """What people call a source: a file's name without its folder."""
    if isinstance(source, Waveform):
        return source.name or "audio"
    return "audio" if isinstance(source, bytes) else Path(source).name


def _check_granularity(granularity: str) -> None:
    if granularity not in GRANULARITIES:
        raise GranularityError(value=granularity)
