"""What is drawn how often and what the loss asks: shares, votes, masks."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (train/requirements.txt)")

import data  # noqa: E402
import sampling  # noqa: E402


def clip(corpus: str, emotion: str, speaker: str = "a", notes: str = "") -> data.Clip:
    index = data.INDEX[emotion]
    return data.Clip(
        path="", corpus=corpus, speaker=speaker, sex="", language="", emotion=index, split="train",
        text_id="", target=data.target_of(index, notes), start=0, size=16_000,
    )  # fmt: skip


def test_votes_become_shares() -> None:
    voted = data.target_of(data.INDEX["happy"], "voice-only votes angry=1 happy=2 neutral=5 sad=0")

    assert voted[data.INDEX["neutral"]] == pytest.approx(0.625)
    assert sum(voted) == pytest.approx(1.0)
    assert data.target_of(3, "no votes, take=2") == tuple(np.eye(9)[3])


def test_corpora_are_drawn_by_their_shares() -> None:
    clips = [clip("ravdess", "angry")] * 10 + [clip("nemo", "sad")] * 1000
    clips += [clip("nemo", "happy", "b")] * 10

    chances = sampling.draw_weights(clips, {"ravdess": 0.5, "nemo": 0.5})

    assert chances.sum() == pytest.approx(1.0)
    assert chances[:10].sum() == pytest.approx(0.5)
    # Ten times rarer by the square root, a hundred times by number.
    assert chances[10:1010].sum() / chances[1010:].sum() == pytest.approx(10.0)


def test_absent_classes_count_little() -> None:
    _, offsets = sampling.lessons([clip("indianemo", "angry")], 0.1, 0.1)

    names = [name for name in data.EMOTIONS if offsets[0, data.INDEX[name]] < 0]
    assert names == ["disgusted", "sad", "surprised"]


def test_smoothing_stays_within_the_corpus() -> None:
    targets, _ = sampling.lessons([clip("indianemo", "angry")], 0.2, 0.1)

    assert targets.sum() == pytest.approx(1.0)
    assert targets[0, data.INDEX["angry"]] == pytest.approx(0.85)
    assert targets[0, data.INDEX["sad"]] == 0.0


def test_only_fair_clips_are_tested() -> None:
    row = {"corpus": "cremad", "split": "test", "emotion": "happy", "rater_agreement": "0.4"}

    assert not data.is_fair(row)
    assert data.is_fair(row | {"rater_agreement": "0.5"})
    assert data.is_fair(row | {"split": "train"})
    assert not data.is_fair({"corpus": "emotiontts", "text_id": "emo03"})
