from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from emoscope import labels
from emoscope.labels import EMOTIONS, KEYS


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
        luminance = _linear(emotion.colour) @ _XYZ[1]
        assert 1.05 / (luminance + 0.05) >= 3.0, emotion.key


@pytest.mark.parametrize("eyes", ["usual", "deuteranopia", "protanopia", "tritanopia"])
def test_colours_can_be_told_apart_by_all_eyes(eyes: str) -> None:
    """A curve of nine lines is no use when two look the same; a difference of 2 is just visible."""
    seen = {
        emotion.key: _lab(np.clip(_EYES[eyes] @ _linear(emotion.colour), 0, 1))
        for emotion in EMOTIONS
    }

    for (one, a), (other, b) in itertools.combinations(seen.items(), 2):
        assert np.linalg.norm(a - b) > 10, (one, other)


_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_EYES = {
    # Machado, Oliveira, Fernandes 2009, severity 1, on linear RGB.
    "usual": np.eye(3),
    "deuteranopia": np.array(
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]
    ),
    "protanopia": np.array(
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]
    ),
    "tritanopia": np.array(
        [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]]
    ),
}


def _linear(colour: str) -> np.ndarray:
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def _lab(linear: np.ndarray) -> np.ndarray:
    """CIE L*a*b* under D65."""
    share = _XYZ @ linear / [0.9505, 1.0, 1.089]
    x, y, z = np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
