"""A server on 127.0.0.1 that behaves as the two hubs do, and misbehaves on request.

Also a program, to see a pull without the internet:

    python tests/hub_server.py FOLDER [PORT]

serves the official files in FOLDER for every repository and revision; point ``HF_ENDPOINT`` or
``EMOSCOPE_MODELSCOPE_ENDPOINT`` at the address that it prints.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from emoscope.models.catalog import LocalModel, ModelCard, file_sha256

COMMIT = "c0ffee" * 6 + "c0ff"
NINE = (
    "生气/angry\n厌恶/disgusted\n恐惧/fearful\n开心/happy\n中立/neutral\n"
    "其他/other\n难过/sad\n吃惊/surprised\n<unk>"
)
FIVE = "生气/angry\nunuse_0\nunuse_1\n开心/happy\n中立/neutral\nunuse_2\n难过/sad\nunuse_3\n<unk>\n"
"""The file that some revisions on the hubs carry, byte for byte."""

Fault = Callable[["Request"], None]
"""Answers one request for one file in place of the server."""


@dataclass
class Hub:
    """What the server has, what it should do wrong, and what it was asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    """By file name; each request for the bytes of a file uses up one."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """File, Range and If-Range of every request for bytes, in order."""
    revisions: list[str] = field(default_factory=list)
    """Asked for, in order."""
    listed: bool = True
    """Whether ModelScope's list of files is there."""
    sent: int = 0
    """Bytes of bodies, in all."""
    url: str = ""

    def times(self, file: str) -> int:
        """How often the bytes of a file were asked for."""
        return sum(name == file for name, _, _ in self.asked)


