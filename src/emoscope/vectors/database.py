"""SQLite file of an index: schema, versions, and errors of SQLite as ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from emoscope.errors import EmoscopeError, StoreError, VectorIndexError
from emoscope.labels import KEYS
from emoscope.vectors.entry import Entry

DATABASE = "index.sqlite"
VERSION = 1
"""Of the schema; stands in the file as ``user_version``."""
APPLICATION = 0x454D4F49
"""``EMOI`` as ``application_id``: tells an index from any other SQLite file."""
_WAIT_S = 30.0
"""How long one writer waits for another."""
_FULL = {"SQLITE_FULL"}
_REFUSED = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_PERM", "SQLITE_AUTH")

_SCORES = ", ".join(f"{key} REAL NOT NULL" for key in KEYS)
SCHEMA = f"""
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE shards (number INTEGER PRIMARY KEY, first INTEGER NOT NULL, rows INTEGER NOT NULL);
CREATE TABLE vectors (
  id INTEGER PRIMARY KEY AUTOINCREMENT, position INTEGER NOT NULL UNIQUE, kind TEXT NOT NULL,
  name TEXT NOT NULL, path TEXT NOT NULL, run TEXT NOT NULL, sha256 TEXT NOT NULL,
  channel INTEGER NOT NULL, start_s REAL NOT NULL, end_s REAL NOT NULL, speaker TEXT NOT NULL,
  label TEXT NOT NULL, segmented INTEGER NOT NULL, owner TEXT NOT NULL, {_SCORES});
CREATE UNIQUE INDEX known ON vectors (sha256, owner, channel, kind, start_s, end_s);
CREATE INDEX of_run ON vectors (run);
CREATE TABLE free (position INTEGER PRIMARY KEY, erased INTEGER NOT NULL)
"""
"""``known``: the same stretch of the same file is known once to each owner. ``free``: rows of
shards that hold nothing, and whether the vector that was there is overwritten."""
_PLAIN = (
    "kind",
    "name",
    "path",
    "run",
    "sha256",
    "channel",
    "start_s",
    "end_s",
    "speaker",
    "label",
)
ENTRY_COLUMNS = ", ".join((*_PLAIN, *KEYS))
INSERT_ENTRY = (
    f"INSERT OR IGNORE INTO vectors (position, segmented, owner, {ENTRY_COLUMNS}) "  # noqa: S608 - names of ours
    f"VALUES ({', '.join('?' * (3 + 10 + len(KEYS)))})"
)
SELECT_ENTRY = f"SELECT id, {ENTRY_COLUMNS} FROM vectors"  # noqa: S608 - names of ours


def create_database(path: Path, facts: dict[str, str]) -> None:
    """Make the file of a new index, whole or not at all.

    Args:
        path: where; nothing is there yet.
        facts: what holds for the whole index, by name.

    Raises:
        StoreError: the disk is full, or it cannot be written.
    """
    with translated_sqlite_errors(path.parent):
        path.touch(mode=0o600)  # as the runs are: for the owner only
        db = sqlite3.connect(path, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("BEGIN IMMEDIATE")
            for statement in SCHEMA.split(";"):
                db.execute(statement)
            db.executemany("INSERT INTO facts VALUES (?, ?)", facts.items())
            db.execute(f"PRAGMA application_id={APPLICATION}")
            db.execute(f"PRAGMA user_version={VERSION}")
            db.execute("COMMIT")
        finally:
            db.close()


def open_index_database(path: Path, *, writable: bool) -> sqlite3.Connection:
    """Open the file of an index.

    Args:
        path: the file.
        writable: whether vectors are to be added or removed.

    Raises:
        VectorIndexError: there is none, it is none of ours, damaged, or of a newer version.
        StoreError: the system refuses to open it.
    """
    name = path.parent.name
    if not path.is_file():
        raise VectorIndexError("index_not_found", name=str(path.parent))
    with translated_sqlite_errors(path.parent):
        db = _connected(path, writable=writable)
        try:
            (application,) = db.execute("PRAGMA application_id").fetchone()
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if application != APPLICATION or not version:
                raise VectorIndexError("index_damaged", name=name, reason=path.name)
            if version > VERSION:
                raise VectorIndexError("index_newer", name=name, found=version, known=VERSION)
            if writable:
                for line in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
                    db.execute(f"PRAGMA {line}")
        except BaseException:
            db.close()
            raise
    return db


def _connected(path: Path, *, writable: bool) -> sqlite3.Connection:
    """Connect; a file on a medium that cannot be written is read as one that nothing changes."""
    address = f"file:{quote(str(path.resolve()))}"
    modes = ("rw",) if writable else ("ro", "ro&immutable=1")
    for mode in modes:
        db = sqlite3.connect(
            f"{address}?mode={mode}",
            uri=True,
            timeout=_WAIT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.OperationalError:
            db.close()
            if mode == modes[-1]:
                raise
        else:
            return db
    raise AssertionError("a mode was tried")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Do everything in the block or nothing; other writers wait.

    Raises:
        sqlite3.Error: the file refused.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise


@contextmanager
def translated_sqlite_errors(folder: Path) -> Iterator[None]:
    """Turn what SQLite and the system say of an index into ours.

    Args:
        folder: of the index, for the sentence.

    Raises:
        StoreError: the disk is full, or the folder cannot be read or written.
        VectorIndexError: the file is damaged, or another process keeps writing.
    """
    try:
        yield
    except EmoscopeError:
        raise
    except sqlite3.Error as exc:
        code = getattr(exc, "sqlite_errorname", "") or ""
        if code in _FULL:
            raise StoreError("store_full") from exc
        if code.startswith(_REFUSED):
            raise StoreError("store_failed", reason=f"{folder}: {exc}") from exc
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise VectorIndexError("index_busy", name=folder.name) from exc
        raise VectorIndexError("index_damaged", name=folder.name, reason=str(exc)) from exc


def entry_values(entry: Entry) -> tuple[object, ...]:
    """Return the values of ``ENTRY_COLUMNS``."""
    return (
        entry.kind,
        entry.name,
        entry.path,
        entry.run,
        entry.sha256,
        entry.channel,
        entry.start_s,
        entry.end_s,
        entry.speaker,
        entry.label,
        *entry.scores,
    )


def entry_from(row: tuple[Any, ...]) -> Entry:
    """Return the entry of a row that ``SELECT_ENTRY`` gave."""
    scores = 1 + len(_PLAIN)
    values = dict(zip(_PLAIN, row[1:scores], strict=True))
    return Entry(id=row[0], scores=tuple(row[scores:]), **values)
