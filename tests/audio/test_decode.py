from __future__ import annotations

import io
import socket
from fractions import Fraction

import av
import numpy as np
import pytest

from emoscope import errors
from emoscope.audio.decode import decode, decode_channels
from emoscope.audio.resample import at_16_khz
from emoscope.backends.fake_backend import FakeBackend
from emoscope.errors import EmoscopeError
from emoscope.events import Event, Progress, StepLog
from emoscope.limits import Limits
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.waveform import Waveform, frame_count
from raising import raises_code
from sounds import (
    BAD,
    FORMATS,
    encode,
    encode_frame,
    frame_of,
    noise,
    sample,
    three_hours,
    wav,
    wav_header,
)

SENTENCE = "happy_zh.wav"


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_keeps_length_and_sound(name: str) -> None:
    original = sample(SENTENCE)

    heard = decode(encode(original, name)).samples

    assert heard.dtype == np.float32
    assert abs(len(heard) - len(original)) <= 0.060 * 16_000
    shift, likeness = _best_match(original, heard)
    # AMR keeps 300-3,400 Hz only and codes by listening, not by shape.
    assert likeness > (0.8 if name == "amr" else 0.97)
    assert abs(shift) <= 0.060 * 16_000


def _best_match(original: np.ndarray, heard: np.ndarray) -> tuple[int, float]:
    """Shift in samples at which two recordings agree best, and their correlation there."""
    size = 1 << (len(original) + len(heard)).bit_length()
    product = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(original, size))
    correlation = np.fft.irfft(product, size)
    at = int(correlation.argmax())
    norm = float(np.linalg.norm(original) * np.linalg.norm(heard))
    return (at if at < size // 2 else at - size), float(correlation[at]) / norm


def test_16_khz_mono_wav_is_taken_bit_by_bit() -> None:
    original = sample(SENTENCE)

    assert np.array_equal(decode(wav(original)).samples, original)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_a_tone_keeps_pitch_level_and_length_at_any_rate(rate_hz: int) -> None:
    seconds = np.arange(2 * rate_hz) / rate_hz
    tone = 0.5 * np.sin(2 * np.pi * 1_000 * seconds)

    heard = decode(wav(tone, rate_hz)).samples

    assert abs(len(heard) - 32_000) <= 2
    middle = heard[8_000:24_000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert int(spectrum.argmax()) == 1_000
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)


def test_a_tone_above_8_khz_leaves_no_alias() -> None:
    """Swresample's default leaves −15 dB here; soxr HQ must leave nothing to hear."""
    seconds = np.arange(2 * 44_100) / 44_100
    heard = decode(wav(0.5 * np.sin(2 * np.pi * 9_000 * seconds), 44_100)).samples

    assert np.abs(heard[4_000:-4_000]).max() < 1e-4  # 16-bit quantization of the file itself


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_channels_are_averaged(rate_hz: int) -> None:
    left, right = noise(1.0), -0.5 * noise(1.0)

    heard = decode(wav(np.stack([left, right], axis=1), rate_hz)).samples

    np.testing.assert_allclose(heard, decode(wav((left + right) / 2, rate_hz)).samples, atol=1e-4)


def test_samples_at_any_rate_are_brought_to_16_khz() -> None:
    tone = (0.5 * np.sin(2 * np.pi * 1_000 * np.arange(44_100) / 44_100)).astype(np.float32)

    heard = at_16_khz(Waveform(tone, 44_100, "tone"))

    assert (heard.rate_hz, heard.name) == (16_000, "tone")
    assert abs(len(heard.samples) - 16_000) <= 2
    np.testing.assert_allclose(
        heard.samples[4_000:12_000],
        0.5 * np.sin(2 * np.pi * 1_000 * np.arange(4_000, 12_000) / 16_000),
        atol=1e-3,
    )


SAMPLE_FORMATS = {
    "u8": "pcm_u8",
    "s32": "pcm_s32le",
    "s64": "pcm_s64le",
    "flt": "pcm_f32le",
    "dbl": "pcm_f64le",
}


@pytest.mark.parametrize("bits", SAMPLE_FORMATS)
@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_every_sample_format_has_full_scale_at_one(bits: str, layout: str) -> None:
    tone = (0.5 * np.sin(np.arange(16_000) * 0.3)).astype(np.float32)
    planes = np.stack([tone, -0.5 * tone][: 1 if layout == "mono" else 2])
    frame = av.AudioFrame.from_ndarray(planes, "fltp", layout)
    frame.sample_rate = 16_000

    heard = decode(encode_frame(frame, "wav", SAMPLE_FORMATS[bits])).samples

    np.testing.assert_allclose(heard, planes.mean(axis=0), atol=0.006 if bits == "u8" else 1e-6)


@pytest.mark.parametrize(
    ("container", "codec"), [("adts", "aac"), ("ogg", "libopus"), ("flac", "flac")]
)
def test_surround_sound_is_heard(container: str, codec: str) -> None:
    """Eight planes fill FFmpeg's own table; PyAV reads on behind it, which ended the process."""
    rate_hz = 48_000
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)).astype(np.float32)
    frame = av.AudioFrame(format="flt", layout="7.1", samples=rate_hz)
    frame.planes[0].update(np.repeat(tone, 8).tobytes())
    frame.sample_rate = rate_hz

    heard = decode(encode_frame(frame, container, codec)).samples[4_000:12_000]

    assert int(np.abs(np.fft.rfft(heard)).argmax()) == 220
    # One of the eight is for low tones only and may be without this one.
    assert 0.8 < np.sqrt(np.mean(heard**2)) / (0.5 / np.sqrt(2)) < 1.05


