"""Work of a worker: one shard recognized and written. Every executor calls ``run_shard``."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Protocol

from emoscope.batch.decode_ahead import Prepared, SpanDecoder, decode_ahead, or_failure
from emoscope.batch.events import ShardReport
from emoscope.batch.items import BatchItem
from emoscope.batch.memo import AnswerMemo
from emoscope.batch.parts import ShardWriter
from emoscope.batch.shards import ShardJob
from emoscope.batch.sources import SourceReader
from emoscope.batch.storage import open_storage
from emoscope.errors import DecoderError
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure, Result

_log = logging.getLogger("emoscope.batch")


class RowListener(Protocol):
    """Journal and progress of a worker; called from two threads."""

    def began(self, row: int) -> None:
        """A recording is about to be read and decoded."""

    def ended(self, row: int, seconds: float, failure: Failure | None) -> None:
        """A recording is done.

        Args:
            row: its place in the input.
            seconds: seconds of sound; 0 where it failed.
            failure: its error; None where it was recognized.
        """


def run_shard(
    job: ShardJob,
    recognizer: Recognizer,
    listener: RowListener,
    memo: AnswerMemo | None = None,
) -> ShardReport:
    """Recognize the recordings of a shard and write its tables; the same call writes the same.

    Args:
        job: the shard, what to write of it, and where to.
        recognizer: with the heads of the batch.
        listener: is told of each recording before it is touched, and after.
        memo: answers of earlier shards of this batch; None: of this shard alone.

    Raises:
        StoreError: the output cannot be written; nothing of the shard is there.
        ExtraMissingError: pyarrow is not installed.
    """
    storage = open_storage(job.out)
    about = {"model": recognizer.model.to_dict()}
    failures, seconds = 0, 0.0
    with ShardWriter(job, storage, recognizer.dim, about) as writer:
        known = AnswerMemo(job.options) if memo is None else memo
        for item, answer in _Shard(job, recognizer, listener, known).answers():
            failure = answer if isinstance(answer, Failure) else None
            heard_s = 0.0 if isinstance(answer, Failure) else answer.duration_s
            writer.add(item, answer)
            failures, seconds = failures + (failure is not None), seconds + heard_s
            listener.ended(item.row, heard_s, failure)
    items = job.shard.items
    return ShardReport(job.shard.index, len(items), failures, seconds, tuple(writer.files))


class _Shard:
    """Recognition of one shard."""

    def __init__(
        self, job: ShardJob, recognizer: Recognizer, listener: RowListener, memo: AnswerMemo
    ) -> None:
        self._job, self._recognizer, self._listener = job, recognizer, listener
        self._memo = memo
        self._sources = SourceReader(job.shard.items, recognizer.limits.max_bytes)
        self._decoder = SpanDecoder(recognizer, self._sources)

    def answers(self) -> Iterator[tuple[BatchItem, Result | Failure]]:
        """Yield the items and what was recognized, in order."""
        items = iter(self._job.shard.items)
        prepared = (
            ((item, self._prepare(item)) for item in items)
            if self._job.careful
            else decode_ahead(items, self._prepare)
        )
        with self._sources:
            for item, sound in prepared:
                yield item, self._answer(item, sound)

    def _prepare(self, item: BatchItem) -> Prepared:
        if item.row in self._job.condemned:
            return Failure(item.id, DecoderError("recording_ends_worker"))
        self._listener.began(item.row)
        return self._decoder.prepare(item)

    def _answer(self, item: BatchItem, sound: Prepared) -> Result | Failure:
        if isinstance(sound, Failure):
            return sound
        key = (sound.source.sha256, item.start_s, item.end_s)
        answer = self._memo.get(key)
        if answer is None:
            answer = self._inferred(item, sound)
            self._memo.put(key, answer)
        return answer

    def _inferred(self, item: BatchItem, sound: Prepared) -> Result | Failure:
        assert not isinstance(sound, Failure)  # noqa: S101 - the caller has looked
        options = self._job.options
        return or_failure(
            item,
            lambda: self._recognizer.infer(
                sound,
                granularity="frame" if options.needs_track else "utterance",
                embedding=options.embedding != "none",
                utterances=options.utterances,
            ),
        )
