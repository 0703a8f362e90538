"""Processes of the local executor: killed workers, recordings that kill, and the end of a run."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from batching import FakeSource, clips, contents, do_batch, stopped_after, table
from conftest import Speech
from emoscope.batch.events import RowEnded, WorkerLost
from emoscope.batch.local import LocalExecutor
from emoscope.errors import BatchStoppedError, ModelRunError
from emoscope.recognizer import Recognizer

pytestmark = pytest.mark.process
NAMES = [f"clip{n:02d}.wav" for n in range(12)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, speech: Speech) -> Path:
    return clips(tmp_path_factory.mktemp("sounds"), NAMES, speech)


def children() -> set[int]:
    """Processes that this one has started and that run."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


def test_processes_write_what_one_process_writes(folder: Path, tmp_path: Path) -> None:
    do_batch([folder], tmp_path / "inline")
    before = children()
    events = do_batch([folder], tmp_path / "local", LocalExecutor(FakeSource(), 2))
    assert contents(tmp_path / "local") == contents(tmp_path / "inline")
    assert sorted(one.row for one in events if isinstance(one, RowEnded)) == list(range(12))
    assert children() <= before | {pid for pid in children() if is_tracker(pid)}


def is_tracker(pid: int) -> bool:
    """Whether a process is Python's own, which watches shared resources."""
    return b"resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_a_recording_that_ends_its_worker_twice_is_an_error_row(
    folder: Path, tmp_path: Path
) -> None:
    mixed = tmp_path / "in"
    mixed.mkdir()
    for name in NAMES:
        (mixed / name).write_bytes((folder / name).read_bytes())
    for name in ("clip03x.wav", "clip09x.wav"):
        (mixed / name).write_bytes((folder / "clip00.wav").read_bytes())
    (mixed / "clip03x.wav").rename(mixed / "kills.wav")
    (mixed / "clip09x.wav").rename(mixed / "once.wav")
    events = do_batch([mixed], tmp_path / "out", LocalExecutor(FakeSource(), 2), size=7)
    errors = table(tmp_path / "out", "errors")
    assert [(row["id"], row["error"]) for row in errors] == [("kills.wav", "recording_ends_worker")]
    rows = table(tmp_path / "out")
    assert [row["id"] for row in rows] == [*NAMES, "once.wav"]
    lost = [one for one in events if isinstance(one, WorkerLost)]
    assert len(lost) in (3, 4)  # once.wav may be beside kills.wav when it is touched first
    assert not list((tmp_path / "out").glob(".tmp-*"))


def test_a_worker_that_is_killed_costs_its_shard_and_changes_nothing(
    folder: Path, tmp_path: Path
) -> None:
    do_batch([folder], tmp_path / "whole")
    executor = LocalExecutor(FakeSource(slow_s=0.05), 2)

    def kill() -> None:
        deadline_s = time.monotonic() + 30
        while time.monotonic() < deadline_s:
            time.sleep(0.05)
            busy = [one for one in executor._pool if one.finished]
            if busy:
                os.kill(busy[0].process.pid, signal.SIGKILL)
                return

    killer = threading.Thread(target=kill)
    killer.start()
    events = do_batch([folder], tmp_path / "out", executor)
    killer.join()
    (lost,) = (one for one in events if isinstance(one, WorkerLost))
    assert lost.undone >= 1
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_closing_a_run_ends_its_processes(folder: Path, tmp_path: Path) -> None:
    before = children()
    stopped_after([folder], tmp_path / "out", LocalExecutor(FakeSource(slow_s=0.05), 2), rows=5)
    assert all(is_tracker(pid) for pid in children() - before)
    do_batch([folder], tmp_path / "whole")
    do_batch([folder], tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@dataclass(frozen=True)
class Failing:
    """A model that cannot be loaded."""

    def open(self) -> Recognizer:
        raise ModelRunError("model_run_failed", reason="no")


@dataclass(frozen=True)
class Dying:
    """A model that takes the process with it."""

    def open(self) -> Recognizer:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def test_a_model_that_cannot_be_loaded_ends_the_run(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BatchStoppedError) as caught:
        do_batch([folder], tmp_path / "out", LocalExecutor(Dying(), 1))
    assert caught.value.code == "batch_workers_do_not_start"
    with pytest.raises(ModelRunError):
        do_batch([folder], tmp_path / "out", LocalExecutor(Failing(), 1))
