"""Job worker: accepts jobs, runs them in one thread, resumes after a restart."""

from __future__ import annotations

import logging
import math
import re
import shutil
import sqlite3
import threading
import time
from contextlib import suppress
from typing import Self

from emoscope.errors import (
    BusyError,
    CancelledError,
    DecoderError,
    DecoderTimeoutError,
    EmoscopeError,
    InternalError,
    RequestError,
    ServerClosingError,
    ServiceError,
    StoreError,
    restore,
)
from emoscope.events import Event, Progress
from emoscope.files import translated_os_errors
from emoscope.messages.reasons import reason
from emoscope.observe.logs import fields
from emoscope.outputs.ownership import RunAccess
from emoscope.results.result import Failure
from emoscope.server.admission.queue import Deadline
from emoscope.server.jobs.database import damaged_folders, forget_damaged_folders
from emoscope.server.jobs.recordings import write_recordings
from emoscope.server.jobs.table import ENDED, Item, Job, JobTable, State, new_id
from emoscope.server.service import RecognitionOptions, RecognitionRequest, Service

_log = logging.getLogger("emoscope.jobs")
FOLDER = ".jobs"
_RETRY_AFTER_S = 60
_MOST_ATTEMPTS = 2
"""Losses of the process over one recording after which it is given up."""
_CHECK_WAIT_S = 0.1
"""Readiness is answered in the event loop; a table in use is not waited for."""
_PAUSE_S = 5.0
SETTLE_S = 10.0
_ID = re.compile(r"job_[0-9a-f]{24}")


