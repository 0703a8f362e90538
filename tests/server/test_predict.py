from __future__ import annotations

import io
import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from http import HTTPStatus

import httpx
import numpy as np
import pytest

from emoscope.errors import all_codes
from emoscope.labels import KEYS
from emoscope.outputs.store import RUN_NAME
from emoscope.server.http.forms import NO, YES
from emoscope.server.http.schemas import PredictReply, Problem, http_status
from sounds import BAD, encode, noise, remuxed, sample, three_hours, wav

pytestmark = pytest.mark.process

GOOD = wav(sample("happy_zh.wav"))


def post(server, data: bytes = GOOD, name: str = "test.wav", **fields: str) -> httpx.Response:
    return server.client.post("/predict", files={"audio": (name, data)}, data=fields)


def runs(server) -> set[str]:
    return {path.name for path in server.outputs.glob("*")} if server.outputs.exists() else set()


def test_the_reply_is_result_json_with_the_run_and_its_files(server) -> None:
    reply = post(server, granularity="utterance", extract_embedding="true")

    assert reply.status_code == 200
    body = reply.json()
    PredictReply.from_dict(body)
    assert body["emotion"] == max(body["scores"], key=body["scores"].get)
    assert body["confidence"] == body["scores"][body["emotion"]]
    assert list(body["scores"]) == list(KEYS)
    assert sum(body["scores"].values()) == pytest.approx(1, abs=1e-6)
    written = json.loads((server.outputs / body["run"] / "result.json").read_text("utf-8"))
    assert written == {key: value for key, value in body.items() if key not in ("run", "files")}
    stamp = datetime.strptime(body["timestamp"], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - local
    assert body["run"].startswith(stamp.strftime("outputs_%Y%m%d_%H%M%S"))
    steps = [step["step"] for step in body["log"]]
    assert steps == ["receive", "decode", "resample", "mix", "check", "infer", "write"]


def test_a_video_whose_sound_starts_late_keeps_its_times(server) -> None:
    data = remuxed(encode(sample("happy_zh.wav"), "m4a"), "mp4", lambda _: 3.0, pictures=80)
    body = post(server, data, "video.mp4", granularity="frame").json()
    PredictReply.from_dict(body)

    (missing,) = body["medium"]["missing"]
    assert missing["start_s"] == 0
    assert missing["end_s"] == body["medium"]["sound_starts_s"] == pytest.approx(3.0, abs=0.03)
    assert body["duration_s"] == pytest.approx(3.0 + len(sample("happy_zh.wav")) / 16_000, abs=0.1)
    assert body["segments"][0]["emotion"] == "silence"
    assert body["segments"][0]["end_s"] >= missing["end_s"] - 0.02


def test_every_linked_file_can_be_fetched(server) -> None:
    files = post(server, extract_embedding="1").json()["files"]

    assert set(files) == {"processed_audio.wav", "result.json", "embedding.npy"}
    replies = {name: server.client.get(link) for name, link in files.items()}
    vectors = np.load(io.BytesIO(replies["embedding.npy"].content), allow_pickle=False)
    assert vectors.dtype == np.float32
    assert vectors.shape[1] == 4
    assert replies["processed_audio.wav"].headers["content-type"] == "audio/wav"
    assert replies["result.json"].json()["embedding"]["shape"] == list(vectors.shape)


def test_a_file_can_be_fetched_in_ranges(server) -> None:
    link = post(server).json()["files"]["processed_audio.wav"]

    part = server.client.get(link, headers={"Range": "bytes=0-3"})

    assert part.status_code == 206
    assert part.content == b"RIFF"


def test_frame_mode_has_rows_segments_and_the_mean_law(server) -> None:
    body = post(server, granularity="frame").json()

    rows = np.array(body["frames"]["logits"])
    samples = round(body["duration_s"] * 16_000)
    assert rows.shape == ((samples - 400) // 320 + 1, 9)
    assert body["frames"]["count"] == len(rows)
    mean = rows.mean(axis=0)
    scores = np.exp(mean) / np.exp(mean).sum()
    np.testing.assert_allclose(scores, list(body["scores"].values()), atol=1e-6)
    assert body["segments"][0]["start_s"] == 0
    assert body["segments"][-1]["end_s"] == body["duration_s"]


def test_without_options_there_are_no_frames_and_no_vectors(server) -> None:
    body = post(server).json()

    assert body["granularity"] == "utterance"
    assert body["frames"] is None
    assert body["embedding"] is None
    assert "embedding.npy" not in body["files"]


@pytest.mark.parametrize("word", [*YES, *NO, "TRUE", "Off"])
def test_booleans_take_eight_words(server, word: str) -> None:
    body = post(server, extract_embedding=word).json()

    assert ("embedding.npy" in body["files"]) == (word.lower() in YES)


@pytest.mark.parametrize("what", BAD)
def test_bad_sound_is_a_problem_with_its_code_and_writes_nothing(server, what: str) -> None:
    make, code = BAD[what]
    before = runs(server)

    reply = post(server, make(), "clip.mp3")

    check_problem(reply, code)
    assert runs(server) == before
    assert server.client.get("/health").json()["status"] == "ok"


def check_problem(reply: httpx.Response, code: str) -> None:
    assert reply.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate(reply.json())
    assert problem.code == code
    assert problem.status == reply.status_code
    assert 400 <= reply.status_code < 500
    assert problem.detail_en
    assert re.search(r"[\u4e00-\u9fff]", problem.detail_zh)


@pytest.mark.parametrize(
    ("files", "fields", "code", "status"),
    [
        ([("audio", ("a.wav", GOOD))], {"granularity": "word"}, "granularity_invalid", 422),
        ([("audio", ("a.wav", GOOD))], {"granularity": ""}, "granularity_invalid", 422),
        ([("audio", ("a.wav", GOOD))], {"extract_embedding": "maybe"}, "boolean_invalid", 422),
        ([("sound", ("a.wav", GOOD))], {}, "field_missing", 422),
        ([("other", ("a.txt", b"x"))], {"audio": "a.wav"}, "field_missing", 422),
        (
            [("audio", ("a.wav", GOOD)), ("audio", ("b.wav", GOOD))],
            {},
            "too_many_files",
            422,
        ),
        ([("audio", ("../../etc/a.wav", GOOD))], {}, "name_refused", 422),
        ([("audio", ("..\\a.wav", GOOD))], {}, "name_refused", 422),
        ([("audio", ("a\nb.wav", GOOD))], {}, None, None),
    ],
)
def test_bad_requests_have_their_codes(server, files, fields, code, status) -> None:
    before = runs(server)

    reply = server.client.post("/predict", files=files, data=fields)

    if code is None:
        # The client escapes the line break; whatever arrives must not become a path or a header.
        assert reply.status_code in (200, 422)
        return
    check_problem(reply, code)
    assert reply.status_code == status
    assert runs(server) == before


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (b"{}", "application/json", "request_malformed"),
        (b"", "multipart/form-data", "request_malformed"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", "form_broken_off"),
        (b"no boundary at all", "multipart/form-data; boundary=x", "request_malformed"),
        (b"--x--", "multipart/form-data; boundary=x", "field_missing"),
        (b"--x\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x", "request_malformed"),
    ],
)
def test_a_body_that_is_no_form_is_told(server, content: bytes, kind: str, code: str) -> None:
    reply = server.client.post("/predict", content=content, headers={"content-type": kind})

    check_problem(reply, code)
    assert reply.status_code == (422 if code == "field_missing" else 400)


def test_an_upload_over_the_limit_is_413(server) -> None:
    reply = post(server, wav(noise(400.0)))

    check_problem(reply, "audio_too_large")
    assert reply.status_code == 413


def test_three_hours_in_a_small_file_are_refused(server) -> None:
    data = three_hours()
    assert len(data) < 10_000_000

    check_problem(post(server, data), "audio_too_long")


def test_fifty_requests_at_once_are_fifty_complete_runs(server) -> None:
    data = wav(noise(0.5))
    with ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(lambda _: post(server, data), range(50)))

    assert [reply.status_code for reply in replies] == [200] * 50
    names = {reply.json()["run"] for reply in replies}
    assert len(names) == 50
    for name in names:
        assert RUN_NAME.fullmatch(name)
        result = json.loads((server.outputs / name / "result.json").read_text("utf-8"))
        assert result["schema_version"] == 1
        assert (server.outputs / name / "processed_audio.wav").stat().st_size > 16_000
    assert json.loads((server.outputs / "latest.json").read_text("utf-8"))["run"] in runs(server)


