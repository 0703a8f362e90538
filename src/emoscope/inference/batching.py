"""Bounded queue in front of one model: few runs at a time, clips in the order of arrival.

There is no thread and no timer here. A caller that finds the model free runs it at once, in its own
thread. A caller that finds it at work queues; when a run ends, the caller of the oldest clip runs
it. On a GPU that run takes the waiting clips of similar length along, its own or not; on a
processor each clip runs alone, because batches gain nothing there (``benchmarks/LOG.md``). So the
time to wait is that of the runs ahead, and the bound of the queue bounds it.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from emoscope.backends.base import Backend, Device
from emoscope.errors import BusyError, ServiceError
from emoscope.events import Clock
from emoscope.inference import batch_plan
from emoscope.inference.forward import ClipOutput, Forward, check_lengths
from emoscope.waveform import Samples

MAX_WAITING = 256
"""Callers that may wait. Each is a blocked thread with its sound in memory: a server should turn
requests away long before, so here it only stops what has gone wrong."""
ALONE = 1
"""The budget with which each clip runs alone."""
GPU_BATCH_SAMPLES = 16_000 * 60
"""Samples of a batch on a GPU, padding included; a GPU is not full with one clip."""


def batch_budget(device: Device, *, is_rounded: bool) -> int:
    """Samples of a batch, padding included.

    Args:
        device: what computes.
        is_rounded: the model is an int8 variant. Beside others a value may be rounded the other
            way; so each clip runs alone, and its answer does not depend on who else asks.
    """
    return ALONE if is_rounded or device == "cpu" else GPU_BATCH_SAMPLES


class Batcher:
    """Forward pass for many threads at once, with clips of several callers in a batch.

    Args:
        forward: pads and runs one batch.
        max_padded_samples: budget of a batch across callers, padding included; a longer clip
            runs alone. See ``batch_budget``.
        at_once: runs side by side; a large model takes all cores for one, a small one cannot.
        max_waiting: callers that may wait behind the one at work.
        clock: seconds, for the estimate in ``BusyError``.
    """

    def __init__(
        self,
        forward: Forward,
        *,
        max_padded_samples: int = GPU_BATCH_SAMPLES,
        at_once: int = 1,
        max_waiting: int = MAX_WAITING,
        clock: Clock = time.monotonic,
    ) -> None:
        self._forward = forward
        self._max_padded_samples = max_padded_samples
        self.runs_at_once = at_once
        self._max_waiting = max_waiting
        self._clock = clock
        self._lock = threading.Lock()
        self._everybody_left = threading.Condition(self._lock)
        self._queue: deque[_Job] = deque()
        self._calls = 0
        self._runs = 0
        self._is_closed = False
        self._s_per_sample = 0.0

    @property
    def waiting(self) -> int:
        """Clips that no run has taken yet."""
        return len(self._queue)

    def run(self, clips: Sequence[Samples]) -> list[ClipOutput]:
        """Return one output per clip, in order; blocks until all are there.

        A clip that fails fails this call and no other: a batch that fails is run again clip by
        clip.

        Args:
            clips: samples at 16 kHz, each of shape ``(n,)`` with n at least 400.

        Raises:
            ValueError: a clip is shorter than one frame.
            BusyError: too many callers wait.
            ServiceError: ``close`` was called.
            ModelRunError: the backend failed.
            ModelInvalidError: the backend gave what the contract does not allow.
        """
        check_lengths(clips)
        if not clips:
            return []
        call = _Call(clips, self._lock)
        with self._lock:
            self._admit()
            self._queue.extend(_Job(call, position) for position in range(len(clips)))
            try:
                while not call.is_over():
                    if self._queue and self._runs < self.runs_at_once:
                        self._run_oldest()
                    else:
                        call.turn.wait()
            finally:
                self._leave(call)
        return call.answer()

    def close(self) -> None:
        """Take no more calls and return when those inside are answered; twice is no error."""
        with self._lock:
            self._is_closed = True
            while self._calls:
                self._everybody_left.wait()

    # All below are called with the lock held.

    def _admit(self) -> None:
        if self._is_closed:
            raise ServiceError("engine_closed")
        if self._calls > self._max_waiting:
            ahead_s = self._s_per_sample * sum(len(job.samples) for job in self._queue)
            raise BusyError(retry_after_s=max(1, math.ceil(ahead_s / self.runs_at_once)))
        self._calls += 1

    def _leave(self, call: _Call) -> None:
        """Forget a call, answered, failed or interrupted, and see that the next caller runs."""
        self._drop(call)
        call.has_left = True
        self._calls -= 1
        if not self._calls:
            self._everybody_left.notify_all()
        for job in islice(self._queue, self.runs_at_once - self._runs):
            job.call.turn.notify()

    def _run_oldest(self) -> None:
        """Run one batch, without the lock, and hand out its answers."""
        batch = self._take()
        answers: list[ClipOutput | Exception] = []
        started_s = self._clock()
        self._runs += 1
        self._lock.release()
        try:
            answers = self._ask([job.samples for job in batch])
        finally:
            self._lock.acquire()
            self._runs -= 1
            # Ctrl-C in the thread that runs must not lose what the others asked for.
            left_over = [job for job in batch[len(answers) :] if not job.call.has_left]
            self._queue.extendleft(reversed(left_over))
            for job, answer in zip(batch, answers, strict=False):
                job.call.receive(job.position, answer)
                if job.call.has_failed():
                    self._drop(job.call)
        self._s_per_sample = (self._clock() - started_s) / sum(len(job.samples) for job in batch)

    def _take(self) -> list[_Job]:
        """Take the oldest clip and those that go with it out of the queue."""
        if self._max_padded_samples == ALONE:
            return [self._queue.popleft()]
        jobs = list(self._queue)
        batches = batch_plan.plan(
            [len(job.samples) for job in jobs], max_padded_samples=self._max_padded_samples
        )
        taken = next(batch for batch in batches if 0 in batch)
        self._queue = deque(job for place, job in enumerate(jobs) if place not in taken)
        return [jobs[place] for place in taken]

    def _drop(self, call: _Call) -> None:
        """Take what has not begun of a call out of the queue."""
        self._queue = deque(job for job in self._queue if job.call is not call)

    # And this one without it.

    def _ask(self, clips: list[Samples]) -> list[ClipOutput | Exception]:
        try:
            return list(self._forward.run(clips))
        except Exception as exc:  # whatever it is, it belongs to the caller whose clip it is
            if len(clips) == 1:
                return [exc]
            return [self._ask([clip])[0] for clip in clips]


class SequentialBatcher:
    """Batcher whose callers run one clip at a time: for a process that is one of many.

    Args:
        batcher: what runs the clips; it may be shared with others.
    """

    runs_at_once = 1

    def __init__(self, batcher: Batcher | SequentialBatcher) -> None:
        self._batcher = batcher

    def run(self, clips: Sequence[Samples]) -> list[ClipOutput]:
        """Return one output per clip, in order, as ``Batcher.run`` does."""
        return self._batcher.run(clips)

    def close(self) -> None:
        """Close what runs the clips."""
        self._batcher.close()


class _Call:
    """Clips of one caller, and their outputs so far."""

    def __init__(self, clips: Sequence[Samples], lock: threading.Lock) -> None:
        self.clips = clips
        self.turn = threading.Condition(lock)
        """Notified when the answers are there, or when it is this caller's turn to run."""
        self.has_left = False
        """Whether no thread waits for it any more."""
        self._outputs: list[ClipOutput | None] = [None] * len(clips)
        self._missing = len(clips)
        self._error: Exception | None = None

    def receive(self, position: int, answer: ClipOutput | Exception) -> None:
        """Take what came back for one clip."""
        if isinstance(answer, Exception):
            self._error = self._error or answer
        else:
            self._outputs[position] = answer
        self._missing -= 1
        if self.is_over():
            self.turn.notify()

    def has_failed(self) -> bool:
        return self._error is not None

    def is_over(self) -> bool:
        """Whether there is nothing to wait for any more."""
        return not self._missing or self.has_failed()

    def answer(self) -> list[ClipOutput]:
        """The outputs in the order of the clips, or the first error."""
        if self._error:
            raise self._error
        return [output for output in self._outputs if output is not None]


@dataclass(frozen=True, slots=True)
class _Job:
    """One clip of a call."""

    call: _Call
    position: int

    @property
    def samples(self) -> Samples:
        return self.call.clips[self.position]


def batcher_of(backend: Backend, *, is_rounded: bool) -> Batcher | SequentialBatcher:
    """Return the batcher of a backend, with the budget and the runs at once that suit it.

    Args:
        backend: runs the model.
        is_rounded: the model is an int8 variant.
    """
    budget = batch_budget(backend.device, is_rounded=is_rounded)
    return Batcher(Forward(backend), max_padded_samples=budget, at_once=backend.runs_at_once)
