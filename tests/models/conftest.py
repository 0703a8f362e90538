from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emoscope.hub.download import RetryPolicy
from emoscope.hub.official import HubAccess
from emoscope.models import catalog
from emoscope.models.sources import HubSource, RemoteFile
from hub_server import NINE, Hub, running

NAME = catalog.LARGE


@pytest.fixture
def files() -> dict[str, bytes]:
    """Official files with small random weights."""
    return {
        "config.yaml": b"model: Emotion2vec\n",
        "tokens.txt": NINE.encode(),
        "configuration.json": b"{}",
        "model.pt": np.random.default_rng(7).bytes(300_000),
    }


@pytest.fixture
def hub(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Both hubs on one local server."""
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)
    with running(files) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("EMOSCOPE_MODELSCOPE_ENDPOINT", server.url)
        yield server


@pytest.fixture
def pinned(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """The table knows size and sha256 of the large model's files, as it does of the real ones."""
    pins = tuple(
        RemoteFile(name, len(data), hashlib.sha256(data).hexdigest())
        for name, data in files.items()
    )
    sources = (HubSource("hf", "a/b", "1234abcd", pins), HubSource("ms", "c/d", "v9", pins))
    lines = tuple(
        replace(line, sources=sources, converted_bytes=0) if line.name == NAME else line
        for line in catalog.CATALOG
    )
    monkeypatch.setattr(catalog, "CATALOG", lines)


@pytest.fixture
def naps() -> list[float]:
    """Seconds of every wait, instead of waiting."""
    return []


@pytest.fixture
def network(naps: list[float]) -> HubAccess:
    """Five attempts and no real waiting; a busy machine may be silent for long."""
    patience = RetryPolicy(attempts=5, timeout_s=20, progress_bytes=50_000)
    probe = RetryPolicy(attempts=2, timeout_s=20)
    return HubAccess(patience, probe, sleep=naps.append)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"
