"""The Gradio app, asked by Gradio's own client and by somebody who wants other files."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import emoscope
from emoscope.gradio_app import answer
from emoscope.results.calibrated import Calibrated
from emoscope.results.result import Result
from emoscope.results.samples import SEQUENCE, sample_named
from results import make_result, make_scores
from sounds import SAMPLES

ROOT = Path(__file__).parent.parent.parent
VOICE = SAMPLES / "happy_zh.wav"
MAX_BYTES = 1_000_000
HEADLINE, RIVER, SCORES, FILES = range(4)
"""Places of the parts of an answer."""

needs_gradio = pytest.mark.skipif(
    importlib.util.find_spec("gradio") is None, reason="the extra gradio is not installed"
)


@dataclass(frozen=True)
class App:
    url: str
    folder: Path
    """Where the command runs, with its ``outputs``."""
    temporary: Path
    process: subprocess.Popen[str]

    def told(self, path: object, *, granularity: str = "frame", **more: object) -> str:
        """Ask without Gradio's client; returns the events that answer."""
        sound = {"path": path, "meta": {"_type": "gradio.FileData"}, **more}
        call = f"{self.url}/gradio_api/call/recognize"
        asked = httpx.post(call, json={"data": [sound, granularity, False]}, timeout=60)
        return httpx.get(f"{call}/{asked.json()['event_id']}", timeout=60).text

    def upload(self, name: str, data: bytes) -> httpx.Response:
        return httpx.post(f"{self.url}/gradio_api/upload", files={"files": (name, data)})


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, *command: str, **environment: str) -> Iterator[App]:
    """Run a command that serves the app, until it answers and until the block ends."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    url = f"http://127.0.0.1:{environment['EMOSCOPE_PORT']}"
    with (folder / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            env={**os.environ, "TMPDIR": str(temporary), **environment},
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            text=True,
        )
    try:
        until_s = time.monotonic() + 60
        while time.monotonic() < until_s:
            assert process.poll() is None, (folder / "stderr").read_text("utf-8")
            with suppress(httpx.TransportError):
                if httpx.get(f"{url}/config", timeout=10).status_code == 200:
                    break
            time.sleep(0.2)
        yield App(url, folder, temporary, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The command, over the compact model."""
    folder = tmp_path_factory.mktemp("gradio")
    (folder / "emoscope-keys.json").write_text("{}", "utf-8")
    with running(
        folder,
        *("-m", "emoscope", "gradio", "-m", "compact"),
        EMOSCOPE_PORT=str(free_port()),
        EMOSCOPE_UPLOAD_MAX_BYTES=str(MAX_BYTES),
        EMOSCOPE_LANGUAGE="en",
    ) as made:
        yield made


@pytest.fixture(scope="module")
def client(app: App) -> Any:
    """Gradio's own client."""
    gradio_client = pytest.importorskip("gradio_client")
    return gradio_client.Client(app.url, verbose=False, download_files=str(app.folder / "got"))


def ask(client: Any, path: Path, granularity: str = "frame", *, embedding: bool = False) -> Any:
    from gradio_client import handle_file

    return client.predict(handle_file(str(path)), granularity, embedding, api_name="/recognize")


pytestmark_process = [pytest.mark.process, needs_gradio]


