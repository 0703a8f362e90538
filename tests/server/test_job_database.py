"""The file of the jobs: older and newer schemas, damage, recordings that end the process."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import pytest

from emoscope.backends.fake_backend import FakeBackend
from emoscope.errors import StoreError
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.jobs.database import _TABLES, open_database
from emoscope.server.jobs.table import JobTable
from emoscope.server.jobs.worker import FOLDER, Jobs
from emoscope.server.service import RecognitionOptions, RecognitionRequest, make_service
from emoscope.settings import load_settings
from sounds import noise, wav

GOOD = wav(noise(0.5))
OPTIONS = RecognitionOptions()


def path_in(folder: Path) -> Path:
    return folder / FOLDER / "jobs.sqlite"


def test_a_file_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    path.parent.mkdir()
    old = sqlite3.connect(path)
    for statement in _TABLES:
        old.execute(statement)
    old.execute(
        "INSERT INTO jobs (id, owner, state, granularity, embedding, created_s, digest)"
        " VALUES ('job_1', 'ann', 'running', 'frame', 0, 1.0, 'd')"
    )
    old.execute(
        "INSERT INTO recordings (job, place, name, state) VALUES ('job_1', 0, 'a', 'queued')"
    )
    old.commit()
    old.close()

    table = JobTable(path)
    table.release_claims()

    job = table.following()
    assert job is not None
    assert (job.id, job.options.granularity, job.items[0].attempts) == ("job_1", "frame", 0)
    table.close()
    table = JobTable(path)
    assert table.get("job_1").owner == "ann"
    table.close()


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    path.parent.mkdir()
    db = open_database(path)
    db.execute("PRAGMA user_version = 99")
    db.close()

    with pytest.raises(StoreError, match="99"):
        JobTable(path)
    assert path.is_file()


@pytest.mark.parametrize("damage", ["no database", "a page"])
def test_a_damaged_file_is_put_aside_with_its_recordings(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    damage: str,
) -> None:
    monkeypatch.setattr(logging.getLogger("emoscope"), "propagate", True)
    path = path_in(tmp_path)
    table = JobTable(path)
    for number in range(50):
        table.add("ann", OPTIONS, [f"{number}.wav"] * 20, digest="1")
    table.close()
    (path.parent / "job_1").mkdir()
    data = path.read_bytes()
    if damage == "no database":
        path.write_bytes(b"nonsense" * 1_000)
    else:
        path.write_bytes(data[:4_096] + b"\xff" * (len(data) - 4_096))

    table = JobTable(path)

    assert table.ids() == set()
    table.close()
    (aside,) = tmp_path.glob(f"{FOLDER}-damaged-*")
    assert (aside / "job_1").is_dir()
    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert str(aside) in str(line.__dict__["fields"])


def test_a_recording_that_ended_the_process_twice_is_given_up(tmp_path: Path) -> None:
    """The process is lost between the attempt and its end; here the worker is left standing."""
    store = RunStore(tmp_path)
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    service = make_service(recognizer, store, load_settings(outputs=tmp_path))
    jobs = Jobs(service)
    poison, _ = jobs.accept("", [RecognitionRequest(GOOD, "p.wav", OPTIONS)], OPTIONS, None)
    fine, _ = jobs.accept("", [RecognitionRequest(GOOD, "f.wav", OPTIONS)], OPTIONS, None)
    jobs.table.close()
    order = []
    for _ in range(2):
        table = JobTable(path_in(tmp_path))
        table.release_claims()
        for _ in range(2):
            job = table.following()
            if job is None:
                break
            order.append(job.id)
            table.begin(job.id, 0)
            if job.id == poison.id:
                break
            table.succeeded(job.id, 0, None, {})
            table.end(job.id, "succeeded")
        table.close()
    assert order == [poison.id, fine.id, poison.id]

    with service.decoders, Jobs(service) as again:
        for _ in range(1_000):
            ended = again.table.get(poison.id)
            if ended.state not in ("queued", "running"):
                break
            again._stopping.wait(0.01)

    assert ended.state == "failed"
    assert ended.items[0].error == "recording_crashed"
    assert ended.items[0].data == {"times": 2}


def test_an_attempt_that_was_interrupted_does_not_count(tmp_path: Path) -> None:
    table = JobTable(path_in(tmp_path))
    job = table.add("ann", OPTIONS, ["a"], digest="1")
    for _ in range(3):
        table.begin(job.id, 0)
        table.interrupted(job.id, 0)
    assert table.get(job.id).items[0].attempts == 0
    table.close()
