"""Slow clients, clients that go away, full queues, and the end of a server."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from emoscope.limits import UPLOAD
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.settings import load_settings
from serving import HeldBackend, eventually, serving
from sounds import noise, wav

pytestmark = pytest.mark.process

GOOD = wav(noise(0.5))


def held_app(outputs: Path, **settings: object):
    backend = HeldBackend()
    recognizer = Recognizer(backend, ModelRef("fake", "1", "0" * 64), limits=UPLOAD)
    chosen = load_settings(outputs=outputs, **settings)
    return backend, create_app(recognizer, RunStore(outputs), chosen, page=False)


def post(client: httpx.Client) -> httpx.Response:
    return client.post("/predict", files={"audio": ("a.wav", GOOD)})


def test_a_full_queue_is_503_with_a_time_to_come_back(tmp_path: Path) -> None:
    backend, app = held_app(tmp_path / "outputs", queue_size=2, requests_at_once=1)
    admission = app.state.service.admission
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        backend.let_go.clear()
        with ThreadPoolExecutor(3) as pool:
            accepted = [pool.submit(post, client) for _ in range(3)]
            eventually(lambda: admission.working + admission.waiting == 3)
            refused = post(client)
            live = client.get("/health/live")
            backend.let_go.set()

        assert refused.status_code == 503
        assert refused.json()["code"] == "server_busy"
        assert int(refused.headers["retry-after"]) >= 1
        assert live.status_code == 200
        assert [reply.result().status_code for reply in accepted] == [200, 200, 200]


def test_a_deadline_is_504_and_writes_nothing(tmp_path: Path) -> None:
    backend, app = held_app(tmp_path / "outputs", requests_at_once=1, deadline_s=0.2)
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        backend.let_go.clear()
        with ThreadPoolExecutor(2) as pool:
            replies = [pool.submit(post, client) for _ in range(2)]
            eventually(lambda: any(reply.done() for reply in replies))
            backend.let_go.set()

        assert [reply.result().json()["code"] for reply in replies] == ["deadline_exceeded"] * 2
        assert {reply.result().status_code for reply in replies} == {504}
        assert list((tmp_path / "outputs").glob("*")) == []
        backend.let_go.set()


def test_a_client_that_goes_while_it_waits_frees_its_place(tmp_path: Path) -> None:
    backend, app = held_app(tmp_path / "outputs", requests_at_once=1)
    admission = app.state.service.admission
    with serving(app) as url:
        backend.let_go.clear()
        lines = [_sent(url) for _ in range(3)]
        eventually(lambda: admission.working + admission.waiting == 3)
        for line in lines:
            line.close()
        eventually(lambda: admission.waiting == 0)
        backend.let_go.set()
        eventually(lambda: admission.working == 0)
        assert list((tmp_path / "outputs").glob("outputs_*")) == []


def _sent(url: str) -> socket.socket:
    """A complete request whose reply is not read."""
    body = (
        b'--x\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
        + GOOD
        + b"\r\n--x--\r\n"
    )
    host, port = url.removeprefix("http://").split(":")
    line = socket.create_connection((host, int(port)))
    line.sendall(
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n"
        + f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    return line


def test_uploads_that_crawl_do_not_hold_up_the_honest(tmp_path: Path) -> None:
    _, app = held_app(
        tmp_path / "outputs", upload_grace_s=3.0, upload_min_bytes_per_s=1e6, queue_size=1
    )
    uploads = app.state.service.uploads
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        host, port = url.removeprefix("http://").split(":")
        crawling = []
        for _ in range(50):
            line = socket.create_connection((host, int(port)))
            line.sendall(
                b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
                b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
            )
            crawling.append(line)
        eventually(lambda: uploads.coming == 50)
        assert [post(client).status_code for _ in range(5)] == [200] * 5
        answers = []
        for line in crawling:
            line.settimeout(30)
            answers.append(line.recv(4096))
            line.close()

        assert all(b"408" in answer.split(b"\r\n")[0] for answer in answers)
        eventually(lambda: uploads.coming == 0)


def test_uploads_that_break_off_are_no_fault_of_ours(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, app = held_app(tmp_path / "outputs")
    uploads = app.state.service.uploads
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        host, port = url.removeprefix("http://").split(":")
        for _ in range(30):
            with socket.create_connection((host, int(port))) as line:
                line.sendall(
                    b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
                    b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
                )
        assert post(client).status_code == 200
        eventually(lambda: uploads.coming == 0)

    assert caplog.records == []


def test_sigterm_answers_what_was_accepted_and_ends(tmp_path: Path) -> None:
    """The real command under load: every request that was taken gets its answer."""
    server = subprocess.Popen(
        [sys.executable, "-m", "emoscope", "serve", "--port", "0", "--no-page", "-m", "compact"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "EMOSCOPE_LANGUAGE": "en",
            "EMOSCOPE_REQUESTS_AT_ONCE": "1",
            "EMOSCOPE_DRAIN_S": "120",  # a busy machine is no fault
        },
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().split(": ", 1)[1].strip()
        long = wav(noise(40.0))
        with httpx.Client(base_url=url, timeout=120) as client, ThreadPoolExecutor(8) as pool:
            eventually(lambda: _ready(client))
            accepted = [
                pool.submit(client.post, "/predict", files={"audio": ("a.wav", long)})
                for _ in range(6)
            ]

            def all_taken() -> bool:
                now = client.get("/health/ready").json()
                done = sum(reply.done() for reply in accepted)
                return now["working"] + now["waiting"] + done >= 6

            eventually(all_taken)
            server.send_signal(signal.SIGTERM)
            if not all(reply.done() for reply in accepted[:-1]):
                late = _late(client)
                assert late is None or late.json()["code"] == "server_closing"
            statuses = [reply.result().status_code for reply in accepted]
        _, complaints = server.communicate(timeout=60)
    finally:
        if server.poll() is None:
            server.kill()
            server.communicate()

    assert statuses == [200] * 6
    assert "Traceback" not in complaints
    assert server.returncode in (0, -signal.SIGTERM)
    runs = [path for path in (tmp_path / "outputs").iterdir() if path.name.startswith("outputs_")]
    assert len(runs) == 6
    assert all(json.loads((run / "result.json").read_text("utf-8")) for run in runs)


def _late(client: httpx.Client) -> httpx.Response | None:
    """Ask a server that ends; it may have ended already."""
    try:
        eventually(lambda: client.get("/health/ready").status_code == 503)
        return post(client)
    except httpx.TransportError:
        return None


def _ready(client: httpx.Client) -> bool:
    try:
        return client.get("/health/ready").status_code == 200
    except httpx.ConnectError:
        return False


def test_the_page_shares_the_gate_and_the_decoders(tmp_path: Path) -> None:
    """Gradio puts its own start and end around ours; ours must still be called."""
    from serving import site

    with site(tmp_path / "outputs") as running:
        service = running.app.state.service
        assert len(service.decoders.pids()) == 2
        assert post(running.client).status_code == 200
    assert service.decoders.pids() == []
