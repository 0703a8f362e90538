"""Transformer from recordings to their embeddings or scores, for pipelines of scikit-learn."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from emoscope.audio.inputs import check_several
from emoscope.errors import RequestError
from emoscope.labels import COUNT, KEYS
from emoscope.models.catalog import AUTO
from emoscope.once import load_once
from emoscope.results.embeddings import embeddings
from emoscope.results.result import Failure, Result

OutputRows = Literal["embedding", "scores"]
FailureRule = Literal["raise", "nan"]


class Embedding(TransformerMixin, BaseEstimator):
    """Turns recordings into rows of numbers, by a model that has learned already.

    ``X`` is a list, array, pandas column or table of one column; each item is a path, bytes, an
    open file, ``(samples, rate_hz)`` or another form that ``recognize`` takes. ``fit`` learns
    nothing and only looks up the model; the estimator holds the model's name, so that it is cloned,
    pickled and sent to other processes in a few bytes.

    Args:
        model: a name of ``emoscope models list``, a folder, or ``auto``.
        output: ``embedding``, float32 of shape ``(n, D)``, the mean over time; or ``scores``, of
            shape ``(n, 9)`` in the order of ``EMOTIONS``.
        workers: recordings that are recognized side by side, in threads.
        on_failure: ``raise`` the error of the first recording that cannot be used, or give it a row
            of ``nan``.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = AUTO,
        *,
        output: OutputRows = "embedding",
        workers: int = 1,
        on_failure: FailureRule = "raise",
    ) -> None:
        self.model = model
        self.output = output
        self.workers = workers
        self.on_failure = on_failure

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002, N803 - scikit-learn's names
        """Check the parameters and look up the model; nothing is learned.

        Args:
            X: recordings; they are not recognized here.
            y: ignored.

        Raises:
            RequestError: a parameter is none of its choices.
            ModelError: the model cannot be loaded.
        """
        self._check()
        recordings_of(X)
        self.n_features_out_ = self._width()
        return self

    def transform(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Recognize recordings; returns ``(n, D)`` float32, or ``(n, 9)`` scores.

        Raises:
            InputError: a recording cannot be used, and ``on_failure`` is ``raise``.
            ModelError: the model failed.
        """
        self._check()
        recordings = recordings_of(X)
        width, is_embedding = self._width(), self.output == "embedding"
        answers = load_once(os.fspath(self.model)).recognize_many(
            recordings, embedding="utterance" if is_embedding else False, workers=self.workers
        )
        kept = [self._kept(one) for one in answers]
        rows = embeddings(kept) if is_embedding else _scores(kept)
        # Without one answer nothing says how wide a row is.
        return rows if rows.shape[1] else np.full((len(kept), width), np.nan, np.float32)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Return a name for each column: the nine keys, or ``embedding0`` and so on."""
        if self.output == "scores":
            return np.array(KEYS, dtype=object)
        return np.array([f"embedding{at}" for at in range(self._width())], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit, tags.no_validation = False, True
        tags.input_tags.two_d_array, tags.input_tags.one_d_array = False, True
        tags.input_tags.string = True
        return tags

    def _check(self) -> None:
        for name, choices in (("output", OutputRows), ("on_failure", FailureRule)):
            value, known = getattr(self, name), get_args(choices)
            if value not in known:
                raise RequestError(
                    "parameter_choice_invalid",
                    name=name,
                    choices=" | ".join(known),
                    value=str(value)[:32],
                )

    def _width(self) -> int:
        return COUNT if self.output == "scores" else load_once(os.fspath(self.model)).embedding_size

    def _kept(self, answer: Result | Failure) -> Result | Failure:
        if isinstance(answer, Failure) and self.on_failure == "raise":
            raise answer.error
        return answer


def recordings_of(X: Any) -> Sequence[Any]:  # noqa: N803
    """Return recordings as a sequence; a table or array of one column gives that column.

    Raises:
        SourceTypeError: it is one recording instead of several.
        RequestError: it has several columns.
    """
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) == 2:
        if shape[1] != 1:
            raise RequestError("recordings_several_columns", columns=shape[1])
        X = np.asarray(X, dtype=object)[:, 0]  # noqa: N806
    check_several(X)
    return list(X)


def _scores(answers: Sequence[Result | Failure]) -> NDArray[Any]:
    rows = np.full((len(answers), COUNT), np.nan)
    for at, answer in enumerate(answers):
        if isinstance(answer, Result):
            rows[at] = answer.scores.values
    return rows
