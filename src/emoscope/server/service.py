"""Service shared by all routes: recognizer, run store, admission queue."""

from __future__ import annotations

import platform
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from fastapi import Request

from emoscope._version import __version__
from emoscope.audio.decoder_pool import DecoderPool
from emoscope.errors import EmoscopeError, RequestError, ServiceError
from emoscope.events import Listener, ignore
from emoscope.files import free_bytes
from emoscope.lists.spans import SpanFile
from emoscope.messages.reasons import reason
from emoscope.models.head_folder import heads_for
from emoscope.multichannel import recognize_channels_with
from emoscope.observe.facts import note
from emoscope.observe.metrics import ServerMetrics
from emoscope.observe.processes import resident_bytes
from emoscope.outputs.store import Run, RunStore
from emoscope.paths.choices import ChannelMode, Granularity
from emoscope.recognizer import Recognizer
from emoscope.results.result import Result
from emoscope.results.utterances import UtteranceChoice, UtteranceRules
from emoscope.server.admission.queue import AdmissionQueue, Deadline, cancel_on_disconnect
from emoscope.server.admission.uploads import Uploads
from emoscope.server.key_ring import KeyRing, KeysChanged
from emoscope.server.key_use import USE_FILE, KeyUse
from emoscope.server.keys import KeyFile
from emoscope.server.requester import runs_of
from emoscope.server.run_search import RunSearch
from emoscope.server.teaching import Teaching
from emoscope.settings import Settings
from emoscope.waveform import RATE_HZ, Waveform

INDEXED_S = 3_600.0
"""Longer recordings are not indexed: their frames would be held for a mean of hours."""
_LEAST_FREE_BYTES = 100_000_000
"""Below this a server that keeps runs is not ready: a long recording may not fit."""


@dataclass(frozen=True, slots=True)
class RecognitionOptions:
    """Options of the recognition of a recording."""

    granularity: Granularity = "utterance"
    """``frame`` adds the track of 20 ms rows, the segments and their summary."""
    embedding: bool = False
    """Keep the frame embeddings, float32 of shape ``(T, D)``."""
    channels: ChannelMode = "mix"
    """``separate`` gives a run for each channel in place of one for their mean."""
    utterances: bool = False
    """Recognize each utterance between two pauses alone as well."""
    heads: tuple[str, ...] = ()
    """Names of heads, besides those of the settings."""
    spans: SpanFile | None = None
    """Utterances that the client names, in the place of those between pauses."""
    pause_s: float | None = None
    """Pause that ends an utterance, in seconds; None: of the settings. Asks for utterances."""
    longest_s: float | None = None
    """Longest utterance, likewise."""

    @property
    def has_utterances(self) -> bool:
        """Whether utterances are asked for, in one way or another."""
        asked = (self.spans, self.pause_s, self.longest_s)
        return self.utterances or any(one is not None for one in asked)


@dataclass(frozen=True, slots=True)
class RecognitionRequest:
    """Recognition request: one recording and its options."""

    sound: bytes | Callable[[], bytes]
    """The bytes of a file, or a function that reads them when the request's turn comes."""
    name: str
    options: RecognitionOptions
    received_ms: float = 0.0

    def data(self) -> bytes:
        """Return the bytes of the file.

        Raises:
            AudioTooLargeError: it was larger than one recording may be, and was not kept.
        """
        return self.sound if isinstance(self.sound, bytes) else self.sound()


