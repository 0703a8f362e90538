"""Two speakers on two channels: each is recognized as if alone, on one axis of time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soxr

import emoscope
from emoscope.errors import AudioSilentError
from emoscope.events import Event, Progress
from emoscope.limits import Limits
from emoscope.multichannel import recognize_channels_with
from emoscope.recognizer import Recognizer
from emoscope.results.result import Result
from emoscope.waveform import Waveform
from raising import raises_code
from sounds import FORMATS, encode, encode_frame, frame_of, noise, sample, wav

LATE_S = 2.0
VAD_S = 0.35
"""How far a border of speech may be from where the sound was put: steps of the detector, and
samples that begin and end with a breath."""


@pytest.fixture(scope="module")
def compact() -> Recognizer:
    return emoscope.load("compact", threads=1)


def padded(sound: np.ndarray, before_s: float, duration_s: float) -> np.ndarray:
    out = np.zeros(round(duration_s * 16_000), np.float32)
    first = round(before_s * 16_000)
    out[first : first + len(sound)] = sound
    return out


def call() -> tuple[np.ndarray, np.ndarray]:
    """A customer from the start, an agent who begins ``LATE_S`` later."""
    customer, agent = sample("angry_zh.wav"), sample("neutral_zh.wav")
    duration_s = LATE_S + max(len(customer), len(agent)) / 16_000 + 1.0
    return padded(customer, 0, duration_s), padded(agent, LATE_S, duration_s)


def same(one: Result, other: Result) -> None:
    assert one.track is not None
    assert other.track is not None
    np.testing.assert_allclose(one.track.scores, other.track.scores, atol=1e-5)
    np.testing.assert_allclose(one.scores.values, other.scores.values, atol=1e-5)
    assert one.segments == other.segments
    assert one.quality == other.quality
    assert one.abstain == other.abstain


def test_each_channel_is_heard_as_if_alone(compact: Recognizer) -> None:
    left, right = call()

    heard = recognize_channels_with(
        compact, wav(np.stack([left, right], axis=1)), granularity="frame"
    )

    for result, sound in zip(heard.results, (left, right), strict=True):
        same(result, compact.recognize(wav(sound), granularity="frame"))
    one, other = heard.results
    assert len(one.track) == len(other.track)
    assert one.source.sha256 == other.source.sha256 is not None
    assert [result.name for result in heard.results] == ["audio [1]", "audio [2]"]
    assert one.scores != other.scores


def test_talk_and_overlap_are_those_of_the_splice(compact: Recognizer) -> None:
    left, right = call()
    heard = recognize_channels_with(compact, wav(np.stack([left, right], axis=1)))

    duration_s = len(left) / 16_000
    customer_s, agent_s = (len(sample(f"{name}_zh.wav")) / 16_000 for name in ("angry", "neutral"))
    talk_s = [one.talk_share * duration_s for one in heard.activity.channels]
    assert talk_s == pytest.approx([customer_s, agent_s], abs=2 * VAD_S)
    assert heard.activity.overlap_share * duration_s == pytest.approx(
        min(customer_s - LATE_S, agent_s), abs=2 * VAD_S
    )
    assert heard.activity.overlap_share > 0.05
    assert heard.activity.silence_share * duration_s == pytest.approx(
        duration_s - max(customer_s, LATE_S + agent_s), abs=2 * VAD_S
    )
    assert tuple(result.channel for result in heard.results) == heard.activity.channels


def test_swapped_channels_swap_the_answers(compact: Recognizer) -> None:
    left, right = call()
    heard = recognize_channels_with(
        compact, wav(np.stack([left, right], axis=1)), granularity="frame"
    )
    swapped = recognize_channels_with(
        compact, wav(np.stack([right, left], axis=1)), granularity="frame"
    )

    for one, other in zip(heard.results, reversed(swapped.results), strict=True):
        same(one, other)
    assert swapped.activity.overlap_share == heard.activity.overlap_share


def test_long_calls_at_44_khz_keep_their_channels(fake_recognizer: Recognizer) -> None:
    """In windows and resampled in blocks; nothing of one channel is heard on the other."""
    quiet, loud = (np.tile(noise(3.0, level=level), 12) for level in (0.01, 0.1))
    both = np.stack([soxr.resample(one, 16_000, 44_100) for one in (quiet, loud)], axis=1)

    heard = recognize_channels_with(fake_recognizer, wav(both, 44_100), granularity="frame")

    for at, result in enumerate(heard.results):
        alone = fake_recognizer.recognize(wav(both[:, at], 44_100), granularity="frame")
        same(result, alone)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_keeps_its_channels(fake_recognizer: Recognizer, name: str) -> None:
    encoded = encode(sample("happy_zh.wav"), name)

    heard = recognize_channels_with(fake_recognizer, encoded)

    mixed = fake_recognizer.recognize(encoded)
    assert len(heard.results) == FORMATS[name][3]
    assert {result.duration_s for result in heard.results} == {mixed.duration_s}
    assert heard.results[0].scores.values == pytest.approx(mixed.scores.values, abs=1e-2)
    assert [step.name for step in heard.results[0].steps] == [
        *("receive", "decode", "resample", "check", "infer")
    ]


def test_mono_is_one_channel_and_nobody_talks_over_it(fake_recognizer: Recognizer) -> None:
    heard = recognize_channels_with(fake_recognizer, wav(sample("happy_zh.wav")), name="happy.wav")

    (result,) = heard.results
    assert result.name == "happy.wav"
    assert result.channel is not None
    assert (result.channel.number, result.channel.count) == (1, 1)
    assert heard.activity.overlap_share == 0


def test_samples_are_one_channel(fake_recognizer: Recognizer) -> None:
    given = Waveform(sample("happy_zh.wav"), 16_000, "tone")

    (result,) = recognize_channels_with(fake_recognizer, given).results

    assert (result.name, result.source.sha256) == ("tone", None)


def test_a_silent_channel_has_no_emotion_and_is_no_error(compact: Recognizer) -> None:
    speaks = sample("happy_zh.wav")
    both = np.stack([speaks, np.zeros_like(speaks)], axis=1)

    heard = recognize_channels_with(compact, wav(both), granularity="frame")

    one, other = heard.results
    assert "no_speech" not in one.abstain
    assert "no_speech" in other.abstain
    assert [segment.silent for segment in other.segments] == [True]
    assert other.summary is not None
    assert other.summary.shares["silence"] == 1
    assert [it.talk_share for it in heard.activity.channels][1] == 0
    assert heard.activity.overlap_share == 0
    assert [step.name for step in other.steps][-2:] == ["check", "infer"]


def test_silence_on_all_channels_is_an_error(fake_recognizer: Recognizer) -> None:
    with pytest.raises(AudioSilentError):
        recognize_channels_with(fake_recognizer, wav(np.zeros((16_000, 2))))


def test_too_many_channels_are_told(fake_recognizer: Recognizer) -> None:
    few = fake_recognizer.configured(limits=Limits(max_channels=2))
    with raises_code("audio_too_many_channels"):
        recognize_channels_with(few, wav(np.tile(noise(1.0)[:, None], 3)))


def test_channels_that_come_and_go_cannot_be_told_apart(fake_recognizer: Recognizer) -> None:
    """Two MP3 files in a row are an MP3 file."""
    stereo, mono = (mp3(noise(1.0), channels) for channels in (2, 1))

    with raises_code("audio_channels_change") as told:
        recognize_channels_with(fake_recognizer, stereo + mono)

    assert told.value.data == {"before": 2, "after": 1}
    assert fake_recognizer.recognize(stereo + mono).duration_s == pytest.approx(2.0, abs=0.2)


def mp3(sound: np.ndarray, channels: int) -> bytes:
    # Without a header frame of its own, which a second file in the middle must not have.
    bare = {"write_xing": "0", "id3v2_version": "0"}
    return encode_frame(
        frame_of(sound, 16_000, channels), "mp3", "libmp3lame", container_options=bare
    )


def test_a_broken_file_is_said_on_each_channel(fake_recognizer: Recognizer) -> None:
    whole = wav(np.tile(noise(2.0)[:, None], 2))

    heard = recognize_channels_with(fake_recognizer, whole[: len(whole) // 2])

    assert all("broken_off" in result.quality.reasons for result in heard.results)


def test_progress_runs_once_over_all_channels(fake_recognizer: Recognizer) -> None:
    told: list[Event] = []

    recognize_channels_with(
        fake_recognizer, wav(np.tile(noise(60.0)[:, None], 2)), listener=told.append
    )

    moved = [event for event in told if isinstance(event, Progress) and event.step == "infer"]
    shares = [event.done_s / event.total_s for event in moved]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert 0.5 in shares


def test_a_wrong_granularity_is_told_before_anything_is_read(fake_recognizer: Recognizer) -> None:
    with raises_code("granularity_invalid"):
        recognize_channels_with(fake_recognizer, Path("nothing.wav"), granularity="word")  # type: ignore[arg-type]


def test_one_line_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(wav(np.stack(call(), axis=1)))

    heard = emoscope.recognize_channels(path, model="compact")

    assert [result.name for result in heard.results] == ["call.wav [1]", "call.wav [2]"]
    assert all(result.track is None and not result.segments for result in heard.results)
