from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from emoscope.backends.fake_backend import FakeBackend
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.settings import load_settings
from serving import serving


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
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield Server(url, outputs, client)
