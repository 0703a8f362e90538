"""Decoding in processes: the same sound, the same errors, and nothing lost with a process."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest

from emoscope.audio import decoder_pool as module
from emoscope.audio import decoder_protocol
from emoscope.audio.decode import decode, decode_channels
from emoscope.audio.decoder_pool import DecoderPool
from emoscope.errors import AudioError, AudioTooLargeError, DecoderError, DecoderTimeoutError
from emoscope.events import StepLog
from emoscope.limits import UPLOAD, Limits
from emoscope.waveform import Span
from raising import raises_code
from sounds import BAD, FORMATS, encode, encode_frame, noise, sample, wav

pytestmark = pytest.mark.process

GOOD = wav(noise(1.0))


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecoderPool]:
    with DecoderPool(2, limits=UPLOAD) as running:
        yield running


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_sounds_as_it_does_in_process(decoders: DecoderPool, name: str) -> None:
    data = encode(sample("happy_zh.wav"), name)
    here, there = StepLog(), StepLog()

    expected = decode(data, limits=UPLOAD, name="clip", log=here)
    heard = decoders(data, limits=UPLOAD, name="clip", log=there)

    np.testing.assert_array_equal(heard.samples, expected.samples)
    assert heard.name == "clip"
    assert [(step.name, step.data) for step in there.steps] == [
        (step.name, step.data) for step in here.steps
    ]


@pytest.mark.parametrize("what", BAD)
def test_every_bad_input_has_the_error_that_it_has_in_process(
    decoders: DecoderPool, what: str
) -> None:
    data = BAD[what][0]()
    before = decoders.replaced
    said = []
    for decoder in (decode, decoders):
        try:
            decoder(data, limits=UPLOAD)
        except AudioError as error:
            said.append(str(error))

    assert len(said) in (0, 2)  # what is too short or silent is for the recognizer to say
    assert len(set(said)) <= 1
    assert decoders.replaced == before


def test_channels_are_decoded_each_for_itself(decoders: DecoderPool) -> None:
    planes = np.stack([sample("happy_zh.wav"), sample("happy_zh.wav")[::-1]])
    frame = av.AudioFrame.from_ndarray(planes, "fltp", "stereo")
    frame.sample_rate = 16_000
    data = encode_frame(frame, "wav", "pcm_s16le", {})

    here = decode_channels(data, limits=UPLOAD)
    there = decoders.channels(data, limits=UPLOAD)

    assert len(there) == 2
    for one, other in zip(here, there, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)


def test_a_path_is_read_here_and_its_name_kept(decoders: DecoderPool, tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(GOOD)

    assert decoders(path, limits=UPLOAD).name == "clip.wav"
    with pytest.raises(AudioTooLargeError):
        decoders(path, limits=Limits(max_bytes=100))
    with raises_code("audio_empty_file"):
        decoders(b"", limits=UPLOAD)


def test_the_process_can_open_nothing_and_knows_no_secret(
    decoders: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoders(GOOD, limits=UPLOAD)
    for pid in decoders.pids():
        limits = Path(f"/proc/{pid}/limits")
        if not limits.exists():
            pytest.skip("this system has no /proc to look at")
        rows = {line[:26].strip(): line[26:].split()[0] for line in limits.read_text().splitlines()}
        descriptors = list(Path(f"/proc/{pid}/fd").iterdir())
        assert len(descriptors) <= 3
    assert rows["Max open files"] == "3"
    assert rows["Max file size"] == "0"
    assert int(rows["Max address space"]) < 1 << 30
    names = {entry.split("=")[0] for entry in _environment(pid)}
    assert names <= {"PYTHONPATH", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "LC_CTYPE", ""}


def _environment(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/environ").read_text().split("\0")


def open_descriptors() -> int:
    """How many this process holds; 0 where the system does not say."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_fifty_kills_cost_at_most_fifty_recordings(decoders: DecoderPool) -> None:
    """Killed in the middle of work or between: an error for one at most, and the next one works."""
    descriptors = open_descriptors()
    lost = 0
    for _ in range(50):
        for pid in decoders.pids():
            os.kill(pid, signal.SIGKILL)
            break
        try:
            decoders(GOOD, limits=UPLOAD)
        except DecoderError:
            lost += 1

    assert lost <= 50
    assert len(decoders(GOOD, limits=UPLOAD).samples) == 16_000
    assert len(decoders.pids()) == 2
    assert open_descriptors() == descriptors


