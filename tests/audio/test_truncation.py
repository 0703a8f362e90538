"""Whole files and cut ones in every container: only what holds less than it states says so."""

from __future__ import annotations

import functools
import io
import struct
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soxr

from emoscope.audio.decode import decode
from emoscope.events import StepLog
from emoscope.limits import Limits
from raising import raises_code
from sounds import encode, encode_frame, frame_of, sample, wav

SPEECH = np.tile(sample("happy_zh.wav"), 2)
SPEECH_S = len(SPEECH) / 16_000

WRITTEN: dict[str, tuple[str, str, int, int, dict[str, str], dict[str, str]]] = {
    # container, codec, rate in Hz, channels, options of the encoder, options of the container
    "wav": ("wav", "pcm_s16le", 16_000, 1, {}, {}),
    "wav 24 bit": ("wav", "pcm_s24le", 16_000, 2, {}, {}),
    "wav a-law": ("wav", "pcm_alaw", 8_000, 1, {}, {}),
    "wav adpcm": ("wav", "adpcm_ms", 16_000, 1, {}, {}),
    "wav mp3": ("wav", "libmp3lame", 16_000, 1, {}, {}),
    "rf64": ("wav", "pcm_s16le", 16_000, 1, {}, {"rf64": "always"}),
    "w64": ("w64", "pcm_s16le", 16_000, 1, {}, {}),
    "aiff": ("aiff", "pcm_s16be", 16_000, 1, {}, {}),
    "aifc": ("aiff", "pcm_alaw", 16_000, 1, {}, {}),
    "caf": ("caf", "pcm_s16be", 16_000, 1, {}, {}),
    "flac": ("flac", "flac", 16_000, 1, {}, {}),
    "opus": ("ogg", "libopus", 48_000, 1, {}, {}),
    "vorbis": ("ogg", "vorbis", 44_100, 2, {"strict": "experimental"}, {}),
    "flac in ogg": ("ogg", "flac", 16_000, 1, {}, {}),
    "webm": ("webm", "libopus", 48_000, 1, {}, {}),
    "matroska": ("matroska", "pcm_s16le", 16_000, 1, {}, {}),
    "m4a": ("ipod", "aac", 16_000, 1, {}, {"movflags": "faststart"}),
    "mov": ("mov", "pcm_s16le", 16_000, 1, {}, {"movflags": "faststart"}),
    "3gp": ("3gp", "libopencore_amrnb", 8_000, 1, {}, {"movflags": "faststart"}),
    "3gp with pauses": (
        "3gp",
        "libopencore_amrnb",
        8_000,
        1,
        {"dtx": "1"},
        {"movflags": "faststart"},
    ),
    "mp4 in fragments": (
        "mp4",
        "aac",
        16_000,
        1,
        {},
        {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "1000000"},
    ),
    "mp3": ("mp3", "libmp3lame", 16_000, 1, {}, {}),
    "mp3 without a count": ("mp3", "libmp3lame", 44_100, 2, {}, {"write_xing": "0"}),
    "mp3 of varying rate": ("mp3", "libmp3lame", 44_100, 2, {"q": "4"}, {}),
    "adts": ("adts", "aac", 16_000, 1, {}, {}),
    "amr": ("amr", "libopencore_amrnb", 8_000, 1, {}, {}),
    "amr with pauses": ("amr", "libopencore_amrnb", 8_000, 1, {"dtx": "1"}, {}),
}
TAILS = {
    "zeros": bytes(30_000),
    "text": b"LYRICSBEGIN and words, [00:12] more words of the song; " * 200,
    "id3v1": b"TAG" + b"Information".ljust(125, b"\0"),
    "ape": b"APETAGEX" + struct.pack("<4I8x", 2_000, 32, 0, 0xA000_0000) + bytes(64),
}


