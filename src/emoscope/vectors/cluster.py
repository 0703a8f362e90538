"""Clusters of recordings: k-means or HDBSCAN on the vectors of an index, and how stable they are.

The number of clusters is the one with the largest mean silhouette (cosine distance). Stability is
measured by drawing four fifths of the recordings again and again, clustering each draw anew, and
comparing it with the whole on what both have: the adjusted Rand index of all, and for each cluster
the Jaccard index of its nearest counterpart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from emoscope.errors import VectorIndexError
from emoscope.labels import KEYS
from emoscope.optional import require
from emoscope.paths.choices import ClusterMethod
from emoscope.vectors.entry import Entry
from emoscope.waveform import Array32, Mask

Numbers: TypeAlias = NDArray[np.intp]
LEAST, MOST = 6, 12
"""Recordings that are needed at least, and clusters that are tried at most."""
DRAWS, DRAWN_SHARE = 20, 0.8
_SILHOUETTE_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Cluster:
    """Cluster: its size, stability, and what its recordings have in common."""

    number: int
    """From 1 on, the largest first."""
    size: int
    stability: float
    """Mean Jaccard index of its nearest counterpart in each draw, 0 to 1."""
    emotions: tuple[tuple[str, float], ...]
    """Keys of the most frequent emotions and their share, at most three."""
    speakers: int
    """Different speakers, as far as they are known."""
    leading_speaker: tuple[str, float]
    """The most frequent speaker and its share; an empty name where none is known."""
    leading_label: tuple[str, float]
    """The most frequent label and its share; an empty word where there are none."""
    nearest: Entry
    """The recording nearest to the centre."""
    farthest: Entry


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """Clustering of the recordings of an index."""

    method: ClusterMethod
    numbers: Numbers
    """Cluster of each recording, from 1 on; 0 for none."""
    clusters: tuple[Cluster, ...]
    silhouettes: dict[int, float]
    """Mean silhouette by number of clusters that was tried."""
    stability: float
    """Mean adjusted Rand index of the draws."""


def cluster_entries(
    entries: Sequence[Entry],
    mapped: Array32,
    *,
    index: str,
    count: int | None = None,
    method: ClusterMethod = "kmeans",
) -> Clustering:
    """Group recordings by their vectors.

    Args:
        entries: the recordings.
        mapped: their vectors in a space, of length 1, ``(n, d)``.
        index: name of the index, for the sentence.
        count: number of clusters; None to choose it by the silhouette. Not for HDBSCAN.
        method: ``kmeans``, or ``hdbscan``, which leaves out what belongs nowhere.

    Raises:
        VectorIndexError: there are too few recordings.
        ExtraMissingError: scikit-learn is not installed.
    """
    least = max(LEAST, count or 0)
    if len(entries) < least:
        raise VectorIndexError("clusters_too_few", name=index, count=len(entries), least=least)
    tried: dict[int, float] = {}
    if method == "kmeans" and count is None:
        most = min(MOST, len(entries) // 3, _distinct(mapped))
        tried = {k: _silhouette(mapped, _kmeans(mapped, k)) for k in range(2, most + 1)}
        count = max(tried, key=lambda k: (tried[k], -k), default=1)
    found = _labels(mapped, method, count)
    numbers = _by_size(found)
    rand, jaccard = _stability(mapped, numbers, method, count)
    clusters = tuple(
        _described(entries, mapped, numbers, number, jaccard[number])
        for number in range(1, int(numbers.max(initial=0)) + 1)
    )
    if not tried and len(clusters) > 1:
        tried = {len(clusters): _silhouette(mapped[numbers > 0], numbers[numbers > 0])}
    return Clustering(method, numbers, clusters, tried, rand)


def _labels(mapped: Array32, method: ClusterMethod, count: int | None) -> Numbers:
    """Return a cluster for each row; −1 for none."""
    if method == "kmeans":
        return _kmeans(mapped, count or 2)
    cluster, least = require("sklearn.cluster", extra="vectors"), max(3, len(mapped) // 50)
    found = cluster.HDBSCAN(min_cluster_size=least, copy=True).fit_predict(mapped)
    return np.asarray(found, np.intp)


def _kmeans(mapped: Array32, count: int) -> Numbers:
    cluster = require("sklearn.cluster", extra="vectors")
    # The same recording twice is one point: there cannot be more groups than points.
    made = cluster.KMeans(min(count, _distinct(mapped)), n_init=4, random_state=0).fit(mapped)
    return np.asarray(made.labels_, np.intp)


def _distinct(mapped: Array32) -> int:
    return len(np.unique(mapped.round(5), axis=0))


def _silhouette(mapped: Array32, labels: Numbers) -> float:
    if len(np.unique(labels)) < 2 or len(np.unique(labels)) >= len(labels):
        return -1.0
    rows = min(_SILHOUETTE_ROWS, len(labels))
    chosen = np.sort(np.random.default_rng(0).choice(len(labels), rows, replace=False))
    if not 1 < len(np.unique(labels[chosen])) < rows:
        return -1.0
    metrics = require("sklearn.metrics", extra="vectors")
    return float(metrics.silhouette_score(mapped[chosen], labels[chosen], metric="cosine"))


def _by_size(labels: Numbers) -> Numbers:
    """Number clusters from 1 on, the largest first; 0 for none."""
    order = [label for label, _ in Counter(labels[labels >= 0].tolist()).most_common()]
    place = {label: number for number, label in enumerate(order, start=1)}
    return np.array([place.get(label, 0) for label in labels.tolist()], np.intp)


def _stability(
    mapped: Array32, numbers: Numbers, method: ClusterMethod, count: int | None
) -> tuple[float, NDArray[np.float64]]:
    """Return the mean adjusted Rand index, and the mean Jaccard index by number of cluster."""
    rand_index = require("sklearn.metrics", extra="vectors").adjusted_rand_score
    rng, size = np.random.default_rng(0), len(mapped)
    rand, jaccard = [], np.zeros((DRAWS, int(numbers.max(initial=0)) + 1))
    for draw in range(DRAWS):
        rows = np.sort(rng.choice(size, max(2, int(DRAWN_SHARE * size)), replace=False))
        k = None if count is None else min(count, len(rows))
        again, before = _labels(mapped[rows], method, k), numbers[rows]
        rand.append(rand_index(before, again))
        parts = [again == label for label in np.unique(again[again >= 0])]
        for number in range(1, jaccard.shape[1]):
            mine = before == number
            jaccard[draw, number] = max((_overlap(mine, part) for part in parts), default=0.0)
    return float(np.mean(rand)), jaccard.mean(axis=0)


def _overlap(one: Mask, other: Mask) -> float:
    both = int((one | other).sum())
    return int((one & other).sum()) / both if both else 0.0


def _described(
    entries: Sequence[Entry], mapped: Array32, numbers: Numbers, number: int, stability: float
) -> Cluster:
    mine = np.flatnonzero(numbers == number)
    members = [entries[int(at)] for at in mine]
    centre = mapped[mine].mean(axis=0)
    order = np.argsort(-(mapped[mine] @ centre), kind="stable")
    emotions = Counter(one.emotion.key for one in members)
    ranked = sorted(emotions.items(), key=lambda pair: (-pair[1], KEYS.index(pair[0])))[:3]
    voices = [one.speaker for one in members if one.speaker]
    return Cluster(
        number=number,
        size=len(mine),
        stability=float(stability),
        emotions=tuple((key, times / len(mine)) for key, times in ranked),
        speakers=len(set(voices)),
        leading_speaker=_leading(voices, len(mine)),
        leading_label=_leading([one.label for one in members if one.label], len(mine)),
        nearest=members[order[0]],
        farthest=members[order[-1]],
    )


def _leading(words: list[str], size: int) -> tuple[str, float]:
    if not words:
        return "", 0.0
    word, times = min(Counter(words).items(), key=lambda pair: (-pair[1], pair[0]))
    return word, times / size
