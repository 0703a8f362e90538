"""Making of the tables for approximate search, and how much of the exact answer they find."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np

from emoscope.errors import VectorIndexError
from emoscope.files import is_abandoned, make_private_folder, new_folder, sync_folder
from emoscope.optional import require
from emoscope.vectors.approximate import (
    RECALL_AT,
    ApproximateFacts,
    Recall,
    TableFacts,
    candidates,
    now,
    read_exact_space,
    translated_lance_errors,
    write_exact_space,
    write_facts,
)
from emoscope.vectors.entry import EntryKind
from emoscope.vectors.search import Places
from emoscope.vectors.spaces import Space
from emoscope.vectors.store import APPROXIMATE, VectorStore
from emoscope.waveform import Array32, Indices, Mask

LEAST_GROUPED = 256
"""With fewer vectors than these a table has no partitions, and all of it is searched."""
RECALL_WANTED = 0.98
"""Partitions are added to a query until so much is found, or half of them are looked into."""
_QUERIES = 200
_ROWS = 8_192


def build_approximate(
    store: VectorStore, space: Space, *, listener: Callable[[int, int], None]
) -> ApproximateFacts:
    """Make the tables of one space and measure them; they come into force whole or not at all.

    Args:
        store: of the index.
        space: whose vectors they hold.
        listener: called with the number of vectors written and the total.

    Raises:
        VectorIndexError: the index is empty, or LanceDB failed.
        StoreError: the disk is full, or it cannot be written.
        ExtraMissingError: LanceDB is not installed.
    """
    lancedb = require("lancedb", extra="lancedb")
    root = store.folder / APPROXIMATE
    entries, last = store.signature()
    if not entries:
        raise VectorIndexError("index_empty", name=store.folder.name)
    places = Places(store)
    with translated_lance_errors(store.folder, space.name):
        make_private_folder(root)
        for left in root.glob(".tmp-*"):
            _remove_abandoned(left)
        with new_folder(root) as folder:
            write_exact_space(folder / "space.npz", space)
            space = read_exact_space(folder / "space.npz", space.name)
            database = lancedb.connect(folder)
            tables: dict[EntryKind, TableFacts] = {}
            done = 0
            for kind in get_args(EntryKind):
                wanted = places.wanted(segments=kind == "segment")
                if wanted.any():
                    rows = _Rows(store, space, places.ids, wanted)
                    tables[kind] = _table(database, kind, rows, _counted(listener, done, entries))
                    done += rows.count
            name = f"{space.name}-{secrets.token_hex(8)}"
            folder.replace(root / name)
            sync_folder(root)
        facts = ApproximateFacts(
            space.name,
            store.facts.model_sha256,
            name,
            entries,
            last,
            tables,
            now(),
            lancedb.__version__,
        )
        write_facts(root, facts)
    return facts


def _counted(
    listener: Callable[[int, int], None], before: int, total: int
) -> Callable[[int], None]:
    return lambda done: listener(before + done, total)


class _Rows:
    """Mapped vectors of one kind of entries, block by block, and the exact answer to a sample.

    Args:
        store: of the index.
        space: that maps them.
        ids: number of the entry at each position.
        wanted: positions of the kind.
    """

    def __init__(self, store: VectorStore, space: Space, ids: Indices, wanted: Mask) -> None:
        self._store, self._space, self._ids, self._wanted = store, space, ids, wanted
        positions = np.flatnonzero(wanted)
        self.count = len(positions)
        drawn = np.random.default_rng(0).permutation(positions)[:_QUERIES]
        self.asked = np.sort(drawn)
        self.queries = space.apply(store.vectors(self.asked))
        self.best = np.full((len(drawn), min(RECALL_AT, self.count - 1)), -np.inf, np.float32)
        """Cosine of the nearest others, falling, shape ``(queries, 10)``."""

    def blocks(self) -> Iterator[tuple[Indices, Indices, Array32]]:
        """Yield number, position and mapped vector of the entries."""
        for first, rows in self._store.blocks():
            for at in range(0, len(rows), _ROWS):
                end = min(at + _ROWS, len(rows))
                here = np.flatnonzero(self._wanted[first + at : first + end])
                if not len(here):
                    continue
                positions = here + first + at
                plain = np.asarray(rows[at:end][here], np.float32)
                mapped = self._space.apply(plain)
                self._compare(positions, mapped)
                yield self._ids[positions], positions, mapped

    def cosines(self, positions: Indices, target: Array32) -> Array32:
        """Return the cosine of entries with a mapped vector, shape ``(n,)``."""
        found: Array32 = self._space.apply(self._store.vectors(positions)) @ target
        return found

    def _compare(self, positions: Indices, mapped: Array32) -> None:
        """Take a block into the exact answer."""
        cosines = self.queries @ mapped.T
        cosines[self.asked[:, None] == positions[None]] = -np.inf
        both = np.hstack([self.best, cosines])
        self.best = -np.sort(-both, axis=1)[:, : self.best.shape[1]]


def _table(
    database: Any, kind: EntryKind, rows: _Rows, listener: Callable[[int], None]
) -> TableFacts:
    """Write a table, group its vectors, and look into as many partitions as recall needs."""
    table = database.create_table(kind, schema=_schema(rows.queries.shape[1]), data=None)
    _fill(table, rows, listener)
    if rows.count < LEAST_GROUPED:
        return TableFacts(rows.count, 0, 0, Recall(1.0, 1.0, 0))
    partitions = max(2, round(rows.count**0.5))
    index = require("lancedb.index", extra="lancedb")
    # The vectors themselves, not codes of them: as exact as the partitions allow, and made
    # in a tenth of the time (benchmarks/LOG.md).
    table.create_index(
        "vector", config=index.IvfFlat(distance_type="dot", num_partitions=partitions)
    )
    probes, recall = max(1, partitions // 64), Recall(0.0, 0.0, 0)
    while True:
        recall = _measured(table, rows, probes)
        if recall.mean >= RECALL_WANTED or 2 * probes > partitions // 2:
            return TableFacts(rows.count, partitions, probes, recall)
        probes *= 2


def _schema(dim: int) -> Any:
    arrow = require("pyarrow", extra="lancedb")
    return arrow.schema(
        [
            ("id", arrow.int64()),
            ("position", arrow.int64()),
            ("vector", arrow.list_(arrow.float32(), dim)),
        ]
    )


def _fill(table: Any, rows: _Rows, listener: Callable[[int], None]) -> None:
    arrow = require("pyarrow", extra="lancedb")
    schema = _schema(rows.queries.shape[1])

    def batches() -> Iterator[Any]:
        done = 0
        for ids, positions, mapped in rows.blocks():
            vectors = arrow.FixedSizeListArray.from_arrays(
                arrow.array(mapped.ravel()), mapped.shape[1]
            )
            columns = [arrow.array(ids), arrow.array(positions), vectors]
            yield arrow.record_batch(columns, schema=schema)
            done += len(ids)
            listener(done)

    table.add(arrow.RecordBatchReader.from_batches(schema, batches()))


def _measured(table: Any, rows: _Rows, probes: int) -> Recall:
    """Compare a table's answers with the exact ones, by cosine: of equal ones any will do."""
    shares = []
    for target, position, best in zip(rows.queries, rows.asked, rows.best, strict=True):
        _, positions = candidates(table, target, RECALL_AT + 1, probes)
        others = positions[positions != position][:RECALL_AT]
        found = rows.cosines(others, target)
        shares.append(min(1.0, float((found >= best[-1] - 1e-5).sum() / len(best))))
    return Recall(
        round(float(np.mean(shares)), 4), round(float(np.quantile(shares, 0.05)), 4), len(shares)
    )


def _remove_abandoned(path: Path) -> None:
    """Remove what a process left that was killed over it."""
    if is_abandoned(path):
        shutil.rmtree(path, ignore_errors=True)