class Request(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        """Answer as to GET, without the body: what huggingface_hub asks first."""
        path = unquote(urlsplit(self.path).path)
        match = re.fullmatch(r"/[^/]+/[^/]+/resolve/([^/]+)/(.+)", path)
        data = self.hub.files.get(match[2]) if match else None
        if data is None:
            self.say(404)
            return
        linked = {"X-Linked-ETag": f'"{hashlib.sha256(data).hexdigest()}"'}
        sizes = {"X-Linked-Size": str(len(data)), "X-Repo-Commit": COMMIT}
        # Under another name of this host: a storage server is not the hub, and is asked for bytes.
        storage = self.hub.url.replace("127.0.0.1", "localhost")
        where = {"Location": f"{storage}/storage/{match[2]}?signature=x"}
        self.start(302, 0, {**where, **linked, **sizes})

    def do_GET(self) -> None:
        """Find out which part of which hub is meant."""
        path = unquote(urlsplit(self.path).path)
        if path.startswith("/api/v1/models/"):
            self.listing()
        elif path.startswith("/storage/"):
            self.bytes_of(path.removeprefix("/storage/"))
        elif match := re.fullmatch(r"(/models)?/[^/]+/[^/]+/resolve/([^/]+)/(.+)", path):
            self.hub.revisions.append(match[2])
            self.resolve(match[3], is_modelscope=bool(match[1]))
        else:
            self.say(404)

    def resolve(self, file: str, *, is_modelscope: bool) -> None:
        """As the hubs do: small files at once, large ones by a redirect to a storage server."""
        data = self.hub.files.get(file)
        if data is None:
            self.say(404)
            return
        headers = {} if is_modelscope else {"X-Repo-Commit": COMMIT}
        if is_modelscope or file.endswith(".pt"):
            if not is_modelscope:
                headers["X-Linked-ETag"] = f'"{hashlib.sha256(data).hexdigest()}"'
                headers["X-Linked-Size"] = str(len(data))
            self.say(302, Location=f"/storage/{file}?signature=x", **headers)
        else:
            blob = f"blob {len(data)}\0".encode() + data
            git = hashlib.sha1(blob, usedforsecurity=False).hexdigest()
            self.bytes_of(file, ETag=f'"{git}"', **headers)

    def bytes_of(self, file: str, **headers: str) -> None:
        """Send a file, or the rest of it."""
        asked = self.headers.get("Range", ""), self.headers.get("If-Range", "")
        self.hub.asked.append((file, *asked))
        if faults := self.hub.faults[file]:
            faults.pop(0)(self)
            return
        self.send_file(self.hub.files[file], **headers)

    def send_file(self, data: bytes, *, cut_after: int | None = None, **headers: str) -> None:
        """Send with ranges; ``cut_after`` bytes of the body the connection is closed."""
        etag = etag_of(data)
        headers = {"ETag": etag, "Accept-Ranges": "bytes", **headers}
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        unchanged = self.headers.get("If-Range", etag) == headers["ETag"]
        start, status = 0, 200
        if match and unchanged:
            start, status = int(match[1]), 206
            if start >= len(data):
                self.say(416, **{"Content-Range": f"bytes */{len(data)}"})
                return
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self.start(status, len(data) - start, headers)
        body = data[start : None if cut_after is None else start + cut_after]
        self.hub.sent += len(body)
        self.wfile.write(body)
        if cut_after is not None:
            self.cut()

    def listing(self) -> None:
        """ModelScope's list of files."""
        if not self.hub.listed:
            self.say(404)
            return
        files = [
            {"Path": name, "Size": len(data), "Sha256": hashlib.sha256(data).hexdigest()}
            for name, data in self.hub.files.items()
        ]
        self.say(200, json.dumps({"Code": 200, "Data": {"Files": files}}).encode())

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer in one piece."""
        self.start(status, len(body), headers)
        self.wfile.write(body)

    def start(self, status: int, length: int, headers: dict[str, str]) -> None:
        """Send the head."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def cut(self) -> None:
        """Close the connection in the middle of a body."""
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Stay silent."""


def etag_of(data: bytes) -> str:
    """What the storage server calls these bytes."""
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def status(code: int, **headers: str) -> Fault:
    """Answer with a status and no file."""
    return lambda request: request.say(code, b"no", **headers)


def cut(after: int) -> Fault:
    """Break off after so many bytes."""
    return lambda request: request.send_file(request.hub.files[_name(request)], cut_after=after)


def other(data: bytes, **headers: str) -> Fault:
    """Send other bytes."""
    return lambda request: request.send_file(data, **headers)


def whole(request: Request) -> None:
    """Ignore the range that was asked for."""
    data = request.hub.files[_name(request)]
    request.say(200, data, ETag='"x"')


def compressed(request: Request) -> None:
    """Send gzip although identity was asked for."""
    data = gzip.compress(request.hub.files[_name(request)])
    request.say(200, data, **{"Content-Encoding": "gzip"})


def silent(seconds: float) -> Fault:
    """Send the head and half of the file, then nothing for a while."""

    def fault(request: Request) -> None:
        data = request.hub.files[_name(request)]
        request.start(200, len(data), {})
        request.wfile.write(data[: len(data) // 2])
        request.wfile.flush()
        time.sleep(seconds)
        request.cut()

    return fault


@contextmanager
def running(files: dict[str, bytes], port: int = 0) -> Iterator[Hub]:
    """Serve while the block runs."""
    hub = Hub(files)
    server = ThreadingHTTPServer(("127.0.0.1", port), type("Bound", (Request,), {"hub": hub}))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fake_convert(folder: Path, target: Path, *, name: str, revision: str) -> LocalModel:
    """Stand in for ``emotion2vec.convert``: the ONNX file is the weights, the card is true."""
    path = target / f"{name}.onnx"
    path.write_bytes(b"onnx" + (folder / "model.pt").read_bytes())
    card = {
        "name": name,
        "revision": revision,
        "files": [{"path": path.name, "bytes": path.stat().st_size, "sha256": file_sha256(path)}],
        "dim": 4,
        "licence": "none",
        "title_zh": "假",
        "title_en": "fake",
    }
    (target / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return LocalModel(target, ModelCard.from_dict(card))


def _name(request: Request) -> str:
    return urlsplit(request.path).path.rsplit("/", 1)[-1]


if __name__ == "__main__":
    served = {path.name: path.read_bytes() for path in Path(sys.argv[1]).iterdir()}
    with running(served, int(sys.argv[2]) if len(sys.argv) > 2 else 0) as this:
        sys.stdout.write(f"{this.url}\n")
        sys.stdout.flush()
        threading.Event().wait()
