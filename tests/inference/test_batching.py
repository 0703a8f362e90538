"""Many threads, one model: each gets what it would have got alone, and no call waits for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.backends.base import Backend, Output
from emoscope.backends.fake_backend import FakeBackend
from emoscope.backends.onnx_backend import OnnxBackend
from emoscope.errors import BusyError, ModelInvalidError, ModelRunError
from emoscope.inference.batching import Batcher, batch_budget
from emoscope.inference.forward import ClipOutput, Forward
from emoscope.waveform import Samples
from raising import raises_code

TINY = Path(__file__).parents[1] / "assets" / "tiny.onnx"
LONG_S = 60.0
"""A test that waits for this has failed."""


class Watched(FakeBackend):
    """A fake that a test can hold in the middle of a run, and that tells what it ran."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: list[int] = []
        self.rows: list[float] = []
        """First sample of every clip that was run: the tests mark clips with it."""
        self.most_at_once = 0
        self._entered = threading.Semaphore(0)
        self._free = threading.Semaphore(0)
        self._is_held = False
        self._inside = 0
        self._lock = threading.Lock()

    def run(self, waveform: np.ndarray, lengths: np.ndarray) -> Output:
        """Run once the test allows it."""
        with self._lock:
            self._inside += 1
            self.most_at_once = max(self.most_at_once, self._inside)
        try:
            self.threads.append(threading.get_ident())
            self.rows += waveform[:, 0].tolist()
            if self._is_held:
                self._entered.release()
                assert self._free.acquire(timeout=LONG_S)
            return self.work(waveform, lengths)
        finally:
            with self._lock:
                self._inside -= 1

    def work(self, waveform: np.ndarray, lengths: np.ndarray) -> Output:
        """What a subclass spoils."""
        return super().run(waveform, lengths)

    @contextmanager
    def held(self, batcher: Batcher, threads: ThreadPoolExecutor) -> Iterator[Future[object]]:
        """The model is busy inside the block, and free after it."""
        self._is_held = True
        first = threads.submit(batcher.run, [clip(9)])
        assert self._entered.acquire(timeout=LONG_S)
        self._is_held = False
        try:
            yield first
        finally:
            self._free.release()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Callers."""
    with ThreadPoolExecutor(16) as pool:
        yield pool


def clip(mark: float, length: int = 4_000) -> Samples:
    """A sound that starts with ``mark`` hundredths."""
    samples = np.random.default_rng(int(mark)).normal(0, 0.1, length).astype(np.float32)
    samples[0] = mark / 100
    return samples


def marks(backend: Watched) -> list[int]:
    """Of all clips that were run, in order."""
    return [round(first * 100) for first in backend.rows]


def until(holds: Callable[[], bool]) -> None:
    """Wait for another thread to come so far."""
    pause = threading.Event()
    for _ in range(round(LONG_S / 0.001)):
        if holds():
            return
        pause.wait(0.001)
    pytest.fail("it never came to that")


def same(one: ClipOutput, other: ClipOutput) -> None:
    """Batching changes nothing, within 1e-4."""
    assert one.logits.shape == other.logits.shape
    assert one.embeddings.shape == other.embeddings.shape
    np.testing.assert_allclose(one.logits, other.logits, atol=1e-4, rtol=0)
    np.testing.assert_allclose(one.embeddings, other.embeddings, atol=1e-4, rtol=0)


# --- invariant --------------------------------------------------------------------------------

mixes = st.lists(
    st.lists(st.integers(400, 9_000) | st.sampled_from([400, 720, 4_000]), min_size=0, max_size=4),
    min_size=1,
    max_size=10,
)


@pytest.fixture(scope="module", params=["fake", "tiny"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Two backends that keep the contract, one of them a real model file."""
    return FakeBackend() if request.param == "fake" else OnnxBackend(TINY, threads=1)


