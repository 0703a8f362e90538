"""Exact search: the nearest vectors of an index by cosine in one space."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from emoscope.vectors.entry import Entry
from emoscope.vectors.shards import Rows
from emoscope.vectors.spaces import Space
from emoscope.vectors.store import VectorStore
from emoscope.waveform import Array32, Indices, Mask

_ROWS = 8_192
"""Rows that are converted at once."""
_PART = 32_768
"""Rows that a thread takes at once."""
_SHARED = 8_000_000
"""Numbers from which on threads share the work."""
_THREADS_MOST = 4
"""More do not read faster from one memory."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Hit: a vector of an index and how near it is."""

    entry: Entry
    cosine: float
    """In the space that was searched, −1 to 1."""
    closer_than: float | None
    """Share of random pairs of recordings that are less alike, 0 to 1; None where not known."""

    def to_dict(self) -> dict[str, Any]:
        """What there is to know, for JSON."""
        share = self.closer_than
        return {
            **self.entry.to_dict(),
            "cosine": round(self.cosine, 6),
            "closer_than": None if share is None else round(share, 6),
        }


class Places:
    """Which vector lies at which position of a store."""

    def __init__(self, store: VectorStore) -> None:
        ids, positions, is_segment = store.positions()
        size = sum(len(rows) for _, rows in store.blocks())
        self.ids = np.zeros(size, np.intp)
        """Number of the entry at each position; 0 where nothing is."""
        self.is_segment: Mask = np.zeros(size, np.bool_)
        self.ids[positions], self.is_segment[positions] = ids, is_segment

    def wanted(self, *, segments: bool) -> Mask:
        """Positions of the segments, or of the whole recordings."""
        return cast(Mask, (self.ids > 0) & (self.is_segment == segments))


class Projection:
    """Vectors of a store in one space, of length 1, kept in memory and brought up to date.

    Of the raw space only the lengths are kept; its vectors are read where they lie.

    Args:
        space: a map of the vectors.
        dim: numbers per vector of the store.
    """

    def __init__(self, space: Space, dim: int) -> None:
        self.space = space
        size = 1 if space.mean is None else space.dim or dim
        self._rows: Array32 = np.zeros((0, size), np.float32)
        self._ids = np.zeros(0, np.intp)

    def update(self, store: VectorStore, ids: Indices) -> None:
        """Map the vectors that came since the last time.

        Args:
            store: where the vectors lie.
            ids: number of the entry at each position of the store; another array each time that
                one has changed.
        """
        if ids is self._ids:
            return
        if len(ids) > len(self._ids):
            more = len(ids) - len(self._ids)
            self._rows = np.concatenate([self._rows, np.zeros((more, self._rows.shape[1]), "f4")])
            self._ids = np.concatenate([self._ids, np.zeros(more, np.intp)])
        for first, rows in store.blocks():
            for at in range(0, len(rows), _ROWS):
                place = slice(first + at, first + min(at + _ROWS, len(rows)))
                new = np.flatnonzero(self._ids[place] != ids[place])
                if len(new):
                    self._rows[place.start + new] = self._mapped(rows[at : at + _ROWS][new])
        self._ids = ids

    def cosines(self, store: VectorStore, query: Array32) -> Array32:
        """Return the cosine of every position with a query, float32 of shape ``(n,)``.

        Args:
            store: where the vectors lie.
            query: vector of the model, float32 of shape ``(D,)``.
        """
        target = self.space.apply(query[None])[0]
        if self.space.mean is not None:
            return dots([self._rows], target)
        plain = dots([rows for _, rows in store.blocks()], target)
        return cast(Array32, plain / np.maximum(self._rows[: len(plain), 0], 1e-12))

    def rows(self, positions: Indices) -> Array32:
        """Return the mapped vectors at some positions, ``(n, d)``; not of the raw space."""
        return self._rows[positions]

    def _mapped(self, vectors: Any) -> Array32:
        plain = np.asarray(vectors, np.float32)
        if self.space.mean is None:
            return cast(Array32, np.linalg.norm(plain, axis=1, keepdims=True))
        return self.space.apply(plain)


def dots(blocks: Sequence[Rows], target: Array32) -> Array32:
    """Return the scalar product of every row of some blocks with a vector, ``(n,)``.

    Not by BLAS, whose threads share each product and wait for one another: where other work keeps
    the cores busy that takes twice as long. Here each thread has rows of its own, and reads as
    fast as the memory gives.

    Args:
        blocks: float32 or float16, each of shape ``(n_i, d)``.
        target: float32 of shape ``(d,)``.
    """
    found = np.empty(sum(map(len, blocks)), np.float32)
    parts, at = [], 0
    for rows in blocks:
        # As many as are converted at once; float32 is read where it lies.
        step = _PART if rows.dtype == np.float32 else _ROWS
        for first in range(0, len(rows), step):
            part = rows[first : first + step]
            parts.append((part, found[at : at + len(part)]))
            at += len(part)

    def multiply(pair: tuple[Rows, Array32]) -> None:
        part, out = pair
        np.einsum("nd,d->n", np.asarray(part, np.float32), target, out=out)

    if len(found) * len(target) < _SHARED or len(parts) == 1:
        for pair in parts:
            multiply(pair)
    else:
        with ThreadPoolExecutor(min(_THREADS_MOST, os.cpu_count() or 1)) as pool:
            for _ in pool.map(multiply, parts):
                pass
    return found


def best_first(cosines: Array32, wanted: Mask, least: int) -> Iterator[int]:
    """Yield the wanted positions, nearest first; of equal ones the earlier.

    Args:
        cosines: of all positions, ``(n,)``.
        wanted: which may be found, ``(n,)``.
        least: how many are likely to be asked for.
    """
    ranked = np.where(wanted, cosines, -np.inf)
    count, given, total = max(least, 1), 0, int(wanted.sum())
    while given < total:
        count = min(count, total)
        # One more than asked for would do; ties at the border must not depend on the partition.
        border = -np.partition(-ranked, count - 1)[count - 1]
        near = np.flatnonzero(ranked >= border)
        order = near[np.argsort(-ranked[near], kind="stable")]
        yield from (int(at) for at in order[given:])
        given, count = len(order), 4 * max(count, len(order))


def nearest(
    store: VectorStore,
    cosines: Array32,
    wanted: Mask,
    ids: Indices,
    *,
    count: int,
    accept: Callable[[Entry], bool],
) -> list[tuple[Entry, float]]:
    """Return the nearest entries and their cosine.

    Args:
        store: where the entries are.
        cosines: of all positions, ``(n,)``.
        wanted: which may be found, ``(n,)``.
        ids: number of the entry at each position, ``(n,)``.
        count: how many at most.
        accept: whether an entry may be shown.
    """
    found: list[tuple[Entry, float]] = []
    for position in best_first(cosines, wanted, 2 * count):
        if len(found) >= count:
            break
        (entry,) = store.entries([ids[position]])
        if entry is not None and accept(entry):
            found.append((entry, float(cosines[position])))
    return found
