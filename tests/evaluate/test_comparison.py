"""Comparison of two systems, against scipy and a bootstrap clip by clip; files of any tool."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as reference

from emoscope.evaluate import compare_scores, evaluate_scores, read_predictions
from emoscope.evaluate.comparison import McNemar
from emoscope.evaluate.comparison_report import (
    comparison_html,
    comparison_notes,
    difference_rows,
    p_text,
)
from emoscope.evaluate.pairing import compare_predictions
from emoscope.evaluate.predictions import prediction_bytes, prediction_table, predictions_of
from emoscope.evaluate.scores import emotion_indices, score_matrix, scored_clips
from emoscope.labels import EMOTIONS, KEYS
from raising import raises_code

RANDOM = np.random.default_rng(7)
CLIPS = 240
TRUTH = RANDOM.integers(0, 5, CLIPS)
SPEAKERS = [f"s{one}" for one in RANDOM.integers(0, 12, CLIPS)]
CORPORA = ["one" if at < 150 else "two" for at in range(CLIPS)]


def scores(sharpness: float, seed: int) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(size=(CLIPS, 9))
    logits[np.arange(CLIPS), TRUTH] += sharpness
    shown: np.ndarray = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return shown


FIRST, SECOND = scores(1.0, 1), scores(1.6, 2)


@pytest.mark.parametrize(
    ("only_first", "only_second"), [(0, 0), (3, 0), (5, 12), (40, 40), (900, 1100), (5000, 5100)]
)
def test_mcnemar_equals_the_binomial_test_of_scipy(only_first: int, only_second: int) -> None:
    found = McNemar(only_first, only_second)
    count = only_first + only_second
    expected = stats.binomtest(only_first, count).pvalue if count else 1.0
    assert found.p == pytest.approx(expected)


def test_differences_equal_those_of_drawing_clip_by_clip() -> None:
    found = compare_scores(
        TRUTH, FIRST, SECOND, speakers=SPEAKERS, corpora=CORPORA, draws=300, seed=5
    )

    keys = np.array([f"{c}/{s}" for c, s in zip(CORPORA, SPEAKERS, strict=True)])
    people, random = sorted(set(keys)), np.random.default_rng(5)
    answers = [FIRST.argmax(axis=1), SECOND.argmax(axis=1)]
    drawn = []
    for _ in range(300):
        chosen = random.integers(0, len(people), len(people))
        at = np.concatenate([np.flatnonzero(keys == people[one]) for one in chosen])
        labels = np.unique(TRUTH[at])
        one, other = (
            reference.recall_score(TRUTH[at], answer[at], labels=labels, average="macro")
            for answer in answers
        )
        drawn.append(other - one)
    ua = found.overall.differences[0]
    assert ua.figure == "ua"
    assert ua.interval == pytest.approx(tuple(np.percentile(drawn, [2.5, 97.5])))
    assert ua.value == pytest.approx(
        reference.recall_score(TRUTH, answers[1], labels=range(5), average="macro")
        - reference.recall_score(TRUTH, answers[0], labels=range(5), average="macro")
    )
    right = [answer == TRUTH for answer in answers]
    assert found.overall.mcnemar.only_first == int((right[0] & ~right[1]).sum())
    assert [one.corpus for one in found.corpora] == ["one", "two"]
    assert [one.clips for one in found.corpora] == [150, 90]
    assert [one.figure for one in found.overall.differences] == [
        "ua",
        "wa",
        "macro_f1",
        "ua_own_classes",
    ]


def test_answers_alone_are_compared_without_own_classes() -> None:
    words = [KEYS[at] for at in FIRST.argmax(axis=1)]
    found = compare_scores(TRUTH, words, SECOND)
    assert [one.figure for one in found.overall.differences] == ["ua", "wa", "macro_f1"]
    assert found.to_dict()["overall"]["bootstrap"]["clips_without_speaker"] == CLIPS
    assert {note.code for note in comparison_notes(found)} == {"brackets_of_clips", "mcnemar"}
    page = comparison_html(found)
    assert "McNemar" in page
    assert p_text(found.overall.mcnemar.p) in page.replace("&lt;", "<")


def test_a_single_speaker_has_no_interval() -> None:
    found = compare_scores(TRUTH, FIRST, SECOND, speakers=["a"] * CLIPS)
    assert found.overall.differences[0].interval is None
    assert "[–]" in comparison_html(found)


def test_a_clear_difference_is_marked_where_speakers_are_enough() -> None:
    many = compare_scores(TRUTH, FIRST, TRUTH.tolist(), speakers=SPEAKERS)
    few = compare_scores(TRUTH, FIRST, TRUTH.tolist(), speakers=["a", "b"] * 120)
    assert all(row[3].endswith("*") for row in difference_rows(many.overall, "en"))
    assert not any(row[3].endswith("*") for row in difference_rows(few.overall, "en"))
    assert {note.code for note in comparison_notes(few)} >= {"few_speakers"}


def written(ending: str) -> bytes:
    clips = scored_clips(
        TRUTH,
        FIRST,
        speakers=SPEAKERS,
        corpora=CORPORA,
        groups={"sex": ["f"] * CLIPS},
        names=[f"a/{at}.wav" for at in range(CLIPS)],
    )
    return prediction_bytes(prediction_table(clips, {"by": "test"}), ending)


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_predictions_are_read_back(tmp_path: Path, ending: str) -> None:
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"p{ending}"
    path.write_bytes(written(ending))
    assert path.read_bytes().startswith({".jsonl": b"{", ".csv": b"path,"}.get(ending, b"PAR1"))

    found = read_predictions(path)

    assert [one.answer for one in found.rows] == FIRST.argmax(axis=1).tolist()
    assert [one.truth for one in found.rows] == TRUTH.tolist()
    assert [one.corpus for one in found.rows] == CORPORA
    assert [one.speaker for one in found.rows] == SPEAKERS
    read = np.array([one.scores for one in found.rows])
    np.testing.assert_allclose(read, FIRST, atol=1e-6)


def test_the_columns_of_predictions() -> None:
    rows = list(csv.DictReader(io.StringIO(written(".csv").decode())))
    assert list(rows[0]) == [
        *("path", "corpus", "speaker", "truth", "answer"),
        *KEYS,
        "margin",
        "sex",
    ]
    ranked = np.sort(FIRST[3])
    assert float(rows[3]["margin"]) == pytest.approx(ranked[-1] - ranked[-2], abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "id,prediction\n0,sad\n1,ang\n",
        "file;pred\n0.wav;6\n1.wav;sad\n",
        "path,prob_anger,prob_sadness\nx/0.wav,0.2,0.8\nx/1.wav,0.9,0.1\n",
        "path,angry,sad,happy\n0.wav,0.2,0.8,0\n1.wav,1,0,0\n",
    ],
)
def test_files_of_any_tool_are_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.csv").write_text(text)
    if "6" in text:  # a number is no word
        with raises_code("label_unknown"):
            read_predictions(tmp_path / "p.csv")
        return
    assert [one.answer for one in read_predictions(tmp_path / "p.csv").rows] == [6, 0]


@pytest.mark.parametrize(
    "text",
    [
        "path,feeling\na.wav,sad\n",
        "path,angry,sad\na.wav,0.2,x\n",
    ],
)
def test_a_file_without_answers_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.csv").write_text(text)
    with raises_code("list_malformed"):
        read_predictions(tmp_path / "p.csv")


def test_scores_that_are_no_probabilities_are_refused(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("path,angry,sad\na.wav,2.5,-1\n")
    with raises_code("scores_invalid") as caught:
        read_predictions(tmp_path / "p.csv")
    assert "softmax" in caught.value.detail_en


def test_files_are_joined_by_path_then_by_name(tmp_path: Path) -> None:
    first = tmp_path / "a.csv"
    second = tmp_path / "b.csv"
    first.write_text(
        "path,truth,answer,speaker\nx\\0.wav,sad,sad,s\n./x/1.wav,sad,angry,t\nx/2.wav,sad,sad,t\n"
    )
    second.write_text("path,truth,answer\nx/1.wav,sad,sad\nx/0.wav,angry,sad\nx/9.wav,sad,sad\n")
    one, other = read_predictions(first), read_predictions(second)

    found = compare_predictions(one.rows, other.rows, (one.name, other.name), draws=20)

    assert found.overall.clips == 2
    assert (found.only_in_first, found.only_in_second, found.contradicted) == (1, 1, 1)
    assert (found.overall.mcnemar.only_first, found.overall.mcnemar.only_second) == (0, 1)
    second.write_text("id,answer\n0,sad\n1,sad\n")
    by_name = compare_predictions(one.rows, read_predictions(second).rows, ("a", "b"), draws=20)
    assert by_name.overall.clips == 2
    second.write_text("id,answer\nelsewhere,sad\n")
    with raises_code("predictions_apart"):
        compare_predictions(one.rows, read_predictions(second).rows, ("a", "b"))
    first.write_text("path,answer\n0.wav,sad\n")
    second.write_text("path,answer\n0.wav,sad\n")
    with raises_code("predictions_need_truth"):
        compare_predictions(read_predictions(first).rows, read_predictions(second).rows, ("a", "b"))


def test_names_that_repeat_in_folders_are_not_joined_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "path,truth,answer\nx/0.wav,sad,sad\ny/0.wav,sad,sad\nz/1.wav,sad,sad\n"
    )
    (tmp_path / "b.csv").write_text("id,answer\n0,sad\n1,angry\n")
    rows = [read_predictions(tmp_path / name).rows for name in ("a.csv", "b.csv")]
    found = compare_predictions(rows[0], rows[1], ("a", "b"), draws=10)
    assert found.overall.clips == 1


def test_scores_from_elsewhere_have_all_figures() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(FIRST, columns=[f"{one.en}" for one in EMOTIONS])
    words = [KEYS[at] for at in TRUTH]

    found = evaluate_scores(words, frame, speakers=SPEAKERS, corpora=CORPORA, draws=50)

    assert found.metrics.wa == pytest.approx(reference.accuracy_score(TRUTH, FIRST.argmax(axis=1)))
    assert found.calibration is not None
    assert found.calibration.log_loss == pytest.approx(
        reference.log_loss(TRUTH, FIRST, labels=range(9))
    )
    assert {group.value for group in found.groups} == {"one", "two"}
    assert found.speakers == len({*zip(CORPORA, SPEAKERS, strict=True)})
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["model"] is None
    only = evaluate_scores(words, answers=words)
    assert only.metrics.ua == 1.0
    assert only.calibration is only.risk_coverage is only.own_classes is None
    json.dumps(only.to_dict(), allow_nan=False)


def test_classes_of_another_tool_take_their_places() -> None:
    matrix = score_matrix([[0.5, 0.3, 0.2]], ["Freude", "excited", "ang"])
    assert matrix[0, 3] == pytest.approx(0.8), "two columns of one emotion are added"
    assert matrix[0, 0] == pytest.approx(0.2)
    assert emotion_indices(["sad", 6, EMOTIONS[6], np.int64(6)]).tolist() == [6] * 4


@pytest.mark.parametrize(
    "given",
    [
        {"truth": [9], "answers": [0]},
        {"truth": ["sad"]},
        {"truth": [], "answers": []},
        {"truth": ["sad"], "answers": ["sad", "sad"]},
        {"truth": ["sad"], "answers": ["sad"], "speakers": []},
        {"truth": ["sad"], "scores": [[0.5, 0.5]]},
        {"truth": ["sad"], "scores": [[np.nan] * 9]},
        {"truth": ["sad"], "scores": "words"},
        {"truth": ["sad"], "scores": [[1.0] * 9]},
    ],
)
def test_what_cannot_be_measured_is_told(given: dict[str, object]) -> None:
    with raises_code("scores_invalid"):
        evaluate_scores(**given)  # type: ignore[arg-type]


def test_clips_become_rows_of_predictions() -> None:
    rows = predictions_of(scored_clips(TRUTH, FIRST, speakers=SPEAKERS, corpora=CORPORA))
    assert rows[4].truth == TRUTH[4]
    assert rows[4].answer == int(FIRST[4].argmax())
