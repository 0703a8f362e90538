"""``/v1/stream`` as clients see it, the rude ones included."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
import soxr
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from emoscope.backends.fake_backend import FakeBackend
from emoscope.errors import StoreError
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.settings import load_settings
from emoscope.streaming.messages import SERVER_MESSAGE
from serving import serving
from sounds import encode, encode_frame, frame_of, remuxed, sample, wav

pytestmark = pytest.mark.process

VOICE = sample("happy_zh.wav")
PCM = np.rint(VOICE * 32_768).clip(-32_768, 32_767).astype("<i2").tobytes()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server with little patience: host and port, and its outputs."""
    with served(tmp_path_factory.mktemp("streams") / "outputs") as place:
        yield place


@contextmanager
def served(outputs: Path, *, max_duration_s: float = 20.0) -> Iterator[tuple[str, Path]]:
    settings = load_settings(
        outputs=outputs,
        streams_at_once=2,
        stream_idle_s=1.0,
        stream_grace_s=1.5,
        stream_max_duration_s=max_duration_s,
    )
    recognizer = Recognizer(
        FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=settings.upload_limits
    )
    app = create_app(recognizer, RunStore(outputs), settings, page=False)
    with serving(app) as url:
        yield url.removeprefix("http://"), outputs


@contextmanager
def opened(address: tuple[str, Path], **start: object) -> Iterator[ClientConnection]:
    """A stream that is ready; one that an earlier test left behind is waited for."""
    for _ in range(100):
        # Like a browser it reads while it sends: by default this client stops reading at sixteen
        # messages that nobody took, and then it may not hear the goodbye in time.
        with connect(f"ws://{address[0]}/v1/stream", max_queue=None) as socket:
            socket.send(json.dumps({"type": "start", **start}))
            ready = told(socket)
            if ready.get("code") == "server_busy":
                time.sleep(0.1)
                continue
            assert ready["type"] == "ready"
            socket.session = ready["session"]  # type: ignore[attr-defined]
            yield socket
            return
    pytest.fail("the streams of earlier tests did not end")


def told(socket: ClientConnection) -> dict[str, Any]:
    """The next message, which keeps to the schema."""
    text = socket.recv(timeout=30)
    SERVER_MESSAGE.validate_json(text)
    return dict(json.loads(text))


def until_closed(socket: ClientConnection) -> tuple[list[dict[str, Any]], int]:
    """All messages that still come, and the close code."""
    messages = []
    with suppress(ConnectionClosed):
        while True:
            messages.append(told(socket))
    assert socket.protocol.close_rcvd is not None, "the server said goodbye"
    return messages, socket.protocol.close_rcvd.code


def send(socket: ClientConnection, data: bytes, size: int = 6_400) -> None:
    for at in range(0, len(data), size):
        socket.send(data[at : at + size])


def end(socket: ClientConnection) -> tuple[list[dict[str, Any]], int]:
    socket.send('{"type": "end"}')
    return until_closed(socket)


# --- what it is for -------------------------------------------------------------------------------


def test_a_stream_ends_with_the_answer_of_the_file_and_a_run(address: tuple[str, Path]) -> None:
    """A stream ends with the answer of the same sound as a file, and with a run."""
    with opened(address, name="call") as socket:
        send(socket, PCM)
        messages, code = end(socket)
    answer = messages[-1]
    reply = httpx.post(
        f"http://{address[0]}/predict",
        files={"audio": ("a.wav", wav(VOICE))},
        data={"granularity": "frame"},
        timeout=60,
    ).json()

    assert code == 1000
    assert answer["type"] == "result"
    assert answer["result"]["scores"] == pytest.approx(reply["scores"], abs=1e-5)
    assert answer["result"]["segments"] == reply["segments"]
    assert answer["result"]["source"]["name"] == "call"
    assert (address[1] / answer["run"] / "processed_audio.wav").is_file()
    stored = httpx.get(f"http://{address[0]}{answer['files']['result.json']}").json()
    assert stored["frames"]["count"] == reply["frames"]["count"]
    finals = [m for m in messages if m["type"] == "frames" and m["final"]]
    assert sum(len(m["scores"]) for m in finals) == reply["frames"]["count"]
    closed = [m["segment"] for m in messages if m["type"] == "segment_closed" and m["final"]]
    assert closed == reply["segments"]


def test_something_is_told_long_before_the_end(address: tuple[str, Path]) -> None:
    with opened(address) as socket:
        send(socket, PCM[: 2 * 32_000])
        kinds = set()
        while not {"frames", "speech_started", "segment_opened"} <= kinds:
            message = told(socket)
            kinds.add(message["type"])
            assert message.get("final") is not True
        end(socket)


