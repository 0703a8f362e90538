"""Scores, tracks and results as Python programs like them: mappings, arrays, short reprs."""

from __future__ import annotations

import numpy as np
import pytest

from emoscope.audio.inputs import Source
from emoscope.audio.sound_array import SoundArray
from emoscope.errors import AudioSilentError, RequestError
from emoscope.labels import EMOTIONS, KEYS, by_key
from emoscope.limits import COMMAND_LINE
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure, Result
from emoscope.results.track import Track
from raising import raises_code
from results import make_result, make_scores
from sounds import sample

SCORES = make_scores(angry=0.5, sad=0.3)
VOICE: Source = (sample("happy_zh.wav"), 16_000)


def test_scores_are_a_mapping_in_the_order_of_the_labels() -> None:
    assert dict(SCORES) == SCORES.to_dict() == {**SCORES}
    assert list(SCORES) == list(KEYS) == list(SCORES.keys())
    assert SCORES.items() == list(SCORES.to_dict().items())
    assert len(SCORES) == 9
    assert SCORES["angry"] == SCORES[by_key("angry")] == 0.5
    assert "angry" in SCORES
    assert EMOTIONS[0] in SCORES
    assert "bored" not in SCORES
    assert SCORES.get("bored") is None
    assert SCORES.get("sad") == 0.3
    with pytest.raises(KeyError, match="bored"):
        SCORES["bored"]


def test_scores_are_an_array_of_nine_floats_in_the_same_order() -> None:
    array = np.asarray(SCORES)

    assert array.shape == (9,)
    assert array.dtype == np.float64
    assert array.tolist() == [SCORES[key] for key in KEYS]
    assert np.asarray(SCORES, dtype=np.float32).dtype == np.float32
    assert np.stack([SCORES, SCORES]).shape == (2, 9)
    copied = np.array(SCORES)
    copied[:] = 0
    assert SCORES["angry"] == 0.5


def test_a_repr_is_a_line(fake_recognizer: Recognizer) -> None:
    result = fake_recognizer.recognize(
        VOICE, granularity="frame", embedding=True, utterances=True, name="speech.wav"
    )
    failure = Failure("quiet.wav", AudioSilentError())
    sound = SoundArray(sample("happy_zh.wav"), 16_000)
    things = [result, result.track, result.scores, failure, result.plot()]
    things += [sound, *sound.channels(COMMAND_LINE), result.utterance_set]
    for thing in things:
        assert len(repr(thing)) < 200, repr(thing)
        assert "\n" not in repr(thing)
    assert repr(result).startswith("<Result 'speech.wav': ")
    assert f"{len(result.track)} frames" in repr(result)
    assert f"embedding {result.embedding.shape}" in repr(result)
    assert "audio_silent" in repr(failure)
    assert "happy 85.3%" in repr(make_result())
    assert "abstains: no_speech" in repr(make_result(abstain=("no_speech",)))
    assert repr(SCORES) == "<Scores angry 0.500, sad 0.300, unknown 0.200, …>"


def test_times_are_the_starts_of_the_rows_to_the_millisecond() -> None:
    track = Track(np.zeros((1_000, 9), np.float32))

    assert track.times[:3].tolist() == [0.0, 0.02, 0.04]
    assert track.times[14] == 0.28
    assert track.times.shape == (1_000,)


def test_a_mean_embedding_is_that_of_the_frames_and_no_more(fake_recognizer: Recognizer) -> None:
    by_frame = fake_recognizer.recognize(VOICE, embedding=True)
    mean = fake_recognizer.recognize(VOICE, embedding="utterance")
    same = fake_recognizer.recognize(VOICE, embedding="frame")

    assert mean.embedding is None
    np.testing.assert_array_equal(mean.utterance_embedding, by_frame.utterance_embedding)
    np.testing.assert_array_equal(same.embedding, by_frame.embedding)
    assert "embedding (" in repr(mean)
    assert mean.to_dict()["embedding"] is None
    assert fake_recognizer.recognize(VOICE).utterance_embedding is None
    with raises_code("embedding_choice_invalid"):
        fake_recognizer.recognize(VOICE, embedding="mean")  # type: ignore[call-overload]
    with raises_code("embedding_choice_invalid"):
        fake_recognizer.recognize_many([VOICE], embedding="mean")  # type: ignore[arg-type]
    assert issubclass(RequestError, ValueError)


def test_a_result_is_still_a_dataclass_that_pickles(fake_recognizer: Recognizer) -> None:
    import pickle
    from dataclasses import replace

    result = fake_recognizer.recognize(VOICE, granularity="frame", embedding=True)
    again = pickle.loads(pickle.dumps(result))  # noqa: S301 - our own

    assert isinstance(again, Result)
    assert again.track == result.track
    assert replace(result, duration_s=1.0).duration_s == 1.0
