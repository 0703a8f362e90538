"""Recognizer: recording to ``Result``, the one path of all front ends. Read this file first.

``decode`` turns a source into a ``PreparedAudio`` (decoded and checked), ``infer`` runs the model
on it and assembles the ``Result`` (windows, logits, scores, segments). ``recognize`` is the two in
a row, and ``recognize_many`` is that for a list in which one bad file ends nothing.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Sequence, Sized
from datetime import datetime
from pathlib import Path
from typing import Unpack, overload

from emoscope._version import __version__
from emoscope.audio.decode import decode_channels, decode_of_any_length, library_versions
from emoscope.audio.decoder_pool import ChannelDecoder, Decoder
from emoscope.audio.inputs import Source, check_several, name_of
from emoscope.audio.prepare import PreparedAudio, prepare
from emoscope.backends.base import Backend
from emoscope.backends.opened import open_model_files
from emoscope.errors import EmoscopeError
from emoscope.events import Listener, StepLog, ignore, local_now
from emoscope.hub.progress import PullListener, log_pull
from emoscope.inference.assembly import Assembler
from emoscope.inference.batching import SequentialBatcher, batcher_of
from emoscope.inference.headed import HeadColumns
from emoscope.inference.options import (
    AllOptions,
    ByFrame,
    ByMean,
    ByRow,
    ManyOptions,
    ManyWithGranularity,
    Options,
    WithGranularity,
    WithoutEmbedding,
)
from emoscope.inference.ordered import check_workers, ordered_map
from emoscope.inference.recording_run import RecordingRun
from emoscope.inference.utterances import UtteranceInference
from emoscope.inference.windowed import WindowedInference
from emoscope.limits import COMMAND_LINE, Limits
from emoscope.models import catalog
from emoscope.models.head_file import Head
from emoscope.models.head_folder import heads_for
from emoscope.paths.choices import (
    BackendName,
    DeviceChoice,
    EmbeddingRequest,
    Granularity,
    Precision,
)
from emoscope.results.abstention import ABSTENTION_THRESHOLDS, AbstentionThresholds
from emoscope.results.agreement import AGREEMENT_THRESHOLDS, AgreementThresholds
from emoscope.results.answers import AnswerStream, progress_listener
from emoscope.results.display import ProgressListener
from emoscope.results.result import (
    Failure,
    ModelRef,
    Result,
    check_embedding,
    check_granularity,
)
from emoscope.results.track import Track
from emoscope.results.utterances import (
    UtteranceChoice,
    UtteranceRules,
    utterance_plan,
)
from emoscope.waveform import Array32


class Recognizer:
    """Recognizes emotion with one loaded model. Immutable, and safe in many threads.

    Args:
        backend: runs the model.
        model: name and digest of the model, for the result.
        card: the model's card, with its calibration; None for a model without one.
        origin: where the model's files came from.
        load_s: seconds that checking and loading the model took.
        limits: which recordings are accepted; by default those of the command line.
        thresholds: quality and confidence below which no emotion is claimed.
        now: clock of ``Result.created``; returns a time with a zone.
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
        self.dim = backend.dim
        # One for all threads that share this recognizer: requests, the page, Python callers.
        self.embedding_size = backend.dim
        self._forward = batcher_of(backend, is_rounded=model.precision != "exact")
        self.heads: tuple[Head, ...] = ()
        self.decoder: Decoder = decode_of_any_length
        self.channel_decoder: ChannelDecoder = decode_channels
        versions = {"emoscope": __version__, backend.name: backend.version} | library_versions()
        calibration = None if card is None else card.calibration
        self.assembler = Assembler(model, calibration, thresholds, now, versions)

    def configured(
        self,
        *,
        limits: Limits | None = None,
        decoder: Decoder | None = None,
        channel_decoder: ChannelDecoder | None = None,
        heads: Sequence[str | Head] | None = None,
        sequential: bool = False,
    ) -> Recognizer:
        """Return a recognizer with the same loaded model and other parts, as a server's.

        Args:
            limits: which recordings are accepted.
            decoder: decodes and averages channels.
            channel_decoder: decodes each channel for itself.
            heads: names of ``emoscope head list``, or heads. One with classes of its own adds its
                answer to each result; one of corrections changes the nine scores.
            sequential: run the windows of long sound one by one, for one process of many.

        Raises:
            HeadError: a head is unknown, damaged, or of another model.
        """
        other = copy.copy(self)
        other._forward = SequentialBatcher(self._forward) if sequential else self._forward  # noqa: SLF001 - our copy
        other.limits, other.decoder = limits or self.limits, decoder or self.decoder
        other.channel_decoder = channel_decoder or self.channel_decoder
        other.heads = self.heads if heads is None else heads_for(heads, self.model)
        return other

    @overload
    def recognize(
        self, source: Source, *, granularity: ByFrame, embedding: ByRow, **more: Unpack[Options]
    ) -> Result[Track, Array32, Array32]: ...
    @overload
    def recognize(
        self, source: Source, *, granularity: ByFrame, embedding: ByMean, **more: Unpack[Options]
    ) -> Result[Track, None, Array32]: ...
    @overload
    def recognize(
        self, source: Source, *, granularity: ByFrame, **more: Unpack[WithoutEmbedding]
    ) -> Result[Track]: ...
    @overload
    def recognize(
        self, source: Source, *, embedding: ByRow, **more: Unpack[WithGranularity]
    ) -> Result[Track | None, Array32, Array32]: ...
    @overload
    def recognize(
        self, source: Source, *, embedding: ByMean, **more: Unpack[WithGranularity]
    ) -> Result[Track | None, None, Array32]: ...
    @overload
    def recognize(self, source: Source, **more: Unpack[AllOptions]) -> Result: ...
    def recognize(
        self,
        source: Source,
        *,
        granularity: Granularity = "utterance",
        embedding: EmbeddingRequest = False,
        utterances: UtteranceChoice = False,
        name: str = "",
        listener: Listener = ignore,
    ) -> Result:
        """Say which emotion a recording holds.

        Args:
            source: a path, bytes, an open file, samples with their rate; see ``Source``.
            granularity: ``frame`` adds the track of 20 ms rows, the segments and their summary.
            embedding: True keeps the frame embeddings, float32 of shape ``(T, D)``; ``utterance``
                their mean alone, shape ``(D,)``.
            utterances: recognize each utterance alone as well: True, rules, or given spans.
            name: name of the recording in the result; the file's name by default.
            listener: called with each finished step and with progress; does nothing by default.

        Raises:
            InputError: the recording or a parameter cannot be used.
            ModelError: the model failed.
        """
        check_granularity(granularity)
        check_embedding(embedding)
        plan = utterance_plan(utterances)
        recording = self.decode(source, name=name, listener=listener)
        return self.infer(
            recording,
            granularity=granularity,
            embedding=embedding,
            utterances=plan,
            listener=listener,
        )

    @overload
    def recognize_many(
        self, sources: Iterable[Source], *, granularity: ByFrame, **more: Unpack[ManyOptions]
    ) -> AnswerStream[Track]: ...
    @overload
    def recognize_many(
        self, sources: Iterable[Source], **more: Unpack[ManyWithGranularity]
    ) -> AnswerStream: ...
    def recognize_many(
        self,
        sources: Iterable[Source],
        *,
        granularity: Granularity = "utterance",
        embedding: EmbeddingRequest = False,
        utterances: bool | UtteranceRules = False,
        workers: int = 1,
        progress: bool | ProgressListener = False,
    ) -> AnswerStream:
        """Recognize recordings in order; one that cannot be used gives a ``Failure``.

        Args:
            sources: each a path, bytes, an open file or samples; see ``Source``; read lazily.
            granularity: ``frame`` adds the track of 20 ms rows, the segments and their summary.
            embedding: True keeps the frame embeddings, float32 of shape ``(T, D)``; ``utterance``
                their mean alone, shape ``(D,)``.
            utterances: recognize each utterance alone as well: True, or rules.
            workers: recordings that are recognized side by side, in threads; the answers and
                their order stay the same, and at most twice as many are begun ahead.
            progress: True shows a line on standard error; a function is called after each answer.

        Returns:
            An iterator with one result or failure per source, in the order of ``sources``.

        Raises:
            RequestError: a parameter cannot be used; raised at once, before the first recording.
            SourceTypeError: ``sources`` is one recording.
        """
        check_granularity(granularity)
        check_embedding(embedding)
        check_several(sources)

        def answer(source: Source) -> Result | Failure:
            try:
                return self.recognize(
                    source, granularity=granularity, embedding=embedding, utterances=utterances
                )
            except EmoscopeError as error:
                return Failure(name_of(source), error)

        made = ordered_map(answer, sources, check_workers(workers))
        total = len(sources) if isinstance(sources, Sized) else None
        return AnswerStream(made, progress_listener(progress), total)

    def decode(
        self,
        source: Source,
        *,
        name: str = "",
        received_ms: float = 0.0,
        listener: Listener = ignore,
    ) -> PreparedAudio:
        """Decode a source to 16 kHz mono and check that it can be used.

        Args:
            source: a path, bytes, an open file, samples with their rate; see ``Source``.
            name: name of the recording in the result; the file's name by default.
            received_ms: milliseconds that a front end spent receiving the bytes, for the log.
            listener: called with each finished step and with progress; does nothing by default.

        Raises:
            InputError: the recording cannot be used; each reason has its own class or code.
            StoreError: long sound does not fit into the folder for temporary files.
        """
        return prepare(
            source, self.decoder, self.limits, StepLog(listener), name=name, received_ms=received_ms
        )

    def infer(
        self,
        recording: PreparedAudio,
        *,
        granularity: Granularity = "utterance",
        embedding: EmbeddingRequest = False,
        utterances: UtteranceChoice = False,
        listener: Listener = ignore,
        checkpoint_dir: Path | None = None,
    ) -> Result:
        """Run the model on a prepared recording.

        Args:
            recording: what ``decode`` returned.
            granularity: ``frame`` adds the track of 20 ms rows, the segments and their summary.
            embedding: True keeps the frame embeddings, float32 of shape ``(T, D)``; ``utterance``
                their mean alone, shape ``(D,)``.
            utterances: recognize each utterance alone as well: True, rules, or given spans.
            listener: called with each finished step and with progress; does nothing by default.
            checkpoint_dir: folder for the model's outputs of each window of long sound, from which
                interrupted work resumes; by default nothing is kept.

        Raises:
            RequestError: ``granularity`` is neither of the two words, or a span cannot be used.
            ModelError: the model failed.
            BusyError: too many threads wait for the model.
            ServiceError: ``close`` was called.
        """
        check_granularity(granularity)
        run = RecordingRun(
            self._forward,
            self.assembler,
            self.heads,
            by_frame=granularity == "frame",
            embedding=bool(check_embedding(embedding)),
            plan=utterance_plan(utterances),
            min_utterance_s=self.limits.min_duration_s,
            checkpoint_dir=checkpoint_dir,
        )
        result = run.result(recording, listener)
        return result.with_mean_embedding() if embedding == "utterance" else result

    def windowed_inference(self, granularity: Granularity) -> WindowedInference:
        """Return a new inference for a recording that arrives in portions.

        Args:
            granularity: ``frame`` also looks for speech, ``utterance`` does not.
        """
        return WindowedInference(self._forward, find_speech=granularity == "frame")

    def utterance_inference(self, *, embedding: bool) -> UtteranceInference:
        """Return a new inference for utterances that arrive one by one.

        Args:
            embedding: keep the mean frame embedding of each utterance.
        """
        columns = HeadColumns(self.heads, embedding=embedding)
        return UtteranceInference(columns.runner(self._forward), self.assembler, columns)

    def close(self) -> None:
        """Finish the recognitions in progress and refuse new ones; a second call does nothing."""
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
    listener: PullListener = log_pull,
    now: Callable[[], datetime] = local_now,
) -> Recognizer:
    """Load a model that is on this machine.

    Args:
        model: ``auto`` (the large model if it is on this machine, else ``compact``), a name of
            ``emoscope models list``, or a folder; one of official files is converted once.
        backend: library that runs it; ``openvino`` needs the extra of that name.
        precision: ``exact``; ``int8``, the 8-bit variant, or an error; ``auto``, that variant
            where it agreed with the exact model and was measured to be faster.
        agreement_thresholds: agreement with the exact model that a variant needs to be used.
        threads: threads of one inference; 0 takes all cores, for a small model one.
        device: ``cpu``; ``cuda``, or an error; ``auto``, an NVIDIA GPU where one can be used.
        limits: which recordings are accepted; by default those of the command line.
        thresholds: quality and confidence below which no emotion is claimed.
        listener: called before official files are converted; by default that is logged.
        now: clock of ``Result.created``; returns a time with a zone.

    Raises:
        ModelError: the model is unknown, not on this machine, incomplete or changed; or ``int8``,
            and it has no variant that agrees; or ``cuda``, and it cannot be used.
        ExtraMissingError: the backend's library is not installed, or what converts official files.
    """
    opened = open_model_files(
        model,
        backend=backend,
        precision=precision,
        agreement_thresholds=agreement_thresholds,
        threads=threads,
        device=device,
        listener=listener,
    )
    return Recognizer(
        opened.backend,
        opened.reference,
        card=opened.card,
        origin=opened.origin,
        load_s=opened.load_s,
        limits=limits,
        thresholds=thresholds,
        now=now,
    )