@pytest.mark.parametrize(
    ("encoding", "rate_hz", "channels"),
    [("pcm_f32le", 16_000, 1), ("pcm_s16le", 44_100, 2), ("pcm_f32le", 8_000, 1)],
)
def test_pcm_of_any_kind_rate_and_channels(
    address: tuple[str, Path], encoding: str, rate_hz: int, channels: int
) -> None:
    import soxr

    sound = np.repeat(soxr.resample(VOICE, 16_000, rate_hz)[:, None], channels, axis=1)
    if encoding == "pcm_s16le":
        data = np.rint(sound * 32_767).astype("<i2").tobytes()
    else:
        data = sound.astype("<f4").tobytes()
    with opened(address, encoding=encoding, rate_hz=rate_hz, channels=channels) as socket:
        send(socket, data, 3_333)  # cuts samples in half
        messages, code = end(socket)

    assert code == 1000
    result = messages[-1]["result"]
    assert result["duration_s"] == pytest.approx(len(VOICE) / 16_000, abs=0.01)
    expected = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64)).recognize(wav(VOICE))
    assert result["scores"] == pytest.approx(expected.scores.to_dict(), abs=0.02)


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
@pytest.mark.parametrize(
    ("right", "reason"), [(-1.0, True), (-0.7, True), (0.5, False), (0.0, False)]
)
def test_a_stream_of_two_channels_ends_with_the_answer_of_the_file(
    address: tuple[str, Path], rate_hz: int, right: float, reason: bool
) -> None:
    """Streamed or whole, the same answer, also where the channels cancel each other.

    A stream finds that out as it goes.
    """
    sound = soxr.resample(VOICE, 16_000, rate_hz)
    hiss = np.random.default_rng(1).normal(0, 1e-3, (len(sound), 2))
    file = wav(0.9 * np.stack([sound, right * sound], axis=1) + hiss, rate_hz)
    with opened(address, encoding="pcm_s16le", rate_hz=rate_hz, channels=2) as socket:
        send(socket, file[44:], 3_333)
        messages, code = end(socket)
    reply = httpx.post(
        f"http://{address[0]}/predict",
        files={"audio": ("a.wav", file)},
        data={"granularity": "frame"},
        timeout=60,
    ).json()

    result = messages[-1]["result"]
    assert code == 1000
    assert result["scores"] == pytest.approx(reply["scores"], abs=1e-5)
    assert result["segments"] == reply["segments"]
    assert ("phase_cancelled" in result["quality"]["reasons"]) is reason
    assert result["quality"]["reasons"] == reply["quality"]["reasons"]
    mixes = [
        next(step["data"] for step in one["log"] if step["step"] == "mix")
        for one in (result, reply)
    ]
    assert mixes[0] == mixes[1]


def test_opus_of_opposite_phase_is_heard(address: tuple[str, Path]) -> None:
    frame = frame_of(soxr.resample(VOICE, 16_000, 48_000), 48_000, 1)
    planes = np.stack([frame.to_ndarray()[0], -frame.to_ndarray()[0]])
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(planes), "fltp", "stereo")
    frame.sample_rate = 48_000
    with opened(address, encoding="ogg") as socket:
        send(socket, encode_frame(frame, "ogg", "libopus", {"b": "96k"}), 1_000)
        messages, code = end(socket)

    assert code == 1000
    assert "phase_cancelled" in messages[-1]["result"]["quality"]["reasons"]


@pytest.mark.parametrize("encoding", ["webm", "ogg"])
def test_opus_as_a_browser_sends_it(address: tuple[str, Path], encoding: str) -> None:
    data = encode(VOICE, "opus" if encoding == "ogg" else "webm")
    with opened(address, encoding=encoding) as socket:
        send(socket, data, 1_000)
        messages, code = end(socket)

    assert code == 1000, messages[-1]
    assert messages[-1]["result"]["duration_s"] == pytest.approx(len(VOICE) / 16_000, abs=0.1)


