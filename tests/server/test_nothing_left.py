"""What is deleted, or not to be kept, is nowhere on the disk: neither its bytes nor its name."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from emoscope.backends.fake_backend import FakeBackend
from emoscope.limits import UPLOAD
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.settings import load_settings
from serving import eventually, serving, start_command
from sounds import noise, wav

pytestmark = pytest.mark.process

SOUND = noise(2.0)
GOOD = wav(SOUND)
NAME = "patient-4711"
MARK = GOOD[1_000:1_064]
"""A piece of the samples, which no other file has."""


def traces(*folders: Path) -> list[Path]:
    """Files that hold a piece of the sound or the name, or are named so."""
    found = []
    for folder in folders:
        for path in folder.rglob("*"):
            data = path.read_bytes() if path.is_file() else b""
            if NAME in path.name or NAME.encode() in data or MARK in data:
                found.append(path)
    return found


def app_of(folder: Path, **settings: object):
    chosen = load_settings(outputs=folder / "outputs", keys=folder / "keys.json", **settings)
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=UPLOAD)
    return create_app(recognizer, RunStore(chosen.outputs, keep=chosen.store), chosen, page=False)


def submit(client: httpx.Client, count: int = 5) -> str:
    files = [("audio", (f"{NAME}-{number}.wav", GOOD)) for number in range(count)]
    return str(client.post("/v1/jobs", files=files).json()["id"])


def ended(client: httpx.Client, job: str) -> dict:
    for _ in range(6_000):
        reply = client.get(f"/v1/jobs/{job}").json()
        if reply["state"] in ("succeeded", "failed"):
            return dict(reply)
        time.sleep(0.01)
    raise AssertionError(reply)


def test_the_search_finds_what_is_kept(tmp_path: Path) -> None:
    with serving(app_of(tmp_path)) as url, httpx.Client(base_url=url, timeout=60) as client:
        ended(client, submit(client, 1))
        assert len(traces(tmp_path)) >= 3


def test_deleted_is_gone(tmp_path: Path) -> None:
    with serving(app_of(tmp_path)) as url, httpx.Client(base_url=url, timeout=60) as client:
        job = submit(client)
        end = ended(client, job)
        for recording in end["recordings"]:
            assert client.delete(f"/v1/recognitions/{recording['run']}").status_code == 204
        assert client.delete(f"/v1/jobs/{job}").status_code == 204
        assert traces(tmp_path) == []
    assert traces(tmp_path) == []


def test_a_server_that_keeps_nothing_keeps_no_results_of_jobs(tmp_path: Path) -> None:
    application = app_of(tmp_path, store="none")
    with serving(application) as url, httpx.Client(base_url=url, timeout=60) as client:
        job = submit(client)
        ended(client, job)
        assert client.get(f"/v1/jobs/{job}/results.zip").status_code == 200
        lines = client.get(f"/v1/jobs/{job}/results.jsonl").text.splitlines()
        assert len(lines) == 5
        eventually(lambda: client.get(f"/v1/jobs/{job}").status_code == 404)
        assert traces(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="no permissions of POSIX")
def test_everything_is_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with serving(app_of(tmp_path)) as url, httpx.Client(base_url=url, timeout=60) as client:
            reply = client.post(
                "/predict", files={"audio": ("a.wav", GOOD)}, data={"extract_embedding": "true"}
            )
            title = {"title": "monday"}
            assert client.put(
                f"/v1/recognitions/{reply.json()['run']}/title", json=title
            ).is_success
            job = submit(client)
            modes = {
                path.relative_to(tmp_path): path.stat().st_mode & 0o777
                for path in tmp_path.rglob("*")
            }
            ended(client, job)
    finally:
        os.umask(before)

    assert len(modes) > 6
    for path, mode in modes.items():
        assert mode in (0o600, 0o700), (path, oct(mode))


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_an_end_in_the_middle_of_an_upload_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: signal.Signals
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("EMOSCOPE_STORE", "none")
    for _ in range(2):  # and what a second start finds
        server, url = start_command(tmp_path, stderr=subprocess.DEVNULL)
        head, body = _half_of_a_form()
        try:
            address = httpx.URL(url)
            with socket.create_connection((address.host, address.port or 80)) as upload:
                upload.sendall(head + body)
                time.sleep(0.5)
                assert httpx.get(f"{url}/health/live").status_code == 200
                server.send_signal(ending)
                server.wait(30)
        finally:
            server.kill()
            server.wait(30)
            assert server.stdout is not None
            server.stdout.close()
        assert traces(temporary, tmp_path) == []
        assert [path for path in temporary.rglob("*") if path.is_file()] == []


def _half_of_a_form() -> tuple[bytes, bytes]:
    """Head and first 4 MB of a form of 8 MB: more than is held in memory."""
    head = (
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000000\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    )
    part = (
        b'--b\r\nContent-Disposition: form-data; name="audio"; filename="'
        + NAME.encode()
        + b'.wav"\r\n\r\n'
    )
    return head, part + (GOOD * (4_000_000 // len(GOOD)))
