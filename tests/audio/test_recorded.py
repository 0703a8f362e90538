"""What browsers and their recorders write is read whole and is not said to break off."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soxr

from emoscope.audio.decode import decode
from emoscope.events import StepLog
from emoscope.waveform import Samples, Waveform
from raising import raises_code
from sounds import sample

RECORDED = Path(__file__).parent.parent / "assets" / "recorded"
LENGTHS_S = {
    # of the sound in the file; Chromium's MP4 leaves out its first 80 ms (pre-skip)
    "chromium_mp4.mp4": 1.36,
    "chromium_mp4_paused.mp4": 1.90,
    "chromium_webm.webm": 1.50,
    "chromium_webm_paused.webm": 2.10,
    "chromium_webm_slices.webm": 1.50,
    "chromium_webm_stereo.webm": 1.50,
    "firefox_ogg.ogg": 1.50,
    "firefox_ogg_paused.ogg": 1.82,
    "firefox_ogg_stereo.ogg": 1.53,
    "firefox_webm.webm": 1.51,
    "firefox_webm_paused.webm": 2.07,
}
HEARD = np.tile(sample("angry_zh.wav"), 3)
"""What the browsers heard."""


def likeness(samples: Samples) -> float:
    """Correlation with what was heard, at the best delay: 1 for the same sound."""
    size = 1 << (len(HEARD) + len(samples)).bit_length()
    spectrum = np.fft.rfft(HEARD, size) * np.conj(np.fft.rfft(samples, size))
    delay = int(np.argmax(np.abs(np.fft.irfft(spectrum, size)[: len(HEARD) - len(samples)])))
    beside = HEARD[delay : delay + len(samples)]
    return abs(float(np.corrcoef(beside, samples)[0, 1]))


def whole(data: bytes) -> Waveform:
    """What is heard of a file that does not break off and has no gap."""
    log = StepLog()
    sound = decode(data, log=log)
    assert "broken_off" not in log.steps[0].data
    assert log.steps[0].data["skipped_packets"] == 0
    assert sound.missing == ()
    return sound


def test_every_recording_has_a_length_here() -> None:
    assert {path.name for path in RECORDED.iterdir()} == {*LENGTHS_S, "README.md"}


@pytest.mark.parametrize("name", LENGTHS_S)
def test_a_browser_s_recording_is_read_whole(name: str) -> None:
    sound = whole((RECORDED / name).read_bytes())

    assert sound.duration_s == pytest.approx(LENGTHS_S[name], abs=0.03)
    # Between two pauses, whatever the borders are, the sound is the one that was heard.
    assert max(likeness(part) for part in np.array_split(sound.samples, 3)) > 0.9
    if "paused" not in name:
        assert likeness(sound.samples) > 0.9


@pytest.mark.parametrize("name", [name for name in LENGTHS_S if "paused" in name])
def test_a_pause_of_the_recorder_is_no_gap(name: str) -> None:
    """Nobody spoke to the microphone then: the parts follow one another, as players play them."""
    sound = whole((RECORDED / name).read_bytes())

    loud = np.abs(sound.samples).reshape(-1)[: len(sound.samples) // 160 * 160].reshape(-1, 160)
    quiet = loud.max(1) < 1e-3
    longest = max(map(len, "".join("q" if q else " " for q in quiet).split(" ")))
    assert longest * 0.01 < 0.5


SPEECH = HEARD[: 3 * 16_000]


def fragments(rate_hz: int = 44_100, channels: int = 1, fragment_s: float = 1.0) -> bytes:
    """MP4 in fragments with AAC, as Safari records it."""
    samples = soxr.resample(SPEECH, 16_000, rate_hz).astype(np.float32)
    layout = "mono" if channels == 1 else "stereo"
    planes = np.ascontiguousarray(np.repeat(samples[None], channels, axis=0))
    frame = av.AudioFrame.from_ndarray(planes, "fltp", layout)
    frame.sample_rate = rate_hz
    flags = "frag_keyframe+empty_moov+default_base_moof"
    options = {"movflags": flags, "frag_duration": str(round(fragment_s * 1e6))}
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4", options=options) as container:
        stream = container.add_stream("aac", rate=rate_hz, layout=layout)
        for piece in (frame, None):
            container.mux(stream.encode(piece))
    return buffer.getvalue()


def boxes(data: bytes, *path: str, first: int = 0, last: int | None = None) -> list[int]:
    """Where the boxes of an MP4 with these names, each in the one before, begin."""
    found, at = list[int](), first
    last = len(data) if last is None else last
    while at + 8 <= last:
        size, name = struct.unpack(">I4s", data[at : at + 8])
        if name.decode("latin-1") == path[0]:
            inside = path[1:]
            found += boxes(data, *inside, first=at + 8, last=at + size) if inside else [at]
        at += size
    return found


def stating(mvhd_s: float, mdhd_s: float) -> Callable[[bytes], bytes]:
    """Change what the header of an MP4 says of the length of the movie and of its sound."""

    def changed(data: bytes) -> bytes:
        made = bytearray(data)
        for path, seconds in (
            (("moov", "mvhd"), mvhd_s),
            (("moov", "trak", "mdia", "mdhd"), mdhd_s),
        ):
            (at,) = boxes(data, *path)
            (scale,) = struct.unpack(">I", data[at + 20 : at + 24])
            made[at + 24 : at + 28] = struct.pack(">I", round(seconds * scale))
        return bytes(made)

    return changed


def stating_all_fragments(seconds: float) -> Callable[[bytes], bytes]:
    """Say in the header (``mehd``) how long all fragments are."""

    def changed(data: bytes) -> bytes:
        made = bytearray(data)
        (inner,), (outer,) = boxes(data, "moov", "mvex"), boxes(data, "moov")
        made[inner + 8 : inner + 8] = struct.pack(">I4sII", 16, b"mehd", 0, round(seconds * 1000))
        for at in (inner, outer):
            made[at : at + 4] = struct.pack(">I", struct.unpack(">I", data[at : at + 4])[0] + 16)
        return bytes(made)

    return changed


CLAIMS: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda data: data,
    "the first fragment": stating(1.0, 1.0),
    "three times as much": stating(9.0, 9.0),
    "in the movie's units": stating(3.0, 3.0 / 44.1),
    "of all fragments, too little": stating_all_fragments(1.0),
    "of all fragments, too much": stating_all_fragments(9.0),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_fragments_are_read_to_the_last_whatever_the_header_says(claim: str) -> None:
    """Readers that believe it hear a second of Safari's recordings."""
    sound = whole(CLAIMS[claim](fragments()))

    assert sound.duration_s == pytest.approx(3.04, abs=0.03)


