"""``emoscope batch`` as people run it: a program that is killed, interrupted and run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from batching import clips, contents, table
from conftest import Speech
from emoscope.labels import KEYS

pytestmark = pytest.mark.process
COUNT = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, speech: Speech) -> Path:
    names = [f"clip{number:02d}.wav" for number in range(COUNT)]
    return clips(tmp_path_factory.mktemp("sounds"), names, speech)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    """Output of a run that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole") / "out"
    done = batch(folder, out)
    assert done.returncode == 0, done.stderr
    return out


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "emoscope", *map(str, arguments)]


def options(folder: Path, out: Path, *more: object) -> list[str]:
    known = ("--model", "compact", "--workers", 2, "--shard-size", 5, "--lang", "en")
    return command("batch", folder, "--out", out, *known, *more)


def batch(folder: Path, out: Path, *more: object) -> subprocess.CompletedProcess[str]:
    line = options(folder, out, *more)
    return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)


def started(folder: Path, out: Path) -> subprocess.Popen[str]:
    """A run in a process group of its own, up to its first part."""
    line = options(folder, out)
    run = subprocess.Popen(line, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline_s = time.monotonic() + 60
    while not list(out.glob("part-*.parquet")):
        assert time.monotonic() < deadline_s
        assert run.poll() is None
        time.sleep(0.01)
    return run


def parts(out: Path) -> int:
    return len(list(out.glob("part-*.parquet")))


def test_the_rows_are_those_of_recognize(folder: Path, whole: Path) -> None:
    line = command("recognize", folder, "--jsonl", "--model", "compact")
    told = subprocess.run(line, capture_output=True, text=True, timeout=120, check=True)
    records = [json.loads(one) for one in told.stdout.splitlines()]
    rows = table(whole)
    assert [row["id"] for row in rows] == [record["name"] for record in records]
    for row, record in zip(rows, records, strict=True):
        assert {key: row[key] for key in KEYS} == record["scores"]
        assert row["sha256"] == record["source"]["sha256"]
        for name in ("emotion", "confidence", "confidence_calibrated", "duration_s", "abstain"):
            assert row[name] == record[name]
        assert row["label_set"] == record["label_set"]["emotions"]
        reasons = record["quality"].pop("reasons")
        assert {name: row[name] for name in record["quality"]} == record["quality"]
        assert row["warnings"] == reasons


@pytest.mark.parametrize(
    "stop",
    [signal.SIGKILL, signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)],
)
def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(
    folder: Path, whole: Path, tmp_path: Path, stop: signal.Signals
) -> None:
    out = tmp_path / "out"
    run = started(folder, out)
    if stop == signal.SIGINT:
        os.killpg(run.pid, stop)  # as Ctrl+C does: the workers get it, too
    else:
        os.kill(run.pid, stop)
    _, said = run.communicate(timeout=60)
    assert run.returncode in {-signal.SIGKILL, 130, 143}, said
    assert 1 <= parts(out) < parts(whole)
    if stop != signal.SIGKILL:
        assert "run the same command to go on" in said
        assert not list(out.glob(".tmp-*"))
    again = batch(folder, out)
    assert again.returncode == 0, again.stderr
    assert contents(out) == contents(whole)
    assert (out / "manifest.json").read_bytes() == (whole / "manifest.json").read_bytes()
    assert not list(out.glob(".tmp-*"))


@pytest.mark.slow
def test_many_kills_of_drivers_and_workers_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, speech: Speech
) -> None:
    names = [f"clip{number:03d}.wav" for number in range(150)]
    folder = clips(tmp_path_factory.mktemp("many"), names, speech)
    assert batch(folder, tmp_path / "whole").returncode == 0
    out, draws = tmp_path / "out", np.random.default_rng(0)
    for turn in range(6):
        run = subprocess.Popen(options(folder, out), start_new_session=True)
        time.sleep(draws.uniform(3, 6))
        found = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        # A driver in even turns, and else each of its children, which a driver outlives.
        for pid in [run.pid] if turn % 2 == 0 else map(int, found):
            os.kill(pid, signal.SIGKILL)
        time.sleep(draws.uniform(0, 2))
        if run.poll() is None:
            os.kill(run.pid, signal.SIGKILL)
        run.wait()
    last = batch(folder, out)
    assert last.returncode == 0, last.stderr
    assert contents(out) == contents(tmp_path / "whole")
    assert not list(out.glob(".tmp-*"))


def test_a_second_run_into_the_same_place_is_refused(
    folder: Path, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run = started(folder, out)
    run.send_signal(signal.SIGSTOP)  # it is there for as long as the second one takes to start
    second = batch(folder, out)
    run.send_signal(signal.SIGCONT)
    run.communicate(timeout=60)
    assert second.returncode == 5
    assert "[batch_out_busy]" in second.stderr
    assert run.returncode == 0
    assert contents(out) == contents(whole)


def test_progress_as_json_and_what_a_dry_run_tells(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for path in sorted(folder.iterdir())[:3]:
        (tmp_path / "in" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "in/bad.wav").touch()
    dry = batch(tmp_path / "in", tmp_path / "out", "--dry-run", "--json")
    assert dry.returncode == 0, dry.stderr
    assert not (tmp_path / "out").exists()
    told = {one["event"]: one for one in map(json.loads, dry.stdout.splitlines())}["dry_run"]
    assert (told["rows"], told["shards"], told["looked"]) == (4, 1, 4)
    assert told["seconds"] == pytest.approx(0.5 + 0.6 + 0.7, abs=0.01)
    assert told["expected_s"] > 0
    assert told["expected_bytes"] > 1_000
    done = batch(tmp_path / "in", tmp_path / "out", "--json")
    assert done.returncode == 1, done.stderr
    events: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["event"] for one in events if one["event"] != "worker_ready"] == [
        "plan",
        "crew",
        "shard",
        "end",
    ]
    assert (events[-1]["done"], events[-1]["failed"]) == (4, 1)
    again = batch(tmp_path / "in", tmp_path / "out", "--json")
    assert [json.loads(line)["event"] for line in again.stdout.splitlines()] == [
        "plan",
        "nothing_left",
    ]
    assert again.returncode == 0


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        (["--workers", "many"], 2, "setting_invalid"),
        (["--shard-range", "3"], 2, "setting_invalid"),
        (["--shard-range", "0:3", "--fresh"], 2, "setting_invalid"),
        (["--on", "moon"], 2, "setting_invalid"),
        (["--head", "nowhere"], 3, "head_unknown"),
        (["--model", "nowhere"], 4, "model_unknown"),
    ],
)
def test_what_cannot_be_done_is_told_with_its_code(
    folder: Path, tmp_path: Path, more: list[str], status: int, code: str
) -> None:
    refused = batch(folder, tmp_path / "out", *more)
    assert (refused.returncode, f"[{code}]" in refused.stderr) == (status, True), refused.stderr
