"""Utterances: each recognized alone, the same as a recording of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoscope.backends.fake_backend import FakeBackend
from emoscope.events import Event, Progress, Step
from emoscope.inference.windowed import WHOLE_S
from emoscope.multichannel import recognize_channels_with
from emoscope.outputs.store import UTTERANCE_EMBEDDINGS, RunStore
from emoscope.recognizer import Recognizer, load
from emoscope.results.result import ModelRef, Result
from emoscope.results.utterances import GivenSpan, UtteranceRules
from emoscope.waveform import RATE_HZ, Samples, Span, Waveform
from raising import raises_code
from sounds import sample, wav

SPOKEN = ("happy_zh.wav", "angry_en.wav", "neutral_zh.wav")


@pytest.fixture(scope="module")
def compact() -> Recognizer:
    return load("compact", threads=1)


def conversation(pause_s: float = 0.8) -> Samples:
    """Three sentences with pauses between them."""
    pause = np.zeros(round(pause_s * RATE_HZ), np.float32)
    return np.concatenate([part for name in SPOKEN for part in (sample(name), pause)])


@pytest.fixture(scope="module")
def result(compact: Recognizer) -> Result:
    return compact.recognize(Waveform(conversation()), utterances=True, embedding=True)


def test_an_utterance_is_what_its_sound_alone_gives(compact: Recognizer, result: Result) -> None:
    """Scores, confidence, label set and abstention, to the last bit."""
    assert len(result.utterances) == len(SPOKEN)
    for utterance in result.utterances:
        sound = Waveform(conversation()).cut(utterance.span)
        alone = compact.recognize(sound)
        assert utterance.scores == alone.scores
        assert utterance.emotion == alone.emotion
        assert utterance.confidence == alone.confidence
        assert alone.calibrated is not None
        assert utterance.confidence_calibrated == alone.calibrated.confidence
        assert utterance.label_set is not None
        assert utterance.label_set.emotions == alone.calibrated.label_set
        assert utterance.abstain == alone.abstain


def test_the_embedding_is_that_of_its_sound_alone(compact: Recognizer, result: Result) -> None:
    assert result.utterance_set is not None
    vectors = result.utterance_set.embeddings
    assert vectors is not None
    assert vectors.shape == (len(SPOKEN), 512)
    for utterance, vector in zip(result.utterances, vectors, strict=True):
        sound = Waveform(conversation()).cut(utterance.span)
        alone = compact.recognize(sound, embedding=True)
        np.testing.assert_array_equal(vector, alone.utterance_embedding)


def test_the_answer_of_the_whole_stays_as_it_was(compact: Recognizer, result: Result) -> None:
    plain = compact.recognize(Waveform(conversation()))

    assert result.scores == plain.scores
    assert plain.utterance_set is None
    assert plain.utterances == ()
    assert {"utterances", "utterance_cut"}.isdisjoint(plain.to_dict())


def test_json_gives_the_utterances_back(result: Result) -> None:
    data = result.to_dict()
    back = Result.from_dict(data)

    assert back.utterances == result.utterances
    assert back.utterance_set is not None
    assert result.utterance_set is not None
    assert back.utterance_set.cut == result.utterance_set.cut
    assert data["utterance_cut"]["by"] == "pauses"
    assert data["utterance_cut"]["rules"]["longest_s"] == 15.0
    keys = list(data)
    assert keys.index("utterances") == keys.index("segments") + 1
    assert "text" not in data["utterances"][0]


def test_a_run_holds_the_embeddings_of_utterances(result: Result, tmp_path: Path) -> None:
    run = RunStore(tmp_path).save(result, Waveform(conversation()))

    assert UTTERANCE_EMBEDDINGS in run.files()
    vectors = np.load(run.path / UTTERANCE_EMBEDDINGS, allow_pickle=False)
    assert result.utterance_set is not None
    np.testing.assert_array_equal(vectors, result.utterance_set.embeddings)


def test_no_speech_is_an_empty_list_with_a_reason(fake_recognizer: Recognizer) -> None:
    noise = 0.05 * np.random.default_rng(0).standard_normal(48_000).astype(np.float32)
    result = fake_recognizer.recognize(Waveform(noise), utterances=True, embedding=True)

    assert result.utterance_set is not None
    assert result.utterances == ()
    assert result.utterance_set.cut.reason == "no_speech"
    assert result.utterance_set.embeddings is None
    assert result.to_dict()["utterances"] == []


def test_given_spans_are_recognized_and_keep_their_text(compact: Recognizer) -> None:
    spans = [GivenSpan(5.0, 8.0, "second", "u2"), (0.5, 4.0), Span(9.0, 10.0)]
    result = compact.recognize(Waveform(conversation()), utterances=spans)

    found = [(one.start_s, one.end_s, one.text, one.id) for one in result.utterances]
    assert found == [(0.5, 4.0, "", ""), (5.0, 8.0, "second", "u2"), (9.0, 10.0, "", "")]
    alone = compact.recognize(Waveform(conversation()).cut(Span(5.0, 8.0)))
    assert result.utterances[1].scores == alone.scores
    data = result.to_dict()
    assert data["utterances"][1]["text"] == "second"
    assert data["utterance_cut"] == {"by": "spans", "rules": None, "reason": None}


def test_a_silent_span_abstains(compact: Recognizer) -> None:
    sound = np.concatenate([sample("happy_zh.wav"), np.zeros(32_000, np.float32)])
    end_s = len(sound) / RATE_HZ
    result = compact.recognize(Waveform(sound), utterances=[(end_s - 1.5, end_s)])

    assert "no_speech" in result.utterances[0].abstain


def test_a_span_longer_than_a_window_goes_through_windows(fake_recognizer: Recognizer) -> None:
    generator = np.random.default_rng(1)
    sound = Waveform((0.1 * generator.standard_normal(16_000 * 45)).astype(np.float32))
    span = Span(1.0, 1.0 + WHOLE_S + 10)
    result = fake_recognizer.recognize(sound, utterances=[span], embedding=True)
    alone = fake_recognizer.recognize(sound.cut(span), embedding=True)

    assert result.utterances[0].scores == alone.scores
    assert result.utterance_set is not None
    assert result.utterance_set.embeddings is not None
    np.testing.assert_array_equal(result.utterance_set.embeddings[0], alone.utterance_embedding)


@pytest.mark.parametrize(
    ("spans", "code"),
    [
        ([(0.0, 2.0), (1.5, 3.0)], "spans_overlap"),
        ([(2.0, 1.0)], "span_invalid"),
        ([(-1.0, 1.0)], "span_invalid"),
        ([(0.0, float("nan"))], "span_invalid"),
        ([(0.0,)], "span_invalid"),
        ([("a", "b")], "span_invalid"),
        ([(1.0, 99.0)], "span_outside"),
        ([(1.0, 1.02)], "span_too_short"),
    ],
    ids=str,
)
def test_spans_that_cannot_be_used_are_refused(
    fake_recognizer: Recognizer, spans: list[tuple[float, float]], code: str
) -> None:
    with raises_code(code) as error:
        fake_recognizer.recognize(Waveform(conversation()), utterances=spans)
    assert error.value.detail_zh != error.value.detail_en


def test_rounded_spans_are_accepted(fake_recognizer: Recognizer) -> None:
    """Neighbours that overlap by a rounded millisecond, and an end a hair after the sound."""
    sound = Waveform(conversation())
    end_s = sound.duration_s
    spans = [(0.0, 2.001), (2.0, end_s + 0.01)]

    assert [one.end_s for one in fake_recognizer.recognize(sound, utterances=spans).utterances] == [
        2.001,
        end_s,
    ]


def test_a_span_without_sound_of_the_medium_is_refused(fake_recognizer: Recognizer) -> None:
    sound = conversation()
    sound[:32_000] = 0
    late = Waveform(sound, missing=(Span(0.0, 2.0),))

    with raises_code("span_too_short"):
        fake_recognizer.recognize(late, utterances=[(0.5, 1.5)])


def test_utterances_lie_on_the_time_axis_of_the_medium(compact: Recognizer) -> None:
    """Sound that starts two seconds late has the same utterances, two seconds later."""
    sound = conversation()
    late = Waveform(
        np.concatenate([np.zeros(32_000, np.float32), sound]), missing=(Span(0.0, 2.0),)
    )
    plain = compact.recognize(Waveform(sound), utterances=True)
    shifted = compact.recognize(late, utterances=True)

    assert len(shifted.utterances) == len(plain.utterances)
    for one, other in zip(plain.utterances, shifted.utterances, strict=True):
        assert other.start_s - one.start_s == pytest.approx(2.0, abs=0.05)
        assert other.scores == compact.recognize(late.cut(other.span)).scores


def test_the_log_and_the_progress_tell_of_utterances(fake_recognizer: Recognizer) -> None:
    heard: list[Event] = []
    result = fake_recognizer.recognize(
        Waveform(conversation()), utterances=True, listener=heard.append
    )

    assert [step.name for step in result.steps] == ["check", "infer", "utterances"]
    assert result.steps[-1].data == {"count": len(result.utterances)}
    moved = [event for event in heard if isinstance(event, Progress)]
    moved = [event for event in moved if event.step == "utterances"]
    assert moved[-1].done_s == moved[-1].total_s == result.duration_s
    assert [event.done_s for event in moved] == sorted(event.done_s for event in moved)
    assert isinstance(heard[-1], Step)


def test_a_listener_that_raises_ends_the_work(fake_recognizer: Recognizer) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.step == "utterances":
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fake_recognizer.recognize(Waveform(conversation()), utterances=True, listener=stop)


def test_the_model_gets_several_utterances_at_once() -> None:
    """On a device that gains by batches, alike utterances are one run."""
    backend = FakeBackend()
    backend.device = "cuda"
    recognizer = Recognizer(backend, ModelRef("fake", "1", "0" * 64))
    spans = [(float(start_s), start_s + 1.0) for start_s in range(8)]
    recognizer.recognize(Waveform(conversation()), utterances=spans)

    assert (8, RATE_HZ) in backend.batches


def test_each_channel_has_its_own_utterances(compact: Recognizer) -> None:
    left = conversation()
    right = np.zeros_like(left)
    right[: len(sample("happy_zh.wav"))] = sample("happy_zh.wav")
    results = recognize_channels_with(
        compact, wav(np.stack([left, right], axis=1)), utterances=True
    ).results

    assert [len(result.utterances) for result in results] == [3, 1]


def test_many_recordings_with_rules(fake_recognizer: Recognizer) -> None:
    rules = UtteranceRules(pause_s=2.0, longest_s=60.0)
    (result,) = fake_recognizer.recognize_many([Waveform(conversation())], utterances=rules)

    assert isinstance(result, Result)
    assert len(result.utterances) == 1
    assert result.utterance_set is not None
    assert result.utterance_set.cut.rules == rules


def test_an_interrupted_long_recording_resumes_with_its_utterances(
    fake_recognizer: Recognizer, tmp_path: Path
) -> None:
    sound = Waveform(np.concatenate([conversation()] * 10))
    recording = fake_recognizer.decode(sound)
    whole = fake_recognizer.infer(recording, utterances=True)

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.step == "utterances" and event.done_s > 60:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fake_recognizer.infer(recording, utterances=True, listener=stop, checkpoint_dir=tmp_path)
    again = fake_recognizer.infer(recording, utterances=True, checkpoint_dir=tmp_path)

    assert again.utterances == whole.utterances
    assert again.steps[-2].data["windows_kept"] > 0