@pytest.mark.parametrize(("rate_hz", "channels"), [(44_100, 2), (48_000, 1), (48_000, 2)])
@pytest.mark.parametrize("fragment_s", [0.1, 1.0, 60.0])
def test_fragments_of_every_kind(rate_hz: int, channels: int, fragment_s: float) -> None:
    sound = whole(fragments(rate_hz, channels, fragment_s))

    assert sound.duration_s == pytest.approx(3.03, abs=0.04)


def webm_length(data: bytes, milliseconds: float) -> bytes:
    """Write a length into the header of a WebM file, as people do who miss one there."""
    at = data.find(b"\x44\x89")
    if at >= 0:
        size = data[at + 2] & 0x7F
        number = struct.pack(">f" if size == 4 else ">d", milliseconds)
        return data[: at + 3] + number + data[at + 3 + size :]
    start = data.find(b"\x15\x49\xa9\x66") + 4
    width = 9 - data[start].bit_length()
    size = int.from_bytes(data[start : start + width], "big") & ((1 << (7 * width)) - 1)
    element = b"\x44\x89\x88" + struct.pack(">d", milliseconds)
    grown = ((1 << (7 * width)) | (size + len(element))).to_bytes(width, "big")
    end = start + width + size
    return data[:start] + grown + data[start + width : end] + element + data[end:]


