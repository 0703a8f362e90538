"""Download of one file: resumed, retried, verified.

Both hubs are served by this one plain-HTTP downloader, on the standard library alone. With
``huggingface_hub`` 2.4, measured against the same local server (``benchmarks/hub_library.py``), a
download that breaks off starts at its first byte again, because what arrived is removed; bytes of
the right length are accepted whatever their sha256; and ModelScope would still need this file.
What is given up: Xet, which is faster on very fast lines, and repositories that need a login.

Beside ``model.pt.part`` lies ``model.pt.part.json`` with the ETag under which it was begun.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emoscope.errors import (
    HubAnswerError,
    HubError,
    HubFileChangedError,
    HubNotFoundError,
    HubRefusedError,
    HubUnreachableError,
    ModelDiskFullError,
)
from emoscope.hub import transport
from emoscope.hub.headers import HubStatement, body_start, hub_statement, retry_after_s, whole_bytes
from emoscope.hub.progress import Downloading, PullListener, Retrying, ignore_pull
from emoscope.messages.reasons import reason
from emoscope.models.catalog import ModelFile
from emoscope.models.record import Checked, Fetched

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FileRequest:
    """File to fetch, with the expected size and sha256 where known."""

    hub: str
    """What people call the hub."""
    url: str
    revision: str
    path: str
    """Name of the file in the repository."""
    bytes: int = 0
    """0 where it is not known."""
    sha256: str = ""
    """Empty where it is not known."""
    known_by: Checked = "catalog"
    """Whose word the sha256 is."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Attempts and timeouts of requests to a hub."""

    attempts: int = 5
    """In a row without ``progress_bytes`` more on the disk."""
    timeout_s: float = 30.0
    """Longest silence."""
    first_wait_s: float = 1.0
    """After the first failure; doubled after each further one."""
    longest_wait_s: float = 30.0
    longest_retry_after_s: float = 120.0
    """A hub that asks for a longer wait (HTTP 429) is given up at once."""
    progress_bytes: int = CHUNK_BYTES


