from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn

from emoscope.backends.fake_backend import FakeBackend
from emoscope.recognizer import Recognizer
from emoscope.result import ModelRef
from emoscope.server.app import create_app
from emoscope.settings import load_settings
from emoscope.store import RunStore


@dataclass(frozen=True)
class Server:
    url: str
    outputs: Path
    client: httpx.Client


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The API on a free port of 127.0.0.1, over a model without weights."""
    outputs = tmp_path_factory.mktemp("runs") / "outputs"
    settings = load_settings(outputs=outputs)
    recognizer = Recognizer(
        FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=settings.upload_limits
    )
    app = create_app(recognizer, RunStore(outputs), settings, page=False)
    running = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        thread.join(0.01)
        assert thread.is_alive(), "the server did not start"
    port = running.servers[0].sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=url, timeout=60) as client:
        yield Server(url, outputs, client)
    running.should_exit = True
    thread.join(10)