@pytest.mark.parametrize("name", ["chromium_webm_paused.webm", "firefox_webm_paused.webm"])
@pytest.mark.parametrize("said_ms", [4_612.0, 2.1, 0.0, -1.0, 1e12, float("inf"), float("nan")])
def test_a_length_that_somebody_wrote_into_a_recording_changes_nothing(
    name: str, said_ms: float
) -> None:
    """With the pauses, in seconds, endless: all of these are in the field."""
    sound = whole(webm_length((RECORDED / name).read_bytes(), said_ms))

    assert sound.duration_s == pytest.approx(LENGTHS_S[name], abs=0.03)


PCM = (SPEECH * 32_767).astype("<i2").tobytes()


def riff(size: int, data_size: int, channels: int = 1, bytes_per_s: int = 0) -> bytes:
    """A WAV file of ``SPEECH`` with these numbers in its header."""
    body = np.repeat(np.frombuffer(PCM, "<i2")[:, None], channels, axis=1).tobytes()
    rate = bytes_per_s or 16_000 * 2 * channels
    form = struct.pack("<IHHIIHH", 16, 1, channels, 16_000, rate, 2 * channels, 16)
    head = b"RIFF" + struct.pack("<I", size) + b"WAVEfmt " + form
    return head + b"data" + struct.pack("<I", data_size) + body


WAV_RECORDERS = {
    "RecordRTC: RIFF 8 too large": riff(44 + len(PCM), len(PCM)),
    "RecordRTC: bytes per second of one channel": riff(
        44 + 2 * len(PCM), 2 * len(PCM), channels=2, bytes_per_s=32_000
    ),
    "RecordRTC before 2016: bytes per second of two": riff(
        36 + len(PCM), len(PCM), bytes_per_s=64_000
    ),
    "Recorder.js: RIFF 4 too small": riff(32 + len(PCM), len(PCM)),
    "record for Flutter: data as long as the file": riff(36 + len(PCM), 44 + len(PCM)),
    "sBitx: RIFF of an empty file, data of all there is": riff(35, 0xFFFF_FFFF),
    "node-wav: as long as can be": riff(0xFFFF_FFFF - 64, 0xFFFF_FFFF - 100),
    "a stream that never came back: zeros": riff(0, 0),
    "only data was forgotten": riff(36 + len(PCM), 0),
}


@pytest.mark.parametrize("recorder", WAV_RECORDERS)
def test_wav_recorders_that_cannot_count_are_read_whole(recorder: str) -> None:
    sound = whole(WAV_RECORDERS[recorder])

    assert sound.duration_s == 3.0
    assert np.abs(sound.samples - SPEECH).max() < 1e-3


@pytest.mark.parametrize("name", ["chromium_webm", "firefox_webm"])
def test_recordings_one_behind_another_are_read_to_the_end(name: str) -> None:
    """A page that stops and starts its recorder, and sends all pieces as one file."""
    one, other = (RECORDED / f"{name}{kind}.webm" for kind in ("", "_paused"))

    sound = whole(one.read_bytes() + other.read_bytes())

    whole_s = LENGTHS_S[one.name] + LENGTHS_S[other.name]
    assert sound.duration_s == pytest.approx(whole_s, abs=0.15)


def test_recordings_in_ogg_one_behind_another_are_read_to_the_end() -> None:
    names = ("firefox_ogg.ogg", "firefox_ogg_paused.ogg")

    sound = whole(b"".join((RECORDED / name).read_bytes() for name in names))

    assert sound.duration_s == pytest.approx(sum(LENGTHS_S[name] for name in names), abs=0.1)


def test_pieces_without_the_first_are_refused_in_words() -> None:
    """The header is in the first piece only."""
    data = (RECORDED / "chromium_webm_slices.webm").read_bytes()

    with raises_code("audio_not_recognized"):
        decode(data[753:])
