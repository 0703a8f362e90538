"""Job table in SQLite: parameters, progress and outcome of each recording.

A job is accepted when its row is on the disk, and its recordings before that; a server that is
killed finds both when it starts again.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from emoscope.errors import EmoscopeError, RequestError
from emoscope.server.http.span_field import spans_of_list, spans_to_json
from emoscope.server.jobs.database import JobDatabase
from emoscope.server.service import RecognitionOptions

State: TypeAlias = Literal["queued", "running", "succeeded", "failed", "cancelled"]
ItemState: TypeAlias = Literal["queued", "succeeded", "failed"]
ENDED = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Item:
    """Item of a job: one recording."""

    place: int
    name: str
    state: ItemState
    run: str | None
    """Its run, where runs are kept."""
    record: dict[str, Any] | None
    """Its ``result.json``, where they are not."""
    error: str | None
    """Code of what went wrong, and the values of its sentences."""
    data: dict[str, Any]
    attempts: int = 0
    """How often it was begun and neither ended nor interrupted: the process was lost over it."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job."""

    id: str
    owner: str
    state: State
    options: RecognitionOptions
    created_s: float
    """Seconds since 1970, as the two below."""
    started_s: float | None
    ended_s: float | None
    idempotency: str | None
    digest: str
    """Digest of the request, to tell a repetition from another request with the same key."""
    items: tuple[Item, ...]


class JobTable:
    """Table of the jobs of one outputs folder; thread-safe within one process.

    Args:
        path: the SQLite file; made with its folder when it is not there.
        now: seconds since 1970.

    Raises:
        StoreError: the file was written by a newer version of Emoscope.
    """

    def __init__(self, path: Path, *, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._claimant = secrets.token_hex(8)
        self.database = JobDatabase(path)

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def add(
        self,
        owner: str,
        options: RecognitionOptions,
        names: list[str],
        *,
        refused: Mapping[int, EmoscopeError] | None = None,
        digest: str,
        idempotency: str | None = None,
        id_: str | None = None,
    ) -> Job:
        """Accept a job; it is on the disk when this returns.

        Args:
            owner: id of the key; empty for none.
            options: options of each recording.
            names: of the recordings, in order.
            refused: errors of recordings that will not be worked on, by place.
            digest: digest of the whole request.
            idempotency: the client's key of this request.
            id_: of the job; a new one by default.

        Raises:
            sqlite3.IntegrityError: there is one with this owner and idempotency key.
        """
        id_ = id_ or new_id()
        with self.database.transaction() as db:
            db.execute(
                "INSERT INTO jobs (id, owner, state, granularity, embedding, utterances, heads,"
                " spans, pause_s, longest_s, created_s, idempotency, digest)"
                " VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    id_,
                    owner,
                    options.granularity,
                    options.embedding,
                    options.utterances,
                    ",".join(options.heads),
                    spans_to_json(options.spans),
                    options.pause_s,
                    options.longest_s,
                    self._now(),
                    idempotency,
                    digest,
                ),
            )
            db.executemany(
                "INSERT INTO recordings (job, place, name, state) VALUES (?, ?, ?, 'queued')",
                [(id_, place, name) for place, name in enumerate(names)],
            )
            db.executemany(
                "UPDATE recordings SET state = 'failed', error = ?, data = ?"
                " WHERE job = ? AND place = ?",
                [
                    (error.code, json.dumps(error.data), id_, place)
                    for place, error in (refused or {}).items()
                ],
            )
        return self.get(id_, owner)

    def get(self, id_: str, owner: str | None = None) -> Job:
        """Return a job.

        Raises:
            RequestError: there is none, or it belongs to another key.
        """
        with self.database.reading() as db:
            found = _jobs(db, "WHERE id = ?", (id_,))
        if not found or (owner is not None and found[0].owner != owner):
            raise RequestError("job_not_found", job=id_[:64])
        return found[0]

    def is_running(self, id_: str) -> bool:
        """Whether a job is still to be worked on."""
        with self.database.reading() as db:
            row = db.execute("SELECT state FROM jobs WHERE id = ?", (id_,)).fetchone()
        return row is not None and row[0] == "running"

    def asked_before(self, owner: str, idempotency: str) -> Job | None:
        """Return the job of an earlier request with this key."""
        with self.database.reading() as db:
            found = _jobs(db, "WHERE owner = ? AND idempotency = ?", (owner, idempotency))
        return found[0] if found else None

    def page(self, owner: str | None, first: int, count: int) -> tuple[list[Job], int]:
        """Return some jobs, newest first, and the number of all.

        Args:
            owner: id of the key whose jobs are wanted; None for all jobs.
            first: how many of the newest to pass over.
            count: how many to return at most.
        """
        where, values = ("", ()) if owner is None else ("WHERE owner = ?", (owner,))
        with self.database.reading() as db:
            total = db.execute(f"SELECT count(*) FROM jobs {where}", values).fetchone()[0]  # noqa: S608 - one of two sentences above
            order = f"{where} ORDER BY number DESC LIMIT ? OFFSET ?"
            return _jobs(db, order, (*values, count, first)), total

    def waiting(self) -> int:
        """How many jobs wait or run."""
        with self.database.reading() as db:
            row = db.execute(
                "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')"
            ).fetchone()
        return int(row[0])

    def counts(self) -> dict[State, tuple[int, float]]:
        """Return for each state the number of jobs, and when the oldest was made."""
        with self.database.reading() as db:
            rows = db.execute("SELECT state, count(*), min(created_s) FROM jobs GROUP BY state")
            return {state: (count, oldest) for state, count, oldest in rows}

    def release_claims(self) -> None:
        """Queue the running jobs of a process that has ended; for the owner of the folder."""
        with self.database.transaction() as db:
            db.execute(
                "UPDATE jobs SET state = 'queued', claimed_by = NULL WHERE state = 'running'"
            )

    def following(self, *, passed_over: int = 0) -> Job | None:
        """Claim and return the oldest job that is not at its end.

        Jobs with a recording over which the process was lost come after all others.

        Args:
            passed_over: jobs with a waiting recording that was begun in vain from once to so many
                times are passed over.
        """
        with self.database.transaction() as db:
            found = _jobs(
                db,
                "WHERE (state = 'queued' OR (state = 'running' AND claimed_by = ?)) AND NOT EXISTS"
                " (SELECT 1 FROM recordings WHERE job = id AND state = 'queued'"
                " AND attempts BETWEEN 1 AND ?) ORDER BY"
                " (SELECT max(attempts) FROM recordings WHERE job = id AND state = 'queued'),"
                " number LIMIT 1",
                (self._claimant, passed_over),
            )
            if not found:
                return None
            db.execute(
                "UPDATE jobs SET state = 'running', started_s = coalesce(started_s, ?),"
                " claimed_by = ? WHERE id = ?",
                (self._now(), self._claimant, found[0].id),
            )
        return self.get(found[0].id)

    def begin(self, id_: str, place: int) -> None:
        """Count an attempt at a recording; it is on the disk when this returns."""
        self._count(id_, place, 1)

    def interrupted(self, id_: str, place: int) -> None:
        """Take back the attempt: the process lives, so the recording did not end it."""
        self._count(id_, place, -1)

    def succeeded(
        self, id_: str, place: int, run: str | None, record: dict[str, Any] | None
    ) -> None:
        """Store the result of a recording.

        Args:
            id_: the job.
            place: place of the recording in the job, from 0.
            run: name of the run's directory; None where no run is kept.
            record: the result as JSON; None where the run has it.
        """
        text = None if record is None else json.dumps(record)
        with self.database.transaction() as db:
            db.execute(
                "UPDATE recordings SET state = 'succeeded', run = ?, record = ?"
                " WHERE job = ? AND place = ?",
                (run, text, id_, place),
            )

    def failed(self, id_: str, place: int, code: str, data: dict[str, Any]) -> None:
        """Store why a recording could not be recognized.

        Args:
            id_: the job.
            place: place of the recording in the job, from 0.
            code: code of the error.
            data: values of the error's sentences.
        """
        with self.database.transaction() as db:
            db.execute(
                "UPDATE recordings SET state = 'failed', error = ?, data = ?"
                " WHERE job = ? AND place = ?",
                (code, json.dumps(data, default=str), id_, place),
            )

    def end(self, id_: str, state: State) -> bool:
        """Bring a job to its end, if it is not there; say whether it was brought."""
        with self.database.transaction() as db:
            changed = db.execute(
                "UPDATE jobs SET state = ?, ended_s = ?"
                " WHERE id = ? AND state IN ('queued', 'running')",
                (state, self._now(), id_),
            )
            return changed.rowcount > 0

    def remove(self, id_: str) -> None:
        """Forget a job; afterwards none of its bytes are in the file or its log."""
        with self.database.transaction() as db:
            db.execute("DELETE FROM jobs WHERE id = ?", (id_,))
        with self.database.reading() as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def ids(self, *, ended_before_s: float | None = None) -> set[str]:
        """Ids of all jobs, or of those that ended before a moment."""
        if ended_before_s is None:
            query, values = "SELECT id FROM jobs", ()
        else:
            query, values = "SELECT id FROM jobs WHERE ended_s < ?", (ended_before_s,)  # type: ignore[assignment]
        with self.database.reading() as db:
            return {row[0] for row in db.execute(query, values)}

    def _count(self, id_: str, place: int, difference: int) -> None:
        with self.database.transaction() as db:
            db.execute(
                "UPDATE recordings SET attempts = max(attempts + ?, 0) WHERE job = ? AND place = ?",
                (difference, id_, place),
            )


