"""Channels that cancel one another, and those that do not."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.audio.decode import decode, decode_channels
from emoscope.audio.decoder_pool import DecoderPool
from emoscope.audio.live_channels import LiveChannels, Mixed
from emoscope.audio.mixing import Mixer
from emoscope.audio.resample import Stages
from emoscope.backends.fake_backend import FakeBackend
from emoscope.errors import AudioSilentError
from emoscope.events import StepLog
from emoscope.limits import Limits
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from sounds import encode_frame, sample, sample_names, wav

VOICE = sample("happy_zh.wav")
RNG = np.random.default_rng(11)


def noise(level: float, channels: int = 1) -> np.ndarray:
    return (level * RNG.standard_normal((channels, len(VOICE)))).astype(np.float32)


def late(by: int) -> np.ndarray:
    return np.concatenate([np.zeros(by, np.float32), VOICE])[: len(VOICE)]


def stereo(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.stack([left, right]).astype(np.float32)


CANCELLING = {
    # Channels, and which of them is to be heard.
    "opposite": (stereo(VOICE, -VOICE), 0),
    "opposite, left nearly as loud": (stereo(0.98 * VOICE, -VOICE), 0),
    "opposite, left quieter": (stereo(0.7 * VOICE, -VOICE), 1),
    "opposite, right quieter": (stereo(VOICE, -0.7 * VOICE), 0),
    "opposite, each with its own noise": (
        stereo(VOICE, -VOICE) + noise(0.3 * float(VOICE.std()), 2),
        0,
    ),
    "opposite, with an offset that both share": (stereo(VOICE, -VOICE) + np.float32(0.1), 0),
    "opposite, one sample late": (stereo(VOICE, -late(1)), 0),
    "opposite between two of six": (np.concatenate([stereo(VOICE, -VOICE), noise(1e-3, 4)]), 0),
    "opposite, once and once more": (np.stack([VOICE, -VOICE, VOICE, -VOICE]), 0),
}
MIXING = {
    "one channel": VOICE[None],
    "the same twice": stereo(VOICE, VOICE),
    "one is silent": stereo(VOICE, 0 * VOICE),
    "the other is silent": stereo(0 * VOICE, VOICE),
    "nothing in common": noise(0.1, 2),
    "two speakers": stereo(VOICE, np.resize(sample("sad_en.wav"), len(VOICE))),
    "six channels, one voice": np.concatenate([noise(1e-4, 2), VOICE[None], noise(1e-4, 3)]),
    "eight channels, nothing in common": noise(0.1, 8),
    "wide": stereo(VOICE, 0.3 * VOICE) + np.stack([n := noise(0.05)[0], -n]),
    "opposite and quiet beside": stereo(VOICE, -0.3 * VOICE),
    "silence": stereo(0 * VOICE, 0 * VOICE),
    "opposite offsets": stereo(VOICE + 0.1, VOICE - 0.1),
    "opposite dither": stereo(VOICE * 0 + 3e-6, VOICE * 0 - 3e-6),
}


def mixed(planes: np.ndarray, size: int = 1 << 30) -> Mixer:
    mixer = Mixer()
    for first in range(0, planes.shape[1], size):
        mixer(planes[:, first : first + size], Stages())
    return mixer


@pytest.mark.parametrize("name", CANCELLING)
def test_channels_that_cancel_leave_the_louder_one(name: str) -> None:
    planes, channel = CANCELLING[name]

    assert mixed(planes).louder() == channel


@pytest.mark.parametrize("name", MIXING)
def test_channels_that_do_not_cancel_are_averaged(name: str) -> None:
    assert mixed(MIXING[name]).louder() is None


@pytest.mark.parametrize("name", sample_names())
def test_a_voice_and_its_late_copy_are_averaged(name: str) -> None:
    voice = sample(name)
    for by in range(160):  # 10 ms: microphones three metres apart
        assert mixed(stereo(voice[by:], voice[: len(voice) - by])).louder() is None, by


@given(st.integers(1, 20_000), st.sampled_from([*CANCELLING]))
def test_portions_decide_nothing(size: int, name: str) -> None:
    planes, channel = CANCELLING[name]

    assert mixed(planes, size).louder() == channel


@pytest.mark.parametrize("name", CANCELLING)
@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_a_file_of_opposite_phase_is_heard_and_said(
    name: str, rate_hz: int, tmp_path: Path
) -> None:
    planes, channel = CANCELLING[name]
    planes = planes / max(1.0, float(np.abs(planes).max()))
    path = tmp_path / "a.wav"
    path.write_bytes(wav(planes.T, rate_hz))
    log = StepLog()

    heard = decode(path, log=log)

    assert np.array_equal(heard.samples, decode_channels(path)[channel].samples)
    assert [step.name for step in log.steps] == ["decode", "resample", "mix"]
    assert log.steps[2].data == {
        "channels": len(planes),
        "phase_cancelled": True,
        "channel": channel + 1,
    }


def test_the_recording_check_says_it_and_silence_stays_silence() -> None:
    recognizer = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
    alone = recognizer.recognize(wav(VOICE))

    result = recognizer.recognize(wav(stereo(VOICE, -VOICE).T))

    assert "phase_cancelled" in result.quality.reasons
    assert np.array_equal(result.scores.values, alone.scores.values)
    with pytest.raises(AudioSilentError):
        recognizer.recognize(wav(np.zeros((16_000, 2), np.float32)))
    assert "phase_cancelled" not in alone.quality.reasons


def test_a_decoder_process_decides_the_same() -> None:
    data, log, far_log = wav(stereo(VOICE, -VOICE).T), StepLog(), StepLog()
    here = decode(data, log=log)

    with DecoderPool(1) as decoders:
        far = decoders(data, limits=Limits(), log=far_log)

    assert np.array_equal(far.samples, here.samples)
    assert far_log.steps[2].data == log.steps[2].data


def test_a_channel_that_comes_later_does_not_mix_up_the_others() -> None:
    """Where the number of channels changes, the chosen one is taken where it is there."""
    mixer = Mixer(1)
    stages = Stages()

    assert np.array_equal(mixer(stereo(VOICE, -VOICE), stages), -VOICE[None])
    assert np.array_equal(mixer(VOICE[None], stages), VOICE[None])
    assert mixer(np.concatenate([stereo(VOICE, -VOICE), noise(0.1)]), stages).shape == (
        1,
        len(VOICE),
    )


def joint(make: Callable[[np.ndarray], np.ndarray]) -> bytes:
    """Joint stereo at a low rate: a codec that keeps mean and difference apart."""
    planes = make(VOICE)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(planes), "fltp", "stereo")
    frame.sample_rate = 16_000
    return encode_frame(frame, "mp3", "libmp3lame", {"b": "48k", "joint_stereo": "1"})


def test_a_lossy_codec_hides_nothing() -> None:
    log, plain = StepLog(), StepLog()
    decode(io.BytesIO(joint(lambda voice: stereo(voice, -voice))).getvalue(), log=log)
    decode(joint(lambda voice: stereo(voice, 0.5 * voice)), log=plain)

    assert log.steps[2].data["phase_cancelled"]
    assert "phase_cancelled" not in plain.steps[2].data


def streamed(planes: np.ndarray, size: int) -> tuple[np.ndarray, Mixed]:
    """What a stream hands on, and what becomes of its channels."""
    channels = LiveChannels()
    given = [
        channels.feed(planes[:, first : first + size]) for first in range(0, planes.shape[1], size)
    ]
    return np.concatenate(given), channels.finish()


@pytest.mark.parametrize("name", [*CANCELLING, *MIXING])
@pytest.mark.parametrize("size", [320, 5_000, 1 << 20])
def test_a_stream_ends_with_the_sound_of_the_file(name: str, size: int) -> None:
    planes, channel = CANCELLING[name] if name in CANCELLING else (MIXING[name], None)
    expected = planes.mean(0, np.float32) if channel is None else planes[channel]

    given, mixed = streamed(planes.astype(np.float32), size)

    whole = given if mixed.samples is None else mixed.samples
    np.testing.assert_allclose(np.clip(whole, -1, 1), np.clip(expected, -1, 1), atol=1e-6)
    if len(planes) == 1:
        assert mixed == Mixed()
    else:
        assert mixed.step is not None
        assert mixed.step.data.get("channel") == (None if channel is None else channel + 1)


def test_a_stream_of_opposite_phase_is_heard_while_it_runs() -> None:
    given, _ = streamed(stereo(VOICE, -VOICE), 320)

    assert not np.abs(given[:15_000]).any()
    assert np.array_equal(given[16_000:], VOICE[16_000:])


def test_a_stream_that_only_begins_with_opposite_phase_is_averaged() -> None:
    planes = np.concatenate([stereo(VOICE, -VOICE), *[stereo(VOICE, VOICE)] * 3], axis=1)

    _, mixed = streamed(planes, 1_600)

    assert mixed.samples is not None
    np.testing.assert_allclose(mixed.samples, planes.mean(0, np.float32), atol=1e-6)


def test_gaps_of_a_stream_stay_where_they_are() -> None:
    channels, planes = LiveChannels(), stereo(VOICE, -VOICE)
    channels.feed(planes[:, :8_000])
    channels.miss(300_000)
    channels.feed(planes[:, 8_000:])

    samples = channels.finish().samples

    assert samples is not None
    expected = np.concatenate([VOICE[:8_000], np.zeros(300_000, np.float32), VOICE[8_000:]])
    assert np.array_equal(samples, expected)


def test_a_stream_whose_channels_change_is_heard_on() -> None:
    channels = LiveChannels()
    for planes in (stereo(VOICE, -VOICE), VOICE[None], np.zeros((4, 1_000), np.float32)):
        assert channels.feed(planes).shape == (planes.shape[1],)
    assert channels.finish().step is not None