class _AgainError(Exception):
    """A failed attempt that may be retried."""

    def __init__(self, error: HubError, wait_s: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait_s = wait_s


class Downloader:
    """Sequential downloader of files.

    Args:
        patience: how long to try.
        listener: called with progress and every failed attempt.
        sleep: waits between attempts.
        free_bytes: what the disk of a folder has left.
    """

    def __init__(
        self,
        patience: RetryPolicy | None = None,
        *,
        listener: PullListener = ignore_pull,
        sleep: Callable[[float], None] = time.sleep,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self.patience = patience or RetryPolicy()
        self._listener = listener
        self._sleep = sleep
        self._free_bytes = free_bytes

    def fetch(self, wanted: FileRequest, folder: Path, *, reserve_bytes: int = 0) -> Fetched:
        """Fetch one file into a folder, going on where an earlier attempt stopped.

        Args:
            wanted: the file and what it must be.
            folder: gets the file under its own name, once it is whole and checked.
            reserve_bytes: what must stay free on the disk besides the file.

        Raises:
            HubError: it was not delivered, or not as promised.
            ModelDiskFullError: there is no room for it.
        """
        part = folder / f"{wanted.path}.part"
        said, pieced = self._deliver(wanted, part, reserve_bytes)
        try:
            return _accept(wanted, said, part)
        except HubFileChangedError:
            if not pieced:
                raise
        # The fault may lie in what an earlier attempt left: once more, from the first byte.
        said, _ = self._deliver(wanted, part, reserve_bytes)
        return _accept(wanted, said, part)

    def require_space(self, folder: Path, needed_bytes: int) -> None:
        """Look at the disk before anything is written.

        Raises:
            ModelDiskFullError: it has less left than is needed.
        """
        free = self._free_bytes(folder)
        if free < needed_bytes:
            raise ModelDiskFullError(needed_mb=needed_bytes / 1e6, free_mb=free / 1e6)

    def _deliver(
        self, wanted: FileRequest, part: Path, reserve_bytes: int
    ) -> tuple[HubStatement, bool]:
        """Make attempts until the part is as long as the file.

        Returns:
            What the hub said, and whether the part was put together from several answers.
        """
        failures = 0
        while not (wanted.sha256 and 0 < wanted.bytes == _size(part)):
            before = _size(part)
            try:
                return self._attempt(wanted, part, reserve_bytes)
            except _AgainError as again:
                gained = _size(part) - before >= self.patience.progress_bytes
                failures = 1 if gained else failures + 1
                if failures >= self.patience.attempts:
                    raise again.error from again
                self._wait(wanted, again, failures)
        return HubStatement(), True  # a run that ended just before the check; the pin decides

    def _wait(self, wanted: FileRequest, again: _AgainError, failures: int) -> None:
        patience = self.patience
        wait_s = again.wait_s
        if wait_s is None:
            wait_s = min(patience.first_wait_s * 2 ** (failures - 1), patience.longest_wait_s)
        self._listener(Retrying(wanted.hub, wanted.path, again.error, wait_s))
        self._sleep(wait_s)

    def _attempt(
        self, wanted: FileRequest, part: Path, reserve_bytes: int
    ) -> tuple[HubStatement, bool]:
        """One request; the part grows by what it brings."""
        headers = _resume_headers(wanted, part)
        try:
            answer = transport.get(wanted.url, headers=headers, timeout_s=self.patience.timeout_s)
        except transport.CutError as exc:
            if exc.lasting:
                raise self._unreachable(wanted, str(exc), attempts=1) from exc
            raise _AgainError(self._unreachable(wanted, str(exc))) from exc
        except transport.RedirectRefusedError as exc:
            raise _refused(wanted, "redirect", address=exc) from exc
        with answer:
            said = hub_statement((*answer.hops, answer.headers))
            total = whole_bytes(answer.status, answer.headers) or said.bytes or wanted.bytes
            if answer.status == 416 and total == _size(part):
                return said, True  # nothing is left to ask for
            self._check_status(wanted, answer, part)
            start = self._check_start(wanted, answer, part)
            _check_promises(wanted, said, total, part)
            if total:
                self.require_space(part.parent, total - start + reserve_bytes)
            if not start:
                _discard(part)  # before the mark of the new one is written
            _write_mark(part, answer.headers.get("ETag", ""))
            self._receive(wanted, answer, part, start, total)
        return said, start > 0

    def _check_status(self, wanted: FileRequest, answer: transport.HttpAnswer, part: Path) -> None:
        """Let 200 and 206 pass."""
        status, wait_s = answer.status, retry_after_s(answer.headers)
        if status in (404, 410):
            raise HubNotFoundError(hub=wanted.hub, file=wanted.path, revision=wanted.revision)
        if status in (401, 403):
            raise HubRefusedError(hub=wanted.hub, file=wanted.path, status=status)
        if status == 429:
            error = HubUnreachableError("hub_busy", hub=wanted.hub, wait_s=wait_s or 0)
            if wait_s is not None and wait_s > self.patience.longest_retry_after_s:
                raise error
            raise _AgainError(error, wait_s)
        if status == 416:
            _discard(part)  # longer than the file: it cannot be a part of it
        if status in (408, 416) or status >= 500:
            wait_s = min(wait_s, self.patience.longest_wait_s) if wait_s else None
            raise _AgainError(self._unreachable(wanted, f"HTTP {status}"), wait_s)
        if status not in (200, 206):
            raise _refused(wanted, "as_said", reason=f"HTTP {status}")
        _check_body(wanted, answer)

    def _check_start(self, wanted: FileRequest, answer: transport.HttpAnswer, part: Path) -> int:
        """Return where the body belongs; what does not fit to the part starts it anew."""
        start = body_start(answer.status, answer.headers)
        if start == 0 and answer.status == 200:
            return 0
        begun, etag = _read_mark(part), answer.headers.get("ETag", "")
        is_other = bool(begun and etag and begun != etag and not wanted.sha256)
        if start != _size(part) or is_other:
            _discard(part)
            raise _AgainError(self._unreachable(wanted, "wrong range"))
        return start

    def _receive(
        self, wanted: FileRequest, answer: transport.HttpAnswer, part: Path, start: int, total: int
    ) -> None:
        done = start
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            self._listener(Downloading(wanted.hub, wanted.path, done, total))
            try:
                while data := answer.read(CHUNK_BYTES):
                    file.write(data)
                    done += len(data)
                    self._listener(Downloading(wanted.hub, wanted.path, done, total))
                    if total and done > total:
                        break
            except transport.CutError as exc:
                raise _AgainError(self._unreachable(wanted, str(exc))) from exc
            finally:
                file.flush()
                os.fsync(file.fileno())
        if done < total:
            raise _AgainError(self._unreachable(wanted, "connection cut"))
        if total and done > total:
            _discard(part)
            raise _changed(wanted, "bytes", total, f"> {total}")

    def _unreachable(
        self, wanted: FileRequest, reason: str, *, attempts: int = 0
    ) -> HubUnreachableError:
        attempts = attempts or self.patience.attempts
        return HubUnreachableError(
            "hub_unreachable", hub=wanted.hub, file=wanted.path, reason=reason, attempts=attempts
        )


def _resume_headers(wanted: FileRequest, part: Path) -> dict[str, str]:
    """Ask for the rest, if what is here can be known to belong to the same file."""
    size = _size(part)
    if size and wanted.sha256:
        # The sha256 decides in the end. If-Range would lose a gigabyte whenever two storage
        # servers of one hub disagree about the ETag.
        return {"Range": f"bytes={size}-"}
    if size and (etag := _read_mark(part)):
        return {"Range": f"bytes={size}-", "If-Range": etag}
    return {}


def _check_body(wanted: FileRequest, answer: transport.HttpAnswer) -> None:
    """Refuse what is not the plain file, or has no end that could be checked."""
    coding = answer.headers.get("Content-Encoding", "identity")
    if coding != "identity":
        raise _refused(wanted, "compressed", coding=coding)
    if answer.headers.get_content_type() == "text/html":
        raise _refused(wanted, "web_page")
    lengths = {"Content-Length", "Content-Range", "Transfer-Encoding"}
    if not lengths & set(answer.headers.keys()):
        raise _refused(wanted, "no_length")


def _check_promises(wanted: FileRequest, said: HubStatement, total: int, part: Path) -> None:
    """Compare what the hub is about to send with the pin, before gigabytes of it."""
    if wanted.bytes and total and total != wanted.bytes:
        _discard(part)
        raise _changed(wanted, "bytes", wanted.bytes, total)
    if wanted.sha256 and len(said.digest) == 64 and said.digest != wanted.sha256:
        _discard(part)
        raise _changed(wanted, "sha256", wanted.sha256, said.digest)


def _accept(wanted: FileRequest, said: HubStatement, part: Path) -> Fetched:
    """Check a complete part and give it its name."""
    size = _size(part)
    sha256 = hashlib.sha256()
    git = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    plain = hashlib.sha1(usedforsecurity=False)
    with part.open("rb") as file:
        while data := file.read(CHUNK_BYTES):
            sha256.update(data)
            if len(said.digest) == 40:
                git.update(data)
                plain.update(data)
    found = sha256.hexdigest()
    checked: Checked = "nothing"
    if wanted.sha256:
        checked = wanted.known_by
        _compare(wanted, part, "sha256", wanted.sha256, found)
    elif said.digest:
        checked = "hub"
        if len(said.digest) == 64:
            _compare(wanted, part, "sha256", said.digest, found)
        elif said.digest != plain.hexdigest():  # what some mirrors put there
            _compare(wanted, part, "git sha1", said.digest, git.hexdigest())
    part.replace(part.with_suffix(""))
    _mark(part).unlink(missing_ok=True)
    return Fetched(ModelFile(wanted.path, size, found), checked, said.commit)


def _compare(wanted: FileRequest, part: Path, what: str, expected: str, found: str) -> None:
    if found != expected:
        _discard(part)
        raise _changed(wanted, what, expected, found)


def _refused(wanted: FileRequest, why: str, **data: object) -> HubAnswerError:
    return HubAnswerError(hub=wanted.hub, file=wanted.path, **reason(why, **data))


def _changed(
    wanted: FileRequest, what: str, expected: object, found: object
) -> HubFileChangedError:
    return HubFileChangedError(
        hub=wanted.hub, file=wanted.path, what=what, expected=expected, found=found
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _mark(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_mark(part: Path) -> str:
    """The strong ETag under which the part was begun; empty if there is none."""
    try:
        etag = str(json.loads(_mark(part).read_text("utf-8"))["etag"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return ""
    return etag if etag.startswith('"') else ""  # a weak one cannot guard a range


def _write_mark(part: Path, etag: str) -> None:
    _mark(part).write_text(json.dumps({"etag": etag}), encoding="utf-8")


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _mark(part).unlink(missing_ok=True)
