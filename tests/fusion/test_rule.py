"""Pooling of voice and words: what the formula promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emoscope import fusion
from emoscope.errors import ListError
from emoscope.fusion.rule import FLOOR, FusionRule, divergence_bits
from emoscope.fusion.words import LabelTable, WordScores
from emoscope.labels import COUNT, KEYS
from emoscope.results.scores import Scores

LOGITS = arrays(np.float64, COUNT, elements=st.floats(-6, 6))
ALL = np.ones(COUNT, dtype=np.bool_)


def words_of(**shares: float) -> WordScores:
    return WordScores.from_dict(shares)


def voice_of(**shares: float) -> Scores:
    rest = (1 - sum(shares.values())) / (COUNT - len(shares))
    return Scores(np.array([shares.get(key, rest) for key in KEYS]))


@given(LOGITS)
def test_words_of_weight_zero_leave_the_voice_as_it_is(logits: np.ndarray) -> None:
    voice = Scores.from_logits(logits)
    rule = FusionRule(np.ones(COUNT), np.zeros(COUNT))
    fused = fusion.fuse(voice, words_of(happy=0.9, sad=0.1), rule)
    floored = np.maximum(voice.values, FLOOR)
    assert fused.scores.values == pytest.approx(floored / floored.sum())


@given(LOGITS, LOGITS)
def test_half_and_half_is_the_geometric_mean(one: np.ndarray, other: np.ndarray) -> None:
    voice, words = Scores.from_logits(one), Scores.from_logits(other)
    fused = fusion.fuse(voice, WordScores(words.values, ALL))
    mean = np.sqrt(np.maximum(voice.values, FLOOR) * np.maximum(words.values, FLOOR))
    assert fused.scores.values == pytest.approx(mean / mean.sum())


@given(LOGITS)
def test_even_words_change_no_order(logits: np.ndarray) -> None:
    voice = Scores.from_logits(logits)
    fused = fusion.fuse(voice, WordScores(np.full(COUNT, 1 / COUNT), ALL))
    order = np.argsort(-np.maximum(voice.values, FLOOR), kind="stable")
    assert np.all(np.diff(fused.scores.values[order]) <= 1e-12)


def test_an_emotion_that_the_words_cannot_tell_is_not_ruled_out() -> None:
    voice = voice_of(surprised=0.9)
    fused = fusion.fuse(voice, words_of(happy=0.6, sad=0.4))
    assert fused.emotion == "surprised"


def test_words_tip_the_balance_where_the_voice_is_in_doubt() -> None:
    voice = voice_of(happy=0.4, angry=0.41)
    assert fusion.fuse(voice, words_of(happy=0.9, angry=0.1)).emotion == "happy"


def test_a_disagreement_is_shown_with_both_parts() -> None:
    fused = fusion.fuse(voice_of(angry=0.9), words_of(happy=0.95, angry=0.05))
    assert fused.disagree
    assert (fused.voice_emotion, fused.words_emotion) == ("angry", "happy")
    assert fused.divergence > 0.3
    assert fused.words_scores == pytest.approx({"angry": 0.05, "happy": 0.95})


def test_two_that_are_unsure_do_not_disagree() -> None:
    fused = fusion.fuse(voice_of(angry=0.2, happy=0.19), words_of(happy=0.51, angry=0.49))
    assert fused.voice_emotion != fused.words_emotion
    assert not fused.disagree


@given(LOGITS, LOGITS)
def test_divergence_is_symmetric_and_between_zero_and_one_bit(
    one: np.ndarray, other: np.ndarray
) -> None:
    first, second = Scores.from_logits(one).values, Scores.from_logits(other).values
    bits = divergence_bits(first, second, ALL)
    assert 0 <= bits <= 1
    assert bits == pytest.approx(divergence_bits(second, first, ALL))
    assert divergence_bits(first, first, ALL) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"happy": 1.0},
        {"happy": 0.0, "sad": 0.0},
        {"happy": -1, "sad": 2},
        {"happy": True, "sad": 1},
        {"happy": float("nan"), "sad": 1},
        {"happy": "much", "sad": 1},
    ],
)
def test_numbers_that_are_no_scores_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(ListError) as caught:
        WordScores.from_dict(given)
    assert caught.value.code == "text_scores_invalid"


def test_labels_of_a_text_model_are_known_by_their_words() -> None:
    table = LabelTable(["joy", "anger", "中性"])
    scores = table.scores(np.array([0.5, 0.3, 0.2]))
    assert scores.to_dict() == pytest.approx({"angry": 0.3, "happy": 0.5, "neutral": 0.2})


def test_a_label_may_stand_for_several_emotions_or_for_none() -> None:
    table = LabelTable(
        ["positive", "negative", "spam"],
        {"positive": "happy", "negative": ["angry", "sad"], "spam": None},
    )
    scores = table.scores(np.array([0.2, 0.6, 0.2]))
    assert scores.to_dict() == pytest.approx({"angry": 0.375, "happy": 0.25, "sad": 0.375})


def test_all_on_a_label_that_is_left_out_says_nothing() -> None:
    table = LabelTable(["joy", "anger", "spam"], {"spam": None})
    scores = table.scores(np.array([0.0, 0.0, 1.0]))
    assert scores.to_dict() == pytest.approx({"angry": 0.5, "happy": 0.5})


@pytest.mark.parametrize(
    ("labels", "mapping"),
    [
        (["LABEL_0", "LABEL_1"], None),
        (["joy", "joyful"], None),
        (["joy", "anger"], {"sadness": "sad"}),
        (["joy", "anger"], {"anger": "wrath of the gods"}),
    ],
)
def test_labels_that_mean_no_emotion_are_told(
    labels: list[str], mapping: dict[str, str] | None
) -> None:
    with pytest.raises(ListError) as caught:
        LabelTable(labels, mapping)
    assert caught.value.code == "text_labels_unknown"