@pytest.mark.parametrize(
    "path",
    [
        "/outputs/outputs_20240101_000000/result.json",
        "/outputs/..%2f..%2fetc/passwd",
        "/outputs/%2e%2e/latest.json",
        "/nothing/here",
    ],
)
def test_what_is_not_there_is_404(server, path: str) -> None:
    reply = server.client.get(path)

    assert reply.status_code == 404
    assert reply.json()["code"] in ("run_not_found", "route_not_found")


def test_a_run_gives_no_other_file(server) -> None:
    run = post(server).json()["run"]
    (server.outputs / run / "secret.txt").write_text("no")

    assert server.client.get(f"/outputs/{run}/secret.txt").status_code == 404


def test_the_wrong_method_is_405(server) -> None:
    reply = server.client.get("/predict")

    assert reply.status_code == 405
    assert reply.json()["code"] == "method_not_allowed"


def test_the_sentence_follows_the_language_of_the_client(server) -> None:
    reply = server.client.post(
        "/predict", files={"audio": ("a.wav", b"")}, headers={"accept-language": "zh-CN,zh;q=0.9"}
    )

    assert reply.json()["detail"] == reply.json()["detail_zh"]


def test_health_says_what_is_loaded(server) -> None:
    body = server.client.get("/health").json()

    assert body["model"]["name"] == "fake"
    assert body["model"]["origin"] == "folder"
    assert body["model"]["load_s"] >= 0


