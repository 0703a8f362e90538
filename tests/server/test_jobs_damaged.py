"""A jobs database that is damaged, deleted or unusable while the server runs."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from emoscope.backends.fake_backend import FakeBackend
from emoscope.errors import ServiceError
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.server.jobs import database
from emoscope.server.jobs.table import JobTable
from emoscope.server.jobs.worker import FOLDER
from emoscope.server.service import RecognitionOptions
from emoscope.settings import load_settings
from serving import serving
from sounds import noise, wav

pytestmark = pytest.mark.process

GOOD = wav(noise(0.5))


def _nonsense(path: Path) -> None:
    _log_into_file(path)
    path.write_bytes(b"nonsense" * 4_000)


def _empty(path: Path) -> None:
    _log_into_file(path)
    path.write_bytes(b"")


def _half(path: Path) -> None:
    _log_into_file(path)
    data = path.read_bytes()
    path.write_bytes(data[:4_096] + b"\xff" * (len(data) - 4_096))


def _log_into_file(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def _deleted(path: Path) -> None:
    path.unlink()


def _folder_deleted(path: Path) -> None:
    shutil.rmtree(path.parent)


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    settings = load_settings(outputs=tmp_path / "outputs")
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    return create_app(recognizer, RunStore(settings.outputs), settings, page=False)


@pytest.fixture
def client(app: FastAPI) -> Iterator[httpx.Client]:
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def _submit(client: httpx.Client) -> httpx.Response:
    return client.post("/v1/jobs", files={"audio": ("a.wav", GOOD)})


def _ended(client: httpx.Client, job: str) -> str:
    for _ in range(1_000):
        state: str = client.get(f"/v1/jobs/{job}").json()["state"]
        if state in ("succeeded", "failed"):
            return state
        time.sleep(0.01)
    raise AssertionError(state)


@pytest.mark.parametrize("damage", [_nonsense, _empty, _half, _deleted, _folder_deleted])
def test_readiness_tells_recognition_goes_on_and_new_jobs_work(
    app: FastAPI,
    client: httpx.Client,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[Path], None],
) -> None:
    monkeypatch.setattr(logging.getLogger("emoscope"), "propagate", True)
    old = _submit(client).json()["id"]
    assert _ended(client, old) == "succeeded"
    damage(tmp_path / "outputs" / FOLDER / "jobs.sqlite")

    if damage is _half:  # not of the schema, which readiness reads; pages are read every minute
        with suppress(ServiceError):  # unless the worker has met it
            app.state.jobs.check_table(thorough=True)
    told = client.get("/health/ready")
    assert (told.status_code, told.json()["code"]) == (503, "not_ready")
    assert "put aside" in told.json()["detail_en"]
    assert client.post("/predict", files={"audio": ("a.wav", GOOD)}).status_code == 200
    assert client.get("/health/ready").status_code == 200
    assert client.get(f"/v1/jobs/{old}").json()["code"] == "job_not_found"
    assert _ended(client, _submit(client).json()["id"]) == "succeeded"
    assert "emoscope_jobs_databases_damaged_total 1.0" in client.get("/metrics").text
    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    aside = list((tmp_path / "outputs").glob(f"{FOLDER}-damaged-*"))
    if damage is _folder_deleted:
        assert aside == []
    else:
        assert str(aside[0]) in str(line.__dict__["fields"])


def test_a_request_that_meets_the_damage_is_told_to_come_again(tmp_path: Path) -> None:
    path = tmp_path / FOLDER / "jobs.sqlite"
    table = JobTable(path)
    for number in range(200):
        table.add("", RecognitionOptions(), [f"{number}.wav"] * 20, digest="1")
    _half(path)
    with table.database.reading() as db:
        db.execute("PRAGMA shrink_memory")

    with pytest.raises(ServiceError) as told:
        table.page(None, 0, 100)
    assert told.value.code == "jobs_damaged"
    assert table.page(None, 0, 100) == ([], 0)
    assert table.add("", RecognitionOptions(), ["a.wav"], digest="1").items[0].name == "a.wav"
    table.close()


def test_a_database_that_finds_no_room_says_so(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite then says that it cannot open the file, or has an I/O error."""

    def fail(_path: Path) -> sqlite3.Connection:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(database, "open_database", fail)
    assert _submit(client).json()["code"] == "store_failed"
    monkeypatch.setattr(database, "free_bytes", lambda _folder: 300_000)
    full = _submit(client)
    assert (full.status_code, full.json()["code"]) == (507, "store_full")


def test_where_no_database_can_be_had_jobs_are_refused_until_it_can(
    client: httpx.Client, tmp_path: Path
) -> None:
    assert _ended(client, _submit(client).json()["id"]) == "succeeded"
    folder = tmp_path / "outputs" / FOLDER
    folder.rename(tmp_path / "elsewhere")
    folder.write_text("in the way")

    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json()["code"]) == (503, "not_ready")
    refused = _submit(client)
    assert (refused.status_code, refused.json()["code"]) == (500, "store_failed")
    assert client.post("/predict", files={"audio": ("a.wav", GOOD)}).status_code == 200
    folder.unlink()
    client.get("/health/ready")
    assert client.get("/health/ready").status_code == 200
    assert _ended(client, _submit(client).json()["id"]) == "succeeded"
