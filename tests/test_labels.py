from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from emoscope import labels
from emoscope.labels import EMOTIONS, KEYS
from sight import EYES, XYZ, lab, linear


def test_the_nine_stand_in_the_order_of_the_model() -> None:
    """Scores are mapped by index, so this order may never change."""
    expected = "angry disgusted fearful happy neutral other sad surprised unknown"

    assert " ".join(KEYS) == expected
    assert [emotion.index for emotion in EMOTIONS] == list(range(9))
    assert labels.COUNT == 9


def test_names_and_emoji_are_the_agreed_ones() -> None:
    """Names and emoji as they are shown to people."""
    line = (
        "😠 愤怒 Angry · 🤢 厌恶 Disgusted · 😨 恐惧 Fearful · 😊 快乐 Happy · 😐 中性 Neutral · "
        "🤔 其他 Other · 😢 悲伤 Sad · 😲 惊讶 Surprised · ❓ 未知 Unknown"
    )

    assert " · ".join(f"{e.emoji} {e.zh} {e.en}" for e in EMOTIONS) == line
    assert EMOTIONS[3].title == "快乐 (Happy)"


def test_an_emotion_is_found_by_its_key_and_only_by_that() -> None:
    assert [labels.by_key(key) for key in KEYS] == list(EMOTIONS)
    for wrong in ("Happy", "快乐", "<unk>", ""):
        with pytest.raises(KeyError):
            labels.by_key(wrong)


def test_every_colour_can_be_seen_on_white() -> None:
    """The table promises 3:1 (WCAG 2.2, 1.4.11)."""
    for emotion in EMOTIONS:
        assert re.fullmatch(r"#[0-9a-f]{6}", emotion.colour)
        luminance = linear(emotion.colour) @ XYZ[1]
        assert 1.05 / (luminance + 0.05) >= 3.0, emotion.key


@pytest.mark.parametrize("eyes", EYES)
def test_colours_can_be_told_apart_by_all_eyes(eyes: str) -> None:
    """A curve of nine lines is no use when two look the same; a difference of 2 is just visible."""
    seen = {emotion.key: np.array(lab(eyes, emotion.colour)) for emotion in EMOTIONS}

    for (one, a), (other, b) in itertools.combinations(seen.items(), 2):
        assert np.linalg.norm(a - b) > 10, (one, other)
