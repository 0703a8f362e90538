"""Index: add results, search by result or vector. The way in to ``emoscope.vectors``.

>>> from emoscope.vectors import Index
>>> with Index.create("calls.index", like=result) as index:  # doctest: +SKIP
...     index.add(result)
...     hits = index.search(result, count=5)
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

import numpy as np

from emoscope.errors import AudioError, SettingError, VectorIndexError
from emoscope.optional import require
from emoscope.paths.choices import SpaceName
from emoscope.results.result import ModelRef, Result
from emoscope.vectors import fitting
from emoscope.vectors.approximate import ApproximateFacts, ApproximateSearch
from emoscope.vectors.approximate_build import build_approximate
from emoscope.vectors.entry import (
    NOWHERE,
    Entry,
    EntryDetails,
    EntryKind,
    entries_of,
    has_speech,
)
from emoscope.vectors.facts import IndexFacts, VectorType
from emoscope.vectors.search import Hit, Places, Projection, nearest
from emoscope.vectors.shipped import shipped_spaces
from emoscope.vectors.spaces import RAW, SPACES, Space
from emoscope.vectors.store import VectorStore, is_free_for_index
from emoscope.waveform import Array32, Indices

SAMPLE = 20_000
"""Vectors that a space is fitted to at most."""
_LEAST_FITTED = 20
"""Vectors that ``emotion`` can be fitted to."""
_LEAST = 200
"""With fewer vectors the usual cosine of a shipped space is the one that it was shipped with."""


def anything(_entry: Entry) -> bool:
    """Accept every entry."""
    return True


class Index:
    """Index of recordings by their vectors, in one folder. Safe in many threads.

    Args:
        store: of the folder.
    """

    def __init__(self, store: VectorStore) -> None:
        self.store = store
        self._lock = threading.Lock()
        self._places: Places | None = None
        self._version: tuple[int, int] | None = None
        self._projections: dict[str, tuple[int, Projection]] = {}
        self._approximate: dict[str, ApproximateSearch] = {}

    @classmethod
    def open(cls, folder: str | os.PathLike[str], *, writable: bool = False) -> Self:
        """Open an index.

        Args:
            folder: of the index.
            writable: whether recordings may be added or removed.

        Raises:
            VectorIndexError: there is none, it is damaged, or of a newer version.
            StoreError: the system refuses to open it.
        """
        return cls(VectorStore(Path(folder), writable=writable))

    @classmethod
    def create(
        cls, folder: str | os.PathLike[str], *, like: Result, dtype: VectorType = "float32"
    ) -> Self:
        """Make an empty index, for the model that a result comes from.

        Args:
            folder: where; made when it is not there, else empty.
            like: a result with its embedding.
            dtype: ``float32``, or ``float16`` for half the room.

        Raises:
            VectorIndexError: there is something at this place.
            StoreError: it cannot be written.
        """
        facts = IndexFacts.of(like.model, _frames(like).shape[1], dtype)
        return cls(VectorStore.create(Path(folder), facts))

    @classmethod
    def open_or_create(cls, folder: str | os.PathLike[str], *, like: Result) -> Self:
        """Open an index for writing, or make it.

        Args:
            folder: of the index.
            like: a result of the index's model, with its embedding.

        Raises:
            VectorIndexError: the index there is of another model, damaged, or of a newer version.
            StoreError: it cannot be written.
        """
        opened = cls.open_if_there(folder, like.model)
        return cls.create(folder, like=like) if opened is None else opened

    @classmethod
    def open_if_there(cls, folder: str | os.PathLike[str], model: ModelRef) -> Self | None:
        """Open an index to be added to, if there is one and its vectors are of this model.

        Returns:
            None where one can be made: nothing is there, or what a killed process began.

        Raises:
            VectorIndexError: the folder holds other files; the index is of another model, or
                cannot be opened.
            StoreError: it cannot be written.
        """
        path = Path(folder)
        if is_free_for_index(path):
            return None
        return cls.open_for(path, model)

    @classmethod
    def open_for(cls, folder: str | os.PathLike[str], model: ModelRef) -> Self:
        """Open an index to be added to, if its vectors are of this model.

        Raises:
            VectorIndexError: it is of another model, or cannot be opened.
            StoreError: it cannot be written.
        """
        index = cls.open(folder, writable=True)
        try:
            index.facts.check_model(Path(folder).name, model)
        except BaseException:
            index.close()
            raise
        return index

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.store)

    @property
    def facts(self) -> IndexFacts:
        """The model whose vectors it holds, and how they are kept."""
        return self.store.facts

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.store.folder.name

    def close(self) -> None:
        """Close its files; a second call does nothing."""
        self.store.close()

    def add(
        self,
        result: Result,
        details: EntryDetails = NOWHERE,
        *,
        segments: bool = False,
        owner: str = "",
    ) -> int:
        """Add the vectors of a recording that are new; return how many were.

        Args:
            result: with its embedding.
            details: path, run, speaker and label of the recording; nothing by default.
            segments: also each segment of its emotion curve.
            owner: two owners may each know the same recording; none by default.

        Raises:
            VectorIndexError: the result is of another model; the error names both.
            AudioError: there is no speech in the recording.
            StoreError: it cannot be written; nothing was added.
        """
        self.facts.check_model(self.name, result.model)
        _check_speech(result)
        entries = entries_of(result, details, segments=segments)
        return self.store.add(entries, segmented=segments, owner=owner)

    def search(
        self,
        query: Result | Array32,
        *,
        count: int = 10,
        space: SpaceName = "emotion",
        segments: bool = False,
        accept: Callable[[Entry], bool] = anything,
        approximate: bool = False,
    ) -> list[Hit]:
        """Return the recordings that are most like a query, nearest first.

        The recording of the query itself, known by the sha256 of its file, is left out.

        Args:
            query: a result with its embedding, or a vector of the model, float32 ``(D,)``.
            count: how many at most.
            space: ``emotion``, ``sound`` or ``raw``.
            segments: look among segments in place of whole recordings.
            accept: whether an entry may be shown; every one by default.
            approximate: by the tables of ``build_approximate``, which may miss some.

        Raises:
            VectorIndexError: the index is empty, or of another model than the query; it has no
                tables, or they are of before a change.
            AudioError: there is no speech in the query.
            SettingError: there is no such space.
            ExtraMissingError: approximate, and LanceDB is not installed.
        """
        own = ""
        if isinstance(query, Result):
            self.facts.check_model(self.name, query.model)
            _check_speech(query)
            own, query = query.source.sha256 or "", _mean(query)

        def may(entry: Entry) -> bool:
            return entry.sha256 != own and accept(entry)

        if approximate:
            tables = self.approximate(space)
            kind: EntryKind = "segment" if segments else "clip"
            near = tables.search(query, count=count, kind=kind, accept=may)
            return [Hit(entry, cosine, tables.space.closer_than(cosine)) for entry, cosine in near]
        with self._lock:
            places = self._current()
            projection = self._projection(space, places.ids)
            projection.update(self.store, places.ids)
            cosines = projection.cosines(self.store, query)
            wanted = places.wanted(segments=segments)
        ids = places.ids
        found = nearest(self.store, cosines, wanted, ids, count=count, accept=may)
        measure = projection.space.closer_than
        return [Hit(entry, cosine, measure(cosine)) for entry, cosine in found]

    def build_approximate(
        self,
        space: SpaceName = "emotion",
        *,
        listener: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> ApproximateFacts:
        """Make the tables for approximate search in a space; those of before give way.

        They belong to the entries that the index has now, and are refused after a change.

        Args:
            space: ``emotion``, ``sound`` or ``raw``.
            listener: called with the number of vectors written and the total; does nothing by
                default.

        Raises:
            VectorIndexError: the index is empty, or LanceDB failed.
            StoreError: the disk is full, or it cannot be written.
            SettingError: there is no such space.
            ExtraMissingError: LanceDB is not installed.
        """
        require("lancedb", extra="lancedb")
        return build_approximate(self.store, self.space(space), listener=listener)

    def approximate(self, space: SpaceName = "emotion") -> ApproximateSearch:
        """Return the tables for approximate search in a space.

        Raises:
            VectorIndexError: there are none, they are damaged, or the index has changed since.
            SettingError: there is no such space.
            ExtraMissingError: LanceDB is not installed.
        """
        if space not in SPACES:
            raise SettingError("setting_invalid", setting="space", reason=" | ".join(SPACES))
        with self._lock:
            opened = self._approximate.get(space)
            if opened is None or not opened.is_current():
                opened = self._approximate[space] = ApproximateSearch(self.store, space)
            return opened

    def space(self, name: SpaceName) -> Space:
        """Return a space as this index searches it.

        Raises:
            VectorIndexError: the index is empty.
            SettingError: there is no such space.
        """
        with self._lock:
            return self._projection(name, self._current().ids).space

    def mapped(self, name: SpaceName) -> tuple[list[Entry], Array32]:
        """Return the whole recordings and their vectors in a space, float32 ``(n, d)``.

        Args:
            name: of the space.

        Raises:
            VectorIndexError: the index is empty.
            SettingError: there is no such space.
        """
        space = self.space(name)
        with self._lock:
            places = self._current()
            positions = np.flatnonzero(places.wanted(segments=False))
        entries = self.store.entries(places.ids[positions])
        there = [n for n, entry in enumerate(entries) if entry is not None]
        found = [entry for entry in entries if entry is not None]
        return found, space.apply(self.store.vectors(positions[there]))

    def _current(self) -> Places:
        version = self.store.version()
        if self._places is None or version != self._version:
            self._places, self._version = Places(self.store), version
        if not self._places.ids.any():
            raise VectorIndexError("index_empty", name=self.name)
        return self._places

    def _projection(self, name: SpaceName, ids: Indices) -> Projection:
        """Return the vectors in a space, which is fitted anew when the index has grown."""
        if name not in SPACES:
            raise SettingError("setting_invalid", setting="space", reason=" | ".join(SPACES))
        size = int((ids > 0).sum())
        made_at, old = self._projections.get(name, (0, None))
        if old is not None and size <= 1.2 * made_at + 20:
            return old
        space = self._space(name, ids)
        if old is not None and space.is_same_map(old.space):
            old.space, made = space, old
        else:
            made = Projection(space, self.facts.dim)
        self._projections[name] = size, made
        return made

    def _space(self, name: SpaceName, ids: Indices) -> Space:
        positions = np.flatnonzero(ids)
        if len(positions) > SAMPLE:
            positions = np.sort(np.random.default_rng(0).choice(positions, SAMPLE, replace=False))
        vectors = self.store.vectors(positions)
        entries = [one for one in self.store.entries(ids[positions]) if one is not None]
        space = shipped_spaces(self.facts.model_sha256).get(name)
        if space is None:
            space = RAW if name == "raw" else fitted(name, vectors, entries)
        elif len(vectors) < _LEAST:
            return space
        if len(entries) != len(vectors):  # some were removed meanwhile
            return space
        return space.measured(vectors, np.array([one.sha256 for one in entries]))


def fitted(name: SpaceName, vectors: Array32, entries: Iterable[Entry]) -> Space:
    """Fit a space to the vectors of an index, ``emotion`` by what was recognized.

    Args:
        name: ``sound`` or ``emotion``.
        vectors: of the model, ``(n, D)``.
        entries: of these vectors, in order.

    Returns:
        The space; only centred where there is too little to fit it to.
    """
    known, count = list(entries), len(vectors)
    if name == "emotion" and len(known) == count >= _LEAST_FITTED:
        return fitting.fit_emotion(vectors, np.array([one.scores for one in known]))
    if name == "sound" and count > fitting.SOUND_DIM:
        dim = vectors.shape[1]
        shrinkage = max(fitting.SOUND_SHRINKAGE, dim / (dim + count))
        return fitting.fit_sound(vectors, shrinkage=shrinkage)
    return Space(name, "plain", vectors.mean(axis=0, dtype=np.float64).astype(np.float32))


def _frames(result: Result) -> Array32:
    if result.embedding is None:
        raise ValueError("an index needs results with their embedding")
    return result.embedding


def _mean(result: Result) -> Array32:
    _frames(result)
    mean = result.utterance_embedding
    assert mean is not None  # noqa: S101 - there is an embedding
    return mean


def _check_speech(result: Result) -> None:
    if not has_speech(result):
        raise AudioError("speech_missing", name=result.name)
