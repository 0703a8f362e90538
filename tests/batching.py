"""Recognizers without weights for workers of a batch, and what tests of batches share."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from emoscope.audio.decode import decode_of_any_length
from emoscope.backends.fake_backend import FakeBackend
from emoscope.batch.events import BatchEvent, RowEnded, ShardEnded
from emoscope.batch.inputs import batch_items
from emoscope.batch.lengths import stated_seconds
from emoscope.batch.manifest import BatchManifest
from emoscope.batch.memo import AnswerMemo
from emoscope.batch.options import BatchOptions, RecognizerSource
from emoscope.batch.plan import BatchPlan
from emoscope.batch.rows import OWN_COLUMNS
from emoscope.batch.run import BatchRun, Executor, ShardRange, missing_shards
from emoscope.batch.shards import ShardCut, ShardJob
from emoscope.batch.storage import open_storage
from emoscope.batch.work import run_shard
from emoscope.events import StepLog
from emoscope.export.records import head_columns
from emoscope.limits import Limits
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure, ModelRef
from emoscope.waveform import Waveform
from sounds import encode


@dataclass(frozen=True)
class FakeSource:
    """Loads a recognizer without weights, whose decoder does what a file's name says."""

    slow_s: float = 0.0
    """Seconds that each recording takes besides."""

    def open(self) -> Recognizer:
        recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
        return recognizer.configured(decoder=_Decoder(self.slow_s))


@dataclass(frozen=True)
class _Decoder:
    slow_s: float

    def __call__(
        self, source: Any, *, limits: Limits, name: str = "", log: StepLog | None = None
    ) -> Waveform:
        time.sleep(self.slow_s)
        stem = "" if isinstance(source, bytes) else Path(source).stem
        if stem.startswith("kills"):
            os.kill(os.getpid(), signal.SIGKILL)
        if stem.startswith("once") and not (once := Path(source).with_suffix(".once")).exists():
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return decode_of_any_length(source, limits=limits, name=name, log=log)


@dataclass
class InlineExecutor:
    """Works on shards in this process."""

    source: RecognizerSource = field(default_factory=FakeSource)
    workers: int = 1

    def run(self, jobs: Iterator[ShardJob]) -> Iterator[BatchEvent]:
        recognizer, memo = self.source.open(), None
        for job in jobs:
            told = Told(job.shard.index)
            memo = memo or AnswerMemo(job.options)
            report = run_shard(job, recognizer, told, memo)
            yield from told.events
            yield ShardEnded("inline", report)


@dataclass
class Told:
    """Listener that keeps what it is told."""

    shard: int
    events: list[BatchEvent] = field(default_factory=list)

    def began(self, row: int) -> None:
        """Nothing to tell."""

    def ended(self, row: int, seconds: float, failure: Failure | None) -> None:
        self.events.append(RowEnded("inline", self.shard, row, seconds, failure))


def do_batch(
    inputs: list[Any], out: Path | str, executor: Executor | None = None, **options: Any
) -> list[BatchEvent]:
    """Do a batch and return its events; the options are those of ``started``."""
    with started(inputs, out, executor, **options) as events:
        return list(events)


def stopped_after(inputs: list[Any], out: Path | str, executor: Executor, *, rows: int) -> None:
    """Do a batch up to so many recordings."""
    with started(inputs, out, executor) as events:
        count = 0
        for event in events:
            count += isinstance(event, RowEnded)
            if count >= rows:
                break


@contextmanager
def started(
    inputs: list[Any],
    out: Path | str,
    executor: Executor | None = None,
    *,
    options: BatchOptions | None = None,
    size: int | None = 3,
    part: ShardRange | None = None,
    fresh: bool = False,
    max_failures: float = 1.0,
) -> Iterator[Iterator[BatchEvent]]:
    """Start a batch; the block gets its events, and its end is the end of the batch."""
    options, cut = options or BatchOptions(), ShardCut(size)
    part = part or ShardRange()
    storage = open_storage(str(out))
    storage.prepare()
    recognizer = FakeSource().open()
    items = batch_items([str(one) for one in inputs])
    with storage.lock(part.name), BatchPlan.of(items, cut, OWN_COLUMNS, stated_seconds) as plan:
        manifest = BatchManifest.of(plan, options, cut, recognizer)
        missing = missing_shards(storage, manifest, part, fresh=fresh)
        heads = head_columns(recognizer.heads)
        run = BatchRun(plan, options, heads, storage, missing, max_failures)
        with closing(run.events(executor or InlineExecutor())) as events:
            yield events
    storage.clean()


def table(out: Path | str, kind: str = "part") -> list[dict[str, Any]]:
    """Rows of all tables of a kind, in the order of the shards."""
    paths = sorted(Path(out).glob(f"{kind}-*.parquet"))
    return [row for path in paths for row in pq.read_table(path).to_pylist()]


def contents(out: Path | str) -> dict[str, bytes]:
    """The bytes of all Parquet files by name."""
    return {path.name: path.read_bytes() for path in sorted(Path(out).glob("*.parquet"))}


def clips(folder: Path, names: list[str], speech: Any) -> Path:
    """Make a folder of short clips, each with a sound of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(speech(0.5 + 0.1 * (seed % 4), seed=seed), "wav"))
    return folder