@pytest.mark.parametrize("what", BAD)
def test_bad_input_has_its_own_code(what: str) -> None:
    make, code = BAD[what]
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))

    with pytest.raises(EmoscopeError) as caught:
        recognizer.recognize(make())

    assert caught.value.code == code


def test_three_hours_are_refused_before_they_are_decoded() -> None:
    with raises_code("audio_too_long"):
        decode(three_hours(), limits=Limits(max_duration_s=7_200.0))


@pytest.mark.parametrize("kind", ["opus", "aac", "wav"])
def test_the_padding_of_an_encoder_is_within_the_limit(kind: str) -> None:
    """Ten minutes of Opus are ten minutes and 6.5 ms."""
    limits = Limits(max_duration_s=4.0, padding_s=1.0)
    assert decode(encode(noise(4.3), kind), limits=limits).duration_s > 4.0

    with raises_code("audio_too_long"):
        decode(encode(noise(5.6), kind), limits=limits)
    with raises_code("audio_too_long"):
        decode(encode(noise(4.3), kind), limits=Limits(max_duration_s=4.0))


def test_sound_without_a_length_in_its_header_stops_at_the_limit() -> None:
    """An endless stream: the header says nothing, so only counting while decoding helps."""
    stream = encode(noise(20.0), "aac")  # ADTS has no length anywhere

    with raises_code("audio_too_long"):
        decode(stream, limits=Limits(max_duration_s=10.0))


def test_a_header_that_lies_about_its_length_does_not_refuse_true_sound() -> None:
    """Programs that write to a pipe leave 0xFFFFFFFF as the length."""
    body = (noise(2.0) * 32_767).astype("<i2").tobytes()
    piped = wav_header(0xFFFFFFFF - 36, 16_000, 1) + body

    heard = decode(piped, limits=Limits(max_duration_s=600.0))

    assert heard.duration_s == pytest.approx(2.0, abs=0.01)


def test_too_many_bytes_are_refused_unread() -> None:
    with pytest.raises(errors.AudioTooLargeError):
        decode(wav(noise(1.0)), limits=Limits(max_bytes=1_000))


def test_not_a_number_is_refused() -> None:
    samples = noise(1.0)
    samples[100] = np.nan
    header = bytearray(wav_header(samples.nbytes, 16_000, 1))
    header[20:22], header[28:36] = b"\x03\x00", b"\x00\xfa\x00\x00\x04\x00\x20\x00"  # float32

    with raises_code("audio_not_finite"):
        decode(bytes(header) + samples.tobytes())


def test_a_codec_off_the_list_is_refused_by_name() -> None:
    only_flac = Limits(codecs=("flac",))

    with raises_code("audio_codec_refused", match="pcm_s16le"):
        decode(wav(noise(1.0)), limits=only_flac)


def _with_codec(container: str, codec: str, was: bytes, now: bytes) -> bytes:
    """A file that names a codec which FFmpeg does not know."""
    data = encode_frame(frame_of(noise(1.0), 16_000, 1), container, codec)
    assert data.count(was) == 1
    return data.replace(was, now)


