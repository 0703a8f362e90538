"""SQLite file of the jobs: schema, migrations, and a damaged file put aside."""

from __future__ import annotations

import logging
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from emoscope.errors import ServerClosingError, ServiceError, StoreError
from emoscope.files import free_bytes, make_private_folder, translated_os_errors
from emoscope.observe.logs import fields

_log = logging.getLogger("emoscope.jobs")
_RETRY_AFTER_S = 5
_LEAST_FREE_BYTES = 1_000_000
"""With less SQLite may fail to make its log: "unable to open", or "disk I/O error"."""
_STAMP = "%Y%m%dT%H%M%SZ"
DAMAGED = "-damaged-"
"""Stands in the name of a folder of jobs that was put aside."""

_TABLES = (
    """
CREATE TABLE IF NOT EXISTS jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,
  state TEXT NOT NULL, granularity TEXT NOT NULL, embedding INTEGER NOT NULL,
  created_s REAL NOT NULL, started_s REAL, ended_s REAL, idempotency TEXT, digest TEXT NOT NULL)
""",
    """
CREATE UNIQUE INDEX IF NOT EXISTS once ON jobs (owner, idempotency) WHERE idempotency IS NOT NULL
""",
    """
CREATE TABLE IF NOT EXISTS recordings (
  job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, place INTEGER NOT NULL,
  name TEXT NOT NULL, state TEXT NOT NULL, run TEXT, record TEXT, error TEXT, data TEXT,
  PRIMARY KEY (job, place))
""",
)
"""Version 0, as it was before versions were counted."""

_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "ALTER TABLE jobs ADD COLUMN claimed_by TEXT",
        "ALTER TABLE recordings ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0",
    ),
    ("ALTER TABLE jobs ADD COLUMN utterances INTEGER NOT NULL DEFAULT 0",),
    ("ALTER TABLE jobs ADD COLUMN heads TEXT NOT NULL DEFAULT ''",),
    ("ALTER TABLE jobs ADD COLUMN spans TEXT",),
    (
        "ALTER TABLE jobs ADD COLUMN pause_s REAL",
        "ALTER TABLE jobs ADD COLUMN longest_s REAL",
    ),
)
"""Statements that lead from each version to the next; a row is never changed, only added."""


