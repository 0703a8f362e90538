"""The real application on a free port of 127.0.0.1, page and all."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from emoscope.backends.fake_backend import FakeBackend
from emoscope.outputs.index import INDEX_FOLDER
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.server.http.protocol import ProblemProtocol
from emoscope.server.run_search import VECTORS
from emoscope.settings import load_settings

MAX_BYTES = 1_000_000


class HeldBackend(FakeBackend):
    """A model that waits until it is let go; the warm-up passes."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self.let_go.set()

    def run(self, *arguments: object) -> object:
        assert self.let_go.wait(60)
        return super().run(*arguments)


@dataclass(frozen=True)
class Site:
    """A running application."""

    app: FastAPI
    url: str
    """Without a slash at its end."""
    outputs: Path
    client: httpx.Client

    def runs(self) -> set[str]:
        """Names of the run directories, and of anything left half-written."""
        if not self.outputs.is_dir():
            return set()
        folders = {path.name for path in self.outputs.iterdir() if path.is_dir()}
        return folders - {INDEX_FOLDER, VECTORS}


@contextmanager
def site(outputs: Path, recognizer: Recognizer | None = None) -> Iterator[Site]:
    """Serve the application over a model without weights, or another recognizer."""
    settings = load_settings(outputs=outputs, upload_max_bytes=MAX_BYTES)
    recognizer = recognizer or Recognizer(
        FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=settings.upload_limits
    )
    app = create_app(recognizer, RunStore(outputs), settings)
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield Site(app, url, outputs, client)


def start_command(folder: Path, *options: str, stderr: int) -> tuple[subprocess.Popen[str], str]:
    """Start ``emoscope serve`` with the compact model, without its page; gives its address.

    Who starts it stops it.
    """
    command = [sys.executable, "-m", "emoscope", "serve", "--port", "0", "--no-page", "-m"]
    server = subprocess.Popen(
        [*command, "compact", *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env={**os.environ, "EMOSCOPE_LANGUAGE": "en"},
    )
    assert server.stdout is not None
    line = server.stdout.readline()
    assert line.startswith("Page and API: http://127.0.0.1:"), (line, server.stderr)
    return server, line.split(": ", 1)[1].strip()


@contextmanager
def serving(app: Any, **config: Any) -> Iterator[str]:
    """Serve any application until the block ends; gives its address.

    Args:
        app: an ASGI application.
        **config: further options of uvicorn.
    """
    # A browser keeps a stream open; stopping must not wait for it.
    config = {"log_level": "critical", "timeout_graceful_shutdown": 1, **config}
    # The protocol and the loop of ``emoscope serve``, whatever else is installed.
    served = {"http": ProblemProtocol, "loop": "asyncio", **config}
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, **served))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive(), "the server did not start"
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive(), "the server did not stop"


def eventually(true: Callable[[], bool], patience_s: float = 10.0) -> None:
    """Wait until something is true, and fail when it does not come about.

    Args:
        true: looks.
        patience_s: shortest time in seconds after which it fails.
    """
    for _ in range(round(patience_s / 0.005)):
        if true():
            return
        time.sleep(0.005)
    raise AssertionError("it did not come about")
