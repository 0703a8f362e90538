"""Heads over REST and on the page."""

from __future__ import annotations

import base64
import csv
import io
import time
from pathlib import Path

import numpy as np
import pytest

from emoscope.backends.fake_backend import FakeBackend
from emoscope.models import head_folder
from emoscope.models.head_file import Head, HeadModel
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.heads import HeadLabel
from emoscope.results.result import ModelRef
from emoscope.server.http.replies import HeadsReply, RecognitionsReply
from emoscope.waveform import Waveform
from emoscope.web import views
from emoscope.web.viewer import RunViewer
from sounds import sample, wav

pytestmark = pytest.mark.process

GOOD = wav(sample("happy_zh.wav"))
LABELS = (
    HeadLabel("满意", "满意", "pleased", "🙂", "#d07c00"),
    HeadLabel("<b>", "<b>", "<b>", "", "#4892d7"),
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMOSCOPE_DATA", str(tmp_path))
    return tmp_path / "heads"


def saved(name: str, sha256: str = "0" * 64) -> Head:
    numbers = np.random.default_rng(0).standard_normal((2, FakeBackend().dim)).astype(np.float32)
    head = Head(
        name, "classes", LABELS, numbers, np.ones(2, np.float32), HeadModel("fake", "1", sha256)
    )
    head_folder.save_head(head)
    return head


def test_heads_are_listed(server) -> None:
    saved("service")
    saved("foreign", "f" * 64)
    reply = server.client.get("/v1/heads").json()
    HeadsReply.model_validate(reply)
    assert [(one["name"], one["usable"]) for one in reply["heads"]] == [
        ("foreign", False),
        ("service", True),
    ]


def test_every_way_of_sending_can_ask_for_heads(server) -> None:
    saved("service")
    form = server.client.post(
        "/v1/recognitions", files={"audio": ("a.wav", GOOD)}, data={"head": "service"}
    )
    as_json = server.client.post(
        "/v1/recognitions",
        json={"recordings": [{"audio": base64.b64encode(GOOD).decode()}], "head": " service ,"},
    )
    plain = server.client.post(
        "/v1/recognitions?head=service", content=GOOD, headers={"Content-Type": "audio/wav"}
    )
    found = []
    for reply in (form, as_json, plain):
        assert reply.status_code == 200, reply.text
        RecognitionsReply.model_validate(reply.json())
        found.append(reply.json()["recognitions"][0]["heads"])
    predict = server.client.post(
        "/predict", files={"audio": ("a.wav", GOOD)}, data={"head": "service"}
    ).json()
    assert found == [predict["heads"]] * 3
    assert found[0][0]["name"] == "service"
    assert sum(found[0][0]["scores"].values()) == pytest.approx(1)
    without = server.client.post("/predict", files={"audio": ("a.wav", GOOD)}).json()
    assert "heads" not in without


@pytest.mark.parametrize(
    ("head", "code"),
    [("none", "head_unknown"), ("foreign", "head_model_differs"), ("../x", "head_unknown")],
)
def test_a_head_that_cannot_be_used_is_422_before_anything_is_begun(server, head, code) -> None:
    saved("foreign", "f" * 64)
    before = server.client.get("/v1/recognitions").json()["total"]
    for path in ("/predict", "/v1/recognitions", "/v1/jobs"):
        reply = server.client.post(path, files={"audio": ("a.wav", GOOD)}, data={"head": head})
        assert (reply.status_code, reply.json()["code"]) == (422, code)
    assert server.client.get("/v1/recognitions").json()["total"] == before


def test_the_table_has_columns_of_the_head(server) -> None:
    saved("service")
    reply = server.client.post(
        "/v1/recognitions",
        files={"audio": ("a.wav", GOOD)},
        data={"head": "service"},
        headers={"Accept": "text/csv"},
    )
    (row,) = csv.DictReader(io.StringIO(reply.text))
    assert row["head.service"] in ("满意", "<b>")


def test_a_job_remembers_its_heads(server) -> None:
    saved("service")
    job = server.client.post(
        "/v1/jobs", files={"audio": ("a.wav", GOOD)}, data={"head": "service"}
    ).json()
    assert job["head"] == "service"
    for _ in range(400):
        time.sleep(0.05)
        job = server.client.get(f"/v1/jobs/{job['id']}").json()
        if job["ended_utc"]:
            break
    assert job["state"] == "succeeded"
    run = job["recordings"][0]["run"]
    assert server.client.get(f"/v1/recognitions/{run}").json()["heads"][0]["name"] == "service"
    table = server.client.get(f"/v1/jobs/{job['id']}/results.csv").text
    assert "head.service.满意" in table


def test_the_form_offers_heads_only_where_there_are_some() -> None:
    model = ModelRef("fake", "1", "0" * 64)
    limits = views.UploadLimits(1_000_000, 60.0)
    scope = {"root_path": ""}
    assert 'name="head"' not in views.document(
        scope, "home", limits, None, heads=head_folder.offered_heads(model)
    )
    saved("service")
    saved("foreign", "f" * 64)
    page = views.document(scope, "home", limits, None, heads=head_folder.offered_heads(model))
    assert page.count('<option value="service">') == 2  # one recording, and many
    assert "foreign" not in page
    assert "<b>" not in page
    assert "&lt;b&gt;" in page


def test_the_answer_of_a_head_stands_on_the_page_and_in_the_report(tmp_path: Path) -> None:
    """Silences too, and words that are markup."""
    head = saved("service")
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    pause = np.zeros(32_000, np.float32)
    sound = Waveform(np.concatenate([sample("happy_zh.wav"), pause, sample("happy_zh.wav")]))
    result = recognizer.configured(heads=[head]).recognize(sound, granularity="frame")
    assert "silence" in {one.label for one in result.heads[0].segments}
    store = RunStore(tmp_path / "outputs")
    run = store.save(result, sound).name
    viewer = RunViewer(store, None)
    report, _ = viewer.export(run, "report.html", "en")
    for text in (views.result(viewer.open(run)), report):
        assert "service" in text
        assert "满意" in text
        assert "<b>" not in text.replace("<body>", "")
        assert "&lt;b&gt;" in text
