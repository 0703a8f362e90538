from __future__ import annotations

from itertools import combinations, permutations

import pytest

from emoscope.labels import EMOTIONS
from emoscope.messages.mixed import BLENDS, NUANCES, leading_two, mixed_emotion
from results import make_scores

FELT = [e.key for e in EMOTIONS if e.key not in ("neutral", "other", "unknown")]


def test_the_example_of_the_contract() -> None:
    name = mixed_emotion(make_scores(happy=0.7, surprised=0.2))

    assert name is not None
    assert (name.zh, name.en) == ("惊喜", "pleasant surprise")


@pytest.mark.parametrize(
    "given",
    [
        {"happy": 0.9, "surprised": 0.1},  # a trace
        {"happy": 0.35, "surprised": 0.2},  # spread over many
        {"happy": 0.6, "other": 0.4},  # no feeling
        {"unknown": 0.6, "sad": 0.4},
    ],
)
def test_one_that_stands_alone_has_no_mixture(given: dict[str, float]) -> None:
    assert mixed_emotion(make_scores(**given)) is None


def test_every_pair_of_feelings_has_a_name() -> None:
    assert set(BLENDS) == {frozenset(pair) for pair in combinations(FELT, 2)}
    assert set(NUANCES) == {
        pair for pair in permutations([*FELT, "neutral"], 2) if "neutral" in pair
    }


def test_names_are_told_apart() -> None:
    texts = [*BLENDS.values(), *NUANCES.values()]

    assert len({text.zh for text in texts}) == len(texts)
    assert len({text.en for text in texts}) == len(texts)


def test_with_neutral_it_matters_who_leads() -> None:
    sad = mixed_emotion(make_scores(sad=0.6, neutral=0.4))
    calm = mixed_emotion(make_scores(sad=0.4, neutral=0.6))

    assert sad is not None
    assert calm is not None
    assert sad.zh != calm.zh
    assert [e.key for e in leading_two(make_scores(sad=0.4, neutral=0.6))] == ["neutral", "sad"]
