"""Names of recordings, by every way in which they can be sent."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from sounds import noise, wav

GOOD = wav(noise(0.5))
HARMLESS = (
    "会议　一.wav",
    "Screen Recording at 10.30.00\u202fPM.m4a",
    "👩‍👩‍👧‍👦\U0001fae9.wav",
    "می‌خواهم.wav",
    "Auf\xadnahme.wav",
    "录" * 90,
    "录" * 255,
)
REFUSED = ("a\x1b.wav", "a\x85.wav", "a\u202egpj.wav", "a\u2066.wav", "录" * 256, "..", "\0")


def form(header: bytes) -> dict[str, object]:
    """A form with one file, whose disposition ends in this."""
    body = b'--x\r\nContent-Disposition: form-data; name="audio"' + header + b"\r\n\r\n"
    return {
        "content": body + GOOD + b"\r\n--x--\r\n",
        "headers": {"content-type": "multipart/form-data; boundary=x"},
    }


def in_json(name: str) -> dict[str, object]:
    return {"recordings": [{"name": name, "audio": base64.b64encode(GOOD).decode()}]}


WAV = {"content-type": "audio/wav"}
WAYS = {
    "form": ("/v1/recognitions", lambda name: form(f'; filename="{name}"'.encode())),
    "predict": ("/predict", lambda name: form(f'; filename="{name}"'.encode())),
    "extended": (
        "/v1/recognitions",
        lambda name: form(f"; filename*=UTF-8''{quote(name, safe='')}".encode()),
    ),
    "json": ("/v1/recognitions", lambda name: {"json": in_json(name)}),
    "query": (
        "/v1/recognitions",
        lambda name: {"content": GOOD, "params": {"name": name}, "headers": WAV},
    ),
}


def sent(server, way: str, name: str):
    path, request = WAYS[way]
    return server.client.post(path, **request(name))


def name_of(reply) -> str:
    answer = reply.json()
    return answer.get("recognitions", [answer])[0]["source"]["name"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_names_come_back(server, way: str, name: str) -> None:
    reply = sent(server, way, name)

    assert reply.status_code == 200, reply.text
    assert name_of(reply) == name


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", REFUSED)
def test_controls_overrides_and_paths_are_refused(server, way: str, name: str) -> None:
    reply = sent(server, way, name)

    assert reply.status_code == 422
    assert reply.json()["code"] == "name_refused"


def test_jobs_take_the_same_names(server) -> None:
    for name, status in (("会议　一.wav", 202), ("a\u202e.wav", 422)):
        reply = server.client.post("/v1/jobs", files=[("audio", (name, GOOD))])
        assert reply.status_code == status


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('; filename="录音 1.wav"'.encode("gbk"), "录音 1.wav"),
        ('; filename="caf\xe9.wav"'.encode("latin-1"), "café.wav"),
        (b'; filename="a\x81 \x8d.wav"', "a\ufffd \ufffd.wav"),
        (b"; filename=\"a.wav\"; filename*=UTF-8''b.wav", "a.wav"),
        (b"; filename*=utf-8'zh'%E5%BD%95%22%5B.wav", '录"[.wav'),
    ],
)
def test_names_in_the_bytes_of_older_clients(server, header: bytes, name: str) -> None:
    reply = server.client.post("/v1/recognitions", **form(header))

    assert reply.status_code == 200, reply.text
    assert name_of(reply) == name


def test_half_an_emoji_is_replaced_and_not_an_error_of_ours(server) -> None:
    body = '{"recordings": [{"name": "cut\\ud83d", "audio": "%s"}]}'
    content = body % base64.b64encode(GOOD).decode()
    headers = {"content-type": "application/json"}

    reply = server.client.post("/v1/recognitions", content=content, headers=headers)

    assert name_of(reply) == "cut\ufffd"