@given(
    mix=mixes,
    seed=st.integers(0, 99),
    budget=st.sampled_from([1, 12_000, 10**6]),
    at_once=st.integers(1, 3),
)
def test_any_mix_of_callers_is_one_by_one(
    backend: Backend, mix: list[list[int]], seed: int, budget: int, at_once: int
) -> None:
    rng = np.random.default_rng(seed)
    calls = [
        [rng.normal(0, 10 ** rng.uniform(-3, -0.5), size).astype(np.float32) for size in sizes]
        for sizes in mix
    ]
    batcher = Batcher(Forward(backend), max_padded_samples=budget, at_once=at_once)
    together = threading.Barrier(len(calls))

    def ask(clips: list[Samples]) -> list[ClipOutput]:
        together.wait()
        return batcher.run(clips)

    with ThreadPoolExecutor(len(calls)) as pool:
        answers = list(pool.map(ask, calls))

    alone = Forward(backend)
    for clips, outputs in zip(calls, answers, strict=True):
        assert len(outputs) == len(clips)
        for samples, output in zip(clips, outputs, strict=True):
            same(output, alone.run([samples])[0])
    assert batcher.waiting == 0


@pytest.mark.parametrize("at_once", [1, 3])
def test_under_stress_nothing_is_lost_doubled_or_run_beside_too_many_others(
    threads: ThreadPoolExecutor, at_once: int
) -> None:
    """Every clip carries its own mark, and every seventh is refused by the model."""

    class Choosy(Watched):
        def work(self, waveform: np.ndarray, lengths: np.ndarray) -> Output:
            if any(round(first * 100) % 7 == 0 for first in waveform[:, 0]):
                raise ModelRunError(reason="no sevens")
            return super().work(waveform, lengths)

    backend = Choosy()
    batcher = Batcher(Forward(backend), max_padded_samples=20_000, at_once=at_once)
    lengths = np.random.default_rng(0).integers(400, 6_000, 400)

    def ask(mark: int) -> bool:
        sound = clip(mark, int(lengths[mark]))
        try:
            (output,) = batcher.run([sound])
        except ModelRunError:
            return False
        same(output, Forward(FakeBackend()).run([sound])[0])
        return True

    answered = list(threads.map(ask, range(1, 400)))

    assert answered == [mark % 7 != 0 for mark in range(1, 400)]
    assert set(marks(backend)) == set(range(1, 400))
    assert backend.most_at_once <= at_once
    assert batcher.waiting == 0


def test_without_failures_every_clip_runs_once(threads: ThreadPoolExecutor) -> None:
    backend = Watched()
    batcher = Batcher(Forward(backend))
    list(threads.map(lambda mark: batcher.run([clip(mark), clip(mark + 200)]), range(200)))

    assert sorted(marks(backend)) == list(range(400))


# --- who waits, and for what ----------------------------------------------------------------------


def test_a_lone_caller_runs_at_once_in_its_own_thread() -> None:
    backend = Watched()
    before = threading.active_count()
    Batcher(Forward(backend)).run([clip(1)])

    assert backend.threads == [threading.get_ident()]
    assert threading.active_count() == before


def test_a_small_model_works_for_two_at_once(threads: ThreadPoolExecutor) -> None:
    backend = Watched()
    batcher = Batcher(Forward(backend), at_once=2)
    with backend.held(batcher, threads) as first:
        (output,) = batcher.run([clip(1)])  # beside the one that is held, not behind it
        same(output, Forward(FakeBackend()).run([clip(1)])[0])
        assert not first.done()
    assert backend.most_at_once == 2


def test_no_more_run_at_once_than_may(threads: ThreadPoolExecutor) -> None:
    backend = Watched()
    batcher = Batcher(Forward(backend), at_once=2)
    with backend.held(batcher, threads), backend.held(batcher, threads):
        third = threads.submit(batcher.run, [clip(1)])
        until(lambda: batcher.waiting == 1)
    assert len(third.result()) == 1
    assert backend.most_at_once == 2


def test_who_comes_while_the_model_works_goes_together(threads: ThreadPoolExecutor) -> None:
    backend = Watched()
    batcher = Batcher(Forward(backend))
    with backend.held(batcher, threads):
        callers = [threads.submit(batcher.run, [clip(mark)]) for mark in range(5)]
        until(lambda: batcher.waiting == 5)
        assert backend.batches == []
    for mark, caller in enumerate(callers):
        same(caller.result()[0], Forward(FakeBackend()).run([clip(mark)])[0])

    assert [clips for clips, _ in backend.batches] == [1, 5]


