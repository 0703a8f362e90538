"""Vector store: memory-mapped shards of vectors, and SQLite for what is known of each.

The commit of SQLite is the one moment at which something changes: vectors are written and flushed
before it, to rows that no entry points to. A process that is killed leaves the store as it was
before or as it would be after.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Self

import numpy as np

from emoscope.errors import VectorIndexError
from emoscope.files import TEMPORARY, make_private_folder, sync_folder, translated_os_errors
from emoscope.vectors.database import (
    DATABASE,
    INSERT_ENTRY,
    SELECT_ENTRY,
    create_database,
    entry_from,
    entry_values,
    open_index_database,
    transaction,
    translated_sqlite_errors,
)
from emoscope.vectors.entry import Addition, Entry
from emoscope.vectors.facts import IndexFacts
from emoscope.vectors.shards import Rows, Shard, next_rows
from emoscope.waveform import Array32, Indices, Mask

_IDS_AT_ONCE = 500
APPROXIMATE = "approximate"
"""Folder of the tables for approximate search, in that of an index."""


def is_free_for_index(folder: Path) -> bool:
    """Whether an index can be made in a folder: nothing is there, or what was never finished.

    Raises:
        VectorIndexError: it holds other files.
        StoreError: it cannot be read.
    """
    with translated_os_errors(folder):
        if not folder.exists():
            return True
        names = {path.name for path in folder.iterdir() if not path.name.startswith(TEMPORARY)}
    if names and DATABASE not in names:
        raise VectorIndexError("index_folder_taken", name=str(folder))
    return not names


class VectorStore:
    """Store of the vectors of one model. Safe in many threads; several processes take turns.

    Args:
        folder: of an index that is there.
        writable: whether vectors may be added or removed.

    Raises:
        VectorIndexError: there is no index, it is damaged, or of a newer version.
        StoreError: the system refuses to open it.
    """

    def __init__(self, folder: Path, *, writable: bool = False) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        self._mapped: dict[int, Rows] = {}
        self._db = open_index_database(folder / DATABASE, writable=writable)
        try:
            with translated_os_errors(folder), translated_sqlite_errors(folder):
                found = dict(self._db.execute("SELECT name, value FROM facts"))
                self.facts = IndexFacts.read(found, folder)
                self.blocks()
                if writable:
                    self._erase()
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(cls, folder: Path, facts: IndexFacts) -> Self:
        """Make an empty store and open it for writing.

        Args:
            folder: where; made when it is not there, else empty.
            facts: what holds for the whole index.

        Raises:
            VectorIndexError: there is something at this place.
            StoreError: it cannot be written.
        """
        with translated_os_errors(folder):
            make_private_folder(folder)
            for left in folder.glob(f"{TEMPORARY}*"):
                left.unlink()
            if not is_free_for_index(folder):
                raise VectorIndexError("index_folder_taken", name=str(folder))
            temporary = folder / f"{TEMPORARY}{DATABASE}"
            create_database(temporary, {name: str(value) for name, value in asdict(facts).items()})
            temporary.replace(folder / DATABASE)
            sync_folder(folder)
        return cls(folder, writable=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; a second call does nothing."""
        with self._lock:
            self._mapped.clear()
            self._db.close()

    def __len__(self) -> int:
        with self._reading():
            return int(self._db.execute("SELECT count(*) FROM vectors").fetchone()[0])

    def has(self, sha256: str, *, segments: bool = False, owner: str = "") -> bool:
        """Whether a recording is known.

        Args:
            sha256: of its file.
            segments: with its segments.
            owner: whose entries count; those without an owner by default.
        """
        with self._reading():
            found = self._db.execute(
                "SELECT 1 FROM vectors WHERE sha256 = ? AND owner = ? AND kind = 'clip' "
                "AND segmented >= ? LIMIT 1",
                (sha256, owner, segments),
            )
            return found.fetchone() is not None

    def add(
        self,
        entries: Sequence[tuple[Entry, Array32]],
        *,
        segmented: bool = False,
        owner: str = "",
    ) -> int:
        """Add the vectors that are new: by file, channel, kind and span; return how many were.

        Args:
            entries: each with its vector, float32 of shape ``(D,)``.
            segmented: all segments of these recordings are among them.
            owner: two owners may each know the same recording; none by default.

        Raises:
            StoreError: the disk is full, or it cannot be written; nothing was added.
            VectorIndexError: another process keeps writing.
        """
        return self.add_all([Addition(entries, segmented, owner)])

    def add_all(self, additions: Sequence[Addition]) -> int:
        """Add the vectors of several recordings in one go; return how many were new.

        One go takes one wait for the disk, whatever is in it.

        Args:
            additions: as the arguments of ``add``.

        Raises:
            StoreError: the disk is full, or it cannot be written; nothing was added.
            VectorIndexError: another process keeps writing.
        """
        count = 0
        with self._writing():
            touched: set[Shard] = set()
            for one in additions:
                new = self._new(one.entries, segmented=one.segmented, owner=one.owner)
                places = self._places(len(new))
                touched |= self._write(places, np.stack([v for _, v in new]) if new else None)
                rows = (
                    (place, one.segmented and entry.kind == "clip", one.owner, *entry_values(entry))
                    for place, (entry, _) in zip(places, new, strict=True)
                )
                self._db.executemany(INSERT_ENTRY, rows)
                count += len(new)
            for shard in touched:
                shard.sync()
        return count

    def remove_run(self, run: str) -> int:
        """Remove the vectors of a run, on the disk as well; return how many there were.

        Raises:
            StoreError: it cannot be written.
            VectorIndexError: another process keeps writing.
        """
        with self._writing():
            self._db.execute(
                "INSERT INTO free SELECT position, 0 FROM vectors WHERE run = ?", (run,)
            )
            removed = self._db.execute("DELETE FROM vectors WHERE run = ?", (run,)).rowcount
        if removed:
            with (
                self._lock,
                translated_os_errors(self.folder),
                translated_sqlite_errors(self.folder),
            ):
                self._erase()
        return removed

    def runs(self) -> set[str]:
        """Names of the runs that have vectors."""
        with self._reading():
            return {run for (run,) in self._db.execute("SELECT DISTINCT run FROM vectors")}

    def positions(self) -> tuple[Indices, Indices, Mask]:
        """Return id and position of each vector, and whether it is of a segment, each ``(n,)``."""
        with self._reading():
            rows = self._db.execute("SELECT id, position, kind = 'segment' FROM vectors").fetchall()
        table = np.array(rows, dtype=np.intp).reshape(-1, 3)
        return table[:, 0], table[:, 1], table[:, 2].astype(np.bool_)

    def version(self) -> tuple[int, int]:
        """Return two numbers that change whenever entries do."""
        with self._reading():
            (version,) = self._db.execute("PRAGMA data_version").fetchone()
            return int(version), self._db.total_changes

    def signature(self) -> tuple[int, int]:
        """Return how many entries there are, and the number that was given last.

        Numbers are never given twice, so both together change whenever entries do, and last
        beyond the process.
        """
        with self._reading():
            (count,) = self._db.execute("SELECT count(*) FROM vectors").fetchone()
            last = self._db.execute("SELECT seq FROM sqlite_sequence").fetchone()
        return int(count), 0 if last is None else int(last[0])

    def entries(self, ids: Iterable[int]) -> list[Entry | None]:
        """Return entries by their numbers, in order; None where one was removed."""
        wanted = [int(one) for one in ids]
        found: dict[int, Entry] = {}
        with self._reading():
            for at in range(0, len(wanted), _IDS_AT_ONCE):
                some = wanted[at : at + _IDS_AT_ONCE]
                query = f"{SELECT_ENTRY} WHERE id IN ({', '.join('?' * len(some))})"
                found.update((row[0], entry_from(row)) for row in self._db.execute(query, some))
        return [found.get(one) for one in wanted]

    def all_entries(self) -> list[Entry]:
        """Return all entries, in the order in which they were added."""
        with self._reading():
            return [entry_from(row) for row in self._db.execute(f"{SELECT_ENTRY} ORDER BY id")]

    def find(self, *, sha256: str = "", run: str = "") -> list[Entry]:
        """Return the entries of a file or of a run.

        Args:
            sha256: of the file; any by default.
            run: name of the run; any by default.
        """
        wanted = {name: value for name, value in (("sha256", sha256), ("run", run)) if value}
        where = " AND ".join(f"{name} = ?" for name in wanted) or "1"
        with self._reading():
            rows = self._db.execute(
                f"{SELECT_ENTRY} WHERE {where} ORDER BY id", (*wanted.values(),)
            )
            return [entry_from(row) for row in rows]

    def blocks(self) -> list[tuple[int, Rows]]:
        """Return the shards, mapped: position of the first row, and rows of shape ``(n, D)``.

        Raises:
            VectorIndexError: one is missing or damaged.
        """
        with self._reading():
            for shard in self._shards():
                if shard.first not in self._mapped:
                    self._mapped[shard.first] = shard.open()
            return sorted(self._mapped.items())

    def vectors(self, positions: Indices) -> Array32:
        """Return vectors by position, float32 of shape ``(n, D)``."""
        found = np.empty((len(positions), self.facts.dim), np.float32)
        for first, rows in self.blocks():
            here = (positions >= first) & (positions < first + len(rows))
            found[here] = rows[positions[here] - first]
        return found

    def vector(self, id_: int) -> Array32 | None:
        """Return the vector of an entry, float32 of shape ``(D,)``; None where it was removed."""
        with self._reading():
            found = self._db.execute("SELECT position FROM vectors WHERE id = ?", (id_,)).fetchone()
        return None if found is None else self.vectors(np.array(found))[0]

    def _shards(self) -> list[Shard]:
        dim, dtype = self.facts.dim, self.facts.dtype
        found = self._db.execute("SELECT number, first, rows FROM shards ORDER BY number")
        return [
            Shard(self.folder / f"vectors-{number:04}.npy", first, rows, dim, dtype)
            for number, first, rows in found
        ]

    def _new(
        self, entries: Sequence[tuple[Entry, Array32]], *, segmented: bool, owner: str
    ) -> list[tuple[Entry, Array32]]:
        """Leave out what is known, and note where now the segments are known as well."""
        new: dict[tuple[object, ...], tuple[Entry, Array32]] = {}
        for entry, vector in entries:
            key = (entry.sha256, owner, entry.channel, entry.kind, entry.start_s, entry.end_s)
            known = self._db.execute(
                "SELECT id FROM vectors WHERE sha256 = ? AND owner = ? AND channel = ? "
                "AND kind = ? AND start_s = ? AND end_s = ?",
                key,
            ).fetchone()
            if known is None:
                new.setdefault(key, (entry, vector))
            elif segmented and entry.kind == "clip":
                self._db.execute("UPDATE vectors SET segmented = 1 WHERE id = ?", known)
        return list(new.values())

    def _places(self, count: int) -> list[int]:
        """Take positions for new vectors: free ones first, then those of a new shard."""
        (free,) = self._db.execute("SELECT count(*) FROM free").fetchone()
        while free < count:
            free += self._grow()
        taken = self._db.execute("SELECT position FROM free ORDER BY position LIMIT ?", (count,))
        places = [place for (place,) in taken]
        self._db.executemany("DELETE FROM free WHERE position = ?", ((one,) for one in places))
        return places

    def _grow(self) -> int:
        shards = self._shards()
        first = shards[-1].first + shards[-1].rows if shards else 0
        rows = next_rows(first)
        name = f"vectors-{len(shards):04}.npy"
        Shard(self.folder / name, first, rows, self.facts.dim, self.facts.dtype).create()
        self._db.execute("INSERT INTO shards VALUES (?, ?, ?)", (len(shards), first, rows))
        self._db.executemany(
            "INSERT INTO free VALUES (?, 1)", ((first + row,) for row in range(rows))
        )
        return rows

    def _write(self, places: Sequence[int], vectors: Array32 | None) -> set[Shard]:
        """Write vectors to their places, one run of neighbours at a time; zeros where None.

        Returns:
            The shards that were written to, which are not flushed yet.
        """
        touched = set()
        for shard in self._shards():
            here = [n for n, place in enumerate(places) if 0 <= place - shard.first < shard.rows]
            for _, run in groupby(enumerate(here), lambda pair: places[pair[1]] - pair[0]):
                at = [n for _, n in run]
                size = (len(at), self.facts.dim)
                values = np.zeros(size, np.float32) if vectors is None else vectors[at]
                shard.write(places[at[0]] - shard.first, values)
            if here:
                touched.add(shard)
        return touched

    def _erase(self) -> None:
        """Overwrite the vectors that were removed, also by a process that was killed over it."""
        gone = self._db.execute("SELECT position FROM free WHERE NOT erased ORDER BY 1").fetchall()
        if gone:
            if (self.folder / APPROXIMATE).exists():  # its tables hold them as well
                shutil.rmtree(self.folder / APPROXIMATE)
            with transaction(self._db):
                # Not from the list above: another process may have used a place since.
                still = self._db.execute("SELECT position FROM free WHERE NOT erased ORDER BY 1")
                for shard in self._write([place for (place,) in still.fetchall()], None):
                    shard.sync()
                self._db.execute("UPDATE free SET erased = 1 WHERE NOT erased")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock, translated_sqlite_errors(self.folder):
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with (
            self._lock,
            translated_os_errors(self.folder),
            translated_sqlite_errors(self.folder),
            transaction(self._db),
        ):
            yield
