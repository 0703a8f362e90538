"""Every error that leaves the server is problem details, with the page and without it."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.backends.fake_backend import FakeBackend
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.server.http.schemas import PROBLEM_TYPE, Problem
from emoscope.settings import load_settings
from serving import serving, site, start_command
from sounds import noise, wav

pytestmark = pytest.mark.process

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
GOOD = wav(noise(0.5))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, httpx.Client]]:
    """A client of a server with the page, under True, and of one without it, under False."""
    outputs = tmp_path_factory.mktemp("problems")
    settings = load_settings(outputs=outputs / "without")
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    bare = create_app(recognizer, RunStore(settings.outputs), settings, page=False)
    with (
        serving(bare) as url,
        httpx.Client(base_url=url, timeout=60) as client,
        site(outputs / "with") as paged,
    ):
        yield {True: paged.client, False: client}


def check(reply: httpx.Response, code: str | None = None) -> None:
    """It is a problem with the headers of every reply."""
    assert reply.headers["content-type"] == PROBLEM_TYPE
    assert reply.headers["x-request-id"]
    assert reply.headers["x-content-type-options"] == "nosniff"
    if reply.request.method != "HEAD":
        problem = Problem.model_validate(reply.json())
        assert problem.status == reply.status_code
        assert code in (None, problem.code)
        assert problem.detail_zh != problem.detail_en
    if reply.status_code == 405:
        assert reply.headers["allow"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/predict", "POST"),
        ("/v1/recognitions", "GET, POST"),
        ("/v1/recognitions/x", "DELETE, GET"),
        ("/v1/recognitions/x/files/y", "GET"),
        ("/outputs/x/y", "GET"),
        ("/v1/jobs", "GET, POST"),
        ("/v1/jobs/x", "DELETE, GET"),
        ("/v1/jobs/x/cancel", "POST"),
        ("/v1/jobs/x/events", "GET"),
        ("/v1/models", "GET"),
        ("/health", "GET"),
        ("/metrics", "GET"),
        ("/openapi.json", "GET, HEAD"),
    ],
)
@pytest.mark.parametrize("with_page", [True, False])
def test_a_method_that_an_address_does_not_take_is_405(
    pages, with_page: bool, path: str, allowed: str
) -> None:
    for method in METHODS:
        if method in allowed:
            continue
        reply = pages[with_page].request(method, path)
        assert (reply.status_code, reply.headers.get("allow")) == (405, allowed), method
        check(reply, "method_not_allowed")


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/v1/jobs/",
        "/predict/",
        "/predict/nothing",
        "/v1/stream",
        "/health/nothing",
        "/outputs",
        "/outputs/a/b/c",
        "/outputs/a%2fb/c",
        "/docs",
        "/%00",
        "/page/nothing",
        "/static/nothing.js",
        "/static/predict",
        "/assets/nothing.js",
        "/gradio_api/nothing",
        "/gradio_api/heartbeat/",
        "/login",
    ],
)
@pytest.mark.parametrize("with_page", [True, False])
def test_an_unknown_address_is_404_for_programs_and_browsers(
    pages, with_page: bool, path: str
) -> None:
    for accept in ("*/*", "application/json", "text/html,application/xhtml+xml"):
        reply = pages[with_page].get(path, headers={"accept": accept})
        assert reply.status_code == 404
        check(reply, "route_not_found")
    for method in METHODS:
        reply = pages[with_page].request(method, path)
        assert reply.status_code in (404, 405), method  # 405 where another name would be a file
        check(reply)


@given(
    st.lists(
        st.sampled_from(
            ["v1", "jobs", "recognitions", "x", "files", "predict", "page", "runs", "", ".", "..",
             "gradio_api", "queue", "join", "%2f", "assets", "timeline", "health", "\u00e9"]
        ),
        max_size=5,
    ),
    st.sampled_from(METHODS),
)  # fmt: skip
def test_any_error_of_any_address_is_a_problem(pages, parts: list[str], method: str) -> None:
    for client in pages.values():
        reply = client.request(method, "/" + "/".join(parts), headers={"content-length": "0"})
        if reply.status_code >= 400:
            check(reply)


@pytest.mark.parametrize("with_page", [True, False])
def test_invalid_parameters_are_problems(pages, with_page: bool) -> None:
    client = pages[with_page]

    for address in ("/v1/recognitions?count=x", "/v1/jobs?first=-1"):
        reply = client.get(address)
        assert reply.status_code == 422
        check(reply, "field_invalid")
    reply = client.get("/v1/jobs/x/results.txt")
    assert reply.status_code == 422
    check(reply)


def test_a_range_that_is_none_is_a_problem(pages) -> None:
    link = pages[False].post("/predict", files={"audio": ("a.wav", GOOD)}).json()["files"]
    address = link["processed_audio.wav"]
    size = len(pages[False].get(address).content)

    beyond = pages[False].get(address, headers={"range": "bytes=999999999-"})
    no_range = pages[False].get(address, headers={"range": "bytes=first-last"})

    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{size}"
    assert str(size) in beyond.json()["detail_en"]
    check(beyond, "range_refused")
    assert no_range.status_code in (400, 416)
    check(no_range)


def test_errors_of_the_page_are_problems(pages) -> None:
    client = pages[True]
    for method, address, more, status, code in (
        ("DELETE", "/", {}, 405, "method_not_allowed"),
        ("GET", "/static/nothing.js", {}, 404, "route_not_found"),
        ("GET", "/page/result/x", {}, 404, "run_not_found"),
        ("GET", "/page/compare", {}, 422, "field_invalid"),
        ("PUT", "/v1/recognitions/x/title", {"content": b"{"}, 400, "request_malformed"),
        (
            "PUT",
            "/v1/recognitions/x/title",
            {"content": bytes(8_000_001)},
            413,
            "request_too_large",
        ),
    ):
        reply = client.request(method, address, **more)
        assert reply.status_code == status, address
        check(reply, code)


def test_a_bug_is_a_problem_with_the_headers_of_every_reply(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load_settings(outputs=tmp_path / "outputs")
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    app = create_app(recognizer, RunStore(settings.outputs), settings, page=False)

    @app.get("/bug")
    def bug() -> None:
        raise RuntimeError("a bug")

    with (
        serving(app) as url,
        httpx.Client(base_url=url) as client,
        caplog.at_level(logging.ERROR),
    ):
        reply = client.get("/bug?secret=1", headers={"x-request-id": "here"})

    assert (reply.status_code, reply.headers["x-request-id"]) == (500, "here")
    check(reply, "internal")
    assert "a bug" not in reply.text
    (record,) = caplog.records
    assert record.getMessage() == "GET /bug failed"
    assert record.exc_info is not None


def until_ready(url: str) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"{url}/health/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the server did not start")


def test_what_is_no_http_is_a_problem(tmp_path: Path) -> None:
    """The real command: uvicorn answers before there is an application to ask."""
    server, url = start_command(tmp_path, stderr=subprocess.DEVNULL)
    try:
        host, port = url.removeprefix("http://").split(":")
        until_ready(url)
        for said in (
            b"HELLO\r\n\r\n",
            b"GET /health HTTP/1.1\r\n\r\n",
            b"GET /health HTTP/1.1\r\nHost: localhost\r\nCookie: " + b"x" * 200_000,
            b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        ):
            with socket.create_connection((host, int(port)), timeout=30) as line:
                line.sendall(said)
                reply = http.client.HTTPResponse(line)
                reply.begin()
                problem = Problem.model_validate_json(reply.read())
            assert (reply.status, reply.headers["content-type"]) == (400, PROBLEM_TYPE)
            assert problem.code == "request_malformed"
        assert httpx.get(f"{url}/health").status_code == 200
    finally:
        server.kill()
        server.communicate()


def test_the_document_and_the_reply_agree_on_the_media_type(pages) -> None:
    document = pages[True].get("/openapi.json").json()

    for path in ("/predict", "/v1/recognitions", "/v1/jobs"):
        said = document["paths"][path]["post"]
        assert {"audio/*", "video/*"} <= set(said["requestBody"]["content"]) or path == "/predict"
        for status in ("400", "413", "415", "422"):
            assert PROBLEM_TYPE in said["responses"][status]["content"]
    for path, limit in (("/v1/recognitions", 50_000_000), ("/v1/jobs", 500_000_000)):
        body = json.dumps(document["paths"][path]["post"]["requestBody"])
        assert body.count(f"{limit} bytes") == 1