def test_the_oldest_goes_first_with_those_of_its_length(threads: ThreadPoolExecutor) -> None:
    backend = Watched()
    batcher = Batcher(Forward(backend), max_padded_samples=8_000)
    callers = []
    with backend.held(batcher, threads):
        for mark, length in enumerate([4_000, 400, 9_000, 3_900, 4_000, 420]):
            callers.append(threads.submit(batcher.run, [clip(mark, length)]))
            until(lambda: batcher.waiting == len(callers))
    for caller in callers:
        caller.result()

    taken, order = [], marks(backend)[1:]
    for size, _ in backend.batches[1:]:
        taken.append(set(order[:size]))
        order = order[size:]
    assert taken == [{0, 4}, {1, 5}, {2}, {3}]


def test_on_a_processor_each_clip_runs_alone_in_the_order_of_arrival(
    threads: ThreadPoolExecutor,
) -> None:
    backend = Watched()
    budget = batch_budget("cpu", is_rounded=False)
    batcher = Batcher(Forward(backend), max_padded_samples=budget)
    callers = []
    with backend.held(batcher, threads):
        for mark, length in enumerate([400, 9_000, 400, 4_000]):
            callers.append(threads.submit(batcher.run, [clip(mark, length)]))
            until(lambda: batcher.waiting == len(callers))
    for caller in callers:
        caller.result()

    assert marks(backend) == [9, 0, 1, 2, 3]
    assert [clips for clips, _ in backend.batches] == [1] * 5


def test_a_full_queue_says_when_to_come_back(threads: ThreadPoolExecutor) -> None:
    ticks = iter([0.0, 30.0, *[40.0] * 99])
    backend = Watched()
    batcher = Batcher(Forward(backend), max_waiting=2, clock=lambda: next(ticks))
    batcher.run([clip(1, 16_000)])  # takes thirty seconds, the clock says
    with backend.held(batcher, threads):
        callers = [threads.submit(batcher.run, [clip(mark, 8_000)]) for mark in (2, 3)]
        until(lambda: batcher.waiting == 2)
        with pytest.raises(BusyError) as caught:
            batcher.run([clip(4)])
    assert caught.value.data == {"retry_after_s": 30}
    assert [len(caller.result()) for caller in callers] == [1, 1]
    assert 4 not in marks(backend)
    assert len(batcher.run([clip(5)])) == 1


# --- when something goes wrong --------------------------------------------------------------------


class Allergic(Watched):
    """Fails on the clip with mark 13, and on every batch that holds it."""

    def __init__(self, error: Callable[[], Exception]) -> None:
        super().__init__()
        self._error = error

    def work(self, waveform: np.ndarray, lengths: np.ndarray) -> Output:
        """Fail or answer."""
        if 13 in [round(first * 100) for first in waveform[:, 0]]:
            raise self._error()
        return super().work(waveform, lengths)


@pytest.mark.parametrize(
    "error",
    [
        lambda: ModelRunError(reason="no"),
        lambda: ModelInvalidError("model_contract", reason_zh="不", reason_en="no"),
        MemoryError,
        lambda: TypeError("a bug"),
    ],
    ids=["run", "contract", "memory", "bug"],
)
def test_a_bad_clip_fails_its_own_caller_and_no_other(
    error: Callable[[], Exception], threads: ThreadPoolExecutor
) -> None:
    backend = Allergic(error)
    batcher = Batcher(Forward(backend))
    with backend.held(batcher, threads):
        callers = {mark: threads.submit(batcher.run, [clip(mark)]) for mark in (11, 12, 13, 14)}
        until(lambda: batcher.waiting == 4)

    for mark in (11, 12, 14):
        same(callers[mark].result()[0], Forward(FakeBackend()).run([clip(mark)])[0])
    with pytest.raises(type(error())):
        callers[13].result()


