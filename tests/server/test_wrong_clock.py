"""The real server under a clock a year ahead (libfaketime), where that library is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from emoscope.outputs.store import RunStore
from emoscope.waveform import Waveform
from results import make_result
from sounds import noise

pytestmark = pytest.mark.process

LIBRARY = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
RUNS = 15


def test_a_server_whose_clock_is_a_year_ahead_deletes_nothing_at_once(tmp_path: Path) -> None:
    if LIBRARY is None:
        pytest.skip("there is no libfaketime here to give a program another clock")
    store = RunStore(tmp_path / "outputs")
    for _ in range(RUNS):
        store.save(make_result(created=datetime.now(UTC)), Waveform(noise(1.0)))
    server = subprocess.Popen(
        [sys.executable, "-m", "emoscope", "serve", "--port", "0", "--no-page", "-m", "compact"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "EMOSCOPE_LANGUAGE": "en",
            "EMOSCOPE_OUTPUTS_KEEP_DAYS": "30",
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME": "+365d",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        },
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().split(": ", 1)[1].strip()
        year = httpx.get(f"{url}/health", timeout=60).headers["date"].split()[3]
        time.sleep(1)
        listed = httpx.get(f"{url}/v1/recognitions", timeout=60).json()["total"]
    finally:
        server.terminate()
        _, told = server.communicate(timeout=60)

    assert int(year) == datetime.now(UTC).year + 1
    assert listed == RUNS
    assert len(store.names()) == RUNS
    assert "too old by the clock" in told
