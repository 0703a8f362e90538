"""Live sound gives what the same sound gives as a file, and says something long before."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import make_speech
from emoscope.audio.decode import decode
from emoscope.backends.fake_backend import FakeBackend
from emoscope.errors import AudioSilentError
from emoscope.inference.windowed import CONTEXT_S, WHOLE_S
from emoscope.limits import Limits
from emoscope.recognizer import Recognizer, load
from emoscope.results.result import ModelRef, Result
from emoscope.streaming.stream import (
    Finished,
    FramesHeard,
    SegmentClosed,
    SegmentOpened,
    SpeechEnded,
    SpeechStarted,
    StreamEvent,
    StreamRecognizer,
)
from emoscope.waveform import Waveform, frame_count
from raising import raises_code
from sounds import sample, wav

Speech = Callable[..., np.ndarray]
MODEL = ModelRef("fake", "1", "0" * 64)


def portions(sound: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    """The sound in pieces of these sizes, over and over."""
    pieces, at, turn = [], 0, 0
    while at < len(sound):
        pieces.append(sound[at : at + sizes[turn % len(sizes)]])
        at, turn = at + sizes[turn % len(sizes)], turn + 1
    return pieces


def play(stream: StreamRecognizer, pieces: list[np.ndarray]) -> list[StreamEvent]:
    events: list[StreamEvent] = []
    for piece in pieces:
        events += stream.feed(piece)
    return events + stream.finish()


def final_rows(events: list[StreamEvent]) -> np.ndarray:
    rows = [event for event in events if isinstance(event, FramesHeard) and event.final]
    at = 0
    for event in rows:
        assert event.first_frame == at, "final rows come in order, without a gap"
        at += len(event.logits)
    return np.concatenate([event.logits for event in rows])


def check_equal(events: list[StreamEvent], whole: Result) -> None:
    finished = events[-1]
    assert isinstance(finished, Finished)
    result = finished.result
    assert whole.track is not None
    assert result.track is not None
    np.testing.assert_allclose(final_rows(events), whole.track.logits, rtol=0, atol=1e-5)
    np.testing.assert_allclose(result.track.logits, whole.track.logits, rtol=0, atol=1e-5)
    np.testing.assert_allclose(result.scores.values, whole.scores.values, rtol=0, atol=1e-5)
    closed = tuple(e.segment for e in events if isinstance(e, SegmentClosed) and e.final)
    assert closed == result.segments
    assert [(s.span, s.emotion) for s in closed] == [(s.span, s.emotion) for s in whole.segments]
    assert result.quality == whole.quality
    assert result.abstain == whole.abstain
    assert result.duration_s == whole.duration_s


# --- invariant --------------------------------------------------------------------------------

sizes = st.lists(
    st.sampled_from([1, 7, 159, 160, 320, 401, 1_600, 16_000, 48_000, 160_000]),
    min_size=1,
    max_size=4,
)


@settings(max_examples=12)
@given(sizes, st.sampled_from([0.1, 0.7, 5.0, 29.9, 36.0, 61.3]), st.integers(0, 9))
def test_any_portions_give_what_the_file_gives(
    sizes: list[int], duration_s: float, seed: int
) -> None:
    """The same sound gives the same final result, streamed or whole."""
    recognizer = Recognizer(FakeBackend(), MODEL)
    sound = make_speech(duration_s, seed=seed)
    if min(sizes) < 100:
        sizes = [*sizes, 30_000]  # sample by sample only for a while
        sound = sound[: 16_000 * 36]
    whole = recognizer.recognize(Waveform(sound), granularity="frame", embedding=True)
    stream = StreamRecognizer(recognizer, embedding=True)
    events = play(stream, portions(sound, sizes))

    check_equal(events, whole)
    assert isinstance(events[-1], Finished)
    np.testing.assert_array_equal(events[-1].result.embedding, whole.embedding)
    np.testing.assert_array_equal(events[-1].waveform.samples, sound)


def test_one_sample_at_a_time(fake_recognizer: Recognizer, speech: Speech) -> None:
    sound = speech(1.2)
    whole = fake_recognizer.recognize(Waveform(sound), granularity="frame")

    check_equal(play(StreamRecognizer(fake_recognizer), portions(sound, [1])), whole)


@pytest.mark.process
def test_compact_streams_as_it_recognizes() -> None:
    """With the real model, past the length of a window."""
    recognizer = load("compact", threads=1)
    sound = np.concatenate([sample(f"{name}.wav") for name in ("happy_zh", "sad_en", "angry_zh")])
    sound = np.concatenate([sound, np.zeros(32_000, np.float32), sound, sound])
    assert len(sound) > (WHOLE_S + 2 * CONTEXT_S) * 16_000
    whole = recognizer.recognize(Waveform(sound), granularity="frame")

    check_equal(play(StreamRecognizer(recognizer), portions(sound, [1_777, 3_200])), whole)


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000])
def test_other_rates_give_what_their_file_gives(
    rate_hz: int, fake_recognizer: Recognizer, speech: Speech
) -> None:
    sound = np.rint(speech(3.0) * 32_768) / 32_768  # what a 16-bit file holds
    data = wav(sound, rate_hz)
    whole = fake_recognizer.recognize(data, granularity="frame")
    stream = StreamRecognizer(fake_recognizer, rate_hz=rate_hz)
    events = play(stream, portions(sound.astype(np.float32), [1_000, 333]))

    check_equal(events, whole)
    finished = events[-1]
    assert isinstance(finished, Finished)
    np.testing.assert_allclose(finished.waveform.samples, decode(data).samples, atol=1e-6)


# --- what is told meanwhile -----------------------------------------------------------------------


def test_each_frame_is_told_early_and_once_more(
    fake_recognizer: Recognizer, speech: Speech
) -> None:
    """Provisional within 300 ms of the sound, revised once."""
    sound = np.resize(speech(5.0), 43 * 16_000)
    stream = StreamRecognizer(fake_recognizer)
    told = np.zeros(frame_count(len(sound)), int)
    heard = 0
    for piece in portions(sound, [320]):
        for event in stream.feed(piece):
            if isinstance(event, FramesHeard) and not event.final:
                told[event.first_frame : event.first_frame + len(event.logits)] += 1
        heard += len(piece)
        owed = frame_count(max(0, heard - round(0.3 * 16_000)))
        assert (told[:owed] == 1).all(), "a frame is 300 ms old and was not told"
    for event in stream.finish():
        if isinstance(event, FramesHeard):
            assert event.final
    assert told.max() == 1


def test_speech_and_segments_begin_and_end(fake_recognizer: Recognizer) -> None:
    """A loud sentence, silence, noise, silence, a faint sentence; the fake finds loud happy."""
    voice = sample("happy_zh.wav")[:48_000]
    rng = np.random.default_rng(0)
    pause = (1e-4 * rng.standard_normal(48_000)).astype(np.float32)
    rain = (0.1 * rng.standard_normal(48_000)).astype(np.float32)
    loud, faint = (voice * level / np.abs(voice).max() for level in (1.0, 0.2))
    sound = np.concatenate([loud, pause, rain, pause, faint, pause]).astype(np.float32)
    events = play(StreamRecognizer(fake_recognizer), portions(sound, [1_600]))
    order = [
        event for event in events if isinstance(event, SpeechStarted | SpeechEnded | SegmentOpened)
    ]

    assert [type(event) for event in order] == [
        SpeechStarted,
        SegmentOpened,
        SpeechEnded,
        SpeechStarted,
        SegmentOpened,
        SpeechEnded,
    ]
    assert order[1].emotion.key == "happy"  # type: ignore[union-attr]
    assert order[4].emotion.key == "neutral"  # type: ignore[union-attr]
    times = [getattr(event, "at_s", getattr(event, "start_s", None)) for event in order]
    assert times == pytest.approx([0, 0, 3, 12, 12, 15], abs=0.4)


def test_one_portion_costs_one_look_however_large(speech: Speech) -> None:
    """Backpressure: who falls behind hands over more at once, and less is computed."""
    backend = FakeBackend()
    stream = StreamRecognizer(Recognizer(backend, MODEL))
    for piece in portions(np.resize(speech(5.0), 10 * 16_000), [16_000 * 5]):
        stream.feed(piece)

    assert len(backend.batches) == 2


def test_a_slow_machine_looks_less_often_and_answers_the_same(speech: Speech) -> None:
    backend, now_s = FakeBackend(), [0.0]

    class Slow(FakeBackend):
        def run(self, waveform: np.ndarray, lengths: np.ndarray):  # type: ignore[no-untyped-def]
            now_s[0] += 1.0
            return backend.run(waveform, lengths)

    sound = np.resize(speech(5.0), 10 * 16_000)
    stream = StreamRecognizer(Recognizer(Slow(), MODEL), clock=lambda: now_s[0])
    for piece in portions(sound, [1_600]):
        stream.feed(piece)
    looks = len(backend.batches)

    assert 8 <= looks <= 11, "a look that takes a second comes once a second"
    (finished,) = (e for e in stream.finish() if isinstance(e, Finished))
    whole = Recognizer(FakeBackend(), MODEL).recognize(Waveform(sound))
    assert finished.result.scores == whole.scores


# --- what cannot be used --------------------------------------------------------------------------


def test_bad_streams_get_the_errors_of_bad_files(
    fake_recognizer: Recognizer, speech: Speech
) -> None:
    with raises_code("audio_no_samples"):
        StreamRecognizer(fake_recognizer).finish()
    stream = StreamRecognizer(fake_recognizer)
    stream.feed(speech(0.05))
    with raises_code("audio_too_short"):
        stream.finish()
    stream = StreamRecognizer(fake_recognizer)
    stream.feed(np.zeros(16_000, np.float32))
    with pytest.raises(AudioSilentError):
        stream.finish()
    with raises_code("audio_not_finite"):
        StreamRecognizer(fake_recognizer).feed(np.array([0.1, np.nan], np.float32))
    with raises_code("audio_rate_out_of_range"):
        StreamRecognizer(fake_recognizer, rate_hz=1)


def test_a_stream_that_never_ends_is_ended(speech: Speech) -> None:
    recognizer = Recognizer(FakeBackend(), MODEL, limits=Limits(max_duration_s=2.0))
    stream = StreamRecognizer(recognizer)
    for _ in range(20):
        stream.feed(speech(0.1))
    with raises_code("audio_too_long"):
        stream.feed(speech(0.2))
    assert stream.heard_s == pytest.approx(2.0, abs=0.11)
