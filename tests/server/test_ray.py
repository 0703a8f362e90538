"""The server under Ray Serve: what replicas refuse, and two of them, of which one is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from emoscope.backends.fake_backend import FakeBackend
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.server.ray import ReplicaMiddleware
from emoscope.settings import load_settings
from sounds import SAMPLES

pytestmark = pytest.mark.process
SOUND = (SAMPLES / "happy_zh.wav").read_bytes()
CLIENTS, EACH = 6, 8


def replica(folder: Path, **arguments: Any) -> ReplicaMiddleware:
    settings = load_settings(
        store="none", outputs=folder, keys=folder / "keys.json", search=False, **arguments
    )
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    app = create_app(recognizer, RunStore(folder, keep="none"), settings, page=False)
    return ReplicaMiddleware(app, settings)


def test_a_replica_recognizes_and_keeps_nothing(tmp_path: Path) -> None:
    asking = TestClient(replica(tmp_path), base_url="http://127.0.0.1", client=("127.0.0.1", 1))
    with asking as client:
        answer = client.post("/predict", files={"audio": ("a.wav", SOUND)})
        assert answer.status_code == 200
        refused = client.post("/v1/jobs", files={"audio": ("a.wav", SOUND)})
        assert (refused.status_code, refused.json()["code"]) == (501, "jobs_not_kept")
        assert client.get("/health/ready").status_code == 200
    assert not list(tmp_path.glob("outputs_*"))


def test_without_keys_a_replica_answers_this_machine_only(tmp_path: Path) -> None:
    for arguments, expected in (({}, 403), ({"open": True}, 200)):
        app = replica(tmp_path, **arguments)
        with TestClient(app, base_url="http://127.0.0.1", client=("192.0.2.7", 1)) as client:
            answer = client.post("/predict", files={"audio": ("a.wav", SOUND)})
            assert answer.status_code == expected
            assert expected == 200 or answer.json()["code"] == "proxy_without_keys"


def test_the_application_is_importable_and_the_command_line_loads_no_ray() -> None:
    code = (
        "import sys, emoscope, emoscope.cli.main\n"
        "assert 'ray' not in sys.modules\n"
        "import emoscope.server.ray\n"
        "assert 'ray' not in sys.modules\n"
        "assert type(emoscope.server.ray.app).__name__ == 'Application'\n"
        "import os; assert os.environ['RAY_USAGE_STATS_ENABLED'] == '0'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[subprocess.Popen[str], str]]:
    program = Path(__file__).with_name("ray_service.py")
    process = subprocess.Popen(
        [sys.executable, str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address, "the service did not start"
    before = set(below(process.pid))
    yield process, address
    process.stdin.close()
    assert process.wait(60) == 0
    process.stdout.close()
    until_s = time.monotonic() + 15
    while any(Path(f"/proc/{pid}").exists() for pid in before):
        assert time.monotonic() < until_s, "a process was left"
        time.sleep(0.1)


def below(top: int) -> Iterator[int]:
    """Processes that a process started, and those that they started."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(path.read_text("utf-8", "replace").rpartition(")")[2].split()[1])
            if parent == top:
                yield int(path.parent.name)
                yield from below(int(path.parent.name))


def replicas(top: int) -> list[int]:
    found = []
    for pid in below(top):
        with suppress(OSError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
            if line.startswith(b"ray::ServeReplica:emoscope"):
                found.append(pid)
    return found


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_killed_replica_costs_the_requests_that_it_held(
    service: tuple[subprocess.Popen[str], str],
) -> None:
    process, address = service
    answers: list[tuple[int, Any]] = []
    with httpx.Client(base_url=address, timeout=60) as client:
        expected = client.post("/predict", files={"audio": ("a.wav", SOUND)}).json()["scores"]
        assert client.post("/v1/jobs", files={"audio": ("a.wav", SOUND)}).status_code == 501

        def ask() -> None:
            for _ in range(EACH):
                answer = client.post("/predict", files={"audio": ("a.wav", SOUND)})
                answers.append((answer.status_code, answer))

        assert len(replicas(process.pid)) == 2
        threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
        for one in threads:
            one.start()
        while len(answers) < CLIENTS:
            time.sleep(0.01)
        killed = replicas(process.pid)[0]
        os.kill(killed, signal.SIGKILL)
        for one in threads:
            one.join(60)
        good = [answer.json()["scores"] for status, answer in answers if status == 200]
        print(len(answers), len(good), [status for status, _ in answers if status != 200])

        assert len(answers) == CLIENTS * EACH
        assert len(answers) - len(good) <= CLIENTS  # what it held; no client sends two at once
        assert all(one == expected for one in good)
        until_s = time.monotonic() + 60
        while len(set(replicas(process.pid)) - {killed}) < 2:
            assert time.monotonic() < until_s, "no new replica"
            time.sleep(0.2)
        assert client.get("/health/ready").status_code == 200
