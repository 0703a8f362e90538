"""Decoding of a shard's recordings ahead of the model, a few of them, in a thread beside it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TypeAlias, TypeVar

from emoscope.audio.prepare import PreparedAudio
from emoscope.audio.source import digest
from emoscope.batch.items import BatchItem
from emoscope.batch.sources import SourceReader
from emoscope.errors import EmoscopeError, InternalError, StoreError
from emoscope.events import StepLog
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure, SourceRef
from emoscope.results.utterances import GivenSpan, check_inside, ordered_spans
from emoscope.waveform import Waveform

_Done = TypeVar("_Done")

_log = logging.getLogger("emoscope.batch")
_AHEAD = 2
"""Recordings that are decoded and wait for the model."""
Prepared: TypeAlias = PreparedAudio | Failure


class SpanDecoder:
    """Decodes items; spans that follow one another in one recording are cut from one decoding.

    Args:
        recognizer: decodes and checks.
        sources: reads what is decoded.
    """

    def __init__(self, recognizer: Recognizer, sources: SourceReader | None = None) -> None:
        self._recognizer = recognizer
        self._sources = sources or SourceReader()
        self._file: tuple[str, str] | None = None
        self._whole: tuple[Waveform, str] | None = None

    def prepare(self, item: BatchItem) -> Prepared:
        """Decode and check one item.

        Raises:
            StoreError: there is no room for what is decoded.
        """
        if item.error is not None:
            return Failure(item.id, item.error)
        return or_failure(item, lambda: self._prepared(item))

    def _prepared(self, item: BatchItem) -> PreparedAudio:
        if not item.is_span:
            self._file = self._whole = None
            return self._recognizer.decode(self._sources.read(item), name=item.id)
        whole, sha256 = self._decoded(item)
        start_s = item.start_s or 0.0
        end_s = whole.duration_s if item.end_s is None else item.end_s
        (span,) = ordered_spans(
            [GivenSpan(start_s, end_s)] if start_s <= end_s else [(start_s, end_s)]
        )
        check_inside(
            span, span.duration_s, whole.duration_s, self._recognizer.limits.min_duration_s
        )
        prepared = self._recognizer.decode(whole.cut(span), name=item.id)
        return replace(prepared, source=SourceRef(prepared.source.name, sha256))

    def _decoded(self, item: BatchItem) -> tuple[Waveform, str]:
        if self._whole is None or self._file != item.file:
            self._whole = None
            source = self._sources.read(item)
            sha256, _ = digest(source)
            decoder, limits = self._recognizer.decoder, self._recognizer.limits
            self._whole = decoder(source, limits=limits, name=item.id, log=StepLog()), sha256
            self._file = item.file
        return self._whole


def decode_ahead(
    items: Iterator[BatchItem], prepare: Callable[[BatchItem], Prepared]
) -> Iterator[tuple[BatchItem, Prepared]]:
    """Yield items with what they were decoded to, in order, a few of them decoded ahead.

    Args:
        items: to be decoded.
        prepare: decodes one; called in another thread.
    """
    waiting: deque[tuple[BatchItem, Future[Prepared]]] = deque()
    with ThreadPoolExecutor(1, "decode") as pool:
        try:
            for item in items:
                waiting.append((item, pool.submit(prepare, item)))
                if len(waiting) > _AHEAD:
                    first, future = waiting.popleft()
                    yield first, future.result()
                    del future
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def or_failure(item: BatchItem, work: Callable[[], _Done]) -> _Done | Failure:
    """Do some work on an item; an error of the item becomes its answer.

    Raises:
        StoreError: the output cannot be written, which is no fault of the item.
    """
    try:
        return work()
    except StoreError:
        raise
    except EmoscopeError as error:
        return Failure(item.id, error)
    except Exception:  # a defect of ours, or of a library: one recording of a million
        _log.exception("recording %s of the input", item.row)
        return Failure(item.id, InternalError())
