"""``/v1/jobs``: accepted means answered, whatever happens in between."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from emoscope.backends.fake_backend import FakeBackend
from emoscope.limits import UPLOAD
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.server.jobs.reply import JobListReply, JobReply
from emoscope.server.jobs.table import JobTable
from emoscope.server.jobs.worker import FOLDER
from emoscope.server.service import RecognitionOptions
from emoscope.settings import load_settings
from serving import HeldBackend, serving, start_command
from serving import eventually as soon_true
from sounds import noise, sample, wav

pytestmark = pytest.mark.process

GOOD = wav(sample("happy_zh.wav"))
SHORT = wav(noise(0.5))
BAD = b"This is not music.\n" * 20


def app_of(outputs: Path, backend: FakeBackend | None = None, **settings: object):
    recognizer = Recognizer(
        backend or FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=UPLOAD
    )
    chosen = load_settings(outputs=outputs, **settings)
    store = RunStore(outputs, keep=chosen.store)
    return create_app(recognizer, store, chosen, page=False)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    with (
        serving(app_of(tmp_path / "outputs")) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        yield client


eventually = partial(soon_true, patience_s=15.0)


def submit(client: httpx.Client, *names: str, data: bytes = SHORT, **more) -> httpx.Response:
    files = [("audio", (name, BAD if name.startswith("bad") else data)) for name in names]
    return client.post("/v1/jobs", files=files, **more)


def ended(client: httpx.Client, job: str) -> dict:
    for _ in range(3_000):
        reply = client.get(f"/v1/jobs/{job}").json()
        if reply["state"] in ("succeeded", "failed", "cancelled"):
            return reply
        time.sleep(0.01)
    raise AssertionError(reply)


def test_a_job_is_accepted_worked_off_and_its_recordings_are_not_kept(
    client: httpx.Client, tmp_path: Path
) -> None:
    accepted = submit(client, "a.wav", "bad.mp3", "c.wav", data=GOOD)

    assert accepted.status_code == 202
    JobReply.model_validate(accepted.json())
    job = accepted.json()["id"]
    assert accepted.headers["location"] == f"/v1/jobs/{job}"
    end = ended(client, job)
    JobReply.model_validate(end)
    assert (end["state"], end["succeeded"], end["failed"]) == ("succeeded", 2, 1)
    assert end["progress"] == 1.0
    assert end["recordings"][1]["problem"]["code"] == "audio_not_recognized"
    assert client.get(f"/v1/recognitions/{end['recordings'][0]['run']}").status_code == 200
    eventually(lambda: not (tmp_path / "outputs" / FOLDER / job).exists())


def test_what_came_of_it_as_lines_a_table_and_a_zip(client: httpx.Client) -> None:
    job = submit(client, "a.wav", "bad.mp3").json()["id"]
    end = ended(client, job)

    lines = client.get(f"/v1/jobs/{job}/results.jsonl").text.splitlines()
    rows = list(csv.DictReader(io.StringIO(client.get(f"/v1/jobs/{job}/results.csv").text)))
    archive = zipfile.ZipFile(io.BytesIO(client.get(f"/v1/jobs/{job}/results.zip").content))

    assert [json.loads(line)["name"] for line in lines] == ["a.wav", "bad.mp3"]
    assert [row["error"] for row in rows] == ["", "audio_not_recognized"]
    run = end["recordings"][0]["run"]
    assert {"summary.csv", f"{run}/result.json"} <= set(archive.namelist())
    assert client.get(f"/v1/jobs/{job}/results.exe").status_code == 422
    client.delete(f"/v1/recognitions/{run}")
    gone = json.loads(client.get(f"/v1/jobs/{job}/results.jsonl").text.splitlines()[0])
    assert gone["error"]["code"] == "run_not_found"
    assert client.get(f"/v1/jobs/{job}/results.zip").status_code == 200


def test_a_job_of_bad_recordings_has_failed(client: httpx.Client) -> None:
    end = ended(client, submit(client, "bad.mp3", "bad.wav").json()["id"])

    assert (end["state"], end["failed"]) == ("failed", 2)


def test_without_keeping_runs_the_results_are_the_jobs_own(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    with (
        serving(app_of(outputs, store="none")) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        job = submit(client, "a.wav").json()["id"]
        end = ended(client, job)
        (line,) = client.get(f"/v1/jobs/{job}/results.jsonl").text.splitlines()

    assert end["recordings"][0]["run"] is None
    assert json.loads(line)["emotion"]
    assert [path.name for path in outputs.iterdir()] == [FOLDER]


def test_the_same_key_is_the_same_job(client: httpx.Client) -> None:
    key = {"idempotency-key": "monday-1"}

    first = submit(client, "a.wav", headers=key)
    again = submit(client, "a.wav", headers=key)
    other = submit(client, "b.wav", headers=key)
    fresh = submit(client, "a.wav")

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["id"] == first.json()["id"] != fresh.json()["id"]
    assert other.status_code == 409
    assert other.json()["code"] == "idempotency_conflict"


def test_jobs_are_followed_listed_and_forgotten(client: httpx.Client) -> None:
    ids = [submit(client, f"{number}.wav").json()["id"] for number in range(3)]

    with client.stream("GET", f"/v1/jobs/{ids[2]}/events") as stream:
        events = [json.loads(line) for line in stream.iter_lines()]
    page = client.get("/v1/jobs", params={"count": 2}).json()
    JobListReply.model_validate(page)

    assert events[-1]["state"] == "succeeded"
    assert [job["id"] for job in page["jobs"]] == ids[:0:-1]
    assert (page["total"], page["next"]) == (3, 2)
    assert client.delete(f"/v1/jobs/{ids[2]}").status_code == 204
    for address in (ids[2], "job_x", "..%2f.."):
        assert client.get(f"/v1/jobs/{address}").status_code == 404


def test_a_job_can_be_cancelled_waiting_or_running(tmp_path: Path) -> None:
    backend = HeldBackend()
    outputs = tmp_path / "outputs"
    with (
        serving(app_of(outputs, backend, jobs_waiting=2)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        backend.let_go.clear()
        running = submit(client, "a.wav", "b.wav").json()["id"]
        waiting = submit(client, "c.wav").json()["id"]
        eventually(lambda: client.get(f"/v1/jobs/{running}").json()["state"] == "running")
        busy = submit(client, "d.wav")
        assert client.delete(f"/v1/jobs/{running}").json()["code"] == "job_state"
        replies = [client.post(f"/v1/jobs/{job}/cancel").json() for job in (waiting, running)]
        backend.let_go.set()
        end = ended(client, submit(client, "e.wav").json()["id"])

        assert busy.status_code == 503
        assert int(busy.headers["retry-after"]) > 0
        assert [reply["state"] for reply in replies] == ["cancelled", "cancelled"]
        recordings = [one["state"] for reply in replies for one in reply["recordings"]]
        assert recordings == ["cancelled"] * 3
        assert end["state"] == "succeeded"
        left = client.get(f"/v1/jobs/{running}").json()
        assert left["succeeded"] == 0
        assert [item["state"] for item in left["recordings"]] == ["cancelled", "cancelled"]
        assert client.post(f"/v1/jobs/{running}/cancel").status_code == 409
    assert [path.name for path in (outputs / FOLDER).iterdir() if path.is_dir()] == []


def test_a_stopped_server_goes_on_where_it_was(tmp_path: Path) -> None:
    backend = HeldBackend()
    outputs = tmp_path / "outputs"
    with (
        serving(app_of(outputs, backend)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        backend.let_go.clear()
        job = submit(client, "a.wav", "b.wav").json()["id"]
        eventually(lambda: client.get(f"/v1/jobs/{job}").json()["state"] == "running")
        threading.Timer(0.5, backend.let_go.set).start()
    (outputs / FOLDER / "job_leftover").mkdir()

    with serving(app_of(outputs)) as url, httpx.Client(base_url=url, timeout=60) as client:
        end = ended(client, job)

    assert (end["state"], end["succeeded"]) == ("succeeded", 2)
    assert not (outputs / FOLDER / "job_leftover").exists()

    eventually(lambda: not (outputs / FOLDER / job).exists())
    (outputs / FOLDER / job).mkdir()  # as after a kill between the end and the clearing away
    with serving(app_of(outputs)) as url, httpx.Client(base_url=url, timeout=60) as client:
        assert client.get(f"/v1/jobs/{job}").json()["state"] == "succeeded"
        assert not (outputs / FOLDER / job).exists()


def test_a_long_recording_goes_on_at_the_window_where_the_server_stopped(tmp_path: Path) -> None:
    outputs, first, second = tmp_path / "outputs", HeldBackend(), FakeBackend()
    with (
        serving(app_of(outputs, first)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        job = submit(client, "long.wav", data=wav(noise(130.0))).json()["id"]
        eventually(lambda: len(first.batches) >= 3)
        first.let_go.clear()
        threading.Timer(0.5, first.let_go.set).start()
    with serving(app_of(outputs, second)) as url, httpx.Client(base_url=url) as client:
        end = ended(client, job)

    assert (end["state"], end["succeeded"]) == ("succeeded", 1)
    both = len(first.batches) + len(second.batches)
    assert both == 2 + 13  # each server warmed up once; the thirteen windows were heard once
    assert len(second.batches) > 1
    (name,) = RunStore(outputs).names()
    assert RunStore(outputs).open(name).result.duration_s == 130.0


@pytest.mark.parametrize("kills", [3, pytest.param(200, marks=pytest.mark.slow)])
def test_a_killed_server_loses_no_accepted_job(tmp_path: Path, kills: int) -> None:
    """Killed at odd moments under load: nothing torn, every accepted job ends."""
    outputs, accepted = tmp_path / "outputs", []
    for number in range(kills):
        with _command(tmp_path) as (server, client):
            for clip in range(4):
                reply = submit(client, f"{number}-{clip}.wav", "bad.mp3", data=GOOD)
                assert reply.status_code in (202, 503)  # what is refused was never taken
                if reply.status_code == 202:
                    accepted.append(reply.json()["id"])
                time.sleep((number * 7 + clip * 3) % 11 / 200)
            server.send_signal(signal.SIGKILL)
    with _command(tmp_path) as (server, client):
        ends = [ended(client, job) for job in accepted]
        server.send_signal(signal.SIGTERM)
        server.wait(30)

    assert len(accepted) >= 4
    assert [(end["state"], end["succeeded"], end["failed"]) for end in ends] == [
        ("succeeded", 1, 1)
    ] * len(accepted)
    store = RunStore(outputs)
    assert store.names()
    for name in store.names():
        assert store.open(name).result.emotion
    assert [path.name for path in (outputs / FOLDER).iterdir() if path.is_dir()] == []


class _command:  # noqa: N801 - read as a verb
    """The real server with the compact model, killed at the end if it still runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> tuple[subprocess.Popen[str], httpx.Client]:
        self._server, url = start_command(self._folder, stderr=subprocess.DEVNULL)
        self._client = httpx.Client(base_url=url, timeout=60)
        eventually(self._ready)
        return self._server, self._client

    def __exit__(self, *_exception: object) -> None:
        self._client.close()
        if self._server.poll() is None:
            self._server.kill()
        self._server.wait(30)
        assert self._server.stdout is not None
        self._server.stdout.close()

    def _ready(self) -> bool:
        try:
            return self._client.get("/health/ready").status_code == 200
        except httpx.ConnectError:
            return False


