"""One outputs folder, one server; a new one may wait for the old one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from emoscope.errors import StoreError
from emoscope.server.folder_lock import LOCK, locked_folder
from serving import start_command
from sounds import noise, wav

pytestmark = pytest.mark.process


def test_the_lock_is_of_one_and_is_free_again(tmp_path: Path) -> None:
    folder = tmp_path / "outputs"
    with locked_folder(folder, 0):
        started_s = time.monotonic()
        with pytest.raises(StoreError, match="outputs") as refusal, locked_folder(folder, 0.3):
            pass
        assert time.monotonic() - started_s >= 0.3
        assert refusal.value.code == "outputs_in_use"
        assert (folder / LOCK).stat().st_mode & 0o777 == 0o600
    with locked_folder(folder, 0):
        pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError), locked_folder(tmp_path / "file", 0):
        pass


def test_a_second_server_is_refused_and_one_that_waits_goes_on(tmp_path: Path) -> None:
    old, url = start_command(tmp_path, stderr=subprocess.DEVNULL)
    environment = {**os.environ, "EMOSCOPE_LANGUAGE": "en"}
    command = [sys.executable, "-m", "emoscope", "serve", "--port", "0", "--no-page"]
    refused = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert refused.returncode != 0
    assert "[outputs_in_use]" in refused.stderr
    assert str(tmp_path / "outputs") in refused.stderr

    new = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**environment, "EMOSCOPE_OUTPUTS_LOCK_WAIT_S": "60"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert new.stderr is not None
        assert new.stdout is not None
        assert "waiting" in new.stderr.readline()
        files = [("audio", (f"{number}.wav", wav(noise(5.0)))) for number in range(20)]
        job = httpx.post(f"{url}/v1/jobs", files=files).json()["id"]
        old.send_signal(signal.SIGTERM)
        old.wait(30)
        url = new.stdout.readline().split(": ", 1)[1].strip()
        while (reply := httpx.get(f"{url}/v1/jobs/{job}").json())["state"] in ("queued", "running"):
            time.sleep(0.05)
        assert reply["succeeded"] == 20
        assert len(list((tmp_path / "outputs").glob("outputs_*"))) == 20
    finally:
        for server in (old, new):
            server.kill()
            server.wait(30)
            for pipe in (server.stdout, server.stderr):
                if pipe is not None:
                    pipe.close()
