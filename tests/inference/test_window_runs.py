"""Windows of one recording side by side: the rows, the order and the errors of one at a time."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from emoscope.audio.prepare import PreparedAudio
from emoscope.backends.base import Output
from emoscope.backends.fake_backend import FakeBackend
from emoscope.errors import ModelRunError
from emoscope.events import Event, Progress
from emoscope.inference.window_runs import MAX_AT_ONCE, WindowRuns
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef, Result
from emoscope.waveform import RATE_HZ, Samples, Waveform

WINDOWS = 13
"""Of 130 s."""


class _StoppedError(Exception):
    pass


class _Uneven(FakeBackend):
    """Takes longer for every other window, so that a later one is done before."""

    def __init__(self, at_once: int, fails_at: int = -1) -> None:
        super().__init__()
        self.runs_at_once = at_once
        self.begun = self.running = self.most = 0
        self._fails_at, self._lock = fails_at, threading.Lock()

    def run(self, waveform: Samples, lengths: np.ndarray) -> Output:
        with self._lock:
            number = self.begun
            self.begun += 1
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            time.sleep(0.02 if number % 2 else 0.05)
            if number == self._fails_at:
                raise ModelRunError(reason="on purpose")
            return super().run(waveform, lengths)
        finally:
            with self._lock:
                self.running -= 1


def recognizer_of(backend: FakeBackend) -> Recognizer:
    return Recognizer(backend, ModelRef("fake", "1", "0" * 64))


@pytest.fixture(scope="module")
def recording() -> PreparedAudio:
    rng = np.random.default_rng(0)
    loud = np.repeat(rng.uniform(0.01, 0.3, 130), RATE_HZ)
    samples = (loud * rng.standard_normal(len(loud))).clip(-1, 1).astype(np.float32)
    return recognizer_of(FakeBackend()).decode(Waveform(samples, RATE_HZ, "long"))


def infer(backend: FakeBackend, recording: PreparedAudio, **more: object) -> Result:
    return recognizer_of(backend).infer(recording, granularity="frame", embedding=True, **more)


def threads_left() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("emoscope-window")]


@pytest.mark.parametrize("at_once", [2, 3])
def test_the_result_is_that_of_one_window_at_a_time(recording: PreparedAudio, at_once: int) -> None:
    backend, events = _Uneven(at_once), list[Event]()

    result = infer(backend, recording, listener=events.append)

    alone = infer(FakeBackend(), recording)
    assert result.track is not None
    assert alone.track is not None
    np.testing.assert_array_equal(result.track.logits, alone.track.logits)
    np.testing.assert_array_equal(result.track.speech, alone.track.speech)
    np.testing.assert_array_equal(result.embedding, alone.embedding)
    assert result.segments == alone.segments
    assert backend.most == at_once
    done = [one.done_s for one in events if isinstance(one, Progress)]
    assert len(done) == WINDOWS
    assert done == sorted(done)
    assert done[-1] == 130.0
    assert threads_left() == []


def test_one_process_of_many_runs_one_window_at_a_time(recording: PreparedAudio) -> None:
    backend = _Uneven(3)
    shared = recognizer_of(backend)
    alone = shared.configured(sequential=True)
    result = alone.infer(recording, granularity="frame")
    assert backend.most == 1

    again = shared.infer(recording, granularity="frame")
    assert backend.most == 3, "the recognizer that it was made of is as it was"
    np.testing.assert_array_equal(result.track.logits, again.track.logits)
    alone.close()


def test_a_window_that_fails_ends_the_work(recording: PreparedAudio) -> None:
    backend = _Uneven(2, fails_at=4)
    with pytest.raises(ModelRunError):
        infer(backend, recording)
    assert backend.begun <= 4 + 1 + 2 * 2, "no more than what was at work"
    assert threads_left() == []


def test_a_cancelled_recording_leaves_no_window_at_work(recording: PreparedAudio) -> None:
    backend = _Uneven(2)

    def stop(event: Event) -> None:
        if isinstance(event, Progress):
            raise _StoppedError

    with pytest.raises(_StoppedError):
        infer(backend, recording, listener=stop)
    assert (backend.running, threads_left()) == (0, [])
    assert backend.begun <= 1 + 2 + 1


def test_it_resumes_what_ran_side_by_side(recording: PreparedAudio, tmp_path: Path) -> None:
    told = []

    def stop(event: Event) -> None:
        told.append(event)
        if sum(isinstance(one, Progress) for one in told) == 4:
            raise _StoppedError

    first = _Uneven(3)
    with pytest.raises(_StoppedError):
        infer(first, recording, listener=stop, checkpoint_dir=tmp_path)
    second = _Uneven(3)
    result = infer(second, recording, checkpoint_dir=tmp_path)

    assert first.begun >= 4
    assert first.begun + second.begun == WINDOWS
    alone = infer(FakeBackend(), recording)
    np.testing.assert_array_equal(result.track.logits, alone.track.logits)
    np.testing.assert_array_equal(result.embedding, alone.embedding)
    assert list(tmp_path.iterdir()) == []


def test_what_is_one_window_needs_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_pool(*_arguments: object) -> None:
        raise AssertionError("no thread is needed")

    monkeypatch.setattr("emoscope.inference.window_runs.ThreadPoolExecutor", no_pool)
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, 30 * RATE_HZ).astype(np.float32)
    backend = _Uneven(4)
    recognizer_of(backend).recognize(Waveform(noise))
    assert backend.begun == 1


def test_the_windows_of_one_recording_are_bounded() -> None:
    assert WindowRuns(recognizer_of(FakeBackend())._forward, 64)._at_once == MAX_AT_ONCE
