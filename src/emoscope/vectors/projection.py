"""Map of recordings: a deterministic projection of their vectors to two dimensions."""

from __future__ import annotations

from typing import cast

import numpy as np

from emoscope.optional import require
from emoscope.vectors.cluster import LEAST
from emoscope.waveform import Array32

NEIGHBOURS_MOST = 5_000
"""More recordings than this are placed by their two main directions, which takes no time."""


def project(mapped: Array32, *, most: int = NEIGHBOURS_MOST) -> tuple[Array32, str]:
    """Place vectors on a plane, so that near ones are near; return places and the method's name.

    t-SNE up to ``most`` vectors, which keeps neighbours; else the two main directions (PCA). The
    same vectors in the same order get the same places.

    Args:
        mapped: vectors of length 1 in a space, ``(n, d)``.
        most: vectors up to which neighbours are kept.

    Returns:
        Places, float32 of shape ``(n, 2)`` within −1 and 1, and ``t-SNE`` or ``PCA``.

    Raises:
        ExtraMissingError: scikit-learn is needed and not installed.
    """
    if LEAST <= len(mapped) <= most:
        return _scaled(_tsne(mapped)), "t-SNE"
    return _scaled(_pca(mapped)), "PCA"


def _tsne(mapped: Array32) -> Array32:
    manifold = require("sklearn.manifold", extra="vectors")
    perplexity = min(30.0, (len(mapped) - 1) / 3)
    made = manifold.TSNE(perplexity=perplexity, init="pca", random_state=0, n_jobs=1)
    return np.asarray(made.fit_transform(mapped), np.float32)


def _pca(mapped: Array32) -> Array32:
    if not len(mapped):
        return np.zeros((0, 2), np.float32)
    centred = mapped - mapped.mean(axis=0)
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    axes = axes[:, -2:][:, ::-1]
    # An axis and its opposite are the same to eigh; the sign is that of its largest part.
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), range(axes.shape[1])])
    places = centred @ axes.astype(np.float32)
    if places.shape[1] < 2:
        places = np.pad(places, ((0, 0), (0, 2 - places.shape[1])))
    return cast(Array32, places.astype(np.float32))


def _scaled(places: Array32) -> Array32:
    """Fit places into −1 to 1, each axis around its middle and both on one scale."""
    if not len(places):
        return places
    middle = (places.max(axis=0) + places.min(axis=0)) / 2
    reach = max(float(np.abs(places - middle).max()), 1e-9)
    return cast(Array32, ((places - middle) / reach).astype(np.float32))
