from __future__ import annotations

import csv
import json
import shutil
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from emoscope.backends.fake_backend import FakeBackend
from emoscope.evaluate import pictures
from emoscope.evaluate.leaks import leak
from emoscope.evaluate.lists import Labelled, duration_group, read_labelled
from emoscope.evaluate.metrics import (
    calibrate,
    interval,
    measure,
    restricted,
    risk_coverage,
)
from emoscope.evaluate.report import evaluation_html
from emoscope.evaluate.run import evaluate
from emoscope.evaluate.words import emotion_of
from emoscope.labels import EMOTIONS, Emotion, by_key
from emoscope.recognizer import Recognizer, load
from emoscope.results.result import ModelRef
from raising import raises_code
from sounds import SAMPLES, noise, wav

answers = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=60)


@given(answers)
@settings(deadline=None)
def test_figures_equal_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, answer = (np.array(side) for side in zip(*pairs, strict=True))

    ours = measure(truth, answer)

    present = sorted(set(truth.tolist()))
    recalls = reference.recall_score(truth, answer, labels=present, average=None, zero_division=0)
    assert ours.ua == pytest.approx(recalls.mean())
    assert ours.wa == pytest.approx(reference.accuracy_score(truth, answer))
    assert ours.macro_f1 == pytest.approx(
        reference.f1_score(truth, answer, average="macro", zero_division=0)
    )
    assert np.array_equal(
        ours.confusion, reference.confusion_matrix(truth, answer, labels=range(9))
    )
    precisions = reference.precision_score(
        truth, answer, labels=present, average=None, zero_division=0
    )
    np.testing.assert_allclose(list(ours.precision.values()), precisions)


def test_brier_and_log_loss_equal_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    scores = generator.dirichlet(np.ones(9), size=200)
    truth = generator.integers(0, 9, 200)

    ours = calibrate(truth, scores)

    assert ours.log_loss == pytest.approx(reference.log_loss(truth, scores, labels=range(9)))
    one_by_one = [
        reference.brier_score_loss((truth == at).astype(int), scores[:, at]) for at in range(9)
    ]
    assert ours.brier == pytest.approx(sum(one_by_one))


def test_confidence_that_keeps_its_word_has_no_calibration_error() -> None:
    generator = np.random.default_rng(1)
    confidence = generator.uniform(0.3, 1, 50_000)
    scores = np.full((50_000, 9), ((1 - confidence) / 8)[:, None])
    scores[:, 2] = confidence
    truth = np.where(generator.uniform(size=50_000) < confidence, 2, 5)

    assert calibrate(truth, scores).ece < 0.01
    # One that says 1.0 and is right half of the time is off by a half.
    sure = np.eye(9)[np.full(1_000, 2)]
    assert calibrate(np.array([2, 5] * 500), sure).ece == pytest.approx(0.5)


def test_restricted_answers_stay_within_the_classes_of_the_list() -> None:
    scores = np.array([[0.5, 0.1, 0, 0.3, 0.1, 0, 0, 0, 0], [0.1, 0.5, 0, 0.2, 0.2, 0, 0, 0, 0]])

    assert restricted(np.array([3, 4]), scores).tolist() == [3, 3]


def test_the_interval_draws_speakers_not_clips() -> None:
    """One speaker with many equal clips is one opinion: clips as units would be far too sure."""
    right = np.array([1.0] * 50 + [0.0] * 50)
    speakers = ["a"] * 50 + ["b"] * 50

    def share(at: np.ndarray) -> float:
        return float(right[at].mean())

    assert interval(share, speakers) == (0.0, 1.0)
    low, high = interval(share, [""] * 100)
    assert 0.35 < low < 0.5 < high < 0.65
    assert interval(share, [""] * 100) == (low, high)


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("ang", "angry"),
        ("生气/angry", "angry"),
        ("Pleasant Surprise", "surprised"),
        ("ps", "surprised"),
        ("calm", "neutral"),
        ("boredom", "other"),
        ("难过", "sad"),
        ("<unk>", "unknown"),
        ("fearful", "fearful"),
        ("其它", "other"),
        ("難過", "sad"),
        ("開心", "happy"),
        ("憤怒", "angry"),
        ("厭惡", "disgusted"),
        ("恐懼", "fearful"),
        ("驚訝", "surprised"),
        ("中立/neutral", "neutral"),
        ("其他/other", "other"),
        ("吃惊/surprised", "surprised"),
        ("ＨＡＰＰＹ", "happy"),
        ("\u200bhappy\ufeff", "happy"),
        ("快乐（Happy）", "happy"),
        ("angry|生气", "angry"),
    ],
)
def test_label_words_of_corpora(word: str, key: str) -> None:
    assert emotion_of(word).key == key


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_our_own_titles_are_labels(emotion: Emotion) -> None:
    for label in (
        emotion.title,
        f"{emotion.emoji} {emotion.title}",
        f"{emotion.emoji} {emotion.zh}",
        f"{emotion.emoji} {emotion.en}",
        emotion.emoji,
        f"{emotion.zh}/{emotion.key}",
    ):
        assert emotion_of(label) is emotion


