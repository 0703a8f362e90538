"""Ray executor: an actor for each worker of a cluster, with a model of its own.

Ray places the actors and tells of their ends; the shards, what is missing and what is done again
are decided here and by the manifest, as with the local executor. A worker whose machine was lost
condemns no recording. Workers tell what they do to a journal on the driver's machine, so that it is
known which recording was in work when a process ended.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from emoscope._version import __version__
from emoscope.batch.deaths import Suspects
from emoscope.batch.events import BatchEvent, RowEnded, ShardEnded, WorkerReady, lost_worker
from emoscope.batch.options import RecognizerSource
from emoscope.batch.ray_journal import JournalLine, RowJournal
from emoscope.batch.shards import ShardJob
from emoscope.batch.waiting import WaitingJobs
from emoscope.batch.work import run_shard
from emoscope.errors import BatchStoppedError, EmoscopeError, SettingError
from emoscope.optional import require
from emoscope.recognizer import Recognizer

_START_TRIES = 3
"""Workers in a row that may end before they have loaded the model."""
_LISTEN_S = 0.2
"""How often the journal is read."""
_LOOK_EVERY_S = 5.0
"""How often it is looked whether the cluster has grown."""
_GRACE_S, _DECIDE_S = 3.0, 10.0
"""How long it is looked whether a machine ended with its worker: at the first death over a
recording, and at one that may condemn it."""
_OBJECT_STORE_BYTES = 100 << 20
"""Shared memory of a cluster that is started here: jobs and reports are small."""
_CREATION = "error raised in its creation task"
"""What Ray says of a worker that was not killed but could not be made."""
_ADDRESS_VARIABLE = "RAY_ADDRESS"


class ShardWorker:
    """Actor that loads the model once and works on one shard after another.

    Args:
        name: of the worker.
        source: loads the recognizer.
        journal: the actor that is told of each recording.
        version: of the driver, which this machine has to have as well.
    """

    def __init__(self, name: str, source: RecognizerSource, journal: Any, version: str) -> None:
        self._name, self._source, self._version = name, source, version
        self._journal = journal
        self._recognizer: Recognizer | None = None

    def ready(self) -> tuple[float, str]:
        """Load the model; return the seconds that this took, and the machine.

        Raises:
            SettingError: the driver has another version.
            ModelError: the model cannot be loaded.
        """
        ray = require("ray", extra="ray")
        if self._version != __version__:
            said = f"{__version__} != {self._version}"
            raise SettingError("setting_invalid", setting="emoscope", reason=said)
        self._recognizer = self._source.open()
        return self._recognizer.load_s, str(ray.get_runtime_context().get_node_id())

    def work(self, job: ShardJob) -> Any:
        """Work on a shard.

        Raises:
            StoreError: the output cannot be written.
        """
        assert self._recognizer is not None  # noqa: S101 - it is ready before it works
        with JournalLine(self._name, self._journal, is_careful=job.careful) as line:
            return run_shard(job, self._recognizer, line)


@dataclass(slots=True, eq=False)
class _RemoteWorker:
    """An actor and what it is doing."""

    name: str
    actor: Any
    awaited: Any
    """Reference of what it is asked for: to be ready, or a shard."""
    node: str = ""
    is_ready: bool = False
    job: ShardJob | None = None
    in_work: set[int] = field(default_factory=set)
    finished: list[RowEnded] = field(default_factory=list)


class RayExecutor:
    """Workers on a Ray cluster.

    Args:
        source: loads the recognizer in each worker.
        address: of a cluster, such as ``ray://head:10001``; by default that of ``RAY_ADDRESS``,
            else a cluster is started on this machine.
        workers: how many; 0 for one on each core, or each GPU, of the cluster, also when it grows.
        cpus: cores of a worker.
        gpus: GPUs of a worker, also parts of one.
    """

    def __init__(
        self,
        source: RecognizerSource,
        address: str = "",
        workers: int = 0,
        *,
        cpus: float = 1,
        gpus: float = 0,
    ) -> None:
        self._source, self._address = source, address
        self.workers = workers
        self._resources = {"num_cpus": cpus, "num_gpus": gpus}

    def run(self, jobs: Iterator[ShardJob]) -> Iterator[BatchEvent]:
        """Work on shards until there are none; closing the iterator ends the workers.

        Args:
            jobs: taken one by one, as workers become free.

        Raises:
            ExtraMissingError: the extra ``ray`` is not installed.
            SettingError: the cluster cannot be reached, or has another version of Emoscope.
            StoreError: the output cannot be written.
            ModelError: the model cannot be loaded.
            BatchStoppedError: workers end again and again.
        """
        ray = require("ray", extra="ray")
        with _connected(ray, self._address):
            crew = _RayCrew(ray, self._source, self.workers, self._resources)
            try:
                yield from crew.run(jobs)
            finally:
                crew.end()


@contextmanager
def _connected(ray: Any, address: str) -> Iterator[None]:
    """Connect to a cluster, or start one; a connection that is there already is used and stays.

    Raises:
        SettingError: the cluster cannot be reached.
    """
    if ray.is_initialized():
        yield
        return
    address = address or os.environ.get(_ADDRESS_VARIABLE, "")
    options: dict[str, Any] = {"logging_level": logging.WARNING, "log_to_driver": False}
    if not address:
        address = "local"
        options |= {"include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}
        options["_node_ip_address"] = "127.0.0.1"  # else other machines reach its ports
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM) if is_main else None
    try:
        ray.init(address, namespace=f"emoscope-batch-{secrets.token_hex(4)}", **options)
    except (ConnectionError, RuntimeError, ValueError, OSError) as exc:
        said = " ".join(str(exc).split())[:200]
        raise SettingError("cluster_unreachable", address=address, reason=said) from exc
    if before is not None:
        signal.signal(signal.SIGTERM, before)  # Ray's own would end the program without a word
    try:
        yield
    finally:
        ray.shutdown()


class _RayCrew:
    """The workers of one run."""

    def __init__(
        self, ray: Any, source: RecognizerSource, wanted: int, resources: Mapping[str, float]
    ) -> None:
        self._ray, self._source, self._wanted = ray, source, wanted
        self._resources = dict(resources)
        self._again: deque[ShardJob] = deque()
        self._suspects = Suspects()
        self._crew: list[_RemoteWorker] = []
        self._failed_starts, self._started = 0, 0
        self._token = secrets.token_hex(4)
        """Names of workers are unique on a cluster, whatever else runs on it."""
        self._size, self._looked_s = 0, float("-inf")
        here = ray.get_runtime_context().get_node_id()
        place = require("ray.util.scheduling_strategies", extra="ray")
        strategy = place.NodeAffinitySchedulingStrategy(here, soft=True)
        self._journal = (
            ray.remote(RowJournal)
            .options(num_cpus=0, max_restarts=-1, scheduling_strategy=strategy)
            .remote()
        )

    def run(self, jobs: Iterator[ShardJob]) -> Iterator[BatchEvent]:
        """Work on shards until there are none."""
        waiting = WaitingJobs(jobs, self._again)
        while waiting.has_more() or any(one.job for one in self._crew):
            self._start(waiting)
            awaited = {one.awaited: one for one in self._crew if one.awaited is not None}
            done, _ = self._ray.wait(list(awaited), num_returns=1, timeout=_LISTEN_S)
            yield from self._read_journal()
            for reference in done:
                yield from self._hear(awaited[reference])

    def end(self) -> None:
        """End all workers at once."""
        for actor in (*(one.actor for one in self._crew), self._journal):
            with suppress(Exception):  # the cluster may be gone
                self._ray.kill(actor)
        self._crew.clear()

    def _start(self, waiting: WaitingJobs) -> None:
        """Start workers that are missing and give free ones their next shard."""
        while len(self._crew) < self._target() and waiting.has_more():
            self._started += 1
            name = f"worker-{self._started}"
            actor = (
                self._ray.remote(ShardWorker)
                .options(
                    name=f"{name}-{self._token}",
                    max_restarts=0,
                    max_task_retries=0,
                    **self._resources,
                )
                .remote(name, self._source, self._journal, __version__)
            )
            self._crew.append(_RemoteWorker(name, actor, actor.ready.remote()))
        for worker in self._crew:
            if worker.is_ready and worker.job is None and waiting.has_more():
                worker.job = job = waiting.next()
                worker.finished.clear()
                worker.in_work.clear()
                work = worker.actor.work.options(name=f"shard {job.shard.number}")
                worker.awaited = work.remote(job)

    def _target(self) -> int:
        """How many workers there should be."""
        if self._wanted:
            return self._wanted
        now_s = time.monotonic()
        if now_s - self._looked_s > _LOOK_EVERY_S:
            there = self._ray.cluster_resources()
            kind = "GPU" if self._resources["num_gpus"] else "CPU"
            each = self._resources[f"num_{kind.lower()}s"]
            self._size, self._looked_s = max(1, int(there.get(kind, 0) / each)), now_s
        return self._size

    def _read_journal(self) -> Iterator[BatchEvent]:
        with suppress(self._ray.exceptions.RayActorError):  # it begins anew, empty
            by_name = {one.name: one for one in self._crew}
            for kind, name, row, *rest in self._ray.get(self._journal.take.remote()):
                worker = by_name.get(name)
                if worker is None or worker.job is None:
                    continue
                if kind == "began":
                    worker.in_work.add(row)
                else:
                    seconds, failure = rest
                    worker.in_work.discard(row)
                    shard = worker.job.shard.index
                    worker.finished.append(RowEnded(name, shard, row, seconds, failure))
                    yield worker.finished[-1]

    def _hear(self, worker: _RemoteWorker) -> Iterator[BatchEvent]:
        """Take an answer of a worker, or notice its end."""
        exceptions = self._ray.exceptions
        try:
            answer = self._ray.get(worker.awaited)
        except exceptions.RayTaskError as error:
            raise _cause(error) from error
        except exceptions.RayActorError as error:
            yield from self._lost(worker, error)
            return
        worker.awaited = None
        if not worker.is_ready:
            load_s, worker.node = answer
            worker.is_ready, self._failed_starts = True, 0
            yield WorkerReady(worker.name, load_s)
            return
        yield from self._read_journal()
        worker.job = None
        yield ShardEnded(worker.name, answer)

    def _lost(self, worker: _RemoteWorker, error: BaseException) -> Iterator[BatchEvent]:
        self._crew.remove(worker)
        with suppress(Exception):  # out of reach is not ended
            self._ray.kill(worker.actor)
        self._looked_s = float("-inf")  # the cluster may have shrunk
        is_of_machine = self._machine_is_lost(worker, error)
        if not worker.is_ready:
            if _CREATION in str(error):
                said = str(error).strip().rpartition("\n")[2][:200]
                raise BatchStoppedError("cluster_worker_failed", reason=said)
            self._failed_starts += not is_of_machine
            if self._failed_starts >= _START_TRIES:
                raise BatchStoppedError("batch_workers_do_not_start", times=_START_TRIES)
        elif worker.job is not None:
            in_work = () if is_of_machine else tuple(sorted(worker.in_work))
            self._again.append(self._again_job(worker.job, in_work, is_of_machine=is_of_machine))
            shard = worker.job.shard.index
            yield lost_worker(worker.name, shard, in_work, worker.finished)

    def _again_job(
        self, job: ShardJob, in_work: tuple[int, ...], *, is_of_machine: bool
    ) -> ShardJob:
        return job if is_of_machine else self._suspects.lost(job, in_work)

    def _machine_is_lost(self, worker: _RemoteWorker, error: BaseException) -> bool:
        """Whether a worker ended with its machine."""
        said = str(error).lower()
        if any(words in said for words in ("node has died", "node died", "node is dead")):
            return True
        is_decisive = worker.job is not None and worker.job.careful
        until_s = time.monotonic() + (_DECIDE_S if is_decisive else _GRACE_S)
        while time.monotonic() < until_s:  # the end of a machine is noticed after that of a worker
            alive = {one["NodeID"] for one in self._ray.nodes() if one["Alive"]}
            if worker.node and worker.node not in alive:
                return True
            time.sleep(_LISTEN_S)
        return False


def _cause(error: Any) -> BaseException:
    """Return our error that a worker raised, or what Ray says of another one."""
    cause = getattr(error, "cause", None)
    return cause if isinstance(cause, EmoscopeError) else error
