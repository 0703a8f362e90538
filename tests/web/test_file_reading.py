"""No file of this machine can be read, and no address fetched, through the page.

Gradio mounted in another application does not check which paths a client names: ``/etc/passwd``
could be read in two requests. Every probe here goes to the real application twice: through the
front door, and to Gradio itself behind our allowlist, whose own check must hold as well.
"""

from __future__ import annotations

import http.server
import json
import os
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

import serving
from emoscope.web.guard import GradioAllowlist, has_file_object
from serving import GRADIO_WARNINGS, MAX_BYTES, Site
from sounds import sample, wav

pytestmark = [pytest.mark.process, *GRADIO_WARNINGS]

SECRET = b"canary-7f3a not for strangers"
READS = (
    "/gradio_api/file={path}",
    "/gradio_api/file/{path}",
    "/file={path}",
    "/gradio_api/file=../../../../../..{path}",
    "/gradio_api/proxy=file://{path}",
    "/static/../../../../../..{path}",
    "/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e{path}",
    "/assets/%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e{path}",
    "/svelte/%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e{path}",
    "/outputs/..{path}",
    "/page/samples/..%2f..%2f{path}",
    "/page/batch.zip?runs=../..{path}",
)
JOIN = "/gradio_api/queue/join"
CALLS = (JOIN, "/gradio_api/run/predict", "/gradio_api/api/predict", "/gradio_api/call/answer_one")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that was not uploaded."""
    path = tmp_path / "secret.txt"
    path.write_bytes(SECRET)
    return path


@pytest.fixture(scope="module")
def unguarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same application with its allowlist taken away."""
    with serving.site(tmp_path_factory.mktemp("unguarded") / "outputs") as running:
        mounted: Any = running.app.routes[-1]
        assert isinstance(mounted.app, GradioAllowlist)
        mounted.app = mounted.app._app
        yield running


@pytest.fixture(params=["front door", "behind the allowlist"])
def door(request: pytest.FixtureRequest, site: Site) -> Site:
    """Every test that takes it runs on both."""
    if request.param == "front door":
        return site
    return cast(Site, request.getfixturevalue("unguarded"))


@pytest.fixture
def canary() -> Iterator[tuple[str, list[str]]]:
    """A web server on this machine, and which of its addresses were fetched."""
    fetched: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fetched.append(self.path)
            self.send_response(HTTPStatus.FOUND if "redirect" in self.path else HTTPStatus.OK)
            self.send_header("Location", "/inner")
            self.end_headers()
            self.wfile.write(SECRET)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", fetched
    server.shutdown()
    server.server_close()
    thread.join(5)


def file_object(path: str) -> dict[str, Any]:
    return {"path": path, "url": path, "meta": {"_type": "gradio.FileData"}}


def questions(path: str) -> list[object]:
    """Every shape in which a path can be put into a question."""
    source = {"name": "x.wav", "path": path}
    return [
        file_object(path),
        [file_object(path)],
        {"sources": [file_object(path)]},
        {"sources": [{**source, **file_object(path)}]},
        {"sources": [source]},
        {"sources": [{"name": "x.wav", "sample": path}]},
    ]


def ask(client: httpx.Client, question: object, address: str = JOIN) -> str:
    """Put a question to the queue and return all that comes back."""
    said = ""
    for number in (0, 1, 2, 3):
        session = f"probe{number}"
        body = {"data": [question], "fn_index": number, "session_hash": session}
        reply = client.post(address, json=body)
        said += reply.text
        if address == JOIN and reply.is_success and "event_id" in reply.json():
            data = client.get(f"/gradio_api/queue/data?session_hash={session}")
            assert data.is_success
            said += data.text
    return said


def copies(folder: Path) -> list[Path]:
    """Files in the upload folder with the secret in them."""
    return [p for p in folder.rglob("*") if p.is_file() and SECRET in p.read_bytes()]


def uploads() -> Path:
    return Path(os.environ["GRADIO_TEMP_DIR"])


