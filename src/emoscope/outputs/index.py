"""Index of the history in SQLite: what is searched for in runs, without opening each of them.

The index is a copy of what the runs say. It is brought up to date before each use by the names in
the outputs folder, and may be deleted at any time: it is then made anew. Where it cannot be
written it is held in memory.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from emoscope.files import make_private_folder

_log = logging.getLogger("emoscope.history")
_T = TypeVar("_T")
INDEX_FOLDER = ".history"
_VERSION = 1
"""Of the table and of what its rows are made of; a file of another version is made anew."""
_TABLE = (
    """
CREATE TABLE runs (
  place TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, text TEXT NOT NULL,
  emotion TEXT NOT NULL, doubt INTEGER NOT NULL, changed_ns INTEGER NOT NULL) WITHOUT ROWID
""",
    "CREATE INDEX owned ON runs (owner, place)",
)
_AT_ONCE = 200
"""Runs that are read while other uses of the index wait."""
_SETTLED_NS = 2_000_000_000
"""File systems tell the time of a change more coarsely than this."""
_NEVER = -2


@dataclass(frozen=True, slots=True)
class IndexRow:
    """Run as the index holds it."""

    place: str
    """Sorts as the runs came."""
    name: str
    owner: str
    """Id of the key that made it; empty for none."""
    text: str
    """What words are searched in, without case."""
    emotion: str
    """Key of the emotion that is claimed; empty where none is."""
    doubt: bool
    changed_ns: int
    """When a file of its directory was last added, replaced or removed."""


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Query of the index; the defaults match every run."""

    owner: str | None = None
    """Only of this owner; None for all."""
    words: Sequence[str] = ()
    """Words that must all occur, without case."""
    emotion: str = ""
    doubt: bool = False

    def where(self) -> tuple[str, list[str]]:
        """Return a condition in SQL and its values."""
        parts, values = ["1"], []
        if self.owner is not None:
            parts.append("owner = ?")
            values.append(self.owner)
        if self.emotion:
            parts.append("emotion = ?")
            values.append(storable(self.emotion))
        if self.doubt:
            parts.append("doubt")
        for word in self.words:
            parts.append("instr(text, ?)")
            values.append(storable(word))
        return " AND ".join(parts), values


