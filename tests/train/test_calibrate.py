"""What the calibration is fitted on, and the groups of the card."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (train/requirements.txt)")

import calibrate  # noqa: E402
import data  # noqa: E402

EMOTIONS = ("angry", "fearful", "happy", "neutral")


def clip(corpus: str, emotion: str, **of_speaker: object) -> data.Clip:
    index = data.INDEX[emotion]
    fixed = {"path": "", "speaker": "a", "sex": "", "language": "en", "split": "test"}
    return data.Clip(
        **(fixed | of_speaker), corpus=corpus, emotion=index, text_id="",
        target=data.target_of(index, ""), start=0, size=16_000,
    )  # fmt: skip


def answers(sure: float, right: float, clips: list[data.Clip]) -> np.ndarray:
    """Logits that lean so far to one class, which is the right one in that share of the clips."""
    logits = np.full((len(clips), 9), -20.0)
    for number, (row, one) in enumerate(zip(logits, clips, strict=True)):
        others = [data.INDEX[name] for name in EMOTIONS if data.INDEX[name] != one.emotion]
        row[[data.INDEX[name] for name in EMOTIONS]] = 0.0
        row[one.emotion if number % 100 < 100 * right else others[0]] = sure
    return logits


def test_the_temperature_is_the_median_over_corpora() -> None:
    """One corpus that was hardly understood does not move it, as it would move a mean."""
    shares = {"ravdess": 0.7, "nemo": 0.7, "emodb": 0.7, "cremad": 0.7, "indianemo": 0.27}
    names = dict.fromkeys(shares, EMOTIONS) | {"cremad": ("angry", "happy", "neutral")}
    clips, logits = [], []
    for corpus, right in shares.items():
        own = [clip(corpus, names[corpus][at // 100 % len(names[corpus])]) for at in range(400)]
        clips += own
        logits.append(answers(3.0, right, own))

    fitted = calibrate.fit(calibrate.LeftOut(clips, np.concatenate(logits)))

    alone = [
        calibrate.calibration.tempered(calibrate.softmax(logits[0]), fitted.temperature).max(axis=1)
    ]
    assert float(np.mean(alone)) == pytest.approx(0.7, abs=0.04)
    assert 0 < fitted.label_set_threshold < 0.25


@pytest.mark.parametrize(
    ("notes", "age"),
    [("age 23", 23), ("speaker aged 64", 64), ("x (y); age 51; votes angry=1", 51), ("", None),
     ("message 12", None)],
)  # fmt: skip
def test_ages_are_read_from_the_notes(notes: str, age: int | None) -> None:
    assert data.age_of(notes) == age


def test_groups_leave_out_what_is_not_known() -> None:
    test = {corpus: [] for corpus in data.TRAIN_CORPORA + data.FOREIGN_CORPORA}
    test["nemo"] = [clip("nemo", "angry", sex="f", age=24), clip("nemo", "happy", age=51)]
    test["tess"] = [clip("tess", "angry", sex="f", age=64)]
    logits = {corpus: np.zeros((len(own), 9)) for corpus, own in test.items()}

    rows = calibrate.groups(test, logits)

    found = {(row["trained_on"], row["column"], row["value"]) for row in rows}
    assert (True, "sex", "f") in found
    assert (True, "age", "under 30") in found
    assert (True, "age", "50 and over") in found
    assert (False, "age", "50 and over") in found
    assert all(value for _, _, value in found)