def test_the_table_keeps_its_promises(tmp_path: Path) -> None:
    now = [100.0]
    path = tmp_path / "jobs" / "jobs.sqlite"
    table = JobTable(path, now=lambda: now[0])
    first = table.add("ann", RecognitionOptions("frame", embedding=True), ["a", "b"], digest="1")
    second = table.add("bob", RecognitionOptions(), ["c"], digest="2", idempotency="k")
    now[0] = 200.0

    assert table.following().id == first.id
    table.succeeded(first.id, 0, "outputs_20240101_000000", None)
    table.failed(first.id, 1, "audio_silent", {"peak_dbfs": -90.0})
    assert table.end(first.id, "succeeded")
    assert not table.end(first.id, "cancelled")
    table.close()
    table = JobTable(path, now=lambda: now[0])
    back = table.get(first.id)
    assert (back.state, back.started_s, back.ended_s) == ("succeeded", 200.0, 200.0)
    assert back.options == RecognitionOptions("frame", embedding=True)
    assert back.items[1].data == {"peak_dbfs": -90.0}
    assert table.asked_before("bob", "k") == second
    assert table.asked_before("ann", "k") is None
    assert table.following().id == second.id
    assert table.page("bob", 0, 10)[1] == 1
    assert table.page(None, 0, 1)[0][0].id == second.id
    assert table.ids(ended_before_s=201) == {first.id}
    table.remove(first.id)
    assert table.ids() == {second.id}
    table.close()
