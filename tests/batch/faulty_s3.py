"""An S3 server on the loopback interface, behind a proxy that can be told to fail."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BUCKET = "calls"
KEYS = {"AWS_ACCESS_KEY_ID": "emoscope", "AWS_SECRET_ACCESS_KEY": "emoscope"}


@dataclass
class FaultyS3:
    """The server: what it shall do wrong, and what was asked of it."""

    endpoint: str
    faults: list[str] = field(default_factory=list)
    """One for each of the next requests: ``500``, ``503``, ``403``, ``cut``, ``slow``, ``ok``."""
    asked: list[str] = field(default_factory=list)
    """Method and path of each request."""

    def put(self, key: str, data: bytes) -> None:
        """Store an object, without faults."""
        held, self.faults = self.faults, []
        _ask(self.endpoint, "PUT", f"/{BUCKET}/{key}", data)
        self.faults = held


def _ask(endpoint: str, method: str, path: str, data: bytes = b"") -> bytes:
    connection = HTTPConnection(endpoint.removeprefix("http://"), timeout=10)
    who = "AWS4-HMAC-SHA256 Credential=emoscope/20260101/us-east-1/s3/aws4_request"
    connection.request(method, path, data, {"Authorization": who})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status < 300, (answer.status, body)
    return body


def _handler(server: FaultyS3, inner: str) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - a class
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - of the base class
            pass

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            server.asked.append(f"{self.command} {self.path}")
            fault = server.faults.pop(0) if server.faults else "ok"
            if fault in ("500", "503", "403"):
                self._answer(int(fault), {"Content-Type": "application/xml"}, _fault_body(fault))
                return
            connection = HTTPConnection(inner, timeout=20)
            headers = {k: v for k, v in self.headers.items() if k.lower() != "connection"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
            connection.close()
            kept = {
                name: value
                for name, value in answer.getheaders()
                if name.lower() not in ("transfer-encoding", "connection", "date", "server")
            }
            self._answer(answer.status, kept, data, fault)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815 - of the base class

        def _answer(
            self, status: int, headers: dict[str, str], data: bytes, fault: str = "ok"
        ) -> None:
            self.send_response(status)
            if self.command != "HEAD":
                headers = {k: v for k, v in headers.items() if k.lower() != "content-length"}
                headers["Content-Length"] = str(len(data))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            self._send(data, fault)

        def _send(self, data: bytes, fault: str) -> None:
            piece = max(1, len(data) // 40)
            if fault == "cut":
                self.wfile.write(data[: len(data) // 2])
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
            elif fault == "slow":
                for at in range(0, len(data), piece):
                    time.sleep(0.2)
                    self.wfile.write(data[at : at + piece])
            else:
                self.wfile.write(data)

        def handle(self) -> None:
            with suppress(OSError):
                super().handle()

    return Handler


def _fault_body(status: str) -> bytes:
    code = {"500": "InternalError", "503": "SlowDown", "403": "AccessDenied"}[status]
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass


@contextmanager
def faulty_s3(environment: Any) -> Iterator[FaultyS3]:
    """Serve S3 until the block ends, with one bucket; s3fs is led to it by the environment.

    Args:
        environment: pytest's ``MonkeyPatch``.
    """
    import s3fs
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # else a line for each request

    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    server = FaultyS3("")
    proxy = _Quiet(("127.0.0.1", 0), _handler(server, f"{host}:{port}"))
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    server.endpoint = f"http://127.0.0.1:{proxy.server_port}"
    settings = {**KEYS, "AWS_ENDPOINT_URL": server.endpoint, "AWS_DEFAULT_REGION": "us-east-1"}
    settings |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull}
    settings["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    for name, value in settings.items():
        environment.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()  # connected to the server of other tests
    try:
        _ask(server.endpoint, "POST", "/moto-api/reset")  # it keeps what other tests have put
        _ask(server.endpoint, "PUT", f"/{BUCKET}")
        server.asked.clear()
        yield server
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
        proxy.shutdown()
        proxy.server_close()
        thread.join(5)
        moto.stop()
