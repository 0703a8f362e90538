"""Approximate search: LanceDB tables of mapped vectors beside an index, for millions of rows.

The index stays the truth; a table is derived from it for one space, and holds number and position
of each entry and its vector in that space. A table knows which entries it was made from: when the
index has others it is refused, so nothing that was removed comes back. How much of the exact answer
it finds is measured when it is made, and kept with it.

    INDEX/approximate/emotion.json          what follows, replaced last
    INDEX/approximate/emotion-3f2a9c.../    space.npz, clip.lance, segment.lance
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from emoscope.errors import EmoscopeError, VectorIndexError
from emoscope.files import atomic_write_json, translated_os_errors
from emoscope.optional import require
from emoscope.paths.choices import SpaceName
from emoscope.vectors.entry import Entry, EntryKind
from emoscope.vectors.spaces import Space
from emoscope.vectors.store import APPROXIMATE, VectorStore
from emoscope.waveform import Array32, Indices

TABLE_SCHEMA = 1
RECALL_AT = 10
"""Nearest entries that the recall is measured on."""
_PARTS = ("mean", "matrix", "axes", "head", "usual")


@dataclass(frozen=True, slots=True)
class Recall:
    """How much of the exact answer a table finds."""

    mean: float
    """Share of the ten nearest entries that are found, mean over the queries."""
    worst: float
    """Share that nineteen of twenty queries reach (5th percentile)."""
    queries: int
    """Entries of the index that were asked with, drawn by chance."""


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One table: entries of one kind."""

    rows: int
    partitions: int
    """Parts that the vectors are grouped in; 0 where there are too few, and search is exact."""
    probes: int
    """Partitions that a query looks into."""
    recall: Recall