@functools.cache
def written(name: str) -> bytes:
    """A recording in one of the containers of ``WRITTEN``, its index first where there is one."""
    container, codec, rate_hz, channels, options, container_options = WRITTEN[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made"
        with av.open(str(path), "w", format=container, options=container_options) as out:
            _write(out, codec, rate_hz, channels, options)
        return path.read_bytes()


class Pipe:
    """What PyAV writes to when there is no going back."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, piece: bytes) -> int:
        self.data += bytes(piece)
        return len(piece)


@functools.cache
def piped(name: str) -> bytes:
    """A recording as a program writes it that cannot go back and fill in the length."""
    container, codec, rate_hz, channels, options, container_options = WRITTEN[name]
    pipe = Pipe()
    with av.open(pipe, "w", format=container, options=container_options) as out:
        _write(out, codec, rate_hz, channels, options)
    return bytes(pipe.data)


def _write(out: Any, codec: str, rate_hz: int, channels: int, options: dict[str, str]) -> None:
    frame = frame_of(soxr.resample(SPEECH, 16_000, rate_hz), rate_hz, channels)
    frame.time_base, frame.pts = Fraction(1, rate_hz), 0
    stream = out.add_stream(codec, rate=rate_hz, layout=frame.layout.name, options=options)
    fitting = av.AudioResampler(
        format=stream.codec_context.format,
        layout=frame.layout.name,
        rate=rate_hz,
        frame_size=stream.codec_context.frame_size or 1_024,
    )
    for piece in [*fitting.resample(frame), *fitting.resample(None)]:
        out.mux(stream.encode(piece))
    out.mux(stream.encode(None))


def heard(data: bytes, limits: Limits | None = None) -> tuple[float, bool]:
    """Seconds that are heard, and whether the file is said to break off."""
    log = StepLog()
    waveform = decode(data, log=log, limits=limits or Limits())
    return waveform.duration_s, "broken_off" in log.steps[0].data


@pytest.mark.parametrize("name", WRITTEN)
def test_a_whole_file_is_whole_and_a_cut_one_is_not(name: str) -> None:
    whole = written(name)

    whole_s, said = heard(whole)
    assert (whole_s, said) == (pytest.approx(SPEECH_S, abs=0.15), False)
    for share in (0.5, 0.8):
        cut_s, said = heard(whole[: int(share * len(whole)) - 7])
        assert (cut_s, said) == (pytest.approx(share * SPEECH_S, abs=2.2), True), share


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("name", WRITTEN)
def test_what_stands_behind_the_sound_does_not_break_it(name: str, tail: str) -> None:
    _, said = heard(written(name) + TAILS[tail])

    assert not said


@pytest.mark.parametrize("tail", ["", *TAILS])
@pytest.mark.parametrize(
    "name",
    [
        "wav",
        "wav 24 bit",
        "wav adpcm",
        "wav mp3",
        "rf64",
        "caf",
        "flac",
        "opus",
        "webm",
        "matroska",
        "mp4 in fragments",
        "mp3",
        "mp3 of varying rate",
        "adts",
        "amr",
    ],
)
def test_what_a_pipe_wrote_is_whole_and_never_too_long(name: str, tail: str) -> None:
    """No length stands in it, and what FFmpeg guesses must not be held against it."""
    data = piped(name) + TAILS.get(tail, b"")

    whole_s, said = heard(data, Limits(max_duration_s=60.0 if tail else SPEECH_S + 0.2))

    assert not said
    assert tail or whole_s == pytest.approx(SPEECH_S, abs=0.15)


UNKNOWN = [
    *(0, 0x7F00_0008, 0x7FFF_F000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF - 36, 0xFFFF_FFFF),
    *(2_000_000_000, 1_000_000_000 - 36, 0x4000_0000, 100_000_000),
]


@pytest.mark.parametrize("size", UNKNOWN)
@pytest.mark.parametrize("form", ["wav", "aiff"])
def test_a_placeholder_for_the_length_is_no_claim(form: str, size: int) -> None:
    """With eleven seconds of 2 MB the lie would be thick enough to be believed."""
    data = bytearray(written(form))
    if form == "aiff" and not 0 < size < 1 << 31:
        return  # FFmpeg itself takes AIFF sizes as signed numbers and opens none of these
    at = data.index(b"data" if form == "wav" else b"SSND") + 4
    data[at : at + 4] = size.to_bytes(4, "little" if form == "wav" else "big")
    whole = min(size + 36, 0xFFFF_FFFF) if size else 0
    data[4:8] = whole.to_bytes(4, "little" if form == "wav" else "big")
    if form == "aiff":
        count_at = data.index(b"COMM") + 10
        data[count_at : count_at + 4] = (size // 2).to_bytes(4, "big")

    assert heard(bytes(data)) == (pytest.approx(SPEECH_S, abs=0.15), False)


@pytest.mark.parametrize("off", [-8_000, -44, -8, -1, 1, 8, 44, 8_000, 0x10_0000])
def test_the_size_of_the_whole_riff_says_nothing(off: int) -> None:
    """RecordRTC and others write it wrong; the size of the sound is right."""
    data = bytearray(wav(SPEECH))
    data[4:8] = (len(data) - 8 + off).to_bytes(4, "little")

    assert heard(bytes(data)) == (pytest.approx(SPEECH_S), False)


def test_half_a_second_may_be_missing() -> None:
    data = wav(SPEECH)

    assert not heard(data[: -2 * 7_900])[1]
    assert heard(data[: -2 * 8_100])[1]


def test_a_wrong_byte_rate_refuses_nothing() -> None:
    """The header states a hundredth of the true rate, and so a hundred times the length."""
    data = bytearray(wav(SPEECH))
    data[28:32] = (320).to_bytes(4, "little")

    whole_s, said = heard(bytes(data), Limits(max_duration_s=SPEECH_S + 1))

    assert (whole_s, said) == (pytest.approx(SPEECH_S), False)


@pytest.mark.parametrize("stated_s", [200, 100_000])
def test_only_what_is_there_counts_against_the_limit(stated_s: int) -> None:
    """A header that states more than the file holds does not make it too long, but cut off."""
    data = bytearray(wav(SPEECH))
    data[40:44] = (stated_s * 32_000 % 0x7F00_0000).to_bytes(4, "little")

    whole_s, said = heard(bytes(data), Limits(max_duration_s=SPEECH_S + 1))

    assert (whole_s, said) == (pytest.approx(SPEECH_S), True)


@pytest.mark.parametrize("name", ["wav", "w64", "aiff", "caf", "flac", "m4a", "mp3", "matroska"])
def test_a_length_that_is_counted_refuses_before_decoding(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = written(name)
    monkeypatch.setattr("emoscope.audio.decode.decoded_frames", lambda *_: pytest.fail("decoded"))

    with raises_code("audio_too_long"):
        decode(data, limits=Limits(max_duration_s=SPEECH_S - 1))


def _slow_then_fast() -> bytes:
    """An MP3 without a count; FFmpeg takes the rate of its first frames for that of all."""
    frame = frame_of(soxr.resample(SPEECH, 16_000, 44_100), 44_100, 1)
    uncounted = {"write_xing": "0"}
    return b"".join(
        encode_frame(frame, "mp3", "libmp3lame", {"b": rate}, uncounted) for rate in ("32k", "256k")
    )


def test_a_low_rate_at_the_beginning_of_an_mp3_is_no_length() -> None:
    data = _slow_then_fast()

    with av.open(io.BytesIO(data)) as opened:
        assert opened.duration > 4e6 * SPEECH_S, "the guess must be wrong for this to test anything"
    both_s = pytest.approx(2 * SPEECH_S, abs=0.2)
    assert heard(data, Limits(max_duration_s=2 * SPEECH_S + 1)) == (both_s, False)


def _with_picture(container: str, sound_at_s: float, picture_s: float, gap_s: float = 0.0) -> bytes:
    """A film whose picture runs from 0 on, and sound that begins later and may have a gap."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as out:
        picture = out.add_stream("mpeg4", rate=5)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuv420p"
        sound = out.add_stream("aac", rate=16_000, layout="mono")
        packets = []
        for number in range(round(5 * picture_s)):
            image = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
            image.pts, image.time_base = number, Fraction(1, 5)
            packets += picture.encode(image)
        packets += picture.encode(None)
        for first in range(0, len(SPEECH) - 1_024, 1_024):
            frame = frame_of(SPEECH[first : first + 1_024], 16_000, 1)
            shift_s = sound_at_s + (gap_s if first > len(SPEECH) // 2 else 0)
            frame.pts = first + round(shift_s * 16_000)
            frame.time_base = Fraction(1, 16_000)
            packets += sound.encode(frame)
        packets += sound.encode(None)
        for packet in sorted(packets, key=lambda one: one.dts * one.time_base):
            out.mux(packet)
    return buffer.getvalue()


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska"])
@pytest.mark.parametrize(
    ("at_s", "picture_s", "gap_s"), [(0, 20, 0), (3, 20, 0), (3, 5, 0), (0, 9, 5), (2, 4, 3)]
)
def test_a_picture_that_is_longer_or_sound_with_a_gap_is_whole(
    container: str, at_s: float, picture_s: float, gap_s: float
) -> None:
    assert not heard(_with_picture(container, at_s, picture_s, gap_s))[1]


@pytest.mark.parametrize("word", [b"Info", b"Xing", b"Information", b"VBRI"])
def test_a_word_in_a_tag_is_no_count(word: bytes) -> None:
    text = b"\0" + word + b"\xff\xff\xff\xff" * 4
    frame = b"TIT2" + len(text).to_bytes(4, "big") + b"\0\0" + text
    tag = b"ID3\x03\0\0" + bytes([0, 0, len(frame) >> 7, len(frame) & 0x7F]) + frame

    assert heard(tag + _slow_then_fast()) == (pytest.approx(2 * SPEECH_S, abs=0.2), False)


@pytest.mark.parametrize("frames", [0, 0xFFFF_FFFF])
def test_an_mp3_that_counts_nothing_counts_nothing(frames: int) -> None:
    data = bytearray(encode(SPEECH, "mp3"))
    at = data.index(b"Info") + 8
    data[at : at + 4] = frames.to_bytes(4, "big")

    limits = Limits(max_duration_s=SPEECH_S + 0.2)
    assert heard(bytes(data), limits) == (pytest.approx(SPEECH_S, abs=0.15), False)


def test_the_count_of_an_mp3_is_found_behind_a_picture_in_its_tag() -> None:
    data = encode(SPEECH, "mp3")
    picture = np.random.default_rng(5).bytes(200_000)
    frame = b"APIC" + len(picture).to_bytes(4, "big") + b"\0\0" + picture
    size = [len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0)]
    tag = b"ID3\x03\0\0" + bytes(size) + frame

    assert not heard(tag + data)[1]
    assert heard(tag + data[: len(data) // 2])[1]


def test_the_last_part_of_a_flac_that_was_cut_into_files_is_whole() -> None:
    """FFmpeg's segments: the last one states the samples of all."""
    data = written("flac")
    with av.open(io.BytesIO(data)) as opened:
        at = [packet.pos for packet in opened.demux(audio=0) if packet.size]
    part = data[: at[0]] + data[at[len(at) // 2] :]

    part_s, said = heard(part)

    assert (part_s, said) == (pytest.approx(SPEECH_S / 2, abs=0.5), False)
    assert heard(part[:-20_000])[1]


@pytest.mark.parametrize("flag", [0, 4])
def test_an_ogg_without_the_mark_of_its_last_page_is_whole(flag: int) -> None:
    """Programs that cannot go back do not set it (pion's oggwriter, radio that is recorded)."""
    data = bytearray(encode(SPEECH, "opus"))
    page = data.rindex(b"OggS")
    data[page + 5] = flag
    data[page + 22 : page + 26] = _ogg_crc(bytes(data[page:])).to_bytes(4, "little")

    assert not heard(bytes(data))[1]


def _ogg_crc(page: bytes) -> int:
    crc = 0
    for at, byte in enumerate(page):
        crc ^= (0 if 22 <= at < 26 else byte) << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x8000_0000 else crc << 1) & 0xFFFF_FFFF
    return crc


def test_pauses_in_amr_keep_their_time() -> None:
    """Encoders write next to nothing for a pause (DTX); FFmpeg's own decoder skips it."""
    for name in ("amr with pauses", "3gp with pauses"):
        log = StepLog()
        decode(written(name), log=log)

        assert log.steps[0].data["skipped_packets"] == 0


def test_pauses_in_wide_band_amr_keep_their_time() -> None:
    """No encoder here: loud frames of noise, and the frames of a pause between them."""
    rng = np.random.default_rng(3)
    speech = [b"\x14" + rng.bytes(32) for _ in range(50)]
    pause = [b"\x4c" + rng.bytes(5), *[b"\x7c"] * 7] * 6

    assert heard(b"#!AMR-WB\n" + b"".join([*speech, *pause, *speech])) == (2.96, False)
