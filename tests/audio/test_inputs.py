"""Every form in which a Python program may hold a recording, and those that are refused."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from emoscope.audio.decode import _keeps_floats, _sound
from emoscope.audio.inputs import given_name, name_of, received
from emoscope.audio.prepare import prepare
from emoscope.audio.sound_array import MAX_PEAK, SoundArray
from emoscope.errors import AudioError, EmoscopeError, SourceTypeError
from emoscope.events import StepLog
from emoscope.limits import COMMAND_LINE, UPLOAD, Limits
from emoscope.multichannel import recognize_channels_with
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure
from emoscope.waveform import Waveform
from raising import raises_code
from sounds import sample, wav

RATE = 16_000
VOICE = sample("happy_zh.wav")
SECOND = sample("sad_en.wav")[: len(VOICE)]
INT16 = (VOICE * 32_768).astype(np.int16)


def heard(source: object, limits: Limits = COMMAND_LINE) -> np.ndarray:
    """The samples that a recognizer would give to the model."""

    def no_decoder(*_: object, **__: object) -> Waveform:
        raise AssertionError("nothing to decode")

    return prepare(source, no_decoder, limits, StepLog()).waveform.samples  # type: ignore[arg-type]


# --- arrays ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble"])
def test_floats_of_any_width_are_the_same_sound(dtype: str) -> None:
    np.testing.assert_array_equal(heard((VOICE.astype(dtype), RATE)), VOICE)


@pytest.mark.parametrize(
    "samples",
    [
        INT16,
        INT16.astype(np.int32) << 16,
        INT16.byteswap().view(INT16.dtype.newbyteorder()),
    ],
    ids=["int16", "int32", "big-endian"],
)
def test_integers_are_divided_by_their_full_scale(samples: np.ndarray) -> None:
    np.testing.assert_array_equal(heard((samples, RATE)), VOICE)


def test_eight_bits_are_signed_or_around_128() -> None:
    signed = np.round(VOICE * 127).astype(np.int8)
    unsigned = (signed.astype(np.int16) + 128).astype(np.uint8)

    np.testing.assert_array_equal(heard((unsigned, RATE)), signed / np.float32(128))
    np.testing.assert_array_equal(heard((signed, RATE)), signed / np.float32(128))


@pytest.mark.parametrize(
    "pair",
    [(INT16, RATE), (RATE, INT16), (INT16, np.int64(RATE)), (VOICE.tolist(), 16_000.0)],
    ids=["librosa", "scipy and gradio", "NumPy's integer", "list and float"],
)
def test_a_pair_may_have_its_rate_first_or_last(pair: tuple[object, object]) -> None:
    np.testing.assert_array_equal(heard(pair), VOICE)


def test_another_rate_is_resampled_like_a_waveform() -> None:
    expected = heard(Waveform(VOICE, 22_050))

    np.testing.assert_array_equal(heard((VOICE, 22_050)), expected)


@pytest.mark.parametrize("order", ["channels first", "channels last"])
def test_the_channels_are_the_short_dimension(order: str) -> None:
    both = np.stack([VOICE, SECOND])
    array = both if order == "channels first" else both.T

    np.testing.assert_allclose(heard((array, RATE)), both.mean(axis=0), atol=1e-7)


def test_channels_of_opposite_phase_are_found_as_in_files() -> None:
    log = StepLog()
    array = SoundArray(np.stack([VOICE, -VOICE]), RATE, 0)
    found = prepare(array, None, COMMAND_LINE, log)  # type: ignore[arg-type]

    np.testing.assert_array_equal(found.waveform.samples, VOICE)
    assert "phase_cancelled" in found.quality.reasons


@pytest.mark.parametrize("shape", [(16_000, 9), (5, 2), (2, 3, 4), ()])
def test_a_shape_that_says_nothing_is_refused(shape: tuple[int, ...]) -> None:
    with raises_code("samples_shape_ambiguous"):
        heard((np.zeros(shape, np.float32), RATE))


def test_the_axis_may_be_said() -> None:
    short = np.tile(np.float32([0.5, -0.5]), (5, 1))  # five samples of two channels, or the reverse

    planes = SoundArray(short, RATE, 1).channels(COMMAND_LINE)
    assert [len(one.samples) for one in planes] == [5, 5]
    assert len(SoundArray(short, RATE, 0).channels(COMMAND_LINE)) == 5


def test_each_channel_of_an_array_is_recognized_for_itself(fake_recognizer: Recognizer) -> None:
    array = np.stack([VOICE, SECOND], axis=1)
    found = recognize_channels_with(fake_recognizer, (array, RATE), name="call")
    alone = [fake_recognizer.recognize((one, RATE)) for one in (VOICE, SECOND)]

    assert [one.scores for one in found.results] == [one.scores for one in alone]
    assert [one.name for one in found.results] == ["call [1]", "call [2]"]


@pytest.mark.parametrize("channels", [1, 2])
def test_too_many_channels_are_refused(channels: int) -> None:
    with raises_code("audio_too_many_channels"):
        heard((np.zeros((2, 16_000), np.float32), RATE), Limits(max_channels=1))


# --- beyond full scale ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "divisor"),
    [(32_767, 32_768), (8_388_607, 8_388_608), (2.0**31, 2**31), (12.0, 32_768)],
)
def test_floats_in_the_range_of_integers_are_refused_with_the_divisor(
    scale: float, divisor: int
) -> None:
    loud = (VOICE / np.abs(VOICE).max() * scale).astype(np.float32)
    for source in (Waveform(loud, RATE), (loud, RATE), (loud.astype(np.float64), RATE)):
        with pytest.raises(AudioError, match=f"divide by {divisor}") as caught:
            heard(source)
        assert caught.value.code == "samples_beyond_full_scale"
        assert str(divisor) in caught.value.detail_zh


def test_what_resampling_overshoots_is_clipped_as_in_files() -> None:
    loud = VOICE / np.abs(VOICE).max() * np.float32(MAX_PEAK)

    np.testing.assert_array_equal(heard((loud, RATE)), np.clip(loud, -1, 1))


def test_a_file_of_floats_in_the_range_of_integers_is_refused(
    fake_recognizer: Recognizer, tmp_path: Path
) -> None:
    import av

    path = tmp_path / "float.wav"
    with av.open(str(path), "w") as file:
        track = file.add_stream("pcm_f32le", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(VOICE[None] * 32_767, "flt", "mono")
        frame.sample_rate = RATE
        for packet in [*track.encode(frame), *track.encode()]:
            file.mux(packet)
    with raises_code("samples_beyond_full_scale"):
        fake_recognizer.recognize(path)


def test_what_a_lossy_decoder_overshoots_is_clipped() -> None:
    """FFmpeg's decoder of Opus gives samples of 2,000 in rare frames of real recordings."""
    loud = _sound(iter([VOICE * np.float32(2_000)]), math.inf)

    np.testing.assert_array_equal(next(loud), np.clip(VOICE * np.float32(2_000), -1, 1))
    assert _keeps_floats("pcm_f32le")
    assert not _keeps_floats("opus")


