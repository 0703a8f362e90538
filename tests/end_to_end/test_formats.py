"""The same sentence in every format gets the same answer."""

from __future__ import annotations

import numpy as np
import pytest

import emoscope
from emoscope.recognizer import Recognizer
from sounds import FORMATS, encode, sample

pytestmark = pytest.mark.process

SENTENCES = ("happy_zh.wav", "angry_en.wav", "sad_zh.wav")

TOLERANCE = {
    # What the format throws away may move a score by this much.
    "wav": 0.01,  # only there and back through 44.1 kHz
    "wav24": 0.01,
    "wavfloat": 0.01,
    "flac": 0.01,
    "m4a": 0.10,
    "aac": 0.10,
    "mp3": 0.10,
    "ogg": 0.10,
    "opus": 0.10,
    "webm": 0.10,
    "amr": 1.00,  # 300-3,400 Hz is another recording; the advice is against it
}


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return emoscope.load("compact")


@pytest.mark.parametrize("name", FORMATS)
def test_scores_stay_within_the_tolerance_of_the_format(recognizer, name: str) -> None:
    moved = []
    for sentence in SENTENCES:
        original = sample(sentence)
        plain = recognizer.recognize(emoscope.Waveform(original)).scores.values
        heard = recognizer.recognize(encode(original, name)).scores.values
        moved.append(float(np.abs(plain - heard).max()))

    print(f"{name}: largest difference of a score {max(moved):.4f}")
    assert max(moved) <= TOLERANCE[name]
