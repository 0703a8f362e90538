"""When no emotion is claimed, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emoscope.audio.quality import check_quality
from emoscope.backends.fake_backend import FakeBackend
from emoscope.recognizer import Recognizer, load
from emoscope.results.abstention import (
    ABSTENTION_REASONS,
    ABSTENTION_THRESHOLDS,
    AbstentionThresholds,
    abstention_reasons,
)
from emoscope.results.quality import Quality
from emoscope.results.result import ModelRef
from emoscope.results.scores import Scores
from emoscope.settings import load_settings
from emoscope.waveform import Waveform
from nonspeech import SOUNDS
from sounds import sample, sample_names

GOOD = Quality(-20.0, 0.5, 0.0, 40.0, 8_000.0, 0.9)
SURE = Scores(np.eye(9)[3])


def test_a_good_recording_and_a_clear_answer_stand() -> None:
    assert abstention_reasons(GOOD, 3.0, SURE) == ()


@pytest.mark.parametrize(
    ("quality", "duration_s", "margin", "code"),
    [
        (GOOD, 0.59, 1.0, "too_short"),
        (replace(GOOD, reasons=("no_speech",)), 3.0, 1.0, "no_speech"),
        (replace(GOOD, snr_db=4.9), 3.0, 1.0, "low_snr"),
        (replace(GOOD, clipped_share=0.31), 3.0, 1.0, "clipped"),
        (replace(GOOD, bandwidth_hz=2_100.0), 3.0, 1.0, "band_limited"),
        (GOOD, 3.0, 0.04, "low_margin"),
    ],
)
def test_each_reason_has_its_bar(
    quality: Quality, duration_s: float, margin: float, code: str
) -> None:
    first = (1 + margin) / 2
    scores = Scores(np.array([first, 1 - first, 0, 0, 0, 0, 0, 0, 0]))

    assert abstention_reasons(quality, duration_s, scores) == (code,)
    never = AbstentionThresholds(0, -99, 1, 0, 0)
    assert abstention_reasons(quality, duration_s, scores, never) in ((), ("no_speech",))


def test_other_and_unknown_are_answers_and_no_abstention() -> None:
    for index in (5, 8):
        assert abstention_reasons(GOOD, 3.0, Scores(np.eye(9)[index])) == ()


def test_the_bars_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOSCOPE_ABSTAIN_MIN_MARGIN", "0.4")

    assert load_settings().thresholds == replace(ABSTENTION_THRESHOLDS, min_margin=0.4)
    recognizer = Recognizer(
        FakeBackend(),
        ModelRef("fake", "1", "0" * 64),
        thresholds=AbstentionThresholds(min_duration_s=99),
    )
    assert "too_short" in recognizer.recognize(Waveform(sample("sad_en.wav"))).abstain


@pytest.fixture(scope="module")
def compact() -> Recognizer:
    return load("compact")


@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize("level", [0.5, 0.01])
def test_what_nobody_speaks_gets_no_emotion(name: str, level: float, compact: Recognizer) -> None:
    samples = level * SOUNDS[name](4.0)

    found = compact.recognize(Waveform(samples.astype(np.float32)))

    assert found.abstain == ("no_speech",)


def test_a_third_of_a_second_gets_no_emotion(compact: Recognizer) -> None:
    for name in sample_names():
        voice = sample(name)
        loudest = int(np.abs(voice).argmax())
        first = min(max(0, loudest - 2_400), len(voice) - 4_800)
        found = compact.recognize(Waveform(voice[first : first + 4_800]))
        assert "too_short" in found.abstain
        assert set(found.abstain) <= set(ABSTENTION_REASONS)


def test_heavy_noise_takes_the_emotion_away_and_little_noise_does_not(compact: Recognizer) -> None:
    for name in sample_names():
        voice = sample(name).astype(np.float64)
        white = np.random.default_rng(0).standard_normal(len(voice)) * voice.std()
        judged = [
            set(compact.recognize(Waveform((voice + white * share).astype(np.float32))).abstain)
            for share in (0.03, 1.5)
        ]
        assert not judged[0] & {"low_snr", "no_speech"}
        assert judged[1] & {"low_snr", "no_speech"}


def test_our_sentences_are_fine() -> None:
    for name in sample_names():
        assert check_quality(Waveform(sample(name))).reasons == ()
