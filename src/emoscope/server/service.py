"""What every route needs: the recognizer, the runs, and the way through the gate."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from fastapi import Request

from emoscope.audio.decoder_pool import DecoderPool
from emoscope.errors import EmoscopeError
from emoscope.events import Listener, ignore
from emoscope.observe.metrics import ServerMetrics
from emoscope.outputs.store import Run, RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import Granularity
from emoscope.server.admission.queue import AdmissionQueue, Deadline, cancel_on_disconnect
from emoscope.server.admission.uploads import Uploads
from emoscope.settings import Settings
from emoscope.waveform import RATE_HZ, Waveform


@dataclass(frozen=True, slots=True)
class RecognitionOptions:
    """What is asked about each recording, as in the Python API."""

    granularity: Granularity = "utterance"
    embedding: bool = False


@dataclass(frozen=True, slots=True)
class RecognitionRequest:
    """One recording and what is asked about it."""

    sound: bytes | Callable[[], bytes]
    """The bytes of a file, or what reads them; then they are read when their turn comes."""
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
    """Made once, when the application is; shared by all routes and the page."""

    recognizer: Recognizer
    store: RunStore
    settings: Settings
    admission: AdmissionQueue
    uploads: Uploads
    decoders: DecoderPool
    metrics: ServerMetrics
    started_s: float = field(default_factory=time.monotonic)

    async def recognize(
        self, request: Request, recognition: RecognitionRequest, listener: Listener = ignore
    ) -> Run:
        """Answer one question when its turn comes, unless its client goes away.

        Raises:
            EmoscopeError: of the recording, the model, the disk, or the gate.
        """
        deadline = Deadline(self.settings.deadline_s)
        work = self.work(recognition, deadline, listener)
        receive = cast(Callable[[], Any], request.receive)
        return await cancel_on_disconnect(receive, deadline, self.admission.run(deadline, work))

    def work(
        self,
        recognition: RecognitionRequest,
        deadline: Deadline,
        listener: Listener,
        *,
        checkpoint_dir: Path | None = None,
    ) -> Callable[[], Run]:
        """Return a function that recognizes one recording, to be run in a thread."""

        def listening(event: Any) -> None:
            deadline()
            self.metrics.event(event)
            listener(event)

        def counted() -> Run:
            try:
                run = work()
            except EmoscopeError as error:
                self.metrics.failed(error.code)
                raise
            self.metrics.recognized(run.result.emotion.key, run.result.duration_s)
            return run

        def work() -> Run:
            deadline()
            recording = self.recognizer.decode(
                recognition.data(),
                name=recognition.name,
                received_ms=recognition.received_ms,
                listener=listening,
            )
            result = self.recognizer.infer(
                recording,
                granularity=recognition.options.granularity,
                embedding=recognition.options.embedding,
                listener=listening,
                checkpoint_dir=checkpoint_dir,
            )
            return self.store.save(result, recording.waveform)

        return counted

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start the decoders and warm the model up; a server listens only after that."""
        with self.decoders:
            await self.admission.run(Deadline(), self._warm_up)
            yield

    def _warm_up(self) -> None:
        """Answer once, so that the first client does not wait for what is only needed once."""
        hiss = 0.1 * np.random.default_rng(0).standard_normal(RATE_HZ)
        self.recognizer.recognize(Waveform(hiss.clip(-1, 1).astype(np.float32)))


def make_service(recognizer: Recognizer, store: RunStore, settings: Settings) -> Service:
    """Put a recognizer behind a gate and its decoding into processes."""
    decoders = DecoderPool(
        settings.decoders, deadline_s=settings.decode_deadline_s, limits=recognizer.limits
    )
    admission = AdmissionQueue(settings.requests_at_once, settings.queue_size)
    uploads = Uploads(
        settings.uploads_at_once, settings.upload_grace_s, settings.upload_min_bytes_per_s
    )
    metrics = ServerMetrics()
    metrics.gauge("working", "Requests in work", lambda: admission.working)
    metrics.gauge("waiting", "Requests that wait", lambda: admission.waiting)
    metrics.gauge("refused", "Requests that found no place, so far", lambda: admission.refused)
    metrics.gauge("uploads", "Bodies that are being received", lambda: uploads.coming)
    metrics.gauge("decoders_replaced", "Decoders lost, so far", lambda: decoders.replaced)
    return Service(
        recognizer=recognizer.decoding_with(decoders),
        store=store,
        settings=settings,
        admission=admission,
        uploads=uploads,
        decoders=decoders,
        metrics=metrics,
    )