def test_a_container_with_a_gap_keeps_its_times(address: tuple[str, Path]) -> None:
    data = remuxed(encode(VOICE, "webm"), "webm", lambda at_s: 1.0 if at_s < 2.0 else 4.0)
    with opened(address, encoding="webm") as socket:
        send(socket, data, 1_000)
        messages, code = end(socket)
    result = messages[-1]["result"]

    assert code == 1000, messages[-1]
    assert result["medium"]["sound_starts_s"] == 1.0
    assert [span["start_s"] for span in result["medium"]["missing"]] == pytest.approx(
        [0.0, 3.0], abs=0.02
    )
    assert result["duration_s"] == pytest.approx(4.0 + len(VOICE) / 16_000, abs=0.1)
    closed = [
        one["segment"] for one in messages if one["type"] == "segment_closed" and one["final"]
    ]
    assert closed == result["segments"]


def test_who_wants_only_the_answer_gets_no_rows(address: tuple[str, Path]) -> None:
    with opened(address, frames=False, granularity="utterance", embedding=True) as socket:
        send(socket, PCM)
        messages, _ = end(socket)

    assert not any(message["type"] == "frames" for message in messages)
    assert messages[-1]["result"]["segments"] == []
    assert "embedding.npy" in messages[-1]["files"]


def test_a_stream_has_a_name_like_any_recording(address: tuple[str, Path]) -> None:
    with opened(address, name="会议　👩‍👩‍👧" * 20) as socket:
        send(socket, PCM)
        messages, _ = end(socket)
        assert messages[-1]["result"]["source"]["name"] == "会议　👩‍👩‍👧" * 20
    with connect(f"ws://{address[0]}/v1/stream") as socket:
        socket.send(json.dumps({"type": "start", "name": "a\u202eb"}))
        messages, _ = until_closed(socket)
        assert messages[-1]["code"] == "name_refused"


def test_ping(address: tuple[str, Path]) -> None:
    with opened(address) as socket:
        socket.send('{"type": "ping"}')
        assert told(socket) == {"type": "pong"}


# --- lost and found -------------------------------------------------------------------------------


def test_a_lost_connection_is_resumed_and_nothing_is_lost(address: tuple[str, Path]) -> None:
    half = len(PCM) // 2
    with opened(address) as socket:
        send(socket, PCM[:half])
        session = socket.session  # type: ignore[attr-defined]
        told(socket)
        socket.socket.close()  # no goodbye
    deadline_s = time.monotonic() + 10
    while True:
        with connect(f"ws://{address[0]}/v1/stream") as again:
            again.send(json.dumps({"type": "resume", "session": session}))
            ready = told(again)
            if ready["type"] == "ready":
                send(again, PCM[ready["received_bytes"] :])
                messages, code = end(again)
                break
        assert time.monotonic() < deadline_s, "the server never noticed"
        time.sleep(0.1)

    assert code == 1000
    assert messages[-1]["result"]["duration_s"] == len(VOICE) / 16_000


def test_one_who_does_not_come_back_leaves_a_run(address: tuple[str, Path]) -> None:
    """A stream that disappears: what was heard is kept."""
    before = set(address[1].glob("outputs_*"))
    with opened(address, name="gone") as socket:
        send(socket, PCM)
        socket.socket.close()
    deadline_s = time.monotonic() + 20
    while True:
        new = set(address[1].glob("outputs_*")) - before
        names = [json.loads((run / "result.json").read_text("utf-8"))["source"] for run in new]
        if any(source["name"] == "gone" for source in names):
            break
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


def test_nobody_resumes_what_is_not_there(address: tuple[str, Path]) -> None:
    with connect(f"ws://{address[0]}/v1/stream") as socket:
        socket.send('{"type": "resume", "session": "../../etc"}')
        messages, code = until_closed(socket)
    assert (messages[0]["code"], code) == ("stream_not_found", 1003)


# --- rude clients ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first",
    [
        "hello",
        "[]",
        '{"type": "start", "rate_hz": 1}',
        '{"type": "start", "colour": "red"}',
        '{"type": "end"}',
        b"\x00\x01",
    ],
)
def test_a_first_message_that_was_not_agreed(address: tuple[str, Path], first: str | bytes) -> None:
    with connect(f"ws://{address[0]}/v1/stream") as socket:
        socket.send(first)
        messages, code = until_closed(socket)
    assert (messages[0]["code"], code) == ("stream_message", 1003)
    assert messages[0]["detail_zh"]


@pytest.mark.parametrize(
    "text", ["hello", '{"type": "start"}', '{"type": "start", "rate_hz": 8000}']
)
def test_text_in_the_middle_ends_the_stream_and_keeps_what_came(
    address: tuple[str, Path], text: str
) -> None:
    """A new start is how a client would change its rate: it may not."""
    with opened(address) as socket:
        send(socket, PCM)
        socket.send(text)
        messages, code = until_closed(socket)

    assert code == 1003
    assert "stream_message" in [message.get("code") for message in messages]
    assert messages[-1]["type"] == "result"