UNKNOWN_CODECS = {
    # What is named, and a file that names it.
    "0x0133": lambda: wav(noise(1.0)).replace(b"\x01\x00\x01\x00\x80", b"\x33\x01\x01\x00\x80", 1),
    "deadbeef" * 4: lambda: _extensible(bytes.fromhex("deadbeef" * 4)),
    "0x0999": lambda: _extensible(bytes.fromhex("99090000000010008000" + "00aa00389b71")),
    "apac": lambda: _with_codec("mov", "pcm_s16le", b"sowt", b"apac"),
    "QDM9": lambda: _with_codec("aiff", "pcm_alaw", b"alaw", b"QDM9"),
    "01020304": lambda: _with_codec("caf", "pcm_s16be", b"lpcm", bytes([1, 2, 3, 4])),
    "A_NEW/SOUND": lambda: _with_codec(
        "matroska", "pcm_s16le", b"A_PCM/INT/L", b"A_NEW/SOUND"
    ).replace(b"A_NEW/SOUNDIT", b"A_NEW/SOUND\0\0"),
}


def _extensible(guid: bytes) -> bytes:
    """A WAV whose format is given by a GUID."""
    old = wav(noise(1.0))
    fmt = b"\xfe\xff" + old[22:36] + bytes([22, 0, 16, 0, 4, 0, 0, 0]) + guid
    return old[:16] + len(fmt).to_bytes(4, "little") + fmt + old[36:]


@pytest.mark.parametrize("tag", UNKNOWN_CODECS)
def test_a_codec_that_nobody_knows_is_refused_by_its_tag(tag: str) -> None:
    with raises_code("audio_codec_refused") as caught:
        decode(UNKNOWN_CODECS[tag]())

    assert caught.value.data["codec"] == tag


def _tracks(*tracks: tuple[float, str, bool], container: str = "matroska") -> bytes:
    """A medium of tones: ``(Hz, codec, whether it is the default)``."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as out:
        packets = []
        for tone_hz, codec, default in tracks:
            stream = out.add_stream(codec, rate=48_000, layout="mono")
            stream.disposition = av.stream.Disposition.default if default else 0
            tone = 0.3 * np.sin(2 * np.pi * tone_hz * np.arange(48_000) / 48_000)
            frame = frame_of(tone.astype(np.float32), 48_000, 1)
            frame.pts, frame.time_base = 0, Fraction(1, 48_000)
            fitting = av.AudioResampler(
                format=stream.codec_context.format, layout="mono", rate=48_000, frame_size=960
            )
            for piece in [*fitting.resample(frame), *fitting.resample(None)]:
                packets += stream.encode(piece)
            packets += stream.encode(None)
        for packet in packets:
            out.mux(packet)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("tracks", "heard_hz", "number"),
    [
        ([(500, "libopus", False), (1_000, "libopus", True)], 1_000, 2),
        ([(500, "libopus", True), (1_000, "libopus", False)], 500, 1),
        ([(500, "libopus", True), (1_000, "libopus", True)], 500, 1),
        ([(500, "libopus", False), (1_000, "libopus", False)], 500, 1),
        # What cannot be heard is nobody's default.
        ([(500, "ac3", True), (1_000, "libopus", False)], 1_000, 2),
    ],
)
def test_of_several_tracks_the_default_one_is_heard(
    tracks: list[tuple[float, str, bool]], heard_hz: int, number: int
) -> None:
    log = StepLog()
    data = _tracks(*tracks)

    heard = decode(data, log=log).samples
    (alone,) = decode_channels(data)

    assert int(np.abs(np.fft.rfft(heard[:16_000])).argmax()) == heard_hz
    assert np.array_equal(alone.samples, heard)
    assert (log.steps[0].data["track"], log.steps[0].data["tracks"]) == (number, 2)


def test_a_track_that_nobody_can_decode_leaves_the_other() -> None:
    """An iPhone's film: AAC, and the same in APAC, which no FFmpeg knows."""
    data = _tracks((500, "aac", False), (1_000, "pcm_s16le", True), container="mov")
    assert data.count(b"sowt") == 1
    log = StepLog()

    heard = decode(data.replace(b"sowt", b"apac"), log=log).samples

    assert int(np.abs(np.fft.rfft(heard[:16_000])).argmax()) == 500
    assert (log.steps[0].data["track"], log.steps[0].data["tracks"]) == (1, 2)


def test_one_track_is_not_counted() -> None:
    log = StepLog()
    decode(_tracks((500, "libopus", True)), log=log)

    assert "tracks" not in log.steps[0].data


def test_a_refused_default_track_is_named() -> None:
    with raises_code("audio_codec_refused", match="eac3"):
        decode(_tracks((500, "ac3", False), (1_000, "eac3", True)))


def test_a_container_off_the_list_is_not_even_tried() -> None:
    with pytest.raises(errors.AudioError):
        decode(wav(noise(1.0)), limits=Limits(containers=("flac",)))