@pytest.mark.parametrize(
    "word", ["frustrated", "", "xxx", "contempt", "()", "🎉", "happy/sad", "快乐 (Sad)"]
)
def test_words_that_mean_none_of_the_nine_are_refused_by_name(word: str) -> None:
    with raises_code("label_unknown"):
        emotion_of(word)


@pytest.fixture
def listing(tmp_path):
    """Six recordings: loud ones are happy to the fake model, faint ones neutral."""
    rows = []
    for number, (level, label) in enumerate(
        [(0.5, "happy"), (0.5, "hap"), (0.5, "neutral"), (0.01, "neu"), (0.01, "calm"), (0, "sad")]
    ):
        name = f"{number}.wav"
        (tmp_path / name).write_bytes(wav(noise(1.0 + number / 50, level=level)))
        rows.append(
            {"path": name, "label": label, "speaker": f"s{number % 2}", "sex": "fm"[number % 2]}
        )
    path = tmp_path / "list.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def recognizer() -> Recognizer:
    return Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))


def test_a_list_is_measured_and_one_bad_file_counts_nowhere(listing, recognizer) -> None:
    items = read_labelled(listing)

    found = evaluate(recognizer, items, leak=leak(items[:1], items), draws=50)

    assert found.metrics.clips == 5
    assert [failure.error.code for failure in found.failures] == ["audio_silent"]
    assert found.metrics.recall == {"happy": 1.0, "neutral": pytest.approx(2 / 3)}
    assert found.metrics.wa == pytest.approx(0.8)
    assert found.speakers == 2
    assert {(group.column, group.value) for group in found.groups} >= {("sex", "f"), ("sex", "m")}
    assert found.leak is not None
    assert found.leak.speakers == ("s0",)
    assert found.leak.found
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert json.loads(text)["ua"] == found.metrics.ua
    assert found.calibrated is found.label_sets is None, "the fake model has no card"
    assert found.abstained == 5, "nobody speaks in noise"
    assert json.loads(text)["risk_coverage"]["risk"]["1"] == pytest.approx(1 - found.metrics.wa)
    page = evaluation_html(found, "<list>")
    assert "未校准" in page
    assert "&lt;list&gt;" in page
    assert "must not be quoted" in page


def test_a_calibrated_model_shows_what_that_is_worth(tmp_path) -> None:
    rows = ["path,label"]
    for name in ("happy_zh.wav", "sad_en.wav", "neutral_zh.wav"):
        shutil.copy(SAMPLES / name, tmp_path / name)
        rows.append(f"{name},{name.partition('_')[0]}")
    (tmp_path / "list.csv").write_text("\n".join(rows) + "\n", "utf-8")

    found = evaluate(load("compact"), read_labelled(tmp_path / "list.csv"), draws=20)

    assert found.calibrated is not None
    assert found.label_sets is not None
    assert found.label_sets.wanted == 0.9
    assert 1 <= found.label_sets.size <= 9
    data = found.to_dict()
    assert data["calibration"]["ece_calibrated"] == found.calibrated.ece
    assert data["label_sets"]["coverage"] in (0, pytest.approx(1 / 3), pytest.approx(2 / 3), 1)
    assert "stroke-width" in evaluation_html(found, "list"), "the calibrated dots are open"


def test_pictures_are_svg_that_needs_nothing_else() -> None:
    generator = np.random.default_rng(0)
    scores, truth = generator.dirichlet(np.ones(9), 300), generator.integers(0, 7, 300)
    measured = measure(truth, scores.argmax(axis=1))
    drawn = [
        pictures.confusion_svg(measured),
        pictures.reliability_svg(calibrate(truth, scores)),
        pictures.risk_coverage_svg(risk_coverage(truth, scores)),
        pictures.risk_coverage_svg(risk_coverage(truth[:1], scores[:1])),
    ]

    for picture in drawn:
        root = ET.fromstring(picture)  # noqa: S314 - our own
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "href" not in picture
        assert "url(" not in picture
    cells = [part for part in ET.fromstring(drawn[0]).iter() if part.tag.endswith("title")]  # noqa: S314
    counts = [int(cell.text.rpartition(":")[2]) for cell in cells if cell.text]
    assert sum(counts) == 300
    assert len(counts) == 7 * 9


def test_a_list_of_nothing_but_failures_is_told(tmp_path, recognizer) -> None:
    with raises_code("nothing_recognized"):
        evaluate(recognizer, [Labelled(tmp_path / "no.wav", by_key("sad"))])


@pytest.mark.parametrize("text", ["", "path\na.wav\n", "emotion\nsad\n", "path,emotion\n,sad\n"])
def test_broken_lists_are_told(tmp_path, text: str) -> None:
    (tmp_path / "list.csv").write_text(text)

    with raises_code("list_malformed"):
        read_labelled(tmp_path / "list.csv")


def test_lists_without_common_speakers_are_clean(listing) -> None:
    items = read_labelled(listing)

    assert not leak(items[0:6:2], items[1:6:2]).found


def test_duration_groups() -> None:
    assert [duration_group(s) for s in (0.2, 1.0, 4.9, 60.0)] == [
        "0-1 s",
        "1-2 s",
        "3-5 s",
        "over 10 s",
    ]
