"""The whole product as users start it: a process, a port, curl."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from serving import start_command
from sounds import SAMPLES

pytestmark = pytest.mark.process

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT.parent / "shared" / "data"
CURL = (
    'curl -F "audio=@test.wav" -F "granularity=utterance" -F "extract_embedding=true" '
    "http://localhost:7860/predict"
)
"""The documented curl command, word for word; only the port is put in.

Port 7860 may be taken on the test machine.
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("desk")


@pytest.fixture(scope="module")
def port(desk: Path) -> Iterator[int]:
    """``emoscope serve`` with the compact model; stopped by the id that was started."""
    server, url = start_command(desk, stderr=subprocess.PIPE)
    yield int(url.rsplit(":", 1)[1])
    server.send_signal(signal.SIGTERM)
    _, complaints = server.communicate(timeout=20)
    assert "Traceback" not in complaints


def ask(port: int, desk: Path) -> dict:
    assert shutil.which("curl"), "curl is needed; ./test.sh installs it"
    line = CURL.replace(":7860", f":{port}")
    for _ in range(100):
        ran = subprocess.run(
            ["bash", "-c", f"{line} -sS"], cwd=desk, capture_output=True, text=True, check=False
        )
        if ran.returncode != 7:  # not yet listening
            break
        time.sleep(0.1)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_the_curl_line_of_the_contract(port: int, desk: Path) -> None:
    shutil.copy(SAMPLES / "happy_zh.wav", desk / "test.wav")

    body = ask(port, desk)

    assert body["model"]["name"] == "compact"
    assert sum(body["scores"].values()) == pytest.approx(1, abs=1e-6)
    folder = desk / "outputs" / body["run"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "embedding.npy",
        "processed_audio.wav",
        "result.json",
    ]
    vectors = np.load(folder / "embedding.npy", allow_pickle=False)
    assert list(vectors.shape) == body["embedding"]["shape"]


def test_three_real_recordings(port: int, desk: Path) -> None:
    """One of each of three corpora; what is claimed is an answer, not that it is right."""
    if not DATA.is_dir():
        pytest.skip("../shared/data is not beside the project: no real recordings to ask about")
    with (DATA / "clips.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test"]
    for corpus in ("ravdess", "emodb", "tess"):
        row = next(row for row in rows if row["corpus"] == corpus)
        with tarfile.open(DATA / f"{corpus}.tar") as archive:
            member = archive.extractfile(row["path"])
            assert member is not None
            # Ogg Opus under the name test.wav: the format is found by decoding.
            (desk / "test.wav").write_bytes(member.read())

        body = ask(port, desk)

        print(corpus, row["emotion"], "->", body["emotion"], f"{body['confidence']:.3f}")
        assert body["duration_s"] == pytest.approx(float(row["duration_s"]), abs=0.06)
        assert body["quality"]["speech_share"] > 0.2


def test_a_taken_port_is_told_and_not_traced(port: int, desk: Path) -> None:
    command = [sys.executable, "-m", "emoscope", "serve"]
    ran = subprocess.run(
        # In another outputs folder: that of the running server is locked, which is told first.
        [*command, "--no-page", "--port", str(port), "--outputs", "others"],
        cwd=desk,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 2
    assert "[setting_invalid]" in ran.stderr
    assert "Traceback" not in ran.stderr
