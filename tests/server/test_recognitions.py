"""``/v1/recognitions`` and the files of runs."""

from __future__ import annotations

import base64
import csv
import io
import json
import struct

import httpx
import numpy as np
import pytest

from emoscope.server.http.replies import ListReply, RecognitionsReply
from emoscope.server.http.schemas import Problem
from sounds import noise, sample, wav

pytestmark = pytest.mark.process

GOOD = wav(sample("happy_zh.wav"))
SHORT = wav(noise(0.5))
BAD = b"This is not music.\n" * 20


def many(*files: tuple[str, bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    return [("audio", file) for file in files]


def test_one_file_is_one_answer_and_one_run(server) -> None:
    reply = server.client.post("/v1/recognitions", files=many(("a.wav", GOOD)))

    assert reply.status_code == 200
    RecognitionsReply.model_validate(reply.json())
    (answer,) = reply.json()["recognitions"]
    again = server.client.get(f"/v1/recognitions/{answer['run']}")
    assert again.json() == answer


def test_several_files_are_answered_in_order_and_a_bad_one_ends_nothing(server) -> None:
    reply = server.client.post(
        "/v1/recognitions",
        files=many(("a.wav", GOOD), ("b.mp3", BAD), ("c.wav", SHORT)),
        data={"granularity": "frame", "embedding": "yes"},
    )

    assert reply.status_code == 200
    first, second, third = reply.json()["recognitions"]
    assert first["frames"]["count"] > 0
    assert "embedding.npy" in first["files"]
    assert second["name"] == "b.mp3"
    assert Problem.model_validate(second["problem"]).code == "audio_not_recognized"
    assert third["source"]["name"] == "c.wav"


def test_json_with_base64_says_the_same(server) -> None:
    asked = {
        "recordings": [{"name": "a.wav", "audio": base64.b64encode(GOOD).decode()}],
        "granularity": "frame",
    }

    (by_json,) = server.client.post("/v1/recognitions", json=asked).json()["recognitions"]
    (by_bytes,) = server.client.post(
        "/v1/recognitions?granularity=frame&name=a.wav",
        content=GOOD,
        headers={"content-type": "audio/wav"},
    ).json()["recognitions"]

    assert by_json["scores"] == by_bytes["scores"]
    assert by_json["source"] == by_bytes["source"]
    assert by_json["frames"] == by_bytes["frames"]


def call(*planes: np.ndarray) -> bytes:
    """A WAV file with these channels."""
    data = (np.stack(planes, axis=1) * 32_767).astype("<i2").tobytes()
    return (
        struct.pack(
            "<4sI8sIHHIIHH4sI",
            *(b"RIFF", 36 + len(data), b"WAVEfmt ", 16, 1, len(planes), 16_000),
            *(32_000 * len(planes), 2 * len(planes), 16, b"data", len(data)),
        )
        + data
    )


def test_each_channel_of_a_call_has_an_answer_and_a_run(server) -> None:
    left = sample("happy_zh.wav")
    right = np.roll(sample("angry_zh.wav")[: len(left)], 4_000)
    right = np.pad(right, (0, len(left) - len(right)))
    sound = call(left, right)

    reply = server.client.post(
        "/v1/recognitions",
        files=many(("call.wav", sound), ("a.wav", GOOD)),
        data={"granularity": "frame", "channels": "separate"},
    )

    assert reply.status_code == 200
    RecognitionsReply.model_validate(reply.json())
    one, other, alone = reply.json()["recognitions"]
    assert [a["channel"]["number"] for a in (one, other, alone)] == [1, 2, 1]
    assert [a["channel"]["count"] for a in (one, other, alone)] == [2, 2, 1]
    assert one["run"] != other["run"]
    assert one["timestamp"] == other["timestamp"]
    assert one["duration_s"] == other["duration_s"]
    (by_left,) = server.client.post(
        "/v1/recognitions", files=many(("l.wav", wav(left))), data={"granularity": "frame"}
    ).json()["recognitions"]
    assert one["scores"]["happy"] == pytest.approx(by_left["scores"]["happy"], abs=1e-3)


def test_channels_are_asked_for_in_json_and_in_the_address_too(server) -> None:
    sound = call(sample("happy_zh.wav"), sample("happy_zh.wav")[::-1])
    encoded = base64.b64encode(sound).decode()

    by_json = server.client.post(
        "/v1/recognitions", json={"recordings": [{"audio": encoded}], "channels": "separate"}
    )
    by_bytes = server.client.post(
        "/v1/recognitions?channels=separate",
        content=sound,
        headers={"content-type": "audio/wav", "accept": "application/x-ndjson"},
    )

    assert len(by_json.json()["recognitions"]) == 2
    events = [json.loads(line) for line in by_bytes.text.splitlines()]
    results = [event for event in events if event["event"] == "result"]
    assert [(one["index"], one["channel"]["number"]) for one in results] == [(0, 1), (0, 2)]


def test_another_word_or_more_channels_are_refused(server) -> None:
    wrong = server.client.post(
        "/v1/recognitions", files=many(("a.wav", GOOD)), data={"channels": "left"}
    )
    three = server.client.post(
        "/v1/recognitions",
        files=many(("a.wav", call(*[sample("happy_zh.wav")] * 3))),
        data={"channels": "separate"},
    )
    job = server.client.post("/v1/jobs", files=many(("a.wav", GOOD)), data={"channels": "separate"})

    assert (wrong.status_code, wrong.json()["code"]) == (422, "field_invalid")
    assert three.json()["code"] == "audio_too_many_channels"
    assert (job.status_code, job.json()["code"]) == (422, "field_invalid")


def test_the_reply_comes_as_lines_tables_and_events(server) -> None:
    files = many(("a.wav", GOOD), ("b.mp3", BAD))

    def ask(accept: str) -> httpx.Response:
        return server.client.post("/v1/recognitions", files=files, headers={"accept": accept})

    lines = [json.loads(line) for line in ask("application/jsonl").text.splitlines()]
    assert [line["name"] for line in lines] == ["a.wav", "b.mp3"]
    assert lines[1]["error"]["code"] == "audio_not_recognized"
    table = ask("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert table.headers["content-type"].startswith("text/csv")
    assert [row["error"] for row in rows] == ["", "audio_not_recognized"]
    events = [json.loads(line) for line in ask("application/x-ndjson").text.splitlines()]
    assert [event["event"] for event in events if event["index"] == 1] == ["step", "problem"]
    whats = [event["event"] for event in events if event["index"] == 0]
    assert whats[-1] == "result"
    assert "progress" in whats
    assert [event["step"] for event in events if event["event"] == "step"][:2] == [
        "receive",
        "decode",
    ]


@pytest.mark.parametrize(
    ("request_", "code", "status"),
    [
        ({"files": many(("b.mp3", BAD))}, "audio_not_recognized", 415),
        ({"files": many(("../b.wav", GOOD))}, "name_refused", 422),
        ({"files": many(*[("a.wav", SHORT)] * 33)}, "field_invalid", 422),
        ({"files": [("sound", ("a.wav", SHORT))]}, "field_missing", 422),
        ({"json": {}}, "field_missing", 422),
        ({"json": []}, "request_malformed", 400),
        ({"json": {"recordings": [], "more": 1}}, "request_malformed", 400),
        ({"json": {"recordings": [{"audio": "%%%"}]}}, "field_invalid", 422),
        ({"json": {"recordings": [{"audio": 1}]}}, "field_missing", 422),
        ({"json": {"recordings": [{"audio": "", "name": 1}]}}, "field_invalid", 422),
        ({"json": {"recordings": [{"audio": "", "name": "/etc/x"}]}}, "name_refused", 422),
        ({"json": {"recordings": [{"audio": ""}]}}, "audio_empty_file", 422),
        (
            {"json": {"recordings": [{"audio": ""}], "embedding": "yes"}},
            "field_invalid",
            422,
        ),
        ({"json": {"recordings": [{"audio": ""}], "granularity": 1}}, "granularity_invalid", 422),
        ({"content": b"[" * 100_000, "headers": {"content-type": "application/json"}}, None, 400),
        ({"content": GOOD, "headers": {"content-type": "text/plain"}}, "request_malformed", 400),
        ({"content": b"", "headers": {"content-type": "audio/wav"}}, "audio_empty_file", 422),
        (
            {"content": GOOD, "headers": {"content-type": "audio/wav"}, "params": {"name": "a/b"}},
            "name_refused",
            422,
        ),
        (
            {
                "content": GOOD,
                "headers": {"content-type": "audio/wav"},
                "params": {"granularity": "word"},
            },
            "field_invalid",
            422,
        ),
    ],
)
def test_bad_requests_have_their_codes_and_write_nothing(server, request_, code, status) -> None:
    before = set(server.outputs.glob("*"))

    reply = server.client.post("/v1/recognitions", **request_)

    assert reply.status_code == status
    problem = Problem.model_validate(reply.json())
    assert code in (None, problem.code)
    assert set(server.outputs.glob("*")) == before


def test_one_file_over_the_limit_is_413_in_every_way_of_sending(server) -> None:
    large = wav(noise(400.0))

    by_form = server.client.post("/v1/recognitions", files=many(("a.wav", large)))
    by_bytes = server.client.post(
        "/v1/recognitions", content=large, headers={"content-type": "audio/wav"}
    )

    assert (by_form.status_code, by_bytes.status_code) == (413, 413)
    assert by_form.json()["code"] == by_bytes.json()["code"] == "audio_too_large"


def test_the_list_has_pages(server) -> None:
    for _ in range(3):
        server.client.post("/v1/recognitions", files=many(("listed.wav", SHORT)))

    seen, first = [], 0
    while first is not None:
        page = server.client.get("/v1/recognitions", params={"first": first, "count": 2}).json()
        ListReply.model_validate(page)
        seen += [entry["run"] for entry in page["recognitions"]]
        first = page["next"]
    assert len(seen) == len(set(seen)) == page["total"]
    found = server.client.get("/v1/recognitions", params={"search": "listed"}).json()
    assert found["total"] == 3
    refused = server.client.get("/v1/recognitions", params={"count": "all"})
    assert refused.status_code == 422
    assert refused.json()["code"] == "field_invalid"


def test_delete_means_gone(server) -> None:
    reply = server.client.post("/v1/recognitions", files=many(("a.wav", SHORT)))
    run = reply.json()["recognitions"][0]["run"]

    assert server.client.delete(f"/v1/recognitions/{run}").status_code == 204

    assert not (server.outputs / run).exists()
    for address in (f"/v1/recognitions/{run}", f"/outputs/{run}/result.json"):
        assert server.client.get(address).json()["code"] == "run_not_found"
    assert server.client.delete(f"/v1/recognitions/{run}").status_code == 404
    assert server.client.delete("/v1/recognitions/..%2f..").status_code == 404


def test_files_have_tags_and_ranges(server) -> None:
    reply = server.client.post("/v1/recognitions", files=many(("a.wav", SHORT)))
    address = f"/v1/recognitions/{reply.json()['recognitions'][0]['run']}/files/processed_audio.wav"

    whole = server.client.get(address)
    tag = whole.headers["etag"]
    unchanged = server.client.get(address, headers={"if-none-match": f'"other", {tag}'})
    part = server.client.get(address, headers={"range": "bytes=4-7", "if-range": tag})
    beyond = server.client.get(address, headers={"range": "bytes=999999999-"})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert (part.status_code, part.content) == (206, whole.content[4:8])
    assert beyond.status_code == 416
