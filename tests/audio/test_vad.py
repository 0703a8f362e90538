"""Speech is found where it is, in whole sounds and in blocks alike, and nowhere else."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import emoscope
from emoscope.audio.vad import (
    VAD_RULES,
    VAD_STEP,
    VAD_STEP_S,
    Spans,
    SpeechFinder,
    SpeechProbabilities,
    VadRules,
    find_speech,
)
from emoscope.waveform import RATE_HZ, Span, Waveform
from sounds import sample, sample_names

ASSETS = Path(emoscope.__file__).parent / "assets"
MADE = "c163dca23f51fd48c26d9e90d5e4f38f449732990b40affb5bed70b2534834a5"
"""By scripts/make_vad.py, which compares it with the published network."""
PUBLISHED = json.loads(Path(__file__).with_name("silero_published.json").read_text("utf-8"))
"""Probabilities that the published network gave for our own sentences."""

probabilities = st.lists(st.floats(0, 1, width=32), max_size=200).map(
    lambda values: np.array(values, dtype=np.float32)
)


def found(samples: np.ndarray, rules: VadRules = VAD_RULES) -> list[Span]:
    return find_speech(Waveform(samples.astype(np.float32)), rules)


def share(samples: np.ndarray) -> float:
    return sum(span.duration_s for span in found(samples)) * RATE_HZ / len(samples)


def test_the_network_is_the_one_that_was_compared_and_carries_its_licence() -> None:
    assert hashlib.sha256((ASSETS / "silero_vad.onnx").read_bytes()).hexdigest() == MADE
    assert "MIT License" in (ASSETS / "silero_vad.LICENSE").read_text("utf-8")


@pytest.mark.parametrize("name", PUBLISHED)
def test_it_answers_as_the_published_network_does(name: str) -> None:
    expected = PUBLISHED[name]
    answers = SpeechProbabilities().feed(sample(f"{name}.wav"))

    assert len(answers) == len(expected) > 100
    assert max(expected) > 0.9
    assert min(expected) < 0.1
    np.testing.assert_allclose(answers, expected, atol=1e-4)


@pytest.mark.parametrize("name", sample_names())
def test_our_sentences_are_speech_at_any_level(name: str) -> None:
    voice = sample(name)
    for gain_db in (-20, 0, 6):
        assert share(voice * 10 ** (gain_db / 20)) > 0.5


def test_speech_is_found_where_it_is() -> None:
    """A sentence, two seconds of room, and the sentence again; to a tenth of a second."""
    voice = sample("neutral_zh.wav")
    audible = np.flatnonzero(np.abs(voice) > 0.02 * np.abs(voice).max()) / RATE_HZ
    room = 3e-4 * np.random.default_rng(0).standard_normal(2 * RATE_HZ).astype(np.float32)
    second_s = 4.0 + len(voice) / RATE_HZ

    first, second = found(np.concatenate([room, voice, room, voice, room]))

    for span, start_s in ((first, 2.0), (second, second_s)):
        assert span.start_s == pytest.approx(start_s + audible[0], abs=0.1)
        assert span.end_s == pytest.approx(start_s + audible[-1], abs=0.15)


@pytest.mark.parametrize("kind", ["zeros", "white", "pink", "tone", "hum", "chord", "one sample"])
def test_what_is_no_speech_is_not_called_so(kind: str) -> None:
    time_s = np.arange(4 * RATE_HZ) / RATE_HZ
    white = np.random.default_rng(0).standard_normal(len(time_s))
    spectrum = np.fft.rfft(white)
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 80)))
    sounds = {
        "zeros": np.zeros(64_000),
        "white": white,
        "pink": pink / pink.std(),
        "tone": np.sin(2 * np.pi * 440 * time_s),
        "hum": sum(np.sin(2 * np.pi * 50 * k * time_s) / k for k in (1, 2, 3, 5)),
        "chord": sum(np.sin(2 * np.pi * hz * time_s) for hz in (262, 330, 392)),
        "one sample": np.ones(1),
    }
    for level in (0.3, 0.03, 0.003):
        assert found(level * sounds[kind]) == []


@pytest.mark.parametrize("size", [0, 1, VAD_STEP - 1, VAD_STEP, VAD_STEP + 1, 3 * VAD_STEP])
def test_every_length_has_its_steps(size: int) -> None:
    listener = SpeechProbabilities()
    samples = np.zeros(size, np.float32)

    assert len(listener.feed(samples)) + len(listener.finish()) == -(-size // VAD_STEP)
    assert found(samples) == []


@given(cuts=st.lists(st.integers(0, 60_000), max_size=6))
@example(cuts=[1, VAD_STEP, VAD_STEP + 1])
@settings(max_examples=10)
def test_blocks_give_what_the_whole_gives(cuts: list[int]) -> None:
    """Streamed or whole, the same."""
    voice = np.concatenate([sample("happy_en.wav"), np.zeros(8_000, np.float32)])
    voice = np.concatenate([voice, sample("sad_en.wav")])
    finder = SpeechFinder()
    spans: list[Span] = []
    for block in np.split(voice, sorted(min(cut, len(voice)) for cut in cuts)):
        spans += finder.feed(block)
    spans += finder.finish()

    assert spans == found(voice)
    assert len(spans) >= 2


@given(probabilities, st.lists(st.integers(0, 200), max_size=5), st.floats(0, VAD_STEP_S))
def test_spans_do_not_depend_on_the_pieces(
    values: np.ndarray, cuts: list[int], missing_s: float
) -> None:
    duration_s = max(0.0, len(values) * VAD_STEP_S - missing_s)
    whole, pieces = Spans(), Spans()
    expected = whole.feed(values) + whole.finish(duration_s)
    given_: list[Span] = []
    for piece in np.split(values, sorted(min(cut, len(values)) for cut in cuts)):
        given_ += pieces.feed(piece)

    assert given_ + pieces.finish(duration_s) == expected


@given(probabilities)
def test_spans_are_in_order_apart_and_inside(values: np.ndarray) -> None:
    spans, duration_s = Spans(), len(values) * VAD_STEP_S
    ended = spans.feed(values) + spans.finish(duration_s)
    borders = [border for span in ended for border in (span.start_s, span.end_s)]

    assert borders == sorted(borders)
    assert all(0 <= border <= duration_s for border in borders)
    for span in ended:
        assert span.duration_s >= VAD_RULES.min_speech_s
    heard = values >= VAD_RULES.enter
    if not heard.any():
        assert ended == []


@pytest.mark.parametrize("wrong", [{"leave": 0.6}, {"pad_s": 0.2}, {"enter": 1.5}])
def test_rules_that_contradict_themselves_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"leave|pads"):
        VadRules(**wrong)


def test_another_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="8000"):
        find_speech(Waveform(np.zeros(8_000, np.float32), 8_000))