def test_one_who_sends_nothing_is_sent_away(address: tuple[str, Path]) -> None:
    with opened(address) as socket:
        messages, code = until_closed(socket)
    assert code == 1008
    assert messages[0]["code"] == "stream_idle"
    assert messages[-1]["code"] == "audio_no_samples"


@pytest.mark.parametrize("message", ['{"type": "ping"}', b""])
def test_one_who_only_keeps_the_line_open_is_sent_away(
    tmp_path: Path, message: str | bytes
) -> None:
    """Pings and empty messages do not keep a stream open for ever."""
    with served(tmp_path / "outputs", max_duration_s=1.5) as place, opened(place) as socket:
        send(socket, PCM[:16_000])
        stop = threading.Event()

        def keep_open() -> None:
            with suppress(ConnectionClosed):
                for _ in range(100):
                    if stop.wait(0.1):
                        return
                    socket.send(message)

        keeper = threading.Thread(target=keep_open)
        keeper.start()
        try:
            messages, code = until_closed(socket)
        finally:
            stop.set()
            keeper.join()

    assert code == 1008
    (idle,) = [one for one in messages if one.get("code") == "stream_idle"]
    assert "1.5" in idle["detail_en"]
    assert messages[-1]["type"] == "result"


def test_a_full_disk_at_the_end_is_told(
    address: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_store: RunStore, *_given: object) -> None:
        raise StoreError("store_full")

    with opened(address) as socket:
        monkeypatch.setattr(RunStore, "save", full)
        send(socket, PCM)
        messages, code = end(socket)

    assert (messages[-1]["code"], code) == ("store_full", 1011)
    assert messages[-1]["detail_zh"]


def test_silence_is_sound_and_no_idleness(address: tuple[str, Path]) -> None:
    with opened(address) as socket:
        send(socket, bytes(64_000))
        messages, code = end(socket)
    assert (messages[-1]["code"], code) == ("audio_silent", 1003)


def test_half_a_sample_is_no_sound(address: tuple[str, Path]) -> None:
    with opened(address) as socket:
        socket.send(b"\x01")
        messages, code = end(socket)
    assert (messages[-1]["code"], code) == ("audio_no_samples", 1003)


def test_a_message_of_a_hundred_megabytes_is_not_read(address: tuple[str, Path]) -> None:
    with opened(address) as socket:
        with suppress(ConnectionClosed):
            socket.send(bytes(100_000_000))
        _, code = until_closed(socket)
    # A client so slow that its first byte comes after a second has been idle before.
    assert code in (1009, 1008)


def test_a_message_that_is_a_little_too_large(address: tuple[str, Path]) -> None:
    with opened(address) as socket:
        send(socket, PCM)
        socket.send(bytes((1 << 20) + 2))
        messages, code = until_closed(socket)
    assert code == 1009
    assert "audio_too_large" in [message.get("code") for message in messages]
    assert messages[-1]["type"] == "result"


def test_a_stream_that_never_ends_is_ended(address: tuple[str, Path]) -> None:
    with opened(address) as socket:
        with suppress(ConnectionClosed):
            for _ in range(1_000):
                send(socket, PCM)
        messages, code = until_closed(socket)
    assert (messages[-1]["code"], code) == ("audio_too_long", 1003)


def test_garbage_for_a_container(address: tuple[str, Path]) -> None:
    with opened(address, encoding="webm") as socket:
        send(socket, np.random.default_rng(0).bytes(50_000))
        messages, code = end(socket)
    assert code == 1003
    assert messages[-1]["code"] in ("audio_not_recognized", "audio_damaged")


def test_a_third_stream_where_two_fit_is_told_to_come_back(tmp_path: Path) -> None:
    """On a server of its own: streams of other tests may still have their time of grace."""
    with (
        served(tmp_path / "outputs") as address,
        opened(address) as one,
        opened(address) as two,
        connect(f"ws://{address[0]}/v1/stream") as third,
    ):
        third.send('{"type": "start"}')
        messages, code = until_closed(third)
        assert (messages[0]["code"], code) == ("server_busy", 1013)
        for socket in (one, two):
            end(socket)


def test_pages_of_others_cannot_open_a_stream(address: tuple[str, Path]) -> None:
    with (
        pytest.raises(InvalidStatus),
        connect(f"ws://{address[0]}/v1/stream", origin="https://evil.example"),
    ):
        pass
