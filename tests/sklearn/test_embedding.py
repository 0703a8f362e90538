"""The transformer in pipelines of the real scikit-learn."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import SkipTestWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks as checks
from sklearn.utils.estimator_checks import estimator_checks_generator

import emoscope
from emoscope.labels import KEYS
from emoscope.sklearn import Embedding
from raising import raises_code
from sounds import sample, sample_names, wav

CLIPS = [sample(name)[8_000:16_000] for name in sample_names()][:6]
"""Half a second each."""
LABELS = [0, 1] * 3
COMPACT = Embedding("compact")


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The clips as files."""
    folder = tmp_path_factory.mktemp("clips")
    for number, clip in enumerate(CLIPS):
        (folder / f"{number}.wav").write_bytes(wav(clip))
    return [str(folder / f"{number}.wav") for number in range(len(CLIPS))]


def estimator_checks() -> list[object]:
    """All checks of scikit-learn that go with what the estimator says of its input.

    It leaves out those that give matrices of numbers, and warns of that.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)
        found = list(estimator_checks_generator(COMPACT))
    return [pytest.param(estimator, check, id=check.func.__name__) for estimator, check in found]


@pytest.mark.parametrize(("estimator", "check"), estimator_checks())
def test_it_passes_the_checks_of_estimators(estimator: Embedding, check: object) -> None:
    check(estimator)  # type: ignore[operator]


@pytest.mark.parametrize(
    "check",
    [
        checks.check_parameters_default_constructible,
        checks.check_mixin_order,
        checks.check_get_params_invariance,
        checks.check_set_params,
    ],
    ids=lambda check: check.__name__,
)
def test_it_passes_the_checks_that_give_no_numbers(check: object) -> None:
    check("Embedding", COMPACT)  # type: ignore[operator]


def test_rows_are_the_embeddings_of_the_recordings(paths: list[str]) -> None:
    rows = COMPACT.fit_transform(paths)
    one = emoscope.recognize(paths[1], model="compact", embedding=True)

    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows[1], one.utterance_embedding)
    assert COMPACT.get_feature_names_out()[0] == "embedding0"
    assert len(COMPACT.get_feature_names_out()) == rows.shape[1]


FORMS: dict[str, Callable[[list[str]], object]] = {
    "array": np.array,
    "series": pd.Series,
    "table": lambda paths: pd.DataFrame({"path": paths}),
    "column": lambda paths: np.array(paths, dtype=object)[:, np.newaxis],
    "pairs": lambda _: [(clip, 16_000) for clip in CLIPS],
}


@pytest.mark.parametrize("form", FORMS)
def test_recordings_may_stand_in_any_one_column(paths: list[str], form: str) -> None:
    recordings = FORMS[form](paths)
    scores = Embedding("compact", output="scores", workers=2).transform(recordings)
    expected = Embedding("compact", output="scores").transform(paths)

    assert scores.shape == (len(paths), 9)
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_it_learns_in_a_pipeline_and_is_searched_and_cross_validated(paths: list[str]) -> None:
    pipeline = make_pipeline(COMPACT, StandardScaler(), LogisticRegression())

    assert pipeline.fit(paths, LABELS).score(paths, LABELS) == 1.0
    assert cross_val_score(pipeline, np.array(paths), LABELS, cv=2).shape == (2,)
    search = GridSearchCV(pipeline, {"embedding__output": ["embedding", "scores"]}, cv=2)
    assert search.fit(np.array(paths), LABELS).best_params_["embedding__output"]


def test_output_can_be_a_table(paths: list[str]) -> None:
    estimator = Embedding("compact", output="scores").set_output(transform="pandas")
    table = estimator.fit_transform(paths[:2])

    assert list(table.columns) == list(KEYS)


def test_a_clone_has_the_parameters_and_a_pickle_the_name_of_the_model(
    paths: list[str], tmp_path: Path
) -> None:
    estimator = Embedding("compact", output="scores", workers=2, on_failure="nan")
    again = clone(estimator.fit(paths))
    assert again.get_params() == estimator.get_params()

    path = tmp_path / "pipeline.joblib"
    joblib.dump(make_pipeline(estimator, LogisticRegression()).fit(paths, LABELS), path)
    assert path.stat().st_size < 10_000
    loaded = joblib.load(path)
    assert loaded.predict(paths).shape == (6,)


@pytest.mark.process
def test_joblib_sends_it_to_other_processes(paths: list[str]) -> None:
    scores = joblib.Parallel(n_jobs=2, backend="loky")(
        joblib.delayed(Embedding("compact", output="scores").transform)([path])
        for path in paths[:2]
    )
    np.testing.assert_allclose(
        np.vstack(scores), Embedding("compact", output="scores").transform(paths[:2]), atol=1e-6
    )


def test_what_cannot_be_recognized_raises_or_is_a_row_of_nan(paths: list[str]) -> None:
    some = [paths[0], "missing.wav"]
    with raises_code("source_not_found"):
        COMPACT.transform(some)
    for output in ("embedding", "scores"):
        rows = Embedding("compact", output=output, on_failure="nan").transform(some)
        assert np.isfinite(rows[0]).all()
        assert np.isnan(rows[1]).all()
    alone = Embedding("compact", on_failure="nan").transform(["missing.wav"])
    assert alone.shape == (1, len(COMPACT.get_feature_names_out()))


@pytest.mark.parametrize(
    ("estimator", "recordings", "code"),
    [
        (Embedding("compact", output="logits"), ["a"], "parameter_choice_invalid"),  # type: ignore[arg-type]
        (Embedding("compact", on_failure="skip"), ["a"], "parameter_choice_invalid"),  # type: ignore[arg-type]
        (COMPACT, "a.wav", "source_not_a_list"),
        (COMPACT, np.array([["a", "b"]]), "recordings_several_columns"),
        (Embedding("no such model"), ["a"], "model_unknown"),
    ],
)
def test_wrong_parameters_and_inputs_are_refused(
    estimator: Embedding, recordings: object, code: str
) -> None:
    for work in (estimator.fit, estimator.transform):
        with raises_code(code):
            work(recordings)


def test_without_scikit_learn_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import emoscope\n"
        "try: emoscope.sklearn\n"
        "except ImportError as error: print(error)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "emoscope[vectors]" in ran.stdout
