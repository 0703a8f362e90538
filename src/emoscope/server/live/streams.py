"""Live streams of the server: one recognizing thread each, saved as a run at the end.

A stream outlives its connection by a grace time, in which it may be resumed. Whatever ends it, the
sound received is recognized and written like any other recording.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from typing import Self

import numpy as np
from pydantic import BaseModel

from emoscope.audio.containers import check_layout
from emoscope.audio.decode import decode_live
from emoscope.audio.live_channels import LiveChannels
from emoscope.audio.missing import Gap
from emoscope.audio.resample import Stages, at_rate
from emoscope.errors import (
    BusyError,
    EmoscopeError,
    InternalError,
    ServerClosingError,
    StreamNotFoundError,
)
from emoscope.limits import Limits
from emoscope.observe.facts import note
from emoscope.observe.metrics import ServerMetrics
from emoscope.outputs.ownership import RunAccess
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.utterances import UTTERANCE_RULES, UtteranceRules
from emoscope.server.http import schemas
from emoscope.server.live.byte_queue import ByteQueue
from emoscope.server.live.run_message import of_run
from emoscope.streaming import messages as words
from emoscope.streaming.stream import Finished, StreamRecognizer
from emoscope.waveform import Samples

_log = logging.getLogger("emoscope.server")

WAITING_BYTES = 1 << 20
"""Sound that waits for the model before the sender has to wait: half a minute of PCM at 16 kHz."""
_WAITING_MESSAGES = 256
"""Behind this many unsent messages provisional rows are left out."""
_CODECS = ("opus", "libopus")
_CONTAINERS = {"webm": ("matroska", "webm"), "ogg": ("ogg",)}
_RETRY_AFTER_S = 10
_LEAVE_S = 5.0
"""Seconds for all streams to be written when the server ends."""


class LiveStream:
    """Live stream, from its first message to its run.

    Args:
        start: what the client announced.
        recognizer: with the limits of a stream.
        store: where the run is written; its access says to whom it belongs.
        metrics: where its result is counted.
        loop: of the connections.
        root: prefix of the links to the run's files.
        rules: of utterances, where the client asks for them.
    """

    def __init__(
        self,
        start: words.Start,
        recognizer: Recognizer,
        store: RunStore,
        metrics: ServerMetrics,
        loop: asyncio.AbstractEventLoop,
        root: str = "",
        rules: UtteranceRules = UTTERANCE_RULES,
    ) -> None:
        self.owner = store.access.owner
        self.session = secrets.token_urlsafe(16)
        self.inbox = ByteQueue(WAITING_BYTES, loop)
        self.over = threading.Event()
        """Set when the last message was posted."""
        self._start, self._recognizer, self._store, self._loop = start, recognizer, store, loop
        self._metrics, self._root, self._rules = metrics, root, rules
        self._messages: deque[BaseModel] = deque()
        self._news = asyncio.Event()
        # In the context of the request: its lines have the request's id.
        work = partial(copy_context().run, self._work)
        self.thread = threading.Thread(target=work, name="emoscope-stream", daemon=True)
        self.thread.start()

    async def next_message(self) -> BaseModel:
        """Return the oldest message that was not sent; ``sent`` takes it away."""
        while not self._messages:
            self._news.clear()
            await self._news.wait()
        return self._messages[0]

    def sent(self) -> bool:
        """Take the oldest message away; says whether it was the last."""
        self._messages.popleft()
        return self.over.is_set() and not self._messages

    def post(self, message: BaseModel) -> None:
        """Add a message, on the event loop."""
        provisional = isinstance(message, words.Frames) and not message.final
        if provisional and len(self._messages) >= _WAITING_MESSAGES:
            return  # its reader is slower than we are
        self._messages.append(message)
        self._news.set()

    def _work(self) -> None:
        try:
            last = self._recognize()
        except EmoscopeError as error:
            self._metrics.failed(error.code)
            last = schemas.error_message(error)
        except Exception as bug:
            _log.error("live stream failed", exc_info=bug)
            self._metrics.failed("internal")
            last = schemas.error_message(InternalError())
        self.inbox.close()
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._end, last)

    def _end(self, last: BaseModel) -> None:
        self.over.set()
        self.post(last)

    def _recognize(self) -> BaseModel:
        start = self._start
        is_pcm = start.encoding.startswith("pcm")
        stream = StreamRecognizer(
            self._recognizer,
            granularity=start.granularity,
            embedding=start.embedding,
            utterances=self._rules if start.utterances else False,
            name=start.name,
        )
        if is_pcm:
            check_layout(start.rate_hz, start.channels, self._recognizer.limits)
        channels = LiveChannels()
        for block in at_rate(self._pcm(), Stages()) if is_pcm else self._decoded():
            if isinstance(block, Gap):
                channels.miss(block.samples)
                found = stream.miss(block.duration_s)
            else:
                found = stream.feed(channels.feed(block))
            for event in found:
                self._tell(words.of_event(event))
        for event in stream.finish(channels.finish()):
            if isinstance(event, Finished):
                run = self._store.save(event.result, event.waveform)
                note(run=run.name, sound_s=round(run.result.duration_s, 2))
                self._metrics.recognized(run.result.emotion.key, run.result.duration_s)
                return of_run(run, schemas.file_links(run, self._root))
            self._tell(words.of_event(event))
        raise AssertionError("a stream finishes with its result")

    def _tell(self, message: BaseModel | None) -> None:
        if message is None or (isinstance(message, words.Frames) and not self._start.frames):
            return
        with suppress(RuntimeError):  # as in _work
            self._loop.call_soon_threadsafe(self.post, message)

    def _pcm(self) -> Iterator[tuple[int, Samples]]:
        """Everything that has come so far at once: who falls behind catches up."""
        kind = np.dtype("<i2" if self._start.encoding == "pcm_s16le" else "<f4")
        scale = np.float32(32_768 if kind.kind == "i" else 1)
        step = kind.itemsize * self._start.channels
        rest = b""
        while data := self.inbox.read(WAITING_BYTES):
            data = rest + data
            whole = len(data) // step * step
            # Half a sample waits for its other half; at the end of the stream it is dropped.
            rest = data[whole:]
            planes = np.frombuffer(data[:whole], kind).reshape(-1, self._start.channels).T
            yield self._start.rate_hz, planes.astype(np.float32) / scale

    def _decoded(self) -> Iterator[Samples | Gap]:
        limits = replace(
            self._recognizer.limits, containers=_CONTAINERS[self._start.encoding], codecs=_CODECS
        )
        yield from decode_live(self.inbox.read, limits)


class Streams:
    """All live streams of a server.

    Args:
        recognizer: answers for all.
        store: where runs are written.
        metrics: where streams and their results are counted.
        at_once: how many there may be.
        max_duration_s: longest stream in seconds of sound.
        grace_s: how long one waits for its client to come back.
        rules: of utterances.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        store: RunStore,
        metrics: ServerMetrics,
        *,
        at_once: int,
        max_duration_s: float,
        grace_s: float,
        rules: UtteranceRules = UTTERANCE_RULES,
    ) -> None:
        limits = replace(recognizer.limits, max_bytes=None, max_duration_s=max_duration_s)
        self.limits: Limits = limits
        self._recognizer, self._store = recognizer.configured(limits=limits, heads=()), store
        self._metrics = metrics
        self._started = 0
        metrics.gauge("streams_open", "Live streams that are open", self._count)
        metrics.counter("streams", "Live streams that were begun", lambda: self._started)
        self._at_once, self._grace_s, self._rules = at_once, grace_s, rules
        self._open: dict[str, LiveStream] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._closing = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        """End all streams; the sound received so far is recognized and written."""
        self._closing = True
        for stream in self._open.values():
            stream.inbox.close()
        for stream in self._open.values():
            stream.thread.join(_LEAVE_S)

    def start(
        self, start: words.Start, *, root: str = "", access: RunAccess | None = None
    ) -> LiveStream:
        """Begin a stream.

        Args:
            start: what the client announced.
            root: prefix of the links to the run's files.
            access: to whom its run belongs; to no key by default.

        Raises:
            BusyError: there are as many as may be.
            ServerClosingError: the server is ending.
        """
        if self._closing:
            raise ServerClosingError(retry_after_s=_RETRY_AFTER_S)
        self._open = {key: one for key, one in self._open.items() if one.thread.is_alive()}
        if len(self._open) >= self._at_once:
            raise BusyError(retry_after_s=_RETRY_AFTER_S).at("streams")
        loop = asyncio.get_running_loop()
        store = self._store.seen_by(access or RunAccess())
        stream = LiveStream(start, self._recognizer, store, self._metrics, loop, root, self._rules)
        self._started += 1
        self._open[stream.session] = stream
        return stream

    def _count(self) -> int:
        return sum(stream.thread.is_alive() for stream in tuple(self._open.values()))

    def resume(self, session: str, *, owner: str = "") -> LiveStream:
        """Return a stream that waits for its client.

        Args:
            session: its name.
            owner: id of the client's key; empty without keys.

        Raises:
            StreamNotFoundError: there is none of this name and key, or it does not wait.
        """
        timer = self._waiting.get(session)
        if timer is None or self._open[session].owner != owner:
            raise StreamNotFoundError
        timer.cancel()
        del self._waiting[session]
        return self._open[session]

    def lost(self, stream: LiveStream) -> None:
        """Let a stream wait for its client, and then end it."""
        loop = asyncio.get_running_loop()
        self._waiting[stream.session] = loop.call_later(self._grace_s, self._give_up, stream)

    def _give_up(self, stream: LiveStream) -> None:
        self._waiting.pop(stream.session, None)
        stream.inbox.close()