@dataclass(frozen=True, slots=True)
class ApproximateFacts:
    """What the tables of one space were made from, and how well they answer."""

    space: SpaceName
    model_sha256: str
    folder: str
    entries: int
    """Entries of the index."""
    last: int
    """Number that the index gave last; with ``entries`` it tells whether any changed."""
    tables: dict[EntryKind, TableFacts] = field(default_factory=dict)
    built: str = ""
    """When, in UTC (ISO 8601)."""
    library: str = ""
    """Version of LanceDB."""

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {"schema": TABLE_SCHEMA, **asdict(self)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ApproximateFacts:
        """Read what ``to_dict`` wrote.

        Raises:
            ValueError: of another schema.
            KeyError: a part is missing.
            TypeError: a part is another.
        """
        values = dict(data)
        if values.pop("schema") != TABLE_SCHEMA:
            raise ValueError(f"schema {data['schema']} is not {TABLE_SCHEMA}")
        tables = {
            kind: TableFacts(**{**one, "recall": Recall(**one["recall"])})
            for kind, one in values.pop("tables").items()
        }
        return cls(**values, tables=tables)


class ApproximateSearch:
    """The tables of one space, opened for search.

    Args:
        store: of the index.
        name: of the space.

    Raises:
        VectorIndexError: there are none for this space, they are damaged, or the index has
            changed since.
        ExtraMissingError: LanceDB is not installed.
    """

    def __init__(self, store: VectorStore, name: SpaceName) -> None:
        lancedb = require("lancedb", extra="lancedb")
        self._store, self._root = store, store.folder / APPROXIMATE
        root = self._root
        with translated_lance_errors(store.folder, name):
            try:
                read = json.loads((root / f"{name}.json").read_text("utf-8"))
            except FileNotFoundError:
                raise VectorIndexError(
                    "approximate_missing", name=store.folder.name, space=name
                ) from None
            self.facts = ApproximateFacts.from_dict(read)
            self._version: tuple[int, int] | None = None
            self.check()
            folder = root / self.facts.folder
            self.space = read_exact_space(folder / "space.npz", name)
            database = lancedb.connect(folder)
            self._tables = {kind: database.open_table(kind) for kind in self.facts.tables}

    def check(self) -> None:
        """Check that the index has the entries that the tables were made from.

        Raises:
            VectorIndexError: it has others.
        """
        version = self._store.version()
        if version == self._version:
            return
        entries, last = self._store.signature()
        made_from = (self.facts.entries, self.facts.last, self.facts.model_sha256)
        if (entries, last, self._store.facts.model_sha256) != made_from:
            name = self._store.folder.name
            raise VectorIndexError("approximate_stale", name=name, space=self.facts.space)
        self._version = version

    def is_current(self) -> bool:
        """Whether the index is as it was, and no other tables have taken the place of these."""
        try:
            self.check()
        except VectorIndexError:
            return False
        return (self._root / self.facts.folder).is_dir()

    def search(
        self, query: Array32, *, count: int, kind: EntryKind, accept: Callable[[Entry], bool]
    ) -> list[tuple[Entry, float]]:
        """Return the nearest entries that are found, and their cosine.

        Args:
            query: vector of the model, float32 of shape ``(D,)``.
            count: how many at most.
            kind: of the entries.
            accept: whether an entry may be shown.

        Raises:
            VectorIndexError: the tables are damaged, or the index has changed since.
        """
        rows = self.facts.tables[kind].rows if kind in self.facts.tables else 0
        looked_at = 2 * count + 10
        while True:
            ids, cosines = self.nearest(query, min(looked_at, rows), kind)
            found = []
            for entry, cosine in zip(self._store.entries(ids), cosines, strict=True):
                if entry is not None and accept(entry):
                    found.append((entry, float(cosine)))
            if len(found) >= count or looked_at >= rows:
                return found[:count]
            looked_at *= 4

    def nearest(self, query: Array32, count: int, kind: EntryKind) -> tuple[Indices, Array32]:
        """Return number and cosine of the entries that are near a query, nearest first.

        Args:
            query: vector of the model, float32 of shape ``(D,)``.
            count: how many at most.
            kind: of the entries.

        Raises:
            VectorIndexError: the tables are damaged, or the index has changed since.
        """
        self.check()
        if not count:
            return np.zeros(0, np.intp), np.zeros(0, np.float32)
        target = self.space.apply(query[None])[0]
        with translated_lance_errors(self._store.folder, self.facts.space):
            facts = self.facts.tables[kind]
            # More entries than ten lie in more partitions than were measured for ten.
            probes = min(facts.partitions, facts.probes * max(1, -(-count // 50)))
            ids, positions = candidates(self._tables[kind], target, count, probes)
            cosines = self.space.apply(self._store.vectors(positions)) @ target
        order = np.argsort(-cosines, kind="stable")
        return ids[order], cosines[order]


def candidates(table: Any, target: Array32, count: int, probes: int) -> tuple[Indices, Indices]:
    """Return number and position of the entries that a table finds near a mapped vector.

    Args:
        table: of LanceDB.
        target: mapped vector of length 1, float32 of shape ``(d,)``.
        count: how many at most.
        probes: partitions to look into; 0 for a table without.
    """
    query = table.search(target).distance_type("dot").limit(count)
    if probes:
        query = query.nprobes(probes)
    found = query.select(["id", "position", "_distance"]).to_arrow()
    ids, positions = (found[name].to_numpy().astype(np.intp) for name in ("id", "position"))
    return ids, positions


def write_facts(root: Path, facts: ApproximateFacts) -> None:
    """Put new tables in force, and remove those that they take the place of.

    Args:
        root: folder of the tables of an index.
        facts: of the new ones, whose folder is complete.

    Raises:
        OSError: the system refused; the old ones stay in force.
    """
    atomic_write_json(root / f"{facts.space}.json", facts.to_dict())
    for old in root.glob(f"{facts.space}-*"):
        if old.name != facts.folder:
            shutil.rmtree(old, ignore_errors=True)


def write_exact_space(path: Path, space: Space) -> None:
    """Write a space as it is, without the rounding of those that ship.

    Raises:
        OSError: the system refused.
    """
    parts = {part: getattr(space, part) for part in _PARTS}
    arrays = {part: value for part, value in parts.items() if value is not None}
    np.savez(path, allow_pickle=False, origin=np.array(space.origin), **arrays)


def read_exact_space(path: Path, name: SpaceName) -> Space:
    """Read what ``write_exact_space`` wrote.

    Args:
        path: the file.
        name: of the space.

    Raises:
        OSError: there is none.
        ValueError: it is damaged.
    """
    with np.load(path, allow_pickle=False) as data:
        arrays = {part: data[part] for part in _PARTS if part in data}
        origin: Any = str(data["origin"])
    return Space(name, origin, **arrays)


@contextmanager
def translated_lance_errors(folder: Path, space: str) -> Iterator[None]:
    """Turn what LanceDB and the system say of tables into ours.

    Args:
        folder: of the index.
        space: that the tables are of.

    Raises:
        StoreError: the disk is full, or the folder cannot be read or written.
        VectorIndexError: the tables are damaged.
    """
    try:
        with translated_os_errors(folder):
            yield
    except EmoscopeError:
        raise
    except Exception as exc:  # LanceDB has no root of its errors
        said = " ".join(str(exc).split())[:200] or type(exc).__name__
        raise VectorIndexError(
            "approximate_damaged", name=folder.name, space=space, reason=said
        ) from exc


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
