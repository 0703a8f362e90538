"""What is said in a run: kept, coloured by the voice, compared with a text model, taken away."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from emoscope.backends.fake_backend import FakeBackend
from emoscope.errors import ModelMissingError
from emoscope.outputs.store import RunStore
from emoscope.outputs.words import RunWords
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.settings import load_settings
from serving import serving
from sounds import sample, wav
from text_models import write_text_model

pytestmark = pytest.mark.process

TALK = wav(
    np.concatenate([sample("happy_zh.wav"), np.zeros(16_000, np.float32), sample("angry_en.wav")])
)
SRT = "1\n00:00:00,100 --> 00:00:01,500\n太好了\n\n2\n00:00:03,000 --> 00:00:04,000\nI hate it\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The page and the API over a model without weights, with a text model of some words."""
    folder = tmp_path_factory.mktemp("server")
    settings = load_settings(
        outputs=folder / "outputs", text_model=write_text_model(folder / "tiny-text")
    )
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    app = create_app(recognizer, RunStore(folder / "outputs"), settings)
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def run(server: httpx.Client) -> str:
    asked = {"files": [("audio", ("talk.wav", TALK))], "data": {"granularity": "frame"}}
    reply = server.post("/predict", **asked)  # type: ignore[arg-type]
    return str(reply.json()["run"])


def keep(server: httpx.Client, run: str, text: str | None) -> Any:
    return server.put(f"/v1/recognitions/{run}/words", json={"text": text})


def test_lines_with_times_tell_voice_and_words(server: httpx.Client, run: str) -> None:
    told = keep(server, run, SRT).json()

    assert [line["text"] for line in told["lines"]] == ["太好了", "I hate it"]
    assert [line["fusion"]["words_emotion"] for line in told["lines"]] == ["happy", "angry"]
    assert told["text_model"] == "tiny-text"
    for line in told["lines"]:
        assert line["emotion"] == line["fusion"]["voice_emotion"]
        assert line["confidence"] == max(line["fusion"]["voice_scores"].values())
    kept = server.get(f"/v1/recognitions/{run}/files/words.json").json()
    assert kept == told
    assert RunWords.from_dict(kept).to_dict() == kept


def test_the_result_stays_as_the_model_gave_it(server: httpx.Client, run: str) -> None:
    before = server.get(f"/v1/recognitions/{run}/files/result.json").content
    keep(server, run, SRT)
    assert server.get(f"/v1/recognitions/{run}/files/result.json").content == before


def test_plain_text_is_of_the_whole(server: httpx.Client, run: str) -> None:
    (line,) = keep(server, run, "so\n  great ").json()["lines"]
    assert (line["start_s"], line["text"]) == (0.0, "so great")
    duration_s = server.get(f"/v1/recognitions/{run}").json()["duration_s"]
    assert line["end_s"] == pytest.approx(duration_s)


def test_the_page_shows_the_lines_and_escapes_them(server: httpx.Client, run: str) -> None:
    keep(server, run, SRT.replace("太好了", "great <script>alert(1)</script>"))
    shown = server.get(f"/page/result/{run}").text
    assert "data-seek" in shown
    assert "alert(1)" in shown
    assert "<script>alert(1)" not in shown
    assert "tiny-text" in shown


def test_the_report_holds_the_lines(server: httpx.Client, run: str) -> None:
    keep(server, run, SRT.replace("太好了", "great & good"))
    report = server.get(f"/v1/recognitions/{run}/exports/report.html").text
    assert "great &amp; good" in report
    assert "What is said" in report
    keep(server, run, None)
    assert "What is said" not in server.get(f"/v1/recognitions/{run}/exports/report.html").text


def test_it_is_in_the_archive_and_gone_when_removed(server: httpx.Client, run: str) -> None:
    keep(server, run, SRT)
    archive = zipfile.ZipFile(io.BytesIO(server.get(f"/v1/recognitions.zip?runs={run}").content))
    assert any(name.endswith("/words.json") for name in archive.namelist())
    assert keep(server, run, None).json() is None
    assert server.get(f"/v1/recognitions/{run}/files/words.json").status_code == 404


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "text_empty"),
        (" \n", "text_empty"),
        ("1\n00:00:00,000 --> 99:00:00,000\nhi\n", "span_outside"),
        ("1\n00:00:00,000 --> 00:00:02,000\nhi\n\n2\n00:00:01,000 --> 00:00:03,000\nho\n",
         "spans_overlap"),
        ("1\n00:00:02,000 --> gone\nhi\n", "spans_unreadable"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_and_nothing_is_lost(
    server: httpx.Client, run: str, text: str, code: str
) -> None:
    before = keep(server, run, SRT).json()
    refused = keep(server, run, text)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert server.get(f"/v1/recognitions/{run}/files/words.json").json() == before


def test_a_run_that_is_not_there_is_told(server: httpx.Client) -> None:
    refused = keep(server, "outputs_20000101_000000", "hi")
    assert (refused.status_code, refused.json()["code"]) == (404, "run_not_found")


def test_without_a_text_model_the_lines_are_coloured_only(tmp_path: Path) -> None:
    settings = load_settings(outputs=tmp_path / "outputs")
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    app = create_app(recognizer, RunStore(tmp_path / "outputs"), settings, page=False)
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        made = client.post("/predict", files=[("audio", ("a.wav", TALK))]).json()["run"]
        told = keep(client, made, SRT).json()
        assert told["text_model"] is None
        assert {line["fusion"] for line in told["lines"]} == {None}
        whole = client.get(f"/v1/recognitions/{made}").json()
        assert {line["emotion"] for line in told["lines"]} == {whole["emotion"]}


def test_a_text_model_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    settings = load_settings(outputs=tmp_path / "outputs", text_model=tmp_path / "gone")
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    with pytest.raises(ModelMissingError):
        create_app(recognizer, RunStore(tmp_path / "outputs"), settings, page=False)


def test_a_map_of_labels_is_read(tmp_path: Path) -> None:
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps({"joy": "surprised", "neutral": None}))
    settings = load_settings(
        outputs=tmp_path / "outputs",
        text_model=write_text_model(tmp_path / "text"),
        text_labels=labels,
    )
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    app = create_app(recognizer, RunStore(tmp_path / "outputs"), settings, page=False)
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        made = client.post("/predict", files=[("audio", ("a.wav", TALK))]).json()["run"]
        (line,) = keep(client, made, "great").json()["lines"]
        assert line["fusion"]["words_emotion"] == "surprised"
