"""Fitting of the spaces ``sound`` and ``emotion`` to vectors."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from emoscope.vectors.spaces import Space, SpaceOrigin
from emoscope.waveform import Array32, Array64

SOUND_SHRINKAGE, SOUND_DIM = 0.1, 128
EMOTION_SHRINKAGE, EMOTION_AXES = 0.9, 64
"""Chosen on the dev speakers; see ``benchmarks/LOG.md``."""


def fit_sound(
    vectors: Array32,
    *,
    shrinkage: float = SOUND_SHRINKAGE,
    dim: int = SOUND_DIM,
    origin: SpaceOrigin = "fitted",
) -> Space:
    """Fit ``sound``: centred, and whitened along the directions that vary most.

    Args:
        vectors: of the model, ``(n, D)``.
        shrinkage: how far variances are drawn to their mean, 0 to 1; 1 only centres.
        dim: directions that are kept.
        origin: what the space says of itself.
    """
    mean = vectors.mean(axis=0, dtype=np.float64)
    values, axes = _spectrum(_scatter(vectors - mean))
    values = (1 - shrinkage) * values + shrinkage * values.mean()
    kept = slice(None, -dim - 1, -1)
    matrix = axes[:, kept] / np.sqrt(np.maximum(values[kept], 1e-12))
    return Space("sound", origin, mean.astype(np.float32), matrix.astype(np.float32))


def fit_emotion(
    vectors: Array32,
    scores: Array64,
    classes: NDArray[Any] | None = None,
    speakers: NDArray[Any] | None = None,
    *,
    shrinkage: float = EMOTION_SHRINKAGE,
    origin: SpaceOrigin = "fitted",
) -> Space:
    """Fit ``emotion``: what the model says, directions between emotions, and those that vary most.

    Directions between emotions are whitened within them. Those that vary most are there for what
    the nine have no word for.

    Args:
        vectors: of the model, ``(n, D)``.
        scores: the model's nine, ``(n, 9)``; its classifier is found from them.
        classes: true emotion of each, ``(n,)``; without them there are no directions.
        speakers: speaker of each, ``(n,)``: directions are looked for within speakers. None where
            they are not known.
        shrinkage: how far variances within emotions are drawn to their mean, 0 to 1.
        origin: what the space says of itself.

    Raises:
        ValueError: there is but one emotion among ``classes``.
    """
    mean = vectors.mean(axis=0, dtype=np.float64)
    centred = vectors - mean
    matrix = None
    if classes is not None:
        matrix = _directions(centred, classes, speakers, shrinkage).astype(np.float32)
    _, axes = _spectrum(_scatter(centred))
    return Space(
        "emotion",
        origin,
        mean.astype(np.float32),
        matrix,
        axes[:, : -EMOTION_AXES - 1 : -1].astype(np.float32),
        _head(centred, scores).astype(np.float32),
    )


def _directions(
    centred: Array64, classes: NDArray[Any], speakers: NDArray[Any] | None, shrinkage: float
) -> Array64:
    """Directions between emotions, one fewer than there are, where those within are alike."""
    names = np.unique(classes)
    if len(names) < 2:
        raise ValueError("one emotion differs from nothing")
    own = centred if speakers is None else centred - _group_means(centred, speakers)
    between = np.stack([own[classes == name].mean(axis=0) for name in names])
    within = np.concatenate([_residual(centred, own, classes == name) for name in names])
    values, axes = _spectrum(_scatter(within))
    values = (1 - shrinkage) * values + shrinkage * values.mean()
    white = axes / np.sqrt(np.maximum(values, 1e-12))
    _, _, turned = np.linalg.svd(between @ white, full_matrices=False)
    return cast(Array64, white @ turned[: len(names) - 1].T)


def _head(centred: Array64, scores: Array64) -> Array64:
    """Find the model's linear classifier from vectors and scores, shape ``(D + 1, 9)``.

    It is exact where there are enough vectors, and the smoother the fewer there are.
    """
    logits = np.log(np.maximum(scores, 1e-12))
    logits -= logits.mean(axis=1, keepdims=True)
    bias = logits.mean(axis=0)
    count, dim = centred.shape
    scatter = _scatter(centred)
    ridge = 1e-9 if count > 2 * dim else 0.03
    scatter[np.diag_indices(dim)] += ridge * np.trace(scatter) / dim + 1e-12
    return np.vstack([np.linalg.solve(scatter, centred.T @ (logits - bias) / count), bias])


def _scatter(rows: Array64) -> Array64:
    return rows.T @ rows / len(rows)


def _spectrum(scatter: Array64) -> tuple[Array64, Array64]:
    """Variances and their directions, smallest first; never below zero."""
    values, axes = np.linalg.eigh(scatter)
    return np.maximum(values, 0.0), axes


def _residual(centred: Array64, own: Array64, mine: NDArray[np.bool_]) -> Array64:
    """What is left of the vectors of one emotion without what that emotion adds to a voice."""
    return cast(Array64, centred[mine] - own[mine].mean(axis=0))


def _group_means(rows: Array64, groups: NDArray[Any]) -> Array64:
    """Return for each row the mean of its group."""
    names, place = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(names), rows.shape[1]))
    np.add.at(sums, place, rows)
    return (sums / np.bincount(place)[:, None])[place]