# --- files and rows of data sets ------------------------------------------------------------------


@dataclass
class Decoder:
    """Stands in for the decoder objects of ``datasets``, which need torch."""

    data: np.ndarray
    sample_rate: int

    def get_all_samples(self) -> Decoder:
        return self


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "voice.wav"
    path.write_bytes(wav(VOICE))
    return path


Make = Callable[[Path], object]
FORMS: dict[str, Make] = {
    "path": lambda path: path,
    "text": str,
    "bytes": Path.read_bytes,
    "bytearray": lambda path: bytearray(path.read_bytes()),
    "memoryview": lambda path: memoryview(path.read_bytes()),
    "BytesIO": lambda path: io.BytesIO(path.read_bytes()),
    "open file": lambda path: path.open("rb"),
    "pair": lambda _: (INT16, RATE),
    "row": lambda path: {"array": VOICE, "sampling_rate": RATE, "path": str(path)},
    "row of bytes": lambda path: {"bytes": path.read_bytes(), "path": "a/voice.wav"},
    "row of a path": lambda path: {"bytes": None, "path": str(path)},
    "lazy row": lambda _: Decoder(VOICE[None], RATE),
}


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_of_one_recording_have_one_answer(
    fake_recognizer: Recognizer, file: Path, form: str
) -> None:
    source = FORMS[form](file)
    result = fake_recognizer.recognize(source)  # type: ignore[arg-type]
    if isinstance(source, io.IOBase):
        source.close()

    np.testing.assert_array_equal(
        result.scores.values, fake_recognizer.recognize(file).scores.values
    )


