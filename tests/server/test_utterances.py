"""Utterances over HTTP: forms, JSON, plain bytes, jobs, and the client."""

from __future__ import annotations

import base64
import csv
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from emoscope.backends.fake_backend import FakeBackend
from emoscope.client import Client
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.results.utterances import UtteranceRules
from emoscope.server.app import create_app
from emoscope.server.http.replies import RecognitionsReply
from emoscope.settings import load_settings
from serving import serving
from sounds import noise, sample, wav

pytestmark = pytest.mark.process

PAUSE = np.zeros(16_000, np.float32)
TALK = wav(np.concatenate([sample("happy_zh.wav"), PAUSE, sample("angry_en.wav")]))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The API over a model without weights, with a rule of its own."""
    outputs: Path = tmp_path_factory.mktemp("runs") / "outputs"
    rules = UtteranceRules(longest_s=8.0)
    settings = load_settings(outputs=outputs, utterance_rules=rules)
    limits = settings.upload_limits
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=limits)
    app = create_app(recognizer, RunStore(outputs), settings, page=False)
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def form(**fields: str) -> dict[str, object]:
    return {"files": [("audio", ("talk.wav", TALK))], "data": fields}


def test_predict_takes_the_field(server: httpx.Client) -> None:
    plain = server.post("/predict", **form()).json()
    asked = server.post("/predict", **form(utterances="true")).json()

    assert "utterances" not in plain
    assert len(asked["utterances"]) == 2
    assert asked["utterance_cut"]["rules"]["longest_s"] == 8.0
    refused = server.post("/predict", **form(utterances="maybe"))
    assert (refused.status_code, refused.json()["code"]) == (422, "boolean_invalid")


def test_all_ways_of_asking_get_the_same(server: httpx.Client) -> None:
    by_form = server.post("/v1/recognitions", **form(utterances="yes", embedding="true"))
    RecognitionsReply.model_validate(by_form.json())
    (one,) = by_form.json()["recognitions"]
    recordings = [{"name": "talk.wav", "audio": base64.b64encode(TALK).decode()}]
    (two,) = server.post(
        "/v1/recognitions", json={"recordings": recordings, "utterances": True}
    ).json()["recognitions"]
    (three,) = server.post(
        "/v1/recognitions?utterances=true",
        content=TALK,
        headers={"content-type": "audio/wav"},
    ).json()["recognitions"]

    assert len(one["utterances"]) == 2
    assert one["utterances"] == two["utterances"] == three["utterances"]
    assert "utterances.npy" in one["files"]
    vectors = np.load(io.BytesIO(server.get(one["files"]["utterances.npy"]).content))
    assert vectors.shape == (2, 4)
    refused = server.post("/v1/recognitions", json={"recordings": recordings, "utterances": "yes"})
    assert refused.json()["code"] == "field_invalid"


def test_nobody_speaks_is_an_empty_list_with_a_reason(server: httpx.Client) -> None:
    reply = server.post(
        "/predict", files={"audio": ("a.wav", wav(noise(2.0)))}, data={"utterances": "1"}
    ).json()

    assert reply["utterances"] == []
    assert reply["utterance_cut"]["reason"] == "no_speech"


def test_progress_tells_of_the_step(server: httpx.Client) -> None:
    reply = server.post(
        "/v1/recognitions", **form(utterances="true"), headers={"accept": "application/x-ndjson"}
    )
    lines = [json.loads(line) for line in reply.text.splitlines()]

    assert "utterances" in {line.get("step") for line in lines}
    assert any('"utterances"' in line for line in reply.text.splitlines())


def test_a_job_has_them_and_says_so(server: httpx.Client) -> None:
    job = server.post("/v1/jobs", **form(utterances="true")).json()
    assert job["utterances"] is True
    until_s = time.monotonic() + 30
    while server.get(f"/v1/jobs/{job['id']}").json()["state"] not in ("succeeded", "failed"):
        assert time.monotonic() < until_s
        time.sleep(0.05)

    (line,) = server.get(f"/v1/jobs/{job['id']}/results.jsonl").text.splitlines()
    assert len(json.loads(line)["utterances"]) == 2
    assert server.post("/v1/jobs", **form()).json()["utterances"] is False


SPANS = [(0.2, 1.4), (1.5, 2.9), (5.0, 7.5)]
"""As a person may cut them: by another rule than pauses."""
SRT = "".join(
    f"{number}\n00:00:{start_s:06.3f} --> 00:00:{end_s:06.3f}\nwords {number}\n\n".replace(".", ",")
    for number, (start_s, end_s) in enumerate(SPANS, 1)
)


def spans_in(reply: httpx.Response) -> list[tuple[float, float, str]]:
    assert reply.status_code == 200, reply.text
    (one,) = reply.json()["recognitions"]
    assert one["utterance_cut"] == {"by": "spans", "rules": None, "reason": None}
    return [(u["start_s"], u["end_s"], u.get("text", "")) for u in one["utterances"]]


def test_spans_of_ones_own_come_as_a_file_a_text_and_a_list(server: httpx.Client) -> None:
    path, expected = "/v1/recognitions", [(*span, f"words {k}") for k, span in enumerate(SPANS, 1)]
    files = [("audio", ("talk.wav", TALK)), ("spans", ("talk.srt", SRT.encode()))]
    recordings = [{"name": "talk.wav", "audio": base64.b64encode(TALK).decode()}]
    objects = [{"start_s": s, "end_s": e, "text": text} for s, e, text in expected]

    assert spans_in(server.post(path, files=files)) == expected
    assert spans_in(server.post(path, **form(spans=SRT))) == expected
    for spans in (SRT, objects):
        asked = {"recordings": recordings, "spans": spans}
        assert spans_in(server.post(path, json=asked)) == expected
    pairs = {"recordings": recordings, "spans": [list(span) for span in SPANS]}
    assert spans_in(server.post(path, json=pairs)) == [(*span, "") for span in SPANS]


def test_spans_of_a_tier_and_of_several_recordings(server: httpx.Client) -> None:
    kaldi = "u1 one 0.2 1.4\nu2 two 1.5 2.9\n"
    files = [("audio", (f"{name}.wav", TALK)) for name in ("one", "two")]
    reply = server.post("/v1/recognitions", files=files, data={"spans": kaldi}).json()

    found = [[u["id"] for u in one["utterances"]] for one in reply["recognitions"]]
    assert found == [["u1"], ["u2"]]
    unnamed = server.post("/v1/recognitions", files=files, data={"spans": SRT})
    assert (unnamed.status_code, unnamed.json()["code"]) == (422, "spans_unreadable")
    tier = server.post("/v1/recognitions", **form(spans=kaldi, tier="words"))
    assert tier.json()["code"] == "spans_unreadable"


@pytest.mark.parametrize(
    ("spans", "code"),
    [
        ("no spans at all", "spans_unreadable"),
        ("start,end\n0,x\n", "spans_unreadable"),
        ("start,end\n0,2\n1,3\n", "spans_overlap"),
        ("start,end\n0,2000\n", "span_outside"),
        ("x" * 1_000_001, "field_invalid"),
        ([[0, 1], [0.5, 2]], "spans_overlap"),
        ([[0]], "span_invalid"),
        ([[0, "1"]], "span_invalid"),
        ([[False, 1]], "span_invalid"),
        (None, "field_invalid"),
        ([{"start_s": 0, "end_s": 1, "words": ""}], "span_invalid"),
        ([{"start_s": 2, "end_s": 1}], "span_invalid"),
        ("start,end\n" + "0,1\n" * 2_000, "field_invalid"),
        ({"start_s": 0}, "field_invalid"),
    ],
    ids=range(14),
)
def test_spans_that_cannot_be_used_have_the_codes_of_files(
    server: httpx.Client, spans: object, code: str
) -> None:
    recordings = [{"name": "talk.wav", "audio": base64.b64encode(TALK).decode()}]
    replies = [server.post("/v1/recognitions", json={"recordings": recordings, "spans": spans})]
    if isinstance(spans, str) and len(spans) != len("start,end\n") + 8_000:
        replies.append(server.post("/v1/recognitions", **form(spans=spans)))
    elif isinstance(spans, str):
        replies = replies[:1]  # a form takes so long a text; JSON takes a list

    for reply in replies:
        assert (reply.status_code, reply.json()["code"]) == (422, code), reply.text


def test_rules_of_a_request_stand_for_those_of_the_settings(server: httpx.Client) -> None:
    recordings = [{"name": "talk.wav", "audio": base64.b64encode(TALK).decode()}]
    replies = [
        server.post("/v1/recognitions", **form(pause_s="3", longest_s="30")),
        server.post(
            "/v1/recognitions?pause_s=3&longest_s=30",
            content=TALK,
            headers={"content-type": "audio/wav"},
        ),
        server.post(
            "/v1/recognitions", json={"recordings": recordings, "pause_s": 3, "longest_s": 30}
        ),
    ]
    for reply in replies:
        (one,) = reply.json()["recognitions"]
        rules = one["utterance_cut"]["rules"]
        assert (rules["pause_s"], rules["longest_s"]) == (3.0, 30.0)
        assert len(one["utterances"]) == 1
    job = server.post("/v1/jobs", **form(pause_s="0.5")).json()
    assert job["utterances"] is True


@pytest.mark.parametrize(
    "fields",
    [{"pause_s": "x"}, {"pause_s": "nan"}, {"longest_s": "-1"}, {"longest_s": "0.5"}],
    ids=str,
)
def test_rules_that_make_no_sense_are_refused(server: httpx.Client, fields: dict) -> None:
    recordings = [{"name": "talk.wav", "audio": base64.b64encode(TALK).decode()}]
    for reply in (
        server.post("/v1/recognitions", **form(**fields)),
        server.post("/v1/recognitions", json={"recordings": recordings, **fields}),
        server.post("/v1/jobs", **form(**fields)),
    ):
        assert (reply.status_code, reply.json()["code"]) == (422, "field_invalid")


def test_a_job_keeps_spans_and_has_a_table_of_utterances(server: httpx.Client) -> None:
    job = server.post("/v1/jobs", **form(spans=SRT)).json()
    assert job["utterances"] is True
    until_s = time.monotonic() + 30
    while server.get(f"/v1/jobs/{job['id']}").json()["state"] not in ("succeeded", "failed"):
        assert time.monotonic() < until_s
        time.sleep(0.05)

    table = server.get(f"/v1/jobs/{job['id']}/utterances.csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert table.headers["content-type"].startswith("text/csv")
    assert [(float(row["start_s"]), float(row["end_s"])) for row in rows] == SPANS
    assert {row["name"] for row in rows} == {"talk.wav"}


def test_the_client_asks_for_them(server: httpx.Client) -> None:
    with Client(str(server.base_url)) as client:
        answer = client.recognize(TALK, utterances=True)
        plain = client.recognize(TALK)

    assert len(answer.result.utterances) == 2
    assert answer.result.utterance_set is not None
    assert plain.result.utterance_set is None


def test_the_api_document_describes_them(server: httpx.Client) -> None:
    document = server.get("/openapi.json").json()
    for path in ("/predict", "/v1/recognitions", "/v1/jobs"):
        body = document["paths"][path]["post"]["requestBody"]["content"]
        assert "utterances" in body["multipart/form-data"]["schema"]["properties"]
    assert "Utterance" in document["components"]["schemas"]