def _jobs(db: sqlite3.Connection, rest: str, values: tuple[Any, ...]) -> list[Job]:
    rows = db.execute(
        "SELECT id, owner, state, granularity, embedding, created_s, started_s, ended_s,"  # noqa: S608 - our own words
        f" idempotency, digest, utterances, heads, spans, pause_s, longest_s FROM jobs {rest}",
        values,
    ).fetchall()
    return [
        Job(
            id=row[0],
            owner=row[1],
            state=row[2],
            options=RecognitionOptions(
                row[3],
                bool(row[4]),
                utterances=bool(row[10]),
                heads=tuple(filter(None, row[11].split(","))),
                spans=spans_of_list(_json(row[12]) or []),
                pause_s=row[13],
                longest_s=row[14],
            ),
            created_s=row[5],
            started_s=row[6],
            ended_s=row[7],
            idempotency=row[8],
            digest=row[9],
            items=_items(db, row[0]),
        )
        for row in rows
    ]


def _items(db: sqlite3.Connection, id_: str) -> tuple[Item, ...]:
    rows = db.execute(
        "SELECT place, name, state, run, record, error, data, attempts FROM recordings"
        " WHERE job = ? ORDER BY place",
        (id_,),
    )
    return tuple(
        Item(
            place=row[0],
            name=row[1],
            state=row[2],
            run=row[3],
            record=_json(row[4]),
            error=row[5],
            data=_json(row[6]) or {},
            attempts=row[7],
        )
        for row in rows
    )


def new_id() -> str:
    """Return an id that cannot be guessed."""
    return f"job_{secrets.token_hex(12)}"


def _json(text: str | None) -> Any:
    return None if text is None else json.loads(text)