class JobDatabase:
    """Connection to the SQLite file of the jobs; thread-safe within one process.

    A damaged file is put aside together with its folder, which may hold recordings of accepted
    jobs, and an empty one takes its place; also while the server runs.

    Args:
        path: the file; made with its folder when it is not there, for the owner only.

    Raises:
        StoreError: it was written by a newer version of Emoscope, or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.damaged = 0
        """Files that were put aside."""
        self._path = path
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._closed = False
        self._file: tuple[int, int] = (0, 0)
        with self._lock, _translated(self._path.parent.parent):
            self._connection()

    def close(self) -> None:
        """Close the file for good."""
        with self._lock:
            self._closed = True
            self._release()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Return the connection, which is this thread's until the block ends.

        Raises:
            StoreError: the disk is full, or the file cannot be used.
            ServiceError: the file is damaged; jobs begin anew (``jobs_damaged``).
        """
        with self._lock, _translated(self._path.parent.parent):
            db = self._connection()
            try:
                yield db
            except sqlite3.DatabaseError as exc:
                if not _is_damage(exc):
                    raise
                self._begin_anew(exc)
                raise ServiceError("jobs_damaged") from exc

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Return the connection inside a transaction, which an error rolls back.

        Raises:
            StoreError: the disk is full, or the file cannot be used.
            ServiceError: the file is damaged; jobs begin anew (``jobs_damaged``).
        """
        with self.reading() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise

    def check(self, *, thorough: bool = False, wait_s: float = -1) -> None:
        """Read the file as the next start would; what is open may be unaware of damage.

        Args:
            thorough: check each page, not only the schema.
            wait_s: seconds to wait for other threads, after which nothing is checked; negative:
                for ever.

        Raises:
            StoreError: the file cannot be used.
            ServiceError: the file was damaged, replaced or deleted; jobs begin anew.
        """
        if not self._lock.acquire(timeout=wait_s):
            return
        try:
            with self.reading():
                if _identity(self._path) != self._file:
                    raise sqlite3.DatabaseError("the file was deleted or replaced")
                _read_afresh(self._path, thorough=thorough)
        finally:
            self._lock.release()

    def _connection(self) -> sqlite3.Connection:
        """Return the connection, opened if it is not."""
        if self._closed:
            raise ServerClosingError(retry_after_s=_RETRY_AFTER_S)
        if self._db is None:
            make_private_folder(self._path.parent)
            try:
                self._db = open_database(self._path)
            except sqlite3.DatabaseError as exc:
                if not _is_damage(exc):
                    raise
                self._put_aside(exc)
                make_private_folder(self._path.parent)
                self._db = open_database(self._path)
            self._file = _identity(self._path)
        return self._db

    def _begin_anew(self, reason: sqlite3.Error) -> None:
        self._release()
        self._put_aside(reason)
        self._connection()

    def _release(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _put_aside(self, reason: sqlite3.Error) -> None:
        folder, aside = self._path.parent, "-"
        if folder.is_dir():
            now = datetime.now(UTC).strftime(_STAMP)
            name = f"{folder.name}{DAMAGED}{now}-{secrets.token_hex(2)}"
            aside = str(folder.rename(folder.with_name(name)))
        self.damaged += 1
        _log.error(
            "the jobs database is damaged; its folder was put aside and jobs begin anew",
            extra=fields(code="jobs_damaged", folder=aside, reason=str(reason)[:200]),
        )


def damaged_folders(folder: Path) -> Iterator[tuple[Path, float]]:
    """Folders that were put aside as damaged, and when, in seconds since 1970.

    Args:
        folder: of the jobs.
    """
    for path in sorted(folder.parent.glob(f"{folder.name}{DAMAGED}*")):
        with suppress(ValueError):
            stamp = path.name.removeprefix(f"{folder.name}{DAMAGED}").split("-")[0]
            yield path, datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC).timestamp()


def forget_damaged_folders(folder: Path, before_s: float) -> bool:
    """Delete what was put aside as damaged, with its recordings; say whether there was any.

    Args:
        folder: of the jobs.
        before_s: moment in seconds since 1970; what was put aside later stays.
    """
    found = [path for path, put_aside_s in damaged_folders(folder) if put_aside_s < before_s]
    for path in found:
        shutil.rmtree(path, ignore_errors=True)
        _log.warning("a damaged jobs database was deleted", extra=fields(folder=str(path)))
    return bool(found)


@contextmanager
def _translated(outputs: Path) -> Iterator[None]:
    """Raise errors of SQLite and the system as ours; without room SQLite names other reasons."""
    try:
        with translated_os_errors():
            yield
    except sqlite3.OperationalError as exc:
        if "full" in str(exc) or _is_full(outputs):
            raise StoreError("store_full") from exc
        raise StoreError("store_failed", reason=str(exc)[:200]) from exc


def _is_full(folder: Path) -> bool:
    with suppress(OSError):
        return free_bytes(folder) < _LEAST_FREE_BYTES
    return False


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether an error tells of a damaged file, and not of a full disk or a wrong statement."""
    return type(error) is sqlite3.DatabaseError or "no such table" in str(error)


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_dev, found.st_ino


def _read_afresh(path: Path, *, thorough: bool) -> None:
    """Read the file through a connection that has nothing in memory.

    Raises:
        sqlite3.DatabaseError: it is damaged.
    """
    fresh = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        fresh.execute("PRAGMA busy_timeout=5000")
        names = {name for (name,) in fresh.execute("SELECT name FROM sqlite_master")}
        if not {"jobs", "recordings"} <= names:
            raise sqlite3.DatabaseError("its tables are gone")
        if thorough:
            _check_pages(fresh)
    finally:
        fresh.close()


def _check_pages(db: sqlite3.Connection) -> None:
    """Check each page.

    Raises:
        sqlite3.DatabaseError: one is damaged.
    """
    (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise sqlite3.DatabaseError(said)


def open_database(path: Path) -> sqlite3.Connection:
    """Open the file, or make it, and bring it to the newest version of the schema.

    Args:
        path: the file, in a folder that exists.

    Raises:
        StoreError: it was written by a newer version of Emoscope.
        sqlite3.OperationalError: the disk is full, or the file cannot be opened.
        sqlite3.DatabaseError: it is damaged.
    """
    path.touch(mode=0o600)
    path.chmod(0o600)
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        for line in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=5000",
            "secure_delete=ON",
        ):
            db.execute(f"PRAGMA {line}")
        _check_pages(db)
        _migrate(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    """Run the missing migrations, all of them or none.

    Raises:
        StoreError: the file is of a newer version.
    """
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(_MIGRATIONS):
        reason = f"{path.name}: version {version} > {len(_MIGRATIONS)}"
        raise StoreError("store_failed", reason=reason)
    db.execute("BEGIN IMMEDIATE")
    try:
        for statement in (*_TABLES, *(line for lines in _MIGRATIONS[version:] for line in lines)):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
