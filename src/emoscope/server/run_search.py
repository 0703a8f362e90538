"""Index of the server's own runs: filled as they are made, emptied as they are deleted."""

from __future__ import annotations

import importlib.util
import itertools
import logging
import queue
import shutil
import threading
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import numpy as np

from emoscope.errors import EmoscopeError, RequestError, VectorIndexError
from emoscope.observe.logs import fields
from emoscope.outputs import run_vectors
from emoscope.outputs.history import seen_runs
from emoscope.outputs.store import Run, RunStore
from emoscope.paths.choices import SpaceName
from emoscope.recognizer import Recognizer
from emoscope.results.result import Result
from emoscope.vectors import Entry, EntryDetails, Hit, Index, Space
from emoscope.vectors.entry import Addition, entries_of, has_speech
from emoscope.vectors.projection import project
from emoscope.waveform import Array32

_NEIGHBOURS_MOST = 500
"""Runs up to which the map keeps neighbours; with more it would take too long for a page."""
_AT_ONCE = 200
"""Runs of before that are added in one go."""
VECTORS = ".vectors"
"""In the outputs folder; in it a folder for the one model that the server runs."""
_log = logging.getLogger("emoscope.search")


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """Answer of a search among the runs of a server."""

    query: Result
    hits: tuple[Hit, ...]
    indexed: int
    """Runs that were looked at."""
    space: Space | None
    """None where nothing is indexed."""


