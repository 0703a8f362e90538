"""SQLite file of the jobs: schema, migrations, and a damaged file put aside."""

from __future__ import annotations

import logging
import secrets
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from emoscope.errors import StoreError
from emoscope.files import make_private_folder
from emoscope.observe.logs import fields

_log = logging.getLogger("emoscope.jobs")
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
)
"""Statements that lead from each version to the next; a row is never changed, only added."""


def open_database(path: Path) -> sqlite3.Connection:
    """Open the file, and bring it to the newest version of the schema.

    A damaged file is put aside together with its folder, which may hold recordings of accepted
    jobs, and an empty one takes its place.

    Args:
        path: the file; made with its folder when it is not there, for the owner only.

    Raises:
        StoreError: it was written by a newer version of Emoscope.
        sqlite3.OperationalError: the disk is full, or the file cannot be opened.
    """
    make_private_folder(path.parent)
    try:
        return _opened(path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as exc:
        aside = _put_aside(path.parent)
        _log.error(
            "the jobs database is damaged; its folder was put aside and jobs begin anew",
            extra=fields(code="jobs_damaged", folder=str(aside), reason=str(exc)[:200]),
        )
        make_private_folder(path.parent)
        return _opened(path)


def _opened(path: Path) -> sqlite3.Connection:
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
        (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            raise sqlite3.DatabaseError(said)
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


def _put_aside(folder: Path) -> Path:
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return folder.rename(folder.with_name(f"{folder.name}{DAMAGED}{now}-{secrets.token_hex(2)}"))