def test_a_process_killed_over_a_recording_is_that_recordings_error(
    decoders: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(line: socket.socket, note: dict, body: bytes = b"") -> None:
        for pid in decoders.pids():
            os.kill(pid, signal.SIGKILL)
        decoder_protocol.send_message(line, note, body)

    monkeypatch.setattr(module, "send_message", dying)
    with raises_code("decoder_crashed"):
        decoders(GOOD, limits=UPLOAD)
    monkeypatch.undo()

    assert len(decoders(GOOD, limits=UPLOAD).samples) == 16_000


def test_one_that_hangs_is_ended_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    with DecoderPool(1, deadline_s=0.3, limits=UPLOAD) as one:
        (pid,) = one.pids()
        real = decoder_protocol.send_message

        def stopping(line: socket.socket, note: dict, body: bytes = b"") -> None:
            os.kill(pid, signal.SIGSTOP)
            real(line, note, body)

        monkeypatch.setattr(module, "send_message", stopping)
        with pytest.raises(DecoderTimeoutError):
            one(GOOD, limits=UPLOAD)
        monkeypatch.undo()

        assert pid not in one.pids()
        assert len(one.pids()) == 1
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_many_threads_share_a_few_processes(decoders: DecoderPool) -> None:
    clips = [wav(noise(0.2 + 0.01 * number)) for number in range(40)]

    with ThreadPoolExecutor(8) as pool:
        heard = list(pool.map(lambda data: decoders(data, limits=UPLOAD), clips))

    assert [len(one.samples) for one in heard] == [
        len(decode(data, limits=UPLOAD).samples) for data in clips
    ]
    assert len(decoders.pids()) == 2


def test_processes_are_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RENEW_AFTER", 2)
    with DecoderPool(1, limits=UPLOAD) as one:
        first = one.pids()
        for _ in range(3):
            one(GOOD, limits=UPLOAD)
        assert one.pids() != first
        assert one.replaced == 0


def test_nothing_is_left_at_the_end() -> None:
    with DecoderPool(2, limits=UPLOAD) as some:
        some(GOOD, limits=UPLOAD)
        pids = some.pids()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize(
    ("note", "body"),
    [
        ({}, b"\0" * 8),
        ({"steps": [], "missing": 0}, b""),
        ({"steps": [], "missing": 0}, b"\0" * 7),
        ({"steps": [], "missing": 0}, np.float32([2.0]).tobytes()),
        ({"steps": [], "missing": 0}, np.float32([np.nan]).tobytes()),
        ({"steps": [["rm -rf", 1.0, {}]], "missing": 0}, b"\0" * 4),
        ({"steps": [["decode", "1", {}]], "missing": 0}, b"\0" * 4),
        ({"steps": []}, b"\0" * 4),
        ({"steps": [], "missing": -1}, b"\0" * 4),
        ({"steps": [], "missing": True}, b"\0" * 4),
        ({"steps": [], "missing": 1}, b"\0" * 4),
        ({"steps": [], "missing": "1"}, b"\0" * 16),
        ({"error": "store_full", "data": {}}, b""),
        ({"error": "audio_silent", "data": {"more": 1}}, b""),
        ({"error": "audio_silent", "data": None}, b""),
    ],
)
def test_what_a_captured_decoder_says_is_not_believed(
    note: dict, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DecoderPool(1, limits=UPLOAD) as one:
        one(GOOD, limits=UPLOAD)
        monkeypatch.setattr(
            module, "receive_message", lambda *_args, **_limits: (note, bytearray(body))
        )
        with raises_code("decoder_crashed"):
            one(GOOD, limits=UPLOAD)


@pytest.mark.parametrize(
    "borders",
    [
        [-1, 2],
        [3, 3],
        [5, 2],
        [0, 9],
        [0, 3, 2, 5],
        [2**63 - 1, -(2**63), 1, 2],
        [1, 2, 3],
    ],
)
def test_spans_that_a_captured_decoder_makes_up_are_not_believed(borders: list[int]) -> None:
    note = {"steps": [], "missing": len(borders) // 2, "channels": 1}
    spans = bytearray(np.array(borders, np.int64).tobytes())

    with raises_code("decoder_crashed"):
        module._checked(note, bytearray(8 * 4), spans)


def test_spans_without_sound_come_over_the_line() -> None:
    note = {"steps": [], "missing": 2, "channels": 1}
    spans = bytearray(np.array([0, 320, 800, 1_120], np.int64).tobytes())

    _, planes, missing = module._checked(note, bytearray(1_200 * 4), spans)
    assert planes.shape == (1, 1_200)
    assert missing == (Span(0.0, 0.02), Span(0.05, 0.07))


@pytest.mark.parametrize("channels", [None, 0, 3, 2**40, -1, "x"])
def test_a_number_of_channels_that_a_captured_decoder_makes_up_is_not_believed(
    channels: object,
) -> None:
    note = {"steps": [], "missing": 0, "channels": channels}

    with raises_code("decoder_crashed"):
        module._checked(note, bytearray(8 * 4), bytearray())


def _pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair()


def test_a_parcel_arrives_as_it_was_sent() -> None:
    ours, theirs = _pair()
    with ours, theirs:
        body = np.random.default_rng(0).bytes(3_000_000)
        sender = threading.Thread(
            target=decoder_protocol.send_message, args=(ours, {"a": [1, "二"]}, body)
        )
        sender.start()
        assert decoder_protocol.receive_message(theirs, max_bytes=len(body)) == (
            {"a": [1, "二"]},
            body,
        )
        sender.join()
        ours.close()
        assert decoder_protocol.receive_message(theirs, max_bytes=1) is None


@pytest.mark.parametrize(
    "raw",
    [
        decoder_protocol._HEAD.pack(2, 10) + b"{}" + b"0123456789",  # larger than asked for
        decoder_protocol._HEAD.pack(1 << 20, 0),  # a note of a megabyte
        decoder_protocol._HEAD.pack(9, 0) + b"{}",  # cut off
        decoder_protocol._HEAD.pack(2, 0) + b"[]",
        decoder_protocol._HEAD.pack(2, 0) + b"{,",
    ],
)
def test_a_parcel_that_is_not_as_agreed_is_refused(raw: bytes) -> None:
    ours, theirs = _pair()
    with theirs:
        with ours:
            ours.sendall(raw)
        with pytest.raises(decoder_protocol.ProtocolError):
            decoder_protocol.receive_message(theirs, max_bytes=5)


def test_limits_survive_the_note() -> None:
    from dataclasses import asdict

    note = json.loads(json.dumps(asdict(UPLOAD)))
    back = Limits(**{name: tuple(v) if isinstance(v, list) else v for name, v in note.items()})
    assert back == UPLOAD