class TestServed:
    """What the running app answers."""

    pytestmark = pytestmark_process

    @pytest.mark.parametrize("granularity", ["frame", "utterance"])
    def test_a_client_gets_the_answer_of_the_library(
        self, client: Any, app: App, granularity: Any
    ) -> None:
        got = ask(client, VOICE, granularity, embedding=True)
        expected = emoscope.recognize(VOICE, model="compact", granularity=granularity)

        confidences = {one["label"]: one["confidence"] for one in got[SCORES]["confidences"]}
        assert len(confidences) == 9
        for emotion in emoscope.EMOTIONS:
            shown = confidences[f"{emotion.emoji} {emotion.zh} · {emotion.en}"]
            assert shown == pytest.approx(expected.scores.values[emotion.index], abs=1e-6)
        assert got[RIVER].startswith("<svg")
        files = {Path(path).name.partition("_zh_")[2]: Path(path) for path in got[FILES]}
        result = Result.from_dict(json.loads(files["result.json"].read_text("utf-8")))
        assert result.emotion is expected.emotion
        assert result.granularity == granularity
        assert np.load(files["embedding.npy"]).shape == result_shape(files["result.json"])
        assert files["river.svg"].read_text("utf-8") == got[RIVER]
        if granularity == "frame":
            rows = files["segments.csv"].read_text("utf-8").splitlines()
            assert len(rows) == 1 + len(result.segments)
        assert len(list((app.folder / "outputs").glob("outputs_*"))) >= 1

    def test_emotions_in_turn_are_told_as_such(self, client: Any) -> None:
        got = ask(client, sample_named(SEQUENCE).path)

        assert "The emotion changes: neutral → happy → angry → sad" in got[HEADLINE]
        assert "情绪有变化：中性 → 快乐 → 愤怒 → 悲伤" in got[HEADLINE]
        assert "以中性为主" in got[HEADLINE]

    def test_a_bad_file_is_told_in_both_languages(
        self, client: Any, app: App, tmp_path: Path
    ) -> None:
        log = app.folder / "stderr"
        before = log.read_text("utf-8").count("Traceback")
        bad = tmp_path / "bad.wav"
        bad.write_bytes(b"not a sound" * 50)
        with pytest.raises(Exception, match="This file is not audio") as caught:
            ask(client, bad)

        assert "无法识别这个文件" in str(caught.value)
        assert log.read_text("utf-8").count("Traceback") == before

    def test_no_file_and_an_unknown_mode_are_answered(self, client: Any, app: App) -> None:
        with pytest.raises(Exception, match="Add a recording first"):
            client.predict(None, "frame", False, api_name="/recognize")
        path = app.upload("a.wav", VOICE.read_bytes()).json()[0]
        assert "event: error" in app.told(path, granularity="../x")

    def test_an_upload_over_the_limit_is_refused(self, app: App) -> None:
        assert app.upload("big.wav", bytes(MAX_BYTES + 1)).status_code == 413

    @pytest.mark.parametrize("more", [{}, {"is_stream": True}, {"url": "/etc/passwd"}], ids=str)
    def test_files_that_were_not_uploaded_are_not_read(self, app: App, more: Any) -> None:
        """A crafted request names files of the machine; none is read and none shown."""
        outside = app.folder / "secret.wav"
        outside.write_bytes(VOICE.read_bytes())
        uploaded = app.upload("a.wav", VOICE.read_bytes()).json()[0]
        inside = Path(uploaded).parent
        paths = [
            "/etc/passwd",
            str(outside),
            os.path.relpath("/etc/passwd", inside),
            f"{inside}/../../../../../../../../etc/passwd",
            f"file://{outside}",
            str(app.folder),
            str(inside),
            "",
            "\0",
        ]
        for path in paths:
            told = app.told(path, **more)
            assert "event: error" in told, path
            assert "root:" not in told
            assert "Traceback" not in told
        assert "event: complete" in app.told(uploaded)

    def test_addresses_are_not_fetched(self, app: App) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.settimeout(1.0)
            address = f"http://127.0.0.1:{listening.getsockname()[1]}/a.wav"
            for more in ({}, {"is_stream": True}, {"url": address}):
                told = app.told(address, **more)
                assert "event: error" in told
                assert "addresses are not taken" in told or "No such file" in told
            with pytest.raises(TimeoutError):
                listening.accept()

    def test_the_file_route_gives_out_no_other_file(self, client: Any, app: App) -> None:
        ask(client, VOICE)
        run = next((app.folder / "outputs").glob("outputs_*"))
        for path in (
            "/etc/passwd",
            run / "result.json",
            app.folder / "emoscope-keys.json",
            answer.__file__,
            f"{app.temporary}/../../../../../etc/passwd",
        ):
            for route in ("gradio_api/file=", "file=", "gradio_api/proxy=file://"):
                reply = httpx.get(f"{app.url}/{route}{path}")
                assert reply.status_code >= 400, (route, path)

    def test_the_page_is_of_this_host_alone(self, app: App) -> None:
        page = httpx.get(app.url).text
        config = httpx.get(f"{app.url}/config").json()

        assert "fonts.googleapis" not in page
        assert "cdnjs" not in page
        assert config["analytics_enabled"] is False


def result_shape(path: Path) -> tuple[int, ...]:
    """Shape of the embedding that a result.json tells."""
    return tuple(json.loads(path.read_text("utf-8"))["embedding"]["shape"])


@needs_gradio
@pytest.mark.process
def test_the_space_starts_and_leaves_nothing_when_it_is_stopped(tmp_path: Path) -> None:
    port = str(free_port())
    space = ROOT / "examples" / "space" / "app.py"
    with running(
        tmp_path,
        str(space),
        EMOSCOPE_PORT=port,
        GRADIO_SERVER_PORT=port,
        GRADIO_SERVER_NAME="127.0.0.1",
        EMOSCOPE_MODEL="compact",
    ) as app:
        path = app.upload("a.wav", VOICE.read_bytes()).json()[0]
        assert "event: complete" in app.told(path)
        assert list(app.temporary.glob("emoscope-gradio-*"))

    assert app.process.returncode == 0
    assert not list(app.temporary.glob("emoscope-gradio-*")), "uploads are removed"
    assert not (tmp_path / "outputs").exists(), "nothing is kept"
    assert "Traceback" not in (tmp_path / "stderr").read_text("utf-8")


def test_the_space_is_described_as_the_hosts_want_it() -> None:
    folder = ROOT / "examples" / "space"
    _, front, _ = (folder / "README.md").read_text("utf-8").split("---\n", 2)
    card = dict(line.split(": ", 1) for line in front.strip().splitlines())
    deploy = json.loads((folder / "ms_deploy.json").read_text("utf-8"))

    assert card["sdk"] == deploy["sdk_type"] == "gradio"
    assert card["sdk_version"] == deploy["sdk_version"]
    assert (folder / card["app_file"]).is_file()
    assert len(card["short_description"]) <= 60
    lines = (folder / "requirements.txt").read_text("utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["emoscope[gradio]"]


# What needs no Gradio.


def test_a_calibrated_confidence_leads() -> None:
    sure = make_result(calibrated=Calibrated(0.62, ("happy",), 0.9))

    assert (
        answer.headline_markdown(sure)
        == "## 😊 快乐 (Happy) 置信度: 62.0%\n😊 Happy Confidence: 62.0%"
    )


def test_below_half_it_is_a_leaning() -> None:
    unsure = make_result(calibrated=Calibrated(0.34, ("happy", "sad"), 0.9))

    assert answer.headline_markdown(unsure).startswith("## 😊 说不准，偏向快乐")


def test_without_an_answer_the_reason_is_told() -> None:
    told = answer.headline_markdown(
        make_result(abstain=("no_speech",), scores=make_scores(sad=0.9))
    )

    assert "悲伤" not in told
    assert "无法判断" in told
    assert "Cannot tell" in told
