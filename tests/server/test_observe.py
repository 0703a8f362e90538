"""What an operator sees: metrics, log lines, ids; and what they must not contain."""

from __future__ import annotations

import io
import json
import logging
import re
import time

import httpx
import pytest
from websockets.sync.client import connect

from emoscope.audio.decoder_pool import DecoderPool
from emoscope.backends.fake_backend import FakeBackend
from emoscope.errors import BusyError, RequestError, StoreError
from emoscope.labels import KEYS
from emoscope.observe import logs
from emoscope.observe.facts import LIMITS, reason_of
from emoscope.observe.metrics import ServerMetrics
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.server.http.replies import EmotionsReply, ModelsReply
from emoscope.server.keys import KeyFile
from emoscope.settings import load_settings
from serving import serving
from sounds import noise, wav

pytestmark = pytest.mark.process

GOOD = wav(noise(0.5))


def numbers(server) -> dict[str, float]:
    return numbers_of(server.client.get("/metrics").text)


def numbers_of(text: str) -> dict[str, float]:
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
    assert grown('emoscope_step_duration_seconds_count{step="infer"}') == 1
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
    version = server.client.get("/version").json()
    assert version["emoscope"]
    assert "commit" in version


def test_refusals_are_counted_by_reason_and_wrong_keys_apart(tmp_path) -> None:
    keys = tmp_path / "keys.json"
    secret = KeyFile(keys).create("ann", ["read"])
    settings = load_settings(outputs=tmp_path / "outputs", keys=keys)
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    app = create_app(recognizer, RunStore(settings.outputs), settings, page=False)
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        client.get("/v1/emotions", headers={"x-api-key": "emo_wrong"})
        client.get("/v1/emotions")
        own = {"x-api-key": secret}
        client.post("/predict", files={"audio": ("a.wav", GOOD)}, headers=own)
        client.get("/health", headers={"host": "elsewhere.example"})
        found = numbers_of(client.get("/metrics", headers=own).text)

    assert found["emoscope_wrong_keys_total"] == 1
    assert found['emoscope_refusals_total{reason="key"}'] == 2
    assert found['emoscope_refusals_total{reason="scope"}'] == 1
    assert found['emoscope_refusals_total{reason="host"}'] == 1
    assert found['emoscope_refusals_total{reason="queue"}'] == 0
    assert found["emoscope_keys_usable"] == 1


def test_every_full_limit_is_a_reason_of_its_own() -> None:
    for limit in LIMITS:
        assert reason_of(BusyError(retry_after_s=1).at(limit)) == limit
    assert reason_of(StoreError("store_full")) == "disk_full"
    assert not reason_of(RequestError("route_not_found"))


def test_jobs_disk_and_decoders_are_measured(server) -> None:
    server.client.post("/v1/jobs", files={"audio": ("a.wav", GOOD)})
    for _ in range(200):
        found = numbers(server)
        if found['emoscope_jobs{state="succeeded"}'] == 1:
            break
        time.sleep(0.05)
    assert found['emoscope_jobs{state="succeeded"}'] == 1
    assert found['emoscope_jobs{state="queued"}'] == 0
    assert found["emoscope_jobs_oldest_seconds"] == 0
    assert found['emoscope_jobs_ended_total{state="succeeded"}'] == 1
    assert found['emoscope_jobs_ended_total{state="cancelled"}'] == 0
    assert found["emoscope_decoders_resident_memory_bytes"] > 10_000_000
    assert found["emoscope_disk_free_bytes"] > 0
    assert found["emoscope_decoders"] == 2
    assert any(name.startswith("emoscope_build_info{") and 'model="fake"' in name for name in found)


def test_lines_tell_code_run_job_and_bytes(server, lines) -> None:
    def line_of(id_: str) -> dict[str, object]:
        server.client.get("/health")  # the line is written after the reply has left
        entries = [json.loads(entry) for entry in lines.getvalue().splitlines()]
        (line,) = [entry for entry in entries if entry.get("request_id") == id_]
        return line

    def send(path: str, id_: str, data: bytes):
        named = {"audio": ("a.wav", data)}
        return server.client.post(path, files=named, headers={"x-request-id": id_})

    good = send("/predict", "good-1", GOOD)
    bad = send("/predict", "bad-1", b"")
    job = send("/v1/jobs", "job-1", GOOD)
    line = line_of("good-1")
    assert line["run"] == good.json()["run"]
    assert line["bytes_in"] > len(GOOD)
    assert line["bytes_out"] == len(good.content)
    assert "code" not in line
    assert "client" not in line
    assert line_of("bad-1")["code"] == bad.json()["code"]
    assert line_of("job-1")["job"] == job.json()["id"]


def test_lines_tell_the_client_where_that_is_chosen(tmp_path, lines) -> None:
    settings = load_settings(outputs=tmp_path / "outputs", log_client=True)
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    app = create_app(recognizer, RunStore(settings.outputs), settings, page=False)
    with serving(app) as url:
        httpx.get(f"{url}/health", headers={"x-request-id": "from-here"}).raise_for_status()
    entries = [json.loads(entry) for entry in lines.getvalue().splitlines()]
    (line,) = [entry for entry in entries if entry.get("request_id") == "from-here"]
    assert line["client"] == "127.0.0.1"


def test_a_live_stream_is_logged_and_measured(server, lines) -> None:
    before = numbers(server)
    with connect(f"ws{server.url.removeprefix('http')}/v1/stream") as socket:
        socket.send('{"type": "start"}')
        socket.send(GOOD[-16_000:] * 2)  # half a second, twice
        socket.send('{"type": "end"}')
        messages = [json.loads(message) for message in socket]
    server.client.get("/health")
    after = numbers(server)
    (line,) = [
        entry
        for entry in map(json.loads, lines.getvalue().splitlines())
        if entry["message"] == "stream"
    ]
    assert messages[-1]["type"] == "result"
    assert (line["route"], line["status"]) == ("/v1/stream", 1000)
    assert line["run"] == messages[-1]["run"]
    assert (line["sound_s"], line["bytes_in"] > 32_000) == (1.0, True)
    assert after["emoscope_streams_total"] - before["emoscope_streams_total"] == 1
    assert after["emoscope_streams_open"] == 0
    assert after["emoscope_stream_duration_seconds_count"] == 1


def test_a_server_without_room_decoders_or_worker_is_not_ready(server, monkeypatch) -> None:
    def answer() -> tuple[int, str]:
        reply = server.client.get("/health/ready")
        return reply.status_code, reply.json().get("detail_en", "")

    assert answer()[0] == 200
    with monkeypatch.context() as full:
        full.setattr("emoscope.server.service.free_bytes", lambda _folder: 1_000)
        assert answer() == (503, "The service is not ready: its disk is nearly full.")
    with monkeypatch.context() as gone:
        gone.setattr(DecoderPool, "pids", lambda _pool: [])
        assert answer() == (503, "The service is not ready: it has no decoding process.")
    with monkeypatch.context() as stopped:
        stopped.setattr("threading.Thread.is_alive", lambda _thread: False)
        assert answer() == (503, "The service is not ready: its job worker has ended.")
    assert answer()[0] == 200
