"""Jobs whose recording kills the process or its decoder, and the queue behind them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emoscope.audio import decoder_pool
from emoscope.backends.fake_backend import FakeBackend
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.jobs.table import Job
from emoscope.server.jobs.worker import Jobs
from emoscope.server.service import (
    RecognitionOptions,
    RecognitionRequest,
    Service,
    make_service,
)
from emoscope.settings import load_settings
from sounds import noise, wav

pytestmark = pytest.mark.process

OPTIONS = RecognitionOptions()
FINE, POISON = wav(noise(0.5)), wav(noise(0.7))


@pytest.mark.parametrize("count", [3, pytest.param(1_000, marks=pytest.mark.slow)])
def test_jobs_that_kill_the_process_are_given_up_after_all_others(
    tmp_path: Path, count: int
) -> None:
    script = Path(__file__).with_name("poisoned_lives.py")
    ran = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(count)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(script.parent.parent), *sys.path]),
            "OPENBLAS_NUM_THREADS": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=120 + 2 * count,
        check=True,
    )
    told = json.loads(ran.stdout)
    print(told)
    assert told["outcomes"] == {
        "poison.wav failed recording_crashed": count,
        "fine.wav succeeded None": count,
    }
    assert told["lives"] == 2 * count + 1  # two losses each, and the last life ends by itself
    assert len(RunStore(tmp_path).names()) == count


def _service(folder: Path, **settings: Any) -> Service:
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    return make_service(recognizer, RunStore(folder), load_settings(outputs=folder, **settings))


def _killing(monkeypatch: pytest.MonkeyPatch, may_kill: Callable[[], bool]) -> None:
    """Kill the decoder that is asked for the poison."""
    ask = decoder_pool._Process.ask

    def asked(process: Any, data: bytes, *arguments: Any, **options: Any) -> Any:
        if data == POISON and may_kill():
            os.kill(process.pid, signal.SIGKILL)
        return ask(process, data, *arguments, **options)

    monkeypatch.setattr(decoder_pool._Process, "ask", asked)


def _accept(jobs: Jobs, *sounds: bytes) -> Job:
    requests = [RecognitionRequest(sound, "a.wav", OPTIONS) for sound in sounds]
    return jobs.accept("", requests, OPTIONS, None)[0]


def _ended(jobs: Jobs, seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while jobs.table.waiting():
        assert time.monotonic() < until_s
        time.sleep(0.01)


@pytest.mark.parametrize("count", [3, pytest.param(100, marks=pytest.mark.slow)])
def test_jobs_that_kill_the_decoder_twice_fail_and_the_queue_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    _killing(monkeypatch, lambda: True)
    service = _service(tmp_path, jobs_waiting=1_000)
    jobs = Jobs(service, settle_s=0)
    poison = [_accept(jobs, FINE, POISON) for _ in range(count)]
    fine = [_accept(jobs, FINE) for _ in range(count)]
    with service.decoders, jobs:
        _ended(jobs, 60 + 5 * count)
        found = {job.id: jobs.table.get(job.id) for job in (*poison, *fine)}
        assert len(service.decoders.pids()) == 2

    for job in poison:
        good, bad = found[job.id].items
        assert (found[job.id].state, good.state) == ("succeeded", "succeeded")
        assert (bad.state, bad.error) == ("failed", "decoder_crashed")
        assert found[job.id].ended_s > max(found[other.id].ended_s for other in fine)
    assert {found[job.id].state for job in fine} == {"succeeded"}
    assert service.decoders.replaced == 2 * count


def test_a_decoder_that_was_lost_once_costs_no_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [1]
    _killing(monkeypatch, lambda: bool(left) and bool(left.pop()))
    service = _service(tmp_path)
    jobs = Jobs(service, settle_s=0)
    job = _accept(jobs, POISON)
    with service.decoders, jobs:
        _ended(jobs, 60)
        ended = jobs.table.get(job.id)

    assert (ended.state, ended.items[0].attempts) == ("succeeded", 2)
    assert service.decoders.replaced == 1


def test_kills_in_short_lives_condemn_no_recording(tmp_path: Path) -> None:
    """What was in work at a kill is not tried again before the server has run for a while."""
    service = _service(tmp_path)
    jobs = Jobs(service, settle_s=3)
    lost = _accept(jobs, FINE)
    jobs.table.begin(lost.id, 0)  # and there was a kill
    with service.decoders, jobs:
        other = _accept(jobs, FINE)
        until_s = time.monotonic() + 60
        while jobs.table.get(other.id).state != "succeeded":
            assert time.monotonic() < until_s
            time.sleep(0.01)
        assert jobs.table.get(lost.id).items[0].attempts == 1
        _ended(jobs, 60)
        ended, first = jobs.table.get(lost.id), jobs.table.get(other.id)

    assert (ended.state, ended.items[0].attempts) == ("succeeded", 2)
    assert ended.ended_s > first.ended_s
    assert ended.ended_s - lost.created_s > 3
