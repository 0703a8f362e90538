"""Intervals over speakers, against a bootstrap clip by clip and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from emoscope.evaluate.bootstrap import SpeakerBootstrap
from emoscope.evaluate.metrics import interval, measure


def made(clips: int, speakers: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 6, clips)
    answers = np.where(random.uniform(size=clips) < 0.6, truth, random.integers(0, 9, clips))
    return truth, answers, [f"s{one}" for one in random.integers(0, speakers, clips)]


@pytest.mark.parametrize("speakers", [2, 7, 40])
def test_intervals_equal_those_of_drawing_clip_by_clip(speakers: int) -> None:
    truth, answers, names = made(200, speakers)
    bootstrap = SpeakerBootstrap(truth, names, 9, draws=200, seed=3)
    own, drawn = bootstrap.counts(answers)

    # Independently: each draw as a list of clips, measured by scikit-learn.
    random, owners = np.random.default_rng(3), np.array(names)
    people = sorted(set(names))
    found = []
    for _ in range(200):
        drawn_people = random.integers(0, len(people), len(people))
        at = np.concatenate([np.flatnonzero(owners == people[one]) for one in drawn_people])
        found.append(
            (
                reference.recall_score(
                    truth[at], answers[at], labels=np.unique(truth[at]), average="macro"
                ),
                reference.accuracy_score(truth[at], answers[at]),
                reference.f1_score(truth[at], answers[at], average="macro", zero_division=0),
            )
        )

    table = np.array(found)
    np.testing.assert_allclose(drawn.uar(), table[:, 0])
    np.testing.assert_allclose(drawn.accuracy(), table[:, 1])
    np.testing.assert_allclose(drawn.macro_f1(), table[:, 2])
    low, high = np.percentile(table[:, 0], [2.5, 97.5])
    assert bootstrap.interval(drawn.uar()) == pytest.approx((low, high))
    assert own.uar()[0] == pytest.approx(measure(truth, answers).ua)
    assert own.macro_f1()[0] == pytest.approx(measure(truth, answers).macro_f1)


def test_the_old_way_gives_the_same_interval() -> None:
    truth, answers, names = made(120, 12)
    expected = interval(lambda at: measure(truth[at], answers[at]).ua, names, draws=300)
    estimate = SpeakerBootstrap(truth, names, 9, draws=300).estimate(answers)
    assert (estimate.low, estimate.high) == pytest.approx(expected)


def test_drawing_in_pieces_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, answers, names = made(150, 30)
    whole = SpeakerBootstrap(truth, names, 9, draws=70).estimate(answers)
    monkeypatch.setattr("emoscope.evaluate.bootstrap._CELLS", 100)
    assert SpeakerBootstrap(truth, names, 9, draws=70).estimate(answers) == whole


def test_a_single_speaker_has_no_interval_and_nameless_clips_are_their_own() -> None:
    truth, answers, _ = made(30, 2)
    alone = SpeakerBootstrap(truth, ["a"] * 30, 9)
    assert alone.interval(alone.uar(answers)[1]) is None
    mixed = SpeakerBootstrap(truth, ["a"] * 20 + [""] * 10, 9).resampling
    assert (mixed.speakers, mixed.nameless, mixed.units) == (1, 10, 11)


def test_a_difference_is_measured_in_the_same_draws() -> None:
    truth, answers, names = made(300, 20)
    worse = answers.copy()
    worse[:15] = (truth[:15] + 1) % 6
    bootstrap = SpeakerBootstrap(truth, names, 9)
    difference = bootstrap.difference(answers, worse)
    one, other = bootstrap.estimate(answers), bootstrap.estimate(worse)
    assert difference.value == pytest.approx(one.value - other.value)
    assert difference.high - difference.low < one.high - one.low, "paired"
    assert bootstrap.difference(answers, answers).to_list() == [0, 0, 0]
