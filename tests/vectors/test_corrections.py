"""Heads of corrections: they learn what is wrong the same way, and change nothing wildly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.labels import COUNT
from emoscope.results.result import ModelRef
from emoscope.results.scores import softmax
from emoscope.vectors.corrections import (
    LEAST_CORRECTIONS,
    TaughtSegment,
    train_corrections,
)
from raising import raises_code

MODEL = ModelRef("fake", "1", "0" * 64)
HAPPY, SAD, NEUTRAL = 3, 6, 4


def taught(
    *, wrong: int = 20, stayed: int = 20, recordings: int = 8, seed: int = 0
) -> list[TaughtSegment]:
    """The model takes sad for neutral by a little, every time; happy it knows."""
    numbers = np.random.default_rng(seed)
    found = []
    for at in range(wrong + stayed):
        logits = numbers.standard_normal(COUNT) * 0.1
        is_wrong = at < wrong
        logits[NEUTRAL if is_wrong else HAPPY] += 3
        if is_wrong:
            logits[SAD] += 2.5
        emotion = SAD if is_wrong else HAPPY
        name = f"r{at % recordings}"
        found.append(TaughtSegment(name, tuple(logits.tolist()), emotion, is_wrong))
    return found


def test_what_is_wrong_the_same_way_is_mended_and_the_rest_stays() -> None:
    head, report = train_corrections("x", taught(), MODEL)
    assert (report.corrections, report.stayed, report.recordings) == (20, 20, 8)
    assert report.changed_right[0] == 0
    assert report.changed_right[1] >= 18
    assert report.stayed_right == (20, 20)
    assert report.is_better
    assert head.kind == "corrections"
    assert head.card["clips"] == 20


def test_the_shift_of_all_logits_changes_nothing() -> None:
    """Scores are the same with a constant added, so the adapted ones must be too."""
    head, _ = train_corrections("x", taught(), MODEL)
    logits = np.random.default_rng(1).standard_normal((5, COUNT)).astype(np.float32)
    shifted = softmax(head.logits(logits + 7))
    assert shifted == pytest.approx(softmax(head.logits(logits)), abs=1e-4)


def test_contradictions_without_a_pattern_are_not_learned() -> None:
    numbers = np.random.default_rng(2)
    segments = [
        TaughtSegment(f"r{at}", tuple(numbers.standard_normal(COUNT).tolist()), at % COUNT, True)
        for at in range(30)
    ]
    head, report = train_corrections("x", segments, MODEL)
    assert np.abs(head.weights - np.eye(COUNT)).max() < 0.2
    assert report.pull >= 30.0


@pytest.mark.parametrize(("wrong", "recordings"), [(LEAST_CORRECTIONS - 1, 8), (20, 2), (0, 8)])
def test_few_corrections_teach_nothing(wrong: int, recordings: int) -> None:
    with raises_code("corrections_few"):
        train_corrections("x", taught(wrong=wrong, recordings=recordings), MODEL)


def test_the_order_of_the_runs_makes_no_difference() -> None:
    one, _ = train_corrections("x", taught(), MODEL)
    two, _ = train_corrections("y", taught()[::-1], MODEL)
    assert one.sha256 == two.sha256


@given(st.integers(0, 10_000), st.integers(10, 60), st.floats(0.3, 3))
def test_a_head_is_never_wild(seed: int, wrong: int, temperature: float) -> None:
    head, report = train_corrections(
        "x", taught(wrong=wrong, stayed=5, seed=seed), MODEL, temperature=temperature
    )
    assert np.isfinite(head.weights).all()
    assert np.linalg.cond(head.weights) < 50  # what the model said can be had back
    assert report.changed_right[1] >= report.changed_right[0]