@dataclass(frozen=True, slots=True, eq=False)
class RunMap:
    """Places of runs on a plane, near where they are alike."""

    entries: tuple[Entry, ...]
    places: Array32
    """Shape ``(n, 2)`` within −1 and 1."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """Vectors of a run that wait to be written."""

    index: Index
    addition: Addition


class RunSearch:
    """Index of the runs of a store, for one model. Safe in many threads.

    Args:
        store: of the runs, with access to all.
        recognizer: its model makes the vectors.
    """

    def __init__(self, store: RunStore, recognizer: Recognizer) -> None:
        self._store = store
        self._recognizer = recognizer
        self._folder = store.root / VECTORS / recognizer.model.sha256[:16]
        self._index: Index | None = None
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._filling: threading.Thread | None = None
        self._waiting: queue.Queue[_Waiting | None] = queue.Queue()
        self._writing: threading.Thread | None = None
        self._mapping = threading.Lock()
        self._map: tuple[tuple[int, int], RunMap] | None = None

    def __enter__(self) -> Self:
        """Open what there is, and bring it up to date in the background."""
        parent = self._folder.parent
        others = [one for one in parent.iterdir() if one != self._folder] if parent.exists() else []
        for other in others:  # of another model; made from the runs, and of no use now
            shutil.rmtree(other, ignore_errors=True)
        if self._folder.exists():
            try:
                self._index = Index.open(self._folder, writable=True)
            except EmoscopeError as error:
                self._tell(error)
                shutil.rmtree(self._folder, ignore_errors=True)
        self._writing = threading.Thread(target=self._write, name="vectors", daemon=True)
        self._filling = threading.Thread(target=self._fill, name="vectors of before", daemon=True)
        self._writing.start()
        self._filling.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        if self._filling is not None:
            self._filling.join()
        if self._writing is not None:
            self._waiting.put(None)
            self._writing.join()
        with self._lock:
            if self._index is not None:
                self._index.close()

    def keep(self, run: Run, result: Result) -> None:
        """Add the vectors of a run soon; what fails is logged, for the run is there all the same.

        They are written by a thread of their own: no answer waits for the disk.

        Args:
            run: as it was stored.
            result: of the run, with its embedding.
        """
        if not run.kept or result.embedding is None or not has_speech(result):
            return
        if self._writing is None:  # the server was not started
            return
        try:
            index = self._made(result)
        except EmoscopeError as error:
            self._tell(error)
            return
        self._waiting.put(_Waiting(index, _addition(run, result)))

    def _write(self) -> None:
        """Add what waits, until nothing more will come."""
        while (one := self._waiting.get()) is not None:
            try:
                self._put(one.index, [one.addition])
            except Exception as error:  # a search waits for this thread: it must not end
                self._tell(error)
            finally:
                self._waiting.task_done()

    def _put(self, index: Index, additions: list[Addition]) -> None:
        """Write the vectors of runs, and remove those of runs that were deleted meanwhile."""
        index.store.add_all(additions)
        for one in additions:
            if not self._store.has(one.owner):
                index.store.remove_run(one.owner)

    def forget(self, run: str) -> None:
        """Remove the vectors of a run that was deleted; what fails is done at the next start."""
        if self._index is None:
            return
        try:
            self._index.store.remove_run(run)
        except EmoscopeError as error:
            self._tell(error)

    def query_of(self, store: RunStore, run: str) -> Result:
        """Return the result of a run with its embedding, made again from its sound if need be.

        Args:
            store: the runs that the asker may see.
            run: name of the run.

        Raises:
            RunNotFoundError: there is no such run.
            RunDamagedError: it cannot be read.
            RequestError: neither its embedding nor its sound was kept.
        """
        folder, known = store.folder(run), self._vector(run)
        if known is not None:
            return replace(store.open(run).result, embedding=known[None])
        result = run_vectors.read_run(folder)
        if result is not None and result.model.sha256 == self._recognizer.model.sha256:
            return result
        sound = run_vectors.sound_of(folder)
        if sound is None:
            raise RequestError("vector_missing", run=run)
        plain = store.open(run).result
        again = self._recognizer.recognize(sound, embedding=True, name=plain.source.name)
        made = run_vectors.as_run(again, plain)
        self.keep(Run(folder, plain), made)
        return made

    def search(
        self,
        query: Result,
        store: RunStore,
        *,
        count: int,
        space: SpaceName,
        segments: bool = False,
        run: str = "",
    ) -> SearchAnswer:
        """Return the runs that are most like a recording; of each file one.

        Args:
            query: with its embedding.
            store: the runs that the asker may see.
            count: how many at most.
            space: what near means.
            segments: look among segments.
            run: the run that asks, which is left out.

        Raises:
            AudioError: there is no speech in the query.
        """
        seen: set[tuple[str, int, float]] = set()
        allowed = seen_runs(store)

        def may(entry: Entry) -> bool:
            key = (entry.sha256, entry.channel, entry.start_s)
            if allowed is not None and entry.run not in allowed:
                return False
            if entry.run == run or key in seen or not store.has(entry.run):
                return False
            seen.add(key)
            return True

        index = self._settled()
        if index is None:
            return SearchAnswer(query, (), 0, None)
        try:
            hits = index.search(query, count=count, space=space, segments=segments, accept=may)
            runs = index.store.runs()
            count_seen = len(runs if allowed is None else runs & allowed)
            return SearchAnswer(query, tuple(hits), count_seen, index.space(space))
        except VectorIndexError as error:
            if error.code != "index_empty":
                raise
            return SearchAnswer(query, (), 0, None)

    def map(self, store: RunStore) -> RunMap:
        """Return the whole recordings of the runs that the asker may see, and their places.

        Args:
            store: the runs that the asker may see.
        """
        index = self._settled()
        if index is None:
            return RunMap((), np.zeros((0, 2), np.float32))
        with self._mapping:
            version = index.store.version()
            if self._map is None or self._map[0] != version:
                self._map = (version, _placed(index))
            drawn = self._map[1]
        names = set(store.names())  # quicker than to ask for each
        seen = [at for at, entry in enumerate(drawn.entries) if entry.run in names]
        return RunMap(tuple(drawn.entries[at] for at in seen), drawn.places[seen])

    def _vector(self, run: str) -> np.ndarray[tuple[int], np.dtype[np.float32]] | None:
        """Return the vector of a run that is indexed, shape ``(D,)``."""
        index = self._settled()
        whole = [] if index is None else [e for e in index.store.find(run=run) if e.kind == "clip"]
        if index is None or not whole:
            return None
        return index.store.vector(whole[0].id)

    def _settled(self) -> Index | None:
        """Return the index with all that was added until now; None where nothing ever was."""
        if self._writing is not None and not self._closing.is_set():
            self._waiting.join()
        return self._index

    def _made(self, like: Result) -> Index:
        with self._lock:
            if self._closing.is_set():
                raise VectorIndexError("index_busy", name=self._folder.name)
            if self._index is None:
                self._index = Index.open_or_create(self._folder, like=like)
            return self._index

    def _fill(self) -> None:
        """Remove what is gone, and add the runs whose embeddings lie on the disk.

        Many at a time: each wait for the disk takes longer than reading a run. No search waits for
        these.
        """
        try:
            known = set() if self._index is None else self._index.store.runs()
            names = self._store.names()
            for run in known - set(names):
                self.forget(run)
            new = (run for run in names if run not in known and not self._closing.is_set())
            while some := list(itertools.islice(new, _AT_ONCE)):
                self._add_stored(some)
        except (EmoscopeError, OSError) as error:
            self._tell(error)

    def _add_stored(self, names: list[str]) -> None:
        """Add runs that lie on the disk, in one go."""
        index, additions = None, []
        for name in names:
            folder = self._store.root / name
            try:
                result = run_vectors.read_run(folder)
            except EmoscopeError:  # deleted or damaged meanwhile
                continue
            if (
                result is not None
                and result.model.sha256 == self._recognizer.model.sha256
                and has_speech(result)
            ):
                index = self._made(result)
                additions.append(_addition(Run(folder, result), result))
        if index is not None:
            self._put(index, additions)

    def _tell(self, error: Exception) -> None:
        code = getattr(error, "code", "store_failed")
        _log.error("the index of runs: %s", error, extra=fields(code=code))


def _addition(run: Run, result: Result) -> Addition:
    segments = result.track is not None
    entries = entries_of(result, EntryDetails(run=run.name), segments=segments)
    return Addition(entries, segments, run.name)


def _placed(index: Index) -> RunMap:
    """Place all runs: by t-SNE where that is quick and installed, else by two main directions."""
    try:
        entries, mapped = index.mapped("emotion")
    except VectorIndexError as error:
        if error.code != "index_empty":
            raise
        return RunMap((), np.zeros((0, 2), np.float32))
    most = _NEIGHBOURS_MOST if importlib.util.find_spec("sklearn") else 0
    places, _ = project(mapped, most=most)
    return RunMap(tuple(entries), places)
