"""No file of this machine can be read, and no address fetched, through the page and its routes."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from serving import Site

pytestmark = pytest.mark.process

SECRET = b"canary-7f3a not for strangers"
READS = (
    "/static/../../../../../..{path}",
    "/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e{path}",
    "/static/..%2f..%2f..%2f..%2f..%2f..{path}",
    "/static/{path}",
    "/outputs/..{path}",
    "/r/..%2f..{path}",
    "/timeline?run=../..{path}",
    "/page/result/..%2f..{path}",
    "/page/compare?one=../..{path}&other=../..{path}",
    "/v1/samples/..%2f..{path}",
    "/v1/samples/%2e%2e%2f%2e%2e{path}",
    "/v1/recognitions.zip?runs=../..{path}",
    "/v1/recognitions/x/exports/..%2f..{path}",
    "/v1/recognitions/..%2f..{path}/curve",
)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that was not uploaded."""
    path = tmp_path / "secret.txt"
    path.write_bytes(SECRET)
    return path


@pytest.fixture
def canary() -> Iterator[tuple[str, list[str]]]:
    """A web server on this machine, and which of its addresses were fetched."""
    fetched: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fetched.append(self.path)
            self.send_response(HTTPStatus.OK)
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


@pytest.mark.parametrize("address", READS)
def test_no_address_reads_a_file(site: Site, secret: Path, address: str) -> None:
    reply = site.client.get(address.format(path=secret))

    assert SECRET not in reply.content
    assert reply.status_code >= 400


def test_a_name_of_a_file_or_an_address_is_no_recording(
    site: Site, secret: Path, canary: tuple[str, list[str]]
) -> None:
    address, fetched = canary
    before = site.runs()
    for name in (str(secret), f"file://{secret}", f"{address}/plain"):
        for request in (
            {"data": {"audio": name}},
            {"files": {"audio": ("x.wav", name.encode())}},
            {"json": {"recordings": [{"audio": name, "name": "x.wav"}]}},
            {"json": {"recordings": [{"audio": "AAAA", "url": name}]}},
        ):
            reply = site.client.post("/v1/recognitions", **request)  # type: ignore[arg-type]
            assert reply.status_code >= 400
            assert SECRET not in reply.content

    assert fetched == []
    assert site.runs() == before
