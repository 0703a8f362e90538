"""Local executor: a pool of processes, each with a model of its own, that work on shards.

A process that ends (a fault of a decoder, no memory left, a signal) is replaced, and its shard
begins anew; the program that drives them never decodes and never infers.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from emoscope.batch.deaths import Suspects
from emoscope.batch.events import BatchEvent, RowEnded, ShardEnded, WorkerReady, lost_worker
from emoscope.batch.memo import AnswerMemo
from emoscope.batch.options import RecognizerSource
from emoscope.batch.shards import ShardJob
from emoscope.batch.waiting import WaitingJobs
from emoscope.batch.work import run_shard
from emoscope.errors import BatchStoppedError
from emoscope.results.result import Failure

_START_TRIES = 3
"""Processes in a row that may end before they have loaded the model."""
_END_S = 5.0
"""How long a process that has nothing to do may take to end."""
_SPAWN = multiprocessing.get_context("spawn")


class _Line:
    """Sender of a worker's messages to the driver, from two threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, *message: object) -> None:
        with self._lock:
            self._connection.send(message)

    def began(self, row: int) -> None:
        self.send("began", row)

    def ended(self, row: int, seconds: float, failure: Failure | None) -> None:
        self.send("ended", row, seconds, failure)


def serve_shards(connection: Connection, source: RecognizerSource) -> None:
    """Load the model and work on shards until there are none; the main function of a worker.

    Args:
        connection: gives jobs, takes messages.
        source: loads the recognizer.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver ends its workers
    line = _Line(connection)
    with suppress(EOFError, OSError):  # the driver is gone
        try:
            recognizer = source.open()
            line.send("ready", recognizer.load_s)
            memo = None
            while (job := connection.recv()) is not None:
                memo = memo or AnswerMemo(job.options)
                line.send("done", run_shard(job, recognizer, line, memo))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise
        except Exception as error:
            line.send("raised", error)


@dataclass(slots=True, eq=False)
class _Worker:
    """A process and what it is doing."""

    name: str
    process: Any
    line: Connection
    is_ready: bool = False
    job: ShardJob | None = None
    in_work: set[int] = field(default_factory=set)
    finished: list[RowEnded] = field(default_factory=list)
    """Rows of the job that are done."""

    def give(self, job: ShardJob) -> None:
        """Send a job; a process that has just ended is found out by its line."""
        self.job = job
        self.finished.clear()
        self.in_work.clear()
        with suppress(OSError):
            self.line.send(job)

    def end(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.join()
        self.line.close()


class LocalExecutor:
    """Pool of processes on this machine.

    Args:
        source: loads the recognizer in each process.
        workers: number of processes.
    """

    def __init__(self, source: RecognizerSource, workers: int) -> None:
        self._source = source
        self.workers = workers
        self._pool: list[_Worker] = []
        self._again: deque[ShardJob] = deque()
        self._suspects = Suspects()
        self._failed_starts = 0

    def run(self, jobs: Iterator[ShardJob]) -> Iterator[BatchEvent]:
        """Work on shards until there are none; closing the iterator ends the processes.

        Args:
            jobs: taken one by one, as processes become free.

        Raises:
            StoreError: the output cannot be written.
            ModelError: the model cannot be loaded.
            BatchStoppedError: processes end again and again.
        """
        waiting = WaitingJobs(jobs, self._again)
        try:
            while waiting.has_more() or any(one.job for one in self._pool):
                self._start(waiting)
                lines = {one.line: one for one in self._pool}
                for line in wait(list(lines)):
                    yield from self._hear(lines[line])  # type: ignore[index]
        finally:
            self._end()

    def _start(self, waiting: WaitingJobs) -> None:
        """Start processes that are missing and give free ones their next shard."""
        for number in range(1, self.workers + 1):
            name = f"worker-{number}"
            there = any(one.name == name for one in self._pool)
            if not there and waiting.has_more():
                self._pool.append(self._started(name))
        for worker in self._pool:
            if worker.is_ready and worker.job is None and waiting.has_more():
                worker.give(waiting.next())

    def _started(self, name: str) -> _Worker:
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(
            target=serve_shards, args=(theirs, self._source), name=name, daemon=True
        )
        process.start()
        theirs.close()
        return _Worker(name, process, ours)

    def _hear(self, worker: _Worker) -> Iterator[BatchEvent]:
        """Take the messages of a worker, and notice its end."""
        try:
            while worker.line.poll():
                yield from self._told(worker, *worker.line.recv())
        except (EOFError, OSError):
            yield from self._lost(worker)

    def _told(self, worker: _Worker, kind: str, *data: Any) -> Iterator[BatchEvent]:
        if kind == "ready":
            worker.is_ready, self._failed_starts = True, 0
            yield WorkerReady(worker.name, data[0])
        elif kind == "began":
            worker.in_work.add(data[0])
        elif kind == "ended":
            row, seconds, failure = data
            worker.in_work.discard(row)
            shard = -1 if worker.job is None else worker.job.shard.index
            worker.finished.append(RowEnded(worker.name, shard, row, seconds, failure))
            yield worker.finished[-1]
        elif kind == "done":
            worker.job = None
            yield ShardEnded(worker.name, data[0])
        else:
            raise data[0]

    def _lost(self, worker: _Worker) -> Iterator[BatchEvent]:
        worker.end()
        self._pool.remove(worker)
        if not worker.is_ready:
            self._failed_starts += 1
            if self._failed_starts >= _START_TRIES:
                raise BatchStoppedError("batch_workers_do_not_start", times=_START_TRIES)
        elif worker.job is not None:
            in_work = tuple(sorted(worker.in_work))
            self._again.append(self._suspects.lost(worker.job, in_work))
            yield lost_worker(worker.name, worker.job.shard.index, in_work, worker.finished)

    def _end(self) -> None:
        """End all processes: the free ones by themselves, the others at once."""
        for worker in self._pool:
            if worker.job is None and worker.is_ready:
                with suppress(OSError):
                    worker.line.send(None)
                worker.process.join(_END_S)
            worker.end()
        self._pool.clear()
