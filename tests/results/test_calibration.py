"""Calibrated confidence and label sets, on data whose distribution is known."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emoscope.evaluate.metrics import calibrate, risk_coverage
from emoscope.export.records import CSV_COLUMNS, to_csv_line
from emoscope.models.catalog import ModelCard, find
from emoscope.recognizer import load
from emoscope.results.calibration import Calibration, fit, tempered
from emoscope.results.result import Result
from emoscope.results.scores import Scores, softmax
from emoscope.waveform import Waveform
from results import make_result
from sounds import sample

FITTED = Calibration(2.0, 0.1, 0.9, 800, "made up")


def drawn(clips: int, sharpness: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores of a model that is ``sharpness`` times too sure, and the truth."""
    generator = np.random.default_rng(seed)
    logits = 1.5 * generator.standard_normal((clips, 9))
    honest = softmax(logits)
    truth = np.array([generator.choice(9, p=row) for row in honest])
    return softmax(sharpness * logits), truth


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_what_was_done_to_the_logits(sharpness: float) -> None:
    scores, truth = drawn(6_000, sharpness)

    fitted = fit(scores, truth, "made up")

    assert fitted.temperature == pytest.approx(sharpness, rel=0.08)
    after = calibrate(truth, tempered(scores, fitted.temperature))
    assert after.ece < 0.03
    assert after.log_loss <= calibrate(truth, scores).log_loss + 1e-9


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_label_sets_hold_the_truth_as_often_as_promised(coverage: float) -> None:
    """On clips that were not fitted on."""
    scores, truth = drawn(3_000, 2.0)
    fitted = fit(scores, truth, "made up", coverage)
    fresh, fresh_truth = drawn(3_000, 2.0, seed=1)
    sets = [fitted.apply(Scores(row)).label_set for row in fresh]
    keys = list(Scores(fresh[0]).to_dict())

    held = np.mean([keys[at] in one for at, one in zip(fresh_truth, sets, strict=True)])

    assert held == pytest.approx(coverage, abs=0.02)
    assert all(sets)


@given(st.lists(st.floats(0, 1), min_size=9, max_size=9), st.floats(0.2, 5))
@example([0.0] * 7 + [0.53125, 2.220446049250313e-16], 1.0)  # two that rounding makes alike
def test_the_answer_and_the_order_stay(values: list[float], temperature: float) -> None:
    scores = Scores(softmax(np.array(values)))

    sure = replace(FITTED, temperature=temperature).apply(scores)

    assert sure.label_set[0] == scores.top.key
    order = [emotion.key for emotion, _ in scores.ranked()]
    places = [order.index(key) for key in sure.label_set]
    assert places == sorted(places)
    if temperature > 1.001:
        assert sure.confidence <= scores.confidence + 1e-12


def test_the_temperature_of_one_changes_nothing() -> None:
    scores, _ = drawn(20, 1.0)

    np.testing.assert_allclose(tempered(scores, 1.0), scores, atol=1e-12)


def test_too_few_clips_are_refused() -> None:
    scores, truth = drawn(49, 1.0)
    with pytest.raises(ValueError, match="49 clips are too few"):
        fit(scores, truth, "made up")


@pytest.mark.parametrize(
    "wrong", [{"temperature": 0.0}, {"label_set_threshold": 2.0}, {"coverage": 1.0}]
)
def test_numbers_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"temperature|bar"):
        replace(FITTED, **wrong)


def test_a_result_carries_both_confidences_and_older_ones_are_read() -> None:
    result = make_result(calibrated=FITTED.apply(make_result().scores))
    data = json.loads(json.dumps(result.to_dict()))

    assert data["confidence"] == result.confidence
    assert data["confidence_calibrated"] < data["confidence"]
    assert data["label_set"]["coverage"] == 0.9
    assert Result.from_dict(data).calibrated == result.calibrated
    row = to_csv_line(result).strip().split(",")
    assert row[CSV_COLUMNS.index("label_set")] == " ".join(data["label_set"]["emotions"])
    plain = make_result().to_dict()
    assert plain["confidence_calibrated"] is plain["label_set"] is None
    del plain["confidence_calibrated"], plain["label_set"]
    assert Result.from_dict(plain).calibrated is None


def test_the_card_of_the_built_in_model_is_applied() -> None:
    card = find("compact").card
    assert card.calibration is not None
    assert Calibration.from_dict(card.calibration.to_dict()) == card.calibration

    result = load("compact").recognize(Waveform(sample("happy_zh.wav")))

    assert result.calibrated == card.calibration.apply(result.scores)


def test_a_card_without_a_calibration_says_nothing() -> None:
    data = {
        "name": "m",
        "revision": "1",
        "files": [{"path": "m.onnx", "bytes": 1, "sha256": "0"}],
        "dim": 4,
        "licence": "none",
        "title_zh": "模型",
        "title_en": "model",
    }
    assert ModelCard.from_dict(data).calibration is None
    kept = ModelCard.from_dict({**data, "calibration": {**FITTED.to_dict(), "figures": {}}})
    assert kept.calibration == FITTED


def test_the_surest_answers_come_first() -> None:
    scores, truth = drawn(2_000, 1.0)

    curve = risk_coverage(truth, scores)

    assert curve.risk[-1] == pytest.approx(np.mean(scores.argmax(axis=1) != truth))
    assert curve.at(0.1) < curve.at(0.5) < curve.at(1.0)
    assert curve.area < curve.risk[-1]
    # Confidence that knows nothing buys nothing.
    blind = risk_coverage(np.random.default_rng(0).integers(0, 9, 2_000), scores)
    assert blind.at(0.2) == pytest.approx(blind.at(1.0), abs=0.05)
