"""What an operator sees: metrics, log lines, ids; and what they must not contain."""

from __future__ import annotations

import io
import json
import logging
import re

import pytest

from emoscope.labels import KEYS
from emoscope.observe import logs
from emoscope.observe.metrics import ServerMetrics
from emoscope.server.http.replies import EmotionsReply, ModelsReply
from sounds import noise, wav

pytestmark = pytest.mark.process

GOOD = wav(noise(0.5))


def numbers(server) -> dict[str, float]:
    text = server.client.get("/metrics").text
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def test_requests_steps_and_emotions_are_counted(server) -> None:
    server.client.post("/predict", files={"audio": ("a.wav", GOOD)})
    before = numbers(server)
    reply = server.client.post("/predict", files={"audio": ("a.wav", GOOD)})
    server.client.post("/predict", files={"audio": ("a.wav", b"")})
    after = numbers(server)

    def grown(name: str) -> float:
        return after[name] - before.get(name, 0)

    emotion = reply.json()["emotion"]
    assert grown('emoscope_requests_total{method="POST",route="/predict",status="200"}') == 1
    assert grown('emoscope_requests_total{method="POST",route="/predict",status="422"}') == 1
    assert grown(f'emoscope_recognitions_total{{emotion="{emotion}"}}') == 1
    assert grown('emoscope_failures_total{code="audio_empty_file"}') == 1
    assert grown("emoscope_sound_seconds_total") == pytest.approx(0.5)
    assert grown('emoscope_step_seconds_count{step="infer"}') == 1
    assert after["emoscope_working"] == 0
    assert server.client.get("/metrics").headers["content-type"].startswith("text/plain")


def test_what_strangers_send_makes_no_new_metric(server) -> None:
    server.client.get("/metrics")
    before = set(numbers(server))
    for number in range(20):
        server.client.get(f"/nothing/{number}")
        server.client.request(f"X{number}", "/predict")
        server.client.get(f"/v1/recognitions/{number}")

    new = {re.sub(r'(status|method)="\w+"', "", name) for name in set(numbers(server)) - before}
    assert all("nothing" not in name for name in new)
    assert len(new) < 50


def test_every_reply_has_an_id_and_a_plain_one_is_taken_over(server) -> None:
    given = server.client.get("/health", headers={"x-request-id": "abc-1"})
    odd = server.client.get("/health", headers={"x-request-id": "a b\tc"})

    assert given.headers["x-request-id"] == "abc-1"
    assert re.fullmatch(r"[0-9a-f]{16}", odd.headers["x-request-id"])


@pytest.fixture
def lines():
    """What the package logs, as JSON lines; the logger is as it was afterwards."""
    logger = logging.getLogger("emoscope")
    before = logger.handlers[:], logger.level, logger.propagate
    stream = io.StringIO()
    logs.set_up_logging("json", stream)
    yield stream
    logger.handlers[:], logger.level, logger.propagate = before


def test_a_line_for_each_request_names_no_file_no_query_and_no_key(server, lines) -> None:
    server.client.post(
        "/predict?token=hush-1",
        files={"audio": ("secret-name.wav", GOOD)},
        headers={"x-request-id": "line-1", "x-api-key": "emo_hush-2"},
    )

    server.client.get("/health")  # the line is written after the reply has left
    text = lines.getvalue()
    # A request of another test may end only now, so its own line is found by its id.
    entries = [json.loads(entry) for entry in text.splitlines()]
    (line,) = [entry for entry in entries if entry["request_id"] == "line-1"]
    assert (line["route"], line["method"], line["status"]) == ("/predict", "POST", 200)
    assert line["request_id"] == "line-1"
    assert line["ms"] > 0
    assert "hush" not in text
    assert "secret-name" not in text


def test_an_exception_is_one_line_of_json(lines) -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("emoscope.test").exception("it broke", extra=logs.fields(part="x"))

    (line,) = lines.getvalue().splitlines()
    assert json.loads(line)["exception"].count("\n") > 1
    assert json.loads(line)["part"] == "x"


def test_text_is_for_people_and_off_leaves_warnings(lines) -> None:
    stream = io.StringIO()
    logs.set_up_logging("text", stream)
    logging.getLogger("emoscope.test").info("hello", extra=logs.fields(n=1))
    assert re.fullmatch(r"\d\d:\d\d:\d\d info hello n=1\n", stream.getvalue())
    logs.set_up_logging("off", stream)
    logging.getLogger("emoscope.test").info("not told")
    assert "not told" not in stream.getvalue()


def test_two_applications_in_one_process_count_apart() -> None:
    one, other = ServerMetrics(), ServerMetrics()
    one.recognized("happy", 1.0)

    assert b'emotion="happy"} 1.0' in one.text()
    assert b"happy" not in other.text()


def test_models_and_emotions_are_told(server) -> None:
    models = server.client.get("/v1/models").json()
    emotions = server.client.get("/v1/emotions").json()

    ModelsReply.model_validate(models)
    EmotionsReply.model_validate(emotions)
    assert models["loaded"]["name"] == "fake"
    compact = next(model for model in models["models"] if model["name"] == "compact")
    assert compact["installed"]
    assert [emotion["key"] for emotion in emotions["emotions"]] == list(KEYS)


def test_alive_ready_and_version(server) -> None:
    assert server.client.get("/health/live").json() == {"status": "live"}
    assert server.client.get("/health/ready").json()["status"] == "ready"
    assert server.client.get("/version").json()["emoscope"]