class RunIndex:
    """Index of the runs of one outputs folder; thread-safe.

    Args:
        root: the outputs folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._path = root / INDEX_FOLDER / "index.sqlite"
        self._lock = threading.RLock()
        self._updating = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._is_in_memory = False
        self._seen_version = -1
        self._listed_ns = _NEVER
        """When the folder was changed before it was last listed."""
        self._names: set[str] = set()

    def update(
        self, is_run: Callable[[str], object], read: Callable[[str], IndexRow | None]
    ) -> None:
        """Take up the runs that are new, and leave out those that are gone.

        Args:
            is_run: whether an entry of the folder is a run, by its name.
            read: returns the row of a run; None where it is gone meanwhile.
        """
        with self._updating:
            listed_ns = _changed_ns(self._root)
            known = self._using(self._known) if self.exists else set()
            if listed_ns == self._listed_ns:
                return
            # A folder that was changed just now may change again at the same time by its clock.
            is_settled = time.time_ns() - listed_ns > _SETTLED_NS
            self._listed_ns = listed_ns if is_settled else _NEVER
            there = _entries_of(self._root)
            gone = known - there
            if gone:
                self._using(lambda db: self._drop(db, gone))
            new = sorted(name for name in there - known if is_run(name))
            for first in range(0, len(new), _AT_ONCE):
                self._add_runs(new[first : first + _AT_ONCE], read)

    def search(self, query: RunQuery, *, first: int, count: int) -> tuple[list[str], int]:
        """Return names of runs that match, newest first, and how many match altogether.

        Args:
            query: words, dates and emotions that a run must have.
            first: how many of the newest matches to pass over.
            count: how many to return at most.
        """
        where, values = query.where()

        def found(db: sqlite3.Connection) -> tuple[list[str], int]:
            (total,) = db.execute(f"SELECT count(*) FROM runs WHERE {where}", values).fetchone()  # noqa: S608 - our own words
            rows = db.execute(
                f"SELECT name FROM runs WHERE {where} ORDER BY place DESC LIMIT ? OFFSET ?",  # noqa: S608 - likewise
                (*values, count, first),
            )
            return [name for (name,) in rows], total

        return self._using(found) if self.exists else ([], 0)

    def names(self, owner: str) -> set[str]:
        """Return the names of all runs of an owner."""

        def found(db: sqlite3.Connection) -> set[str]:
            rows = db.execute("SELECT name FROM runs WHERE owner = ?", (owner,))
            return {name for (name,) in rows}

        return self._using(found) if self.exists else set()

    def forget(self, name: str) -> None:
        """Drop a run that was changed or deleted; it is read again if it is there."""
        if self.exists:
            self._using(lambda db: self._drop(db, {name}))
            self._listed_ns = _NEVER

    @property
    def exists(self) -> bool:
        """Whether there is an index; the first run makes it."""
        return self._db is not None or self._path.is_file()

    def size_bytes(self) -> int:
        """Bytes of the file."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._db is not None and not self._is_in_memory:
                self._db.close()
                self._db = None

    def _add_runs(self, names: list[str], read: Callable[[str], IndexRow | None]) -> None:
        """Read and add some runs; one that changes meanwhile is forgotten after that."""
        with self._lock:
            rows = [row for row in map(read, names) if row is not None]
            self._using(lambda db: _insert(db, rows))
            self._names |= {row.name for row in rows}

    def _using(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Work with the database; where that fails, with a new one."""
        with self._lock:
            try:
                return work(self._connected())
            except sqlite3.Error as exc:
                _log.warning("the index of the history is made anew: %s", exc)
                self._begin_anew(exc)
            try:
                return work(self._connected())
            except sqlite3.Error as exc:
                _log.warning("the index of the history is held in memory: %s", exc)
                self._begin_anew(exc)
                self._is_in_memory = True
                return work(self._connected())

    def _connected(self) -> sqlite3.Connection:
        if self._db is None:
            db = _opened(None if self._is_in_memory else self._path)
            weakref.finalize(self, db.close)
            self._names = _unchanged(db, self._root)
            self._listed_ns = _NEVER
            self._seen_version = _data_version(db)
            self._db = db
        return self._db

    def _begin_anew(self, exc: sqlite3.Error) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None
        if "locked" not in str(exc):  # else another process has it
            with suppress(OSError):
                self._path.unlink()

    def _known(self, db: sqlite3.Connection) -> set[str]:
        version = _data_version(db)
        if version != self._seen_version:  # another process has dropped some
            self._names = {name for (name,) in db.execute("SELECT name FROM runs")}
            self._listed_ns = _NEVER
            self._seen_version = version
        return self._names

    def _drop(self, db: sqlite3.Connection, names: set[str]) -> None:
        _delete(db, names)
        self._names -= names


def storable(text: str) -> str:
    """Return a text as the database takes it: halves of characters are replaced."""
    return text.encode("utf-8", "replace").decode()


def _opened(path: Path | None) -> sqlite3.Connection:
    """Open the file, which is made when it is not there or of another version.

    Args:
        path: the file; None for memory.

    Raises:
        sqlite3.Error: it is damaged, or cannot be opened or written.
    """
    if path is not None:
        try:
            make_private_folder(path.parent)
            path.touch(mode=0o600)
        except OSError as exc:
            raise sqlite3.OperationalError(exc.strerror) from exc
    db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
    try:
        # It is a copy: after a power cut it is made anew. What is deleted is overwritten.
        for line in ("synchronous=OFF", "busy_timeout=5000", "secure_delete=ON"):
            db.execute(f"PRAGMA {line}")
        (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            raise sqlite3.DatabaseError(said)
        _make_tables(db)
    except BaseException:
        db.close()
        raise
    return db


def _make_tables(db: sqlite3.Connection) -> None:
    if db.execute("PRAGMA user_version").fetchone()[0] == _VERSION:
        return
    with _transaction(db):
        db.execute("DROP TABLE IF EXISTS runs")
        for statement in _TABLE:
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {_VERSION}")


def _unchanged(db: sqlite3.Connection, root: Path) -> set[str]:
    """Return the names of runs whose directory is as it was; drop the others."""
    unchanged: set[str] = set()
    others: set[str] = set()
    for name, changed_ns in db.execute("SELECT name, changed_ns FROM runs"):
        (unchanged if _changed_ns(root / name) == changed_ns else others).add(name)
    _delete(db, others)
    return unchanged


def _entries_of(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))  # noqa: PTH208 - tens of thousands of names, without paths
    except (FileNotFoundError, NotADirectoryError):
        return set()


def _changed_ns(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return -1


def _data_version(db: sqlite3.Connection) -> int:
    """Return a number that changes when another connection has written."""
    return int(db.execute("PRAGMA data_version").fetchone()[0])


def _insert(db: sqlite3.Connection, rows: Sequence[IndexRow]) -> None:
    values = [
        (r.place, r.name, r.owner, storable(r.text), r.emotion, r.doubt, r.changed_ns) for r in rows
    ]
    with _transaction(db):
        db.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def _delete(db: sqlite3.Connection, names: set[str]) -> None:
    if names:
        with _transaction(db):
            db.executemany("DELETE FROM runs WHERE name = ?", [(name,) for name in names])


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
