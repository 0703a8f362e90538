"""The client says what the server said."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emoscope.backends.fake_backend import FakeBackend
from emoscope.client import Client, ServerAnswer
from emoscope.errors import RequestFailedError
from emoscope.limits import UPLOAD
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure, ModelRef
from emoscope.server.app import create_app
from emoscope.server.keys import KeyFile
from emoscope.settings import load_settings
from raising import raises_code
from serving import serving
from sounds import SAMPLES, noise, wav

pytestmark = pytest.mark.process

GOOD = wav(noise(0.5))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client with the key of a boss."""
    folder = tmp_path_factory.mktemp("server")
    key = KeyFile(folder / "keys.json").create("boss", ["admin"])
    settings = load_settings(outputs=folder / "outputs", keys=folder / "keys.json")
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=UPLOAD)
    app = create_app(recognizer, RunStore(settings.outputs), settings, page=False)
    with serving(app) as url, Client(url, key=key) as one:
        yield one


def test_the_result_is_the_one_of_the_library(client: Client) -> None:
    path = SAMPLES / "happy_zh.wav"
    here = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=UPLOAD)
    expected = here.recognize(path, granularity="frame", embedding=True)

    answer = client.recognize(path, granularity="frame", embedding=True)

    assert answer.result.source == expected.source
    np.testing.assert_array_equal(answer.result.scores.values, expected.scores.values)
    np.testing.assert_array_equal(answer.result.track.logits, expected.track.logits)
    assert answer.result.segments == expected.segments
    np.testing.assert_array_equal(client.embedding(answer.run), expected.embedding)
    assert client.run(answer.run).result.to_dict() == answer.result.to_dict()
    assert client.file(answer.run, "processed_audio.wav").startswith(b"RIFF")


def test_a_bad_one_among_several_is_a_failure_and_alone_an_error(client: Client) -> None:
    first, second, third = client.recognize_many([GOOD, b"no sound", GOOD])

    assert isinstance(first, ServerAnswer)
    assert isinstance(third, ServerAnswer)
    assert isinstance(second, Failure)
    assert second.error.data["server_code"] == "audio_not_recognized"
    with pytest.raises(RequestFailedError) as refusal:
        client.recognize(b"no sound")
    assert refusal.value.data["status"] == 415
    assert "[audio_not_recognized]" in refusal.value.detail_zh


def test_odd_names_arrive(client: Client, tmp_path: Path) -> None:
    for name in ("中文 名字.wav", "a;b=c.wav", "it's.wav"):
        path = tmp_path / name
        path.write_bytes(GOOD)
        assert client.recognize(path).result.source.name == name


def test_names_that_only_this_machine_allows_are_sent_in_other_words(
    client: Client, tmp_path: Path
) -> None:
    for name, sent in (("a\\b\tc.wav", "a_b_c.wav"), ("a\udcff.wav", "a\ufffd.wav")):
        path = tmp_path / name
        path.write_bytes(GOOD)
        assert client.recognize(path).result.source.name == sent


def test_a_file_that_cannot_be_read_is_a_failure_in_its_place(
    client: Client, tmp_path: Path
) -> None:
    gone, long = tmp_path / "gone.wav", tmp_path / ("x" * 300)

    first, second, third = client.recognize_many([GOOD, gone, b"no sound"])
    only = client.recognize_many([gone, long])
    bad_alone = client.recognize_many([gone, b"no sound"])

    assert isinstance(first, ServerAnswer)
    assert [failure.error.code for failure in (second, third)] == [
        "source_not_found",
        "request_failed",
    ]
    assert [failure.error.code for failure in only] == ["source_not_found", "source_unreadable"]
    assert [failure.error.code for failure in bad_alone] == ["source_not_found", "request_failed"]
    with pytest.raises(FileNotFoundError):
        client.recognize(gone)
    with pytest.raises(FileNotFoundError):
        client.submit([GOOD, gone])


def test_jobs_runs_and_deleting(client: Client) -> None:
    job = client.submit([GOOD, b"no sound"], idempotency_key="once")
    assert client.submit([GOOD, b"no sound"], idempotency_key="once") == job
    states = list(client.wait(job, every_s=0.01))

    assert (states[-1]["state"], states[-1]["failed"]) == ("succeeded", 1)
    with pytest.raises(RequestFailedError):
        client.cancel(job)
    run = states[-1]["recordings"][0]["run"]
    assert run in [line["run"] for line in client.runs()]
    client.delete(run)
    with pytest.raises(RequestFailedError) as refusal:
        client.run(run)
    assert refusal.value.data["server_code"] == "run_not_found"


def test_without_a_key_it_is_told_so(client: Client) -> None:
    address = f"http://{client._line.host}:{client._line.port}"
    with Client(address) as stranger, pytest.raises(RequestFailedError) as refusal:
        stranger.recognize(GOOD)
    assert refusal.value.data["server_code"] == "key_required"


def test_nobody_there_is_an_error_of_ours() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with Client(address) as alone, raises_code("server_unreachable"):
            alone.recognize(GOOD)
    with pytest.raises(ValueError, match="no http address"):
        Client("file:///etc/passwd")


def test_a_busy_server_is_asked_again_and_a_strange_one_is_quoted() -> None:
    """A server of three replies: busy, busy, and a page of a proxy."""
    replies = [
        b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 429 Busy\r\nRetry-After: 0\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 9\r\n\r\n<b>no</b>",
    ]
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            line, _ = server.accept()
            with line:
                for reply in replies:
                    line.recv(1 << 20)
                    line.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        with (
            Client(f"http://127.0.0.1:{server.getsockname()[1]}/below/") as client,
            pytest.raises(RequestFailedError) as refusal,
        ):
            client.job("x")
        thread.join(10)

    assert refusal.value.data["status"] == 502
    assert "<b>no</b>" in refusal.value.detail_en
