"""Fit of a head: standardise, project, logistic regression of scikit-learn, folded into one map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emoscope.optional import require
from emoscope.results.calibration import best_temperature
from emoscope.waveform import Array64, Indices

STRENGTHS = (1e-4, 3e-4, 1e-3, 3e-3)
"""Inverse strengths of the regularisation that cross-validation chooses from."""
COMPONENTS = 128
"""Directions of the embedding that are kept; more cost time and gained nothing."""
_FOLDS, _INNER = 5, 3
Split = tuple[Indices, Indices]
"""Positions to train on and to test on."""


@dataclass(frozen=True, slots=True, eq=False)
class LinearMap:
    """``weights · x + bias``, shapes ``(C, D)`` and ``(C,)``."""

    weights: Array64
    bias: Array64

    def logits(self, vectors: Array64) -> Array64:
        """Logits of vectors of shape ``(n, D)``."""
        made: Array64 = vectors @ self.weights.T + self.bias
        return made

    def cooled(self, temperature: float) -> LinearMap:
        """Return the map whose logits are divided by a temperature."""
        return LinearMap(self.weights / temperature, self.bias / temperature)


def fit_maps(
    vectors: Array64, truth: Indices, classes: int, strengths: Sequence[float]
) -> list[LinearMap]:
    """Fit a map for each strength.

    Args:
        vectors: shape ``(n, D)``.
        truth: class of each, shape ``(n,)``.
        classes: how many there are; one that is not in ``truth`` gets logits that never win.
        strengths: inverse strengths of the regularisation, rising.

    Raises:
        ExtraMissingError: scikit-learn is not installed.
    """
    linear = require("sklearn.linear_model", extra="vectors")
    mean, spread = vectors.mean(axis=0), vectors.std(axis=0) + 1e-6
    plain = (vectors - mean) / spread
    # Exact, without chance: the leading directions of the standardised vectors.
    _, axes = np.linalg.eigh(plain.T @ plain)
    axes = axes[:, ::-1][:, : min(COMPONENTS, len(vectors) - 1)]
    inner = plain @ axes
    there = np.unique(truth)
    maps = []
    for strength in strengths:
        model = linear.LogisticRegression(
            C=strength, class_weight="balanced", max_iter=1_000, tol=1e-3
        )
        model.fit(inner, truth)
        weights, bias = np.zeros((classes, vectors.shape[1])), np.full(classes, -30.0)
        weights[there], bias[there] = _unfolded(model, axes, mean, spread)
        maps.append(LinearMap(weights, bias))
    return maps


def _unfolded(model: Any, axes: Array64, mean: Array64, spread: Array64) -> tuple[Array64, Array64]:
    """Return the fitted map on the vectors themselves; two classes get a row each."""
    inner, bias = model.coef_, model.intercept_
    if len(inner) == 1:
        inner, bias = np.vstack([-inner / 2, inner / 2]), np.concatenate([-bias / 2, bias / 2])
    weights = (inner @ axes.T) / spread
    return weights, bias - weights @ mean


def speaker_folds(truth: Indices, speakers: Sequence[str], folds: int = _FOLDS) -> Iterator[Split]:
    """Split clips so that no speaker is on both sides, with the classes as even as that allows.

    Args:
        truth: class of each clip, shape ``(n,)``.
        speakers: one per clip.
        folds: how many; fewer where the speakers are fewer.

    Raises:
        ExtraMissingError: scikit-learn is not installed.
    """
    selection = require("sklearn.model_selection", extra="vectors")
    groups = np.unique(np.array(speakers), return_inverse=True)[1]
    count = min(folds, int(groups.max()) + 1)
    least = int(np.bincount(truth)[np.unique(truth)].min())
    if least >= count:
        splitter = selection.StratifiedGroupKFold(count, shuffle=True, random_state=0)
    else:
        splitter = selection.GroupKFold(count)
    for train, test in splitter.split(np.zeros(len(truth)), truth, groups):
        if len(test) and len(np.unique(truth[train])) > 1:
            yield train, test


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A fitted head, its temperature in it."""

    map: LinearMap
    strength: float
    temperature: float


def fit_chosen(vectors: Array64, truth: Indices, speakers: Sequence[str], classes: int) -> Fitted:
    """Fit a head: strength and temperature by cross-validation over speakers, then on all clips.

    Args:
        vectors: shape ``(n, D)``.
        truth: class of each clip, shape ``(n,)``.
        speakers: one per clip; two at least.
        classes: how many there are.
    """
    logits = np.zeros((len(STRENGTHS), len(truth), classes))
    seen = np.zeros(len(truth), bool)
    for train, test in speaker_folds(truth, speakers, _INNER):
        seen[test] = True
        maps = fit_maps(vectors[train], truth[train], classes, STRENGTHS)
        logits[:, test] = [one.logits(vectors[test]) for one in maps]
    losses = []
    temperatures = []
    for rows in logits:
        temperature = best_temperature(rows[seen], truth[seen])
        temperatures.append(temperature)
        losses.append(_loss(rows[seen] / temperature, truth[seen]))
    best = int(np.argmin(losses))
    (chosen,) = fit_maps(vectors, truth, classes, STRENGTHS[best : best + 1])
    return Fitted(chosen.cooled(temperatures[best]), STRENGTHS[best], temperatures[best])


def _loss(logits: Array64, truth: Indices) -> float:
    """Mean negative log score of the truth, each class weighing the same."""
    top = logits.max(axis=1, keepdims=True)
    logs = logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
    own = -logs[np.arange(len(truth)), truth]
    return float(np.mean([own[truth == at].mean() for at in np.unique(truth)]))