def test_the_rest_of_a_failed_call_is_not_run(threads: ThreadPoolExecutor) -> None:
    backend = Allergic(lambda: ModelRunError(reason="no"))
    batcher = Batcher(Forward(backend), max_padded_samples=1)
    with pytest.raises(ModelRunError):
        batcher.run([clip(1), clip(13), clip(2)])

    assert marks(backend) == [1, 13]
    assert batcher.waiting == 0
    assert len(batcher.run([clip(3)])) == 1


def test_a_model_that_can_only_do_one_at_a_time_still_answers_all() -> None:
    class Small(Watched):
        def work(self, waveform: np.ndarray, lengths: np.ndarray) -> Output:
            if len(waveform) > 1:
                raise MemoryError
            return super().work(waveform, lengths)

    outputs = Batcher(Forward(Small())).run([clip(mark) for mark in range(4)])

    for mark, output in enumerate(outputs):
        same(output, Forward(FakeBackend()).run([clip(mark)])[0])


def test_a_clip_below_one_frame_is_refused_before_it_queues() -> None:
    backend = Watched()
    with pytest.raises(ValueError, match="400"):
        Batcher(Forward(backend)).run([clip(1), clip(2, 399)])

    assert backend.batches == []


def test_nothing_in_nothing_out() -> None:
    assert Batcher(Forward(Watched())).run([]) == []


# --- when a caller leaves -------------------------------------------------------------------------


def test_ctrl_c_in_the_thread_that_runs_loses_nobody_elses_clip(
    threads: ThreadPoolExecutor,
) -> None:
    class Interrupted(Watched):
        def work(self, waveform: np.ndarray, lengths: np.ndarray) -> Output:
            if len(waveform) == 3:
                raise KeyboardInterrupt
            return super().work(waveform, lengths)

    backend = Interrupted()
    batcher = Batcher(Forward(backend))
    with backend.held(batcher, threads):
        callers = [threads.submit(batcher.run, [clip(mark)]) for mark in range(3)]
        until(lambda: batcher.waiting == 3)

    stopped = [isinstance(caller.exception(), KeyboardInterrupt) for caller in callers]
    assert sum(stopped) == 1
    for mark, caller in enumerate(callers):
        if not stopped[mark]:
            same(caller.result()[0], Forward(FakeBackend()).run([clip(mark)])[0])
    assert batcher.waiting == 0


@pytest.mark.process
def test_ctrl_c_while_waiting_takes_the_clip_out_of_the_queue() -> None:
    """A real signal, in a process of its own: here libraries of other tests may have their say."""
    child = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (child.returncode, child.stdout) == (0, "interrupted\n"), child.stderr


def interrupted_while_waiting() -> None:
    """Press Ctrl-C while the main thread waits for the model."""
    # Who is started in the background begins with the signal ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    backend = Watched()
    batcher = Batcher(Forward(backend))
    main = threading.get_ident()

    def interrupt() -> None:
        until(lambda: batcher.waiting == 1)
        # Python loses a signal that comes just before a thread begins to wait.
        while batcher.waiting:
            signal.pthread_kill(main, signal.SIGINT)
            threading.Event().wait(1.0)

    with ThreadPoolExecutor(16) as threads:
        with backend.held(batcher, threads):
            threads.submit(interrupt)
            with pytest.raises(KeyboardInterrupt):
                batcher.run([clip(1)])
            assert batcher.waiting == 0
            other = threads.submit(batcher.run, [clip(2)])
        assert len(other.result()) == 1
    assert 1 not in marks(backend)
    print("interrupted")


# --- the end --------------------------------------------------------------------------------------


def test_closing_answers_who_is_inside_and_refuses_who_comes_later(
    threads: ThreadPoolExecutor,
) -> None:
    backend = Watched()
    batcher = Batcher(Forward(backend))
    with backend.held(batcher, threads) as first:
        waiting = threads.submit(batcher.run, [clip(1)])
        until(lambda: batcher.waiting == 1)
        closing = threads.submit(batcher.close)
        until(lambda: batcher._is_closed)
        assert not closing.done()
    closing.result(LONG_S)

    assert first.result(LONG_S)
    assert len(waiting.result(LONG_S)) == 1
    batcher.close()
    with raises_code("engine_closed"):
        batcher.run([clip(2)])


if __name__ == "__main__":
    interrupted_while_waiting()