@pytest.mark.parametrize("address", READS)
def test_no_address_reads_a_file(door: Site, secret: Path, address: str) -> None:
    reply = door.client.get(address.format(path=secret))

    assert SECRET not in reply.content
    assert reply.status_code >= 400


@pytest.mark.parametrize("address", CALLS)
def test_no_question_copies_a_file_to_where_it_can_be_read(
    door: Site, secret: Path, address: str
) -> None:
    before = door.runs()

    for question in questions(str(secret)):
        assert SECRET.decode() not in ask(door.client, question, address)

    assert copies(uploads()) == []
    assert secret.read_bytes() == SECRET
    assert door.runs() == before


def test_a_real_recording_that_was_not_uploaded_is_not_recognized(
    door: Site, tmp_path: Path
) -> None:
    before = door.runs()
    path = tmp_path / "private.wav"
    path.write_bytes(wav(sample("happy_zh.wav")))

    said = ask(door.client, {"sources": [{"name": "x.wav", "path": str(path)}]})

    assert "source_not_found" in said
    assert path.exists()
    assert door.runs() == before


@pytest.mark.parametrize("where", ["/plain", "/redirect"])
def test_no_address_is_fetched(door: Site, canary: tuple[str, list[str]], where: str) -> None:
    address, fetched = canary

    for question in questions(address + where):
        ask(door.client, question)
    door.client.get(f"/gradio_api/file={address}{where}", follow_redirects=False)
    door.client.get(f"/gradio_api/proxy={address}{where}", follow_redirects=False)

    assert fetched == []
    assert copies(uploads()) == []


def test_an_uploaded_recording_is_recognized_through_the_same_queue(door: Site) -> None:
    """The probes above would pass on a page that does nothing; this is the way that works."""
    before = door.runs()
    body = {"files": ("abc", wav(sample("happy_zh.wav")))}
    (path,) = door.client.post("/gradio_api/upload", files=body).json()

    said = ask(door.client, {"sources": [{"name": "x.wav", "path": path}]})

    assert "emo-headline" in said
    assert len(door.runs() - before) == 1
    assert not Path(path).exists()


def test_uploads_cannot_be_fetched_back(site: Site) -> None:
    (path,) = site.client.post("/gradio_api/upload", files={"files": ("abc", SECRET)}).json()

    assert site.client.get(f"/gradio_api/file={path}").status_code == HTTPStatus.NOT_FOUND

    Path(path).unlink()


def test_uploads_are_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    large = site.client.post(
        "/gradio_api/upload", files={"files": ("x", b"0" * (MAX_BYTES + 9999))}
    )
    assert large.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    chunked = site.client.post("/gradio_api/upload", content=iter([b"0" * 10]))
    assert chunked.status_code == HTTPStatus.LENGTH_REQUIRED

    monkeypatch.setattr("emoscope.web.guard._UPLOADS_MAX", 0)
    full = site.client.post("/gradio_api/upload", files={"files": ("x", b"0")})
    assert full.status_code == HTTPStatus.INSUFFICIENT_STORAGE


@pytest.mark.parametrize(
    "address",
    [
        "/login",
        "/monitoring",
        "/gradio_api/token",
        "/gradio_api/runs",
        "/gradio_api/run-history/buckets",
        "/gradio_api/component_server",
        "/gradio_api/dev/reload",
        "/gradio_api/deep_link",
    ],
)
def test_what_the_page_does_not_use_is_not_there(site: Site, address: str) -> None:
    assert site.client.get(address).status_code == HTTPStatus.NOT_FOUND
    assert site.client.post(address, json={}).status_code == HTTPStatus.NOT_FOUND


def test_file_objects_are_found_at_any_depth() -> None:
    assert has_file_object({"a": [{"b": file_object("x")}]})
    assert not has_file_object({"data": [{"sources": [{"name": "meta", "path": "url"}]}]})
    deep: object = file_object("x")
    for _ in range(900):
        deep = [deep]
    assert has_file_object(json.loads(json.dumps(deep)))


def test_a_websocket_is_refused(site: Site) -> None:
    client = TestClient(site.app.routes[-1].app)  # type: ignore[attr-defined]

    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/gradio_api/queue/join"):
        pass
