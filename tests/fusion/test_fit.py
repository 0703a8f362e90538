"""Fitted rules: better than either part where the parts know different things."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emoscope import fusion
from emoscope.errors import ListError
from emoscope.fusion.fit import Example, fit_rule
from emoscope.fusion.rule import FusionRule
from emoscope.labels import COUNT, EMOTIONS, KEYS
from emoscope.results.scores import Scores, softmax

CLASSES = [KEYS.index(key) for key in ("angry", "happy", "neutral", "sad")]


def examples(
    rows: int, *, voice: float = 1.2, words: float = 1.2, speakers: int = 8, seed: int = 0
) -> list[Example]:
    """Recordings whose voice and words each lean to the truth by so many standard deviations."""
    random = np.random.default_rng(seed)
    known = np.zeros(COUNT, dtype=np.bool_)
    known[CLASSES] = True
    made = []
    for row in range(rows):
        truth = CLASSES[row % len(CLASSES)]
        lean = np.eye(COUNT)[truth]
        told = softmax(np.where(known, random.normal(size=COUNT) + words * lean, -50.0)) * known
        made.append(
            Example(
                Scores.from_logits(random.normal(size=COUNT) + voice * lean),
                fusion.WordScores(told / told.sum(), known),
                truth,
                f"speaker {row // len(CLASSES) % speakers}",
            )
        )
    return made


def test_both_are_better_than_either() -> None:
    _, figures = fit_rule(examples(400, voice=1.8, words=1.8))
    assert figures.both.uar > max(figures.voice.uar, figures.words.uar) + 0.05
    assert figures.both.low < figures.both.uar < figures.both.high


def test_words_that_know_nothing_get_little_weight() -> None:
    rule, figures = fit_rule(examples(400, voice=2.5, words=0.0))
    assert rule.words[CLASSES].mean() < 0.25 * rule.voice[CLASSES].mean()
    assert figures.both.uar > figures.voice.uar - 0.03


def test_where_they_disagree_each_is_counted() -> None:
    _, figures = fit_rule(examples(400, voice=3.0, words=1.0))
    assert 0 < figures.disagreements < figures.rows
    assert figures.voice_right > figures.words_right


def test_labels_that_mean_nothing_give_figures_of_chance() -> None:
    shuffled = np.random.default_rng(2).permutation(200)
    made = examples(200)
    mixed = [replace(one, truth=made[at].truth) for one, at in zip(made, shuffled, strict=True)]
    _, figures = fit_rule(mixed)
    assert figures.both.uar < 0.35  # a quarter is chance; figures of speakers it saw are higher


def test_confidence_is_honest_on_new_speakers() -> None:
    rule, _ = fit_rule(examples(600))
    fresh = examples(600, seed=1)
    fused = [fusion.fuse(one.voice, one.words, rule) for one in fresh]
    right = np.mean([KEYS.index(f.emotion) == e.truth for f, e in zip(fused, fresh, strict=True)])
    assert np.mean([one.confidence for one in fused]) == pytest.approx(right, abs=0.06)


@pytest.mark.parametrize(
    "few",
    [
        examples(20),
        examples(100, speakers=2),
        [one for one in examples(400) if one.truth == CLASSES[0]],
        [],
    ],
    ids=["rows", "speakers", "emotions", "nothing"],
)
def test_too_few_are_refused(few: list[Example]) -> None:
    with pytest.raises(ListError) as caught:
        fit_rule(few)
    assert caught.value.code == "fusion_too_few"


def test_a_rule_is_read_as_it_was_written(tmp_path: Path) -> None:
    rule, figures = fit_rule(examples(100))
    fusion.write_rule(rule, tmp_path / "rule.json")
    again = fusion.read_rule(tmp_path / "rule.json")
    assert np.array_equal(again.voice, rule.voice)
    assert np.array_equal(again.words, rule.words)
    assert (again.temperature, again.card) == (rule.temperature, figures.to_dict())
    assert again.fitted
    assert not fusion.DEFAULT_RULE.fitted


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"schema_version": 9}'])
def test_a_damaged_rule_is_told(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "rule.json"
    path.write_text(damage)
    with pytest.raises(ListError) as caught:
        fusion.read_rule(path)
    assert caught.value.code == "fusion_rule_damaged"
    assert "rule.json" in caught.value.detail("en")


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_weights_are_numbers_from_zero_on(bad: float) -> None:
    with pytest.raises(ValueError, match="weights"):
        FusionRule(np.full(len(EMOTIONS), bad), np.ones(len(EMOTIONS)))