def test_the_openapi_document_names_every_field(server) -> None:
    document = server.client.get("/openapi.json").json()

    operation = document["paths"]["/predict"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    options = {"granularity", "extract_embedding", "utterances", "head"}
    assert set(form["properties"]) == {"audio", *options}
    assert "application/problem+json" in operation["responses"]["422"]["content"]
    assert {"PredictReply", "Problem", "HealthReply"} <= set(document["components"]["schemas"])


def test_every_error_has_a_status() -> None:
    for code in all_codes():
        assert isinstance(http_status(code), HTTPStatus)
        assert http_status(code) >= 400


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "a b", "127.0.0.1@evil", ""])
def test_foreign_host_names_are_refused(server, host: str) -> None:
    reply = server.client.get("/health", headers={"host": host})

    assert reply.status_code == 400


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1", "192.168.1.5:7860", "[::1]:7860"])
def test_our_own_names_and_addresses_are_answered(server, host: str) -> None:
    assert server.client.get("/health", headers={"host": host}).status_code == 200


def test_pages_of_other_sites_may_not_post(server) -> None:
    before = runs(server)
    own = server.url
    files = {"audio": ("a.wav", GOOD)}

    foreign = server.client.post("/predict", files=files, headers={"origin": "http://evil.example"})
    same = server.client.post("/predict", files=files, headers={"origin": own})

    check_problem(foreign, "origin_refused")
    assert foreign.status_code == 403
    assert same.status_code == 200
    assert len(runs(server) - before) == 1


def test_replies_carry_safe_headers_and_no_server_name(server) -> None:
    headers = server.client.get("/health").headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"


def test_a_client_that_goes_away_leaves_nothing(server) -> None:
    before = runs(server)
    host, port = server.url.removeprefix("http://").split(":")
    for _ in range(5):
        with socket.create_connection((host, int(port))) as line:
            line.sendall(
                b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
                b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
            )

    assert server.client.get("/health").status_code == 200
    assert runs(server) == before