@dataclass(frozen=True, slots=True)
class Service:
    """Service of one application, shared by all routes and the page."""

    recognizer: Recognizer
    store: RunStore
    settings: Settings
    admission: AdmissionQueue
    uploads: Uploads
    decoders: DecoderPool
    metrics: ServerMetrics
    keys: KeyRing
    key_use: KeyUse
    teaching: Teaching
    index: RunSearch | None = None
    """Vectors of the runs; None where none are kept."""
    started_s: float = field(default_factory=time.monotonic)

    def recognizer_with(self, names: Sequence[str]) -> Recognizer:
        """Return the recognizer with heads, those that it always applies, and the adopted one.

        Raises:
            HeadError: one is unknown, damaged, or of another model; or they do not go together.
        """
        asked = [*self.recognizer.heads]
        asked += heads_for(
            [name for name in names if name not in {head.name for head in asked}],
            self.recognizer.model,
        )
        taught = self.teaching.head
        if taught is not None and all(head.kind == "classes" for head in asked):
            asked.append(taught)
        return self.recognizer.configured(heads=asked) if asked else self.recognizer

    async def recognize(
        self, http_request: Request, request: RecognitionRequest, listener: Listener = ignore
    ) -> tuple[Run, ...]:
        """Recognize one recording when its turn comes, unless its client disconnects.

        Args:
            http_request: the HTTP request; its disconnection cancels the work.
            request: the recording and its options.
            listener: called in a worker thread with each finished step and with progress; does
                nothing by default.

        Returns:
            One run, or one per channel.

        Raises:
            EmoscopeError: the recording, the model or the disk failed, or admission refused.
        """
        deadline = Deadline(self.settings.deadline_s)
        work = self.work(request, deadline, listener, store=runs_of(http_request, self.store))
        receive = cast(Callable[[], Any], http_request.receive)
        return await cancel_on_disconnect(receive, deadline, self.admission.run(deadline, work))

    def work(
        self,
        request: RecognitionRequest,
        deadline: Deadline,
        listener: Listener,
        *,
        store: RunStore,
        checkpoint_dir: Path | None = None,
    ) -> Callable[[], tuple[Run, ...]]:
        """Return a function that recognizes one recording, to be run in a thread.

        It returns one run, or one per channel.

        Args:
            request: the recording and its options.
            deadline: checked at every event; ends the work when it has passed or was cancelled.
            listener: called with each finished step and with progress.
            store: where the run is written; its access says to whom it belongs.
            checkpoint_dir: folder for the model's outputs of each window of long sound, from which
                interrupted work resumes; by default nothing is kept.
        """
        plan = partial(self._utterance_plan, request)

        def recognizer() -> Recognizer:
            return self.recognizer_with(request.options.heads)

        def listening(event: Any) -> None:
            deadline()
            self.metrics.event(event)
            listener(event)

        def counted() -> tuple[Run, ...]:
            try:
                runs = separate() if request.options.channels == "separate" else (mixed(),)
            except EmoscopeError as error:
                self.metrics.failed(error.code)
                raise
            note(run=",".join(run.name for run in runs))
            for run in runs:
                self.metrics.recognized(run.result.emotion.key, run.result.duration_s)
            return runs

        def separate() -> tuple[Run, ...]:
            deadline()
            call = recognize_channels_with(
                recognizer(),
                request.data(),
                granularity=request.options.granularity,
                embedding=request.options.embedding or self.index is not None,
                utterances=plan(),
                name=request.name,
                listener=listening,
                checkpoint_dir=checkpoint_dir,
            )
            pairs = zip(call.results, call.waveforms, strict=True)
            return tuple(keep(result, waveform) for result, waveform in pairs)

        def keep(result: Result, waveform: Waveform) -> Run:
            wanted = request.options.embedding
            run = store.save(result if wanted else replace(result, embedding=None), waveform)
            if self.index is not None:
                self.index.keep(run, result)
            return run

        def mixed() -> Run:
            deadline()
            asked = recognizer()
            recording = asked.decode(
                request.data(),
                name=request.name,
                received_ms=request.received_ms,
                listener=listening,
            )
            result = asked.infer(
                recording,
                granularity=request.options.granularity,
                embedding=request.options.embedding or self._indexes(recording.sound.duration_s),
                utterances=plan(),
                listener=listening,
                checkpoint_dir=checkpoint_dir,
            )
            return keep(result, recording.waveform)

        return counted

    def _utterance_plan(self, request: RecognitionRequest) -> UtteranceChoice:
        """Return the spans of the recording, or the rules, or False for no utterances.

        Raises:
            ListError: spans are of other recordings only.
        """
        if request.options.spans is not None:
            return request.options.spans.spans_of(request.name)
        return self.utterance_rules(request.options) if request.options.has_utterances else False

    def utterance_rules(self, options: RecognitionOptions) -> UtteranceRules:
        """Return the rules of the settings with those of a request in their place.

        Raises:
            RequestError: they contradict one another.
        """
        given = {"pause_s": options.pause_s, "longest_s": options.longest_s}
        try:
            changed = {name: value for name, value in given.items() if value is not None}
            return replace(self.settings.utterance_rules, **changed)
        except ValueError as exc:
            raise RequestError(
                "field_invalid", field="pause_s, longest_s", expected=str(exc)
            ) from exc

    def _indexes(self, duration_s: float) -> bool:
        return self.index is not None and duration_s <= INDEXED_S

    def check_ready(self) -> None:
        """Check that requests can be answered: open, keys, decoders, room on the disk.

        Raises:
            ServerClosingError: the server is about to end.
            ServiceError: the key file, the decoders or the disk are not usable.
            OSError: the system does not tell how much is free.
        """
        self.admission.check_open()
        self.keys.check()
        if not self.decoders.pids():
            raise ServiceError("not_ready", **reason("decoders_gone"))
        if self.settings.store != "none" and free_bytes(self.store.root) < _LEAST_FREE_BYTES:
            raise ServiceError("not_ready", **reason("disk_nearly_full"))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start the decoders and warm the model up; a server listens only after that."""
        with self.decoders, self.index or nullcontext():
            await self.admission.run(Deadline(), self._warm_up)
            yield

    def _warm_up(self) -> None:
        """Answer once, so that the first client does not wait for what is only needed once."""
        hiss = 0.1 * np.random.default_rng(0).standard_normal(RATE_HZ)
        self.recognizer.recognize(Waveform(hiss.clip(-1, 1).astype(np.float32)))


def make_service(
    recognizer: Recognizer,
    store: RunStore,
    settings: Settings,
    *,
    keys_changed: KeysChanged | None = None,
) -> Service:
    """Make the service: admission before the recognizer, decoding in processes of its own.

    Args:
        recognizer: its limits are those of one recording.
        store: keeps the runs.
        settings: numbers of processes and places, deadlines and rates, and the key file.
        keys_changed: called when keys come or go while the server runs; see ``KeyRing``.

    Raises:
        SettingError: the key file is damaged or cannot be read.
    """
    decoders = DecoderPool(
        settings.decoders, deadline_s=settings.decode_deadline_s, limits=recognizer.limits
    )
    admission = AdmissionQueue(settings.requests_at_once, settings.queue_size)
    uploads = Uploads(
        settings.uploads_at_once,
        settings.upload_grace_s,
        settings.upload_min_bytes_per_s,
        settings.uploads_max_bytes,
    )
    own = recognizer.configured(decoder=decoders, channel_decoder=decoders.channels)
    index = RunSearch(store, own) if settings.search and store.keep != "none" else None
    store.on_removed = None if index is None else index.forget
    keys = KeyRing(KeyFile(settings.keys), keys_changed)
    service = Service(
        recognizer=own,
        index=index,
        store=store,
        settings=settings,
        admission=admission,
        uploads=uploads,
        decoders=decoders,
        metrics=ServerMetrics(),
        keys=keys,
        teaching=Teaching(store, recognizer),
        key_use=KeyUse(store.root / USE_FILE, lambda: [key.id for key in keys.keys()]),  # noqa: SIM118 - no dictionary
    )
    add_numbers(service)
    return service


def add_numbers(service: Service) -> None:
    """Add what is read of a service to its metrics: load, decoders, disk, keys, versions."""
    metrics, admission, decoders = service.metrics, service.admission, service.decoders
    metrics.gauge("working", "Requests in work", lambda: admission.working)
    metrics.gauge("waiting", "Requests that wait", lambda: admission.waiting)
    metrics.gauge("uploads", "Bodies that are being received", lambda: service.uploads.coming)
    metrics.gauge(
        "upload_bytes", "Bytes of bodies that are held", lambda: service.uploads.held_bytes
    )
    metrics.gauge("decoders", "Decoding processes", lambda: len(decoders.pids()))
    metrics.gauge(
        "decoders_resident_memory_bytes",
        "Memory of the decoding processes, which process_resident_memory_bytes leaves out",
        lambda: resident_bytes(decoders.pids()),
    )
    metrics.counter("decoders_replaced", "Decoders lost", lambda: decoders.replaced)
    metrics.gauge(
        "disk_free_bytes", "Free on the disk of the runs", lambda: free_bytes(service.store.root)
    )
    metrics.gauge("keys_usable", "1 if the key file can be read", lambda: service.keys.is_usable)
    model = service.recognizer.model
    metrics.build_info(
        version=__version__,
        python=platform.python_version(),
        model=model.name,
        revision=model.revision,
        sha256=model.sha256[:12],
    )