@pytest.mark.parametrize(
    ("form", "name"),
    [("open file", "voice.wav"), ("row", "voice.wav"), ("row of bytes", "voice.wav")],
)
def test_a_name_that_comes_along_is_kept(
    fake_recognizer: Recognizer, file: Path, form: str, name: str
) -> None:
    source = FORMS[form](file)

    assert name_of(source) == name  # type: ignore[arg-type]
    assert fake_recognizer.recognize(source).name == name  # type: ignore[arg-type]
    assert fake_recognizer.recognize(file, name="other").name == "other"
    if isinstance(source, io.IOBase):
        source.close()


def test_an_open_file_is_read_up_to_the_limit_and_no_further() -> None:
    endless = Endless()
    with raises_code("audio_too_large"):
        received(endless, UPLOAD)
    assert endless.given <= UPLOAD.max_bytes + 1  # type: ignore[operator]


class Endless(io.RawIOBase):
    """File without an end."""

    given = 0

    def read(self, size: int = -1, /) -> bytes:
        self.given += size
        return bytes(size)


def test_an_open_file_is_read_from_where_it_stands(file: Path) -> None:
    with io.BytesIO(b"head" + file.read_bytes()) as stream:
        stream.seek(4)
        assert received(stream, COMMAND_LINE) == file.read_bytes()


class Unreadable:
    """Array that NumPy cannot read, as a tensor with a gradient is."""

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise RuntimeError("call detach() first")


class Refusing(io.RawIOBase):
    """File on a disk that fails."""

    def read(self, size: int = -1, /) -> bytes:
        raise OSError(5, "Input/output error")


def closed() -> io.BytesIO:
    stream = io.BytesIO(b"x")
    stream.close()
    return stream


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        (VOICE, "source_unsupported", "no sample rate"),
        (3, "source_unsupported", "type int"),
        (None, "source_unsupported", "NoneType"),
        ([VOICE, RATE], "source_unsupported", "type list"),
        ((VOICE, "16000"), "source_unsupported", "type tuple"),
        ((Unreadable(), RATE), "source_unsupported", r"Unreadable makes no array .*detach"),
        (io.StringIO("text"), "source_unsupported", "text mode"),
        ({"path": None, "bytes": None}, "source_unsupported", "path, bytes"),
        ((INT16.astype(np.int64), RATE), "source_unsupported", "int64"),
        ((np.array(["a"]), RATE), "source_unsupported", "str"),
        ("https://example.com/a.wav", "source_is_address", "Download"),
        (Refusing(), "source_unreadable", "Input/output"),
        (closed(), "source_unreadable", "closed"),
        ((VOICE, 0), "audio_rate_out_of_range", "0 Hz"),
        ((VOICE, float("nan")), "audio_rate_out_of_range", "nan"),
        ((VOICE, 16_000.5), "audio_rate_out_of_range", "16000.5"),
        ((np.zeros(0, np.float32), RATE), "audio_no_samples", "0 s"),
        ((np.full(16_000, np.nan), RATE), "audio_not_finite", "NaN"),
        ((np.full(16_000, 1e300), RATE), "audio_not_finite", "infinity"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value[:20],
)
def test_what_is_no_recording_is_refused_with_the_reason(
    source: object, code: str, words: str
) -> None:
    with pytest.raises(EmoscopeError, match=words) as caught:
        heard(source)
    assert caught.value.code == code
    assert caught.value.detail_zh


@pytest.mark.parametrize(
    "sources",
    [
        "a.wav",
        b"RIFF",
        Path("a.wav"),
        (VOICE, RATE),
        {"array": VOICE, "sampling_rate": RATE},
        VOICE,
        Waveform(VOICE, RATE),
        SoundArray(VOICE, RATE),
        io.BytesIO(b""),
    ],
    ids=lambda value: type(value).__name__,
)
def test_one_recording_is_no_list(fake_recognizer: Recognizer, sources: object) -> None:
    with raises_code("source_not_a_list"):
        fake_recognizer.recognize_many(sources)  # type: ignore[arg-type]
    assert issubclass(SourceTypeError, TypeError)


def test_a_list_may_be_an_array_of_paths_and_may_mix_forms(
    fake_recognizer: Recognizer, file: Path
) -> None:
    paths = np.array([str(file), "missing.wav"], dtype=object)
    mixed = [file, (INT16, RATE), VOICE, *paths]
    answers = list(fake_recognizer.recognize_many(mixed))

    kinds = [one.error.code if isinstance(one, Failure) else one.name for one in answers]
    assert kinds == ["voice.wav", "audio", "source_unsupported", "voice.wav", "source_not_found"]
    assert len(list(fake_recognizer.recognize_many(paths))) == 2
    assert given_name(VOICE) == ""  # type: ignore[arg-type]