def test_a_video_without_sound_has_no_sound_track() -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as out:
        stream = out.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))

    with raises_code("audio_no_stream"):
        decode(buffer.getvalue())


def test_a_broken_packet_in_the_middle_loses_only_itself() -> None:
    original = sample(SENTENCE)
    stream = bytearray(encode(original, "mp3"))
    middle = len(stream) // 2
    stream[middle : middle + 300] = bytes(300)
    log = StepLog()

    heard = decode(bytes(stream), log=log)

    assert heard.duration_s > 0.9 * len(original) / 16_000


def test_half_an_mp3_is_half_a_recording() -> None:
    original = sample(SENTENCE)
    stream = encode(original, "mp3")

    heard = decode(stream[: len(stream) // 2])

    assert heard.duration_s == pytest.approx(len(original) / 32_000, abs=0.2)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_file_that_breaks_off_is_read_so_far_and_said(name: str) -> None:
    """An M4A without its end cannot be opened at all: its index stands there."""
    whole = encode(np.tile(sample(SENTENCE), 2), name)
    log, cut_log = StepLog(), StepLog()
    heard_s = decode(whole, log=log).duration_s
    assert "broken_off" not in steps_of(log)["decode"]
    if name == "m4a":
        return
    cut = decode(whole[: len(whole) // 2 - 7], log=cut_log)

    assert cut.duration_s == pytest.approx(heard_s / 2, rel=0.1)
    assert steps_of(cut_log)["decode"].get("broken_off") is True


def steps_of(log: StepLog) -> dict[str, dict[str, object]]:
    return {step.name: step.data for step in log.steps}


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFF024])
def test_a_length_that_the_writer_did_not_know_is_no_break(size: int) -> None:
    """What pipes write into the header before they know."""
    data = bytearray(wav(noise(1.0)))
    data[4:8] = size.to_bytes(4, "little")
    log = StepLog()
    decode(bytes(data), log=log)

    assert "broken_off" not in steps_of(log)["decode"]


def test_long_sound_tells_how_far_it_has_been_read() -> None:
    heard: list[Event] = []
    decode(wav(np.tile(noise(10.0), 10)), log=StepLog(heard.append))
    moved = [event for event in heard if isinstance(event, Progress)]

    assert [event.step for event in moved] == ["decode"] * 3
    assert all(event.total_s == 100.0 for event in moved)
    assert [round(event.done_s) // 30 for event in moved] == [1, 2, 3]


def test_a_playlist_opens_no_address(tmp_path: object) -> None:
    """A playlist under any disguise must not make FFmpeg call out."""
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0.3)
        address = f"http://127.0.0.1:{canary.getsockname()[1]}/a.ts"
        disguises = (
            f"#EXTM3U\n#EXTINF:10,\n{address}\n",
            f"\n \n#EXTM3U\n#EXTINF:10,\n{address}\n",
            f"ID3#EXTM3U\n#EXTINF:10,\n{address}\n",
            f"ffconcat version 1.0\nfile '{address}'\n",
        )
        for text in disguises:
            with pytest.raises(errors.AudioError):
                decode(text.encode())

        with pytest.raises(TimeoutError):
            canary.accept()


def test_a_file_named_like_a_playlist_is_not_followed(tmp_path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(wav(noise(1.0)))
    trap = tmp_path / "trap.m3u8"
    trap.write_text(f"#EXTM3U\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n")

    with raises_code("audio_playlist"):
        decode(trap)


def test_missing_and_unreadable_files_are_told_apart(tmp_path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        decode(tmp_path / "nothing.wav")
    with raises_code("source_unreadable"):
        decode(tmp_path)

    assert isinstance(missing.value, errors.SourceNotFoundError)
    assert missing.value.code == "source_not_found"


def test_a_path_and_its_bytes_give_the_same_samples(tmp_path) -> None:
    data = encode(sample(SENTENCE), "ogg")
    path = tmp_path / "no_suffix_at_all"
    path.write_bytes(data)

    assert np.array_equal(decode(path).samples, decode(data).samples)
    assert decode(path).name == "no_suffix_at_all"


def test_the_log_says_what_was_done() -> None:
    log = StepLog()

    decode(encode(sample(SENTENCE), "webm"), log=log)

    assert [step.name for step in log.steps] == ["decode", "resample", "mix"]
    assert log.steps[0].data["codec"] == "opus"
    assert log.steps[2].data["channels"] == 2
    assert all(step.milliseconds >= 0 for step in log.steps)


def test_frame_count_of_three_seconds() -> None:
    assert frame_count(48_000) == 149