class Jobs:
    """Job queue and worker of one server; its thread runs inside a ``with`` block.

    Args:
        service: what recognizes; its store's folder also holds the jobs.
        settle_s: seconds of work before a recording over which the process was lost is tried again,
            so that a server that is killed again and again for other reasons condemns none.
    """

    def __init__(self, service: Service, *, settle_s: float = SETTLE_S) -> None:
        self._settle_s, self._started_s = settle_s, time.monotonic()
        self._service = service
        self._folder = service.store.root / FOLDER
        self._table: JobTable | None = None
        self._opening = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._now: tuple[str, int, Deadline] | None = None
        self._progress: Progress | None = None
        self._damage_told = 0

    @property
    def table(self) -> JobTable:
        """The jobs; the file is made at the first access."""
        with self._opening:
            if self._table is None:
                self._table = JobTable(self._folder / "jobs.sqlite")
            return self._table

    def __enter__(self) -> Self:
        """Throw away what a killed server left half-accepted, and go on with the rest."""
        if self._folder.is_dir():
            self.table.release_claims()
            # Of a job that ended just before a kill the recordings may still be there.
            known = self.table.ids() - self.table.ids(ended_before_s=math.inf)
            for path in self._folder.iterdir():
                if path.is_dir() and path.name not in known:
                    shutil.rmtree(path, ignore_errors=True)
        self._started_s = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="emoscope-jobs", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop between two windows; a long recording in work goes on there next time."""
        self._stopping.set()
        self._wake.set()
        now = self._now
        if now is not None:
            now[2].cancel()
        if self._thread is not None:
            self._thread.join(10)
        if self._table is not None:
            self._table.close()

    def accept(
        self,
        owner: str,
        requests: list[RecognitionRequest],
        options: RecognitionOptions,
        idempotency: str | None,
    ) -> tuple[Job, bool]:
        """Write the recordings to the disk and queue a job.

        Args:
            owner: id of the key that sent it; empty where no keys are used.
            requests: the recordings, with equal options.
            options: options of all recordings.
            idempotency: the request's idempotency key, or None.

        Returns:
            The job, and whether it is new: the same key and content give the earlier job.

        Raises:
            RequestError: the key belongs to a request with another content.
            BusyError: too many jobs wait.
            StoreError: the disk, or the bound of the folder, is full; nothing is left of the job.
            StoreError: the recordings or the table cannot be written.
        """
        if self.table.waiting() >= self._service.settings.jobs_waiting:
            raise BusyError(retry_after_s=_RETRY_AFTER_S).at("jobs")
        id_ = new_id()
        folder = self._folder / id_
        accepted = False
        try:
            with translated_os_errors():
                digest, refused = write_recordings(folder, requests, options)
                self._check_size()
                before = self._before(owner, idempotency, digest)
                if before is not None:
                    return before, False
                names = [request.name or "audio" for request in requests]
                job = self.table.add(
                    owner,
                    options,
                    names,
                    refused=refused,
                    digest=digest,
                    idempotency=idempotency,
                    id_=id_,
                )
                accepted = True
        except sqlite3.IntegrityError as exc:  # the same request, twice at once
            before = self._before(owner, idempotency, digest)
            if before is None:
                raise InternalError from exc
            return before, False
        finally:
            if not accepted:
                shutil.rmtree(folder, ignore_errors=True)
        self._wake.set()
        return job, True

    def cancel(self, id_: str, owner: str | None) -> Job:
        """Bring a job to its end before it has come there.

        Raises:
            RequestError: there is none, or it belongs to another key.
            RequestError: it has ended already.
        """
        job = self.table.get(id_, owner)
        if not self._end(id_, "cancelled"):
            raise RequestError("job_state", state=job.state)
        now = self._now
        if now is not None and now[0] == id_:
            now[2].cancel()
        else:
            self._drop_recordings(id_)
        return self.table.get(id_, owner)

    def remove(self, id_: str, owner: str | None) -> None:
        """Forget a job that has ended; its runs stay.

        Raises:
            RequestError: there is none, or it belongs to another key.
            RequestError: it has not ended.
        """
        job = self.table.get(id_, owner)
        if job.state not in ENDED:
            raise RequestError("job_state", state=job.state)
        self.table.remove(id_)
        self._drop_recordings(id_)

    def check_working(self) -> None:
        """Check that the worker runs and that its table can be used.

        Raises:
            ServiceError: its thread has ended, the table cannot be used, or it was damaged since
                the last time this was asked.
        """
        if self._thread is None or not self._thread.is_alive():
            raise ServiceError("not_ready", **reason("jobs_stopped"))
        try:
            with suppress(ServiceError):  # what was damaged is counted
                self.check_table(wait_s=_CHECK_WAIT_S)
        except StoreError as exc:
            raise ServiceError("not_ready", **reason("jobs_unusable", reason=exc.code)) from exc
        damaged, self._damage_told = self.damaged() - self._damage_told, self.damaged()
        if damaged:
            raise ServiceError("not_ready", **reason("jobs_damaged"))

    def check_table(self, *, thorough: bool = False, wait_s: float = -1) -> None:
        """Read the table as the next start would; see ``JobDatabase.check``.

        Args:
            thorough: check each page, not only the schema.
            wait_s: seconds to wait for other threads; negative: for ever.

        Raises:
            StoreError: the table cannot be used.
            ServiceError: it was damaged, and jobs begin anew.
        """
        if self._table is not None:
            self._table.database.check(thorough=thorough, wait_s=wait_s)

    def damaged(self) -> int:
        """How many tables were put aside as damaged."""
        return self._table.database.damaged if self._table is not None else 0

    def counts(self) -> dict[State, tuple[int, float]]:
        """Return for each state the number of jobs and when the oldest came; see ``JobTable``."""
        return self.table.counts() if self._folder.is_dir() else {}

    def size_bytes(self) -> int:
        """Bytes of the recordings that wait, of the table, and of what was put aside."""
        total = 0
        for folder in (self._folder, *(path for path, _ in damaged_folders(self._folder))):
            for path in folder.rglob("*"):
                with suppress(OSError):
                    total += path.stat().st_size
        return total

    def forget_damaged(self, before_s: float = math.inf) -> bool:
        """Delete what was put aside before a moment; see ``forget_damaged_folders``."""
        return forget_damaged_folders(self._folder, before_s)

    def delivered(self, job: Job) -> None:
        """Forget a job whose results were sent, where nothing is to be kept."""
        if self._service.store.keep == "none" and job.state in ENDED:
            with suppress(RequestError):  # it was sent twice at once
                self.remove(job.id, None)

    def ended_before(self, seconds: float) -> set[str]:
        """Ids of the jobs that ended before a moment, in seconds since 1970."""
        return self.table.ids(ended_before_s=seconds) if self._folder.is_dir() else set()

    def progress(self, id_: str) -> tuple[int, Progress] | None:
        """Which recording of a job is in work, and how far it is."""
        now, progress = self._now, self._progress
        return (now[1], progress) if now and progress and now[0] == id_ else None

    def _end(self, id_: str, state: State) -> bool:
        is_ended = self.table.end(id_, state)
        if is_ended:
            self._service.metrics.job_ended(state)
        return is_ended

    def _check_size(self) -> None:
        most = self._service.settings.outputs_max_bytes
        if most and self.size_bytes() > most:
            raise StoreError("store_full")

    def _before(self, owner: str, idempotency: str | None, digest: str) -> Job | None:
        if idempotency is None:
            return None
        before = self.table.asked_before(owner, idempotency)
        if before is not None and before.digest != digest:
            raise RequestError("idempotency_conflict")
        return before

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                job, wait_s = self._following()
                if job is None:
                    self._wake.wait(wait_s)
                    self._wake.clear()
                else:
                    self._work_off(job)
            except ServerClosingError:
                return
            except RequestError:  # the job is gone: forgotten, or put aside with a damaged table
                continue
            except (ServiceError, StoreError) as error:
                _log.warning("jobs have to wait", extra=fields(code=error.code))
                self._stopping.wait(_PAUSE_S)
            except Exception:
                _log.exception("a job could not be worked off; it is tried again")
                self._stopping.wait(1.0)

    def _following(self) -> tuple[Job | None, float | None]:
        """Return the next job, or how long to wait for one that is passed over until then."""
        if not (self._table or self._folder.is_dir()):
            return None, None
        left_s = self._started_s + self._settle_s - time.monotonic()
        if left_s <= 0:
            return self.table.following(), None
        return self.table.following(passed_over=_MOST_ATTEMPTS - 1), left_s

    def _work_off(self, job: Job) -> None:
        for item in sorted(job.items, key=lambda item: item.attempts):
            if item.state == "queued":
                try:
                    self._one(job, item)
                except CancelledError:
                    break
        if self._stopping.is_set():
            return
        states = {item.state for item in self.table.get(job.id).items}
        if "queued" in states and self.table.is_running(job.id):
            return  # a recording is tried once more, after all other jobs
        self._end(job.id, "succeeded" if "succeeded" in states else "failed")
        self._drop_recordings(job.id)

    def _one(self, job: Job, item: Item) -> None:
        """Recognize one recording.

        Raises:
            CancelledError: the job was cancelled, or the server ends.
            ServerClosingError: the server ends.
        """
        if item.attempts >= _MOST_ATTEMPTS:
            times = {"times": item.attempts}
            self.table.failed(job.id, item.place, "recording_crashed", times)
            _log.error("a recording ended the server; it is given up", extra=fields(job=job.id))
            return
        deadline = Deadline()
        self._now = (job.id, item.place, deadline)
        try:
            if self._stopping.is_set() or not self.table.is_running(job.id):
                raise CancelledError
            with self._service.admission.permit():
                folder = self._folder / job.id
                self.table.begin(job.id, item.place)
                data = (folder / str(item.place)).read_bytes()
                request = RecognitionRequest(data, item.name, job.options)
                (run,) = self._service.work(
                    request,
                    deadline,
                    self._listen,
                    store=self._service.store.seen_by(RunAccess(job.owner)),
                    checkpoint_dir=folder,
                )()
            record = None if run.kept else run.result.to_dict()
            self.table.succeeded(job.id, item.place, run.name or None, record)
        except (CancelledError, ServerClosingError):
            self.table.interrupted(job.id, item.place)
            raise
        except EmoscopeError as error:
            if not _may_be_chance(error) or item.attempts + 1 >= _MOST_ATTEMPTS:
                self.table.failed(job.id, item.place, error.code, error.data)
        except Exception:
            _log.exception("a recording of a job could not be recognized")
            self.table.failed(job.id, item.place, "internal", {})
        finally:
            self._now = self._progress = None

    def _listen(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._progress = event

    def _drop_recordings(self, id_: str) -> None:
        if _ID.fullmatch(id_):
            shutil.rmtree(self._folder / id_, ignore_errors=True)


def _may_be_chance(error: EmoscopeError) -> bool:
    """Whether the decoder was lost, which the system may have done for want of memory."""
    return isinstance(error, DecoderError) and not isinstance(error, DecoderTimeoutError)


def failure_of(item: Item) -> Failure:
    """Return why a recording could not be recognized."""
    return Failure(item.name, restore(item.error or "", item.data) or InternalError())
