"""Storage of a batch in object storage: objects written whole, and a lock that is renewed.

An object is written by one put or by a completed multipart upload, before which nothing is seen
under its name. The lock is an object that its holder writes anew every few seconds; one that stays
as it is was left by a holder that ended. Creation is exclusive on Amazon S3 and on servers that
honour ``If-None-Match: *``; elsewhere two runs that begin within the same second may both get the
lock, and then write the same parts twice with the same content.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, cast

from emoscope.batch.addresses import read_whole
from emoscope.batch.remote import RemoteFiles, as_output_error
from emoscope.errors import EmoscopeError, SourceError, SourceNotFoundError, StoreError
from emoscope.files import translated_os_errors

LOCK_PREFIX = ".lock"
_TRIAL = ".write-check"
_IN_MEMORY_BYTES = 64 << 20
RENEWED_EVERY_S = 8.0
LEFT_AFTER_S = 30.0
"""A lock that was not renewed for so long was left by a holder that ended."""


class RemoteStorage:
    """Folder of a dataset in object storage: all objects whose names begin with its address.

    Args:
        address: such as ``s3://bucket/folder``.
        renewed_every_s: how often the lock is renewed, in seconds.
        left_after_s: how long a lock has to stay as it is to count as left behind, in seconds.
    """

    def __init__(
        self,
        address: str,
        *,
        renewed_every_s: float = RENEWED_EVERY_S,
        left_after_s: float = LEFT_AFTER_S,
    ) -> None:
        self.address = address.rstrip("/")
        self._files = RemoteFiles(address)
        self._renewed_every_s, self._left_after_s = renewed_every_s, left_after_s

    def prepare(self) -> None:
        """Check that objects can be written, by one that is removed at once.

        Raises:
            StoreError: they cannot: credentials, no such bucket, an address that only gives.
        """
        if self._files.is_read_only:
            raise StoreError("output_read_only", address=self.address)
        self._put(_TRIAL, b"emoscope")
        self.remove(_TRIAL)

    def names(self) -> list[str]:
        """Return the names of its objects, sorted, without locks; none where there is no folder.

        Raises:
            StoreError: access was refused, or all attempts failed.
        """
        return [name for name in self._all_names() if not name.startswith(LOCK_PREFIX)]

    def _all_names(self) -> list[str]:
        try:
            with _as_output():
                found = self._files.call(self.address, "ls", self.address, detail=True)
        except FileNotFoundError:
            return []
        names = (one["name"].rpartition("/")[2] for one in found if one["type"] == "file")
        return sorted(name for name in names if name)

    def read(self, name: str) -> bytes:
        """Return the content of an object.

        Raises:
            FileNotFoundError: there is none.
            StoreError: access was refused, or all attempts failed.
        """
        with _as_output():
            return read_whole(self._at(name), None)

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """Give a file that becomes the object when the block ends well, and nothing otherwise.

        Raises:
            StoreError: it cannot be written.
        """
        with translated_os_errors(self._at(name)), tempfile.NamedTemporaryFile() as file:
            yield cast(BinaryIO, file)
            file.flush()
            size_bytes = file.tell()
            file.seek(0)
            if size_bytes <= _IN_MEMORY_BYTES:
                self._put(name, file.read())
            else:
                self._call(name, "put_file", file.name, self._at(name), moved_bytes=size_bytes)

    def remove(self, name: str) -> None:
        """Remove an object; nothing happens where there is none.

        Raises:
            StoreError: access was refused, or all attempts failed.
        """
        with _as_output(), suppress(FileNotFoundError):
            self._files.call(self._at(name), "rm_file", self._at(name))

    @contextmanager
    def lock(self, name: str = "") -> Iterator[None]:
        """Hold the lock of the whole folder, or of a range of its shards, while the block runs.

        Args:
            name: of the range, such as ``0-100``; the empty name excludes all others.

        Raises:
            StoreError: another run holds it, or one that excludes it.
        """
        own = f"{LOCK_PREFIX}-{name}" if name else LOCK_PREFIX
        token = secrets.token_hex(8)
        self._take(own, token)
        ended = threading.Event()
        renewing = threading.Thread(
            target=self._renew, args=(own, token, ended), name="emoscope.lock", daemon=True
        )
        renewing.start()
        try:
            self._check_others(own)
            yield
        finally:
            ended.set()
            renewing.join()
            with suppress(EmoscopeError):
                self.remove(own)

    def clean(self) -> None:
        """Do nothing: what was not completed is no object.

        Parts of uploads that were never completed are removed by a rule of the bucket
        (``AbortIncompleteMultipartUpload``).
        """

    def _take(self, name: str, token: str) -> None:
        while not self._create(name, _lock_text(token, 0)):
            if not self._was_left(name):
                raise StoreError("batch_out_busy", out=self.address)
            self.remove(name)

    def _check_others(self, own: str) -> None:
        """Refuse what another run holds: the whole, or for the whole any range."""
        others = {
            name
            for name in self._all_names()
            if name != own
            and (name == LOCK_PREFIX or (own == LOCK_PREFIX and name.startswith(LOCK_PREFIX)))
        }
        for name in sorted(others):
            if not self._was_left(name):
                raise StoreError("batch_out_busy", out=self.address)
            self.remove(name)

    def _was_left(self, name: str) -> bool:
        """Watch a lock of another run until it is renewed or must have been left behind."""
        try:
            before = self.read(name)
            until_s = time.monotonic() + self._left_after_s
            while time.monotonic() < until_s:
                time.sleep(min(1.0, self._left_after_s / 4))
                if self.read(name) != before:
                    return False
        except FileNotFoundError:
            return True  # given back meanwhile
        return True

    def _renew(self, name: str, token: str, ended: threading.Event) -> None:
        beat = 0
        while not ended.wait(self._renewed_every_s):
            beat += 1
            with suppress(EmoscopeError, OSError):  # the next one may succeed
                self._put(name, _lock_text(token, beat))

    def _create(self, name: str, data: bytes) -> bool:
        """Write an object if none of this name is there; return whether it was written."""
        try:
            self.read(name)
        except FileNotFoundError:
            pass
        else:
            return False
        try:
            self._call(name, "pipe_file", self._at(name), data, mode="create")
        except FileExistsError:
            return False
        return True

    def _put(self, name: str, data: bytes) -> None:
        self._call(name, "pipe_file", self._at(name), data, moved_bytes=len(data))

    def _call(self, name: str, method: str, *args: object, **kwargs: object) -> None:
        is_new = kwargs.get("mode") == "create"
        try:
            self._files.call(self._at(name), method, *args, **kwargs)  # type: ignore[arg-type]
        except FileNotFoundError as exc:
            raise StoreError("output_missing", address=self.address) from exc
        except SourceError as exc:
            if is_new and _is_taken(exc):
                raise FileExistsError(name) from exc
            raise as_output_error(exc) from exc

    def _at(self, name: str) -> str:
        return f"{self.address}/{name}"


@contextmanager
def _as_output() -> Iterator[None]:
    """Give refusals and failures the codes of a place that is written to."""
    try:
        yield
    except SourceNotFoundError:
        raise
    except SourceError as exc:
        raise as_output_error(exc) from exc


def _is_taken(error: SourceError) -> bool:
    """Whether a conditional put was refused because there is such an object."""
    said = str(error.data.get("reason_en") or error.data.get("reason") or "").lower()
    return any(word in said for word in ("precondition", "pre-condition", "412", "conditional"))


def _lock_text(token: str, beat: int) -> bytes:
    about = {"host": socket.gethostname(), "pid": os.getpid(), "token": token, "renewed": beat}
    return json.dumps(about).encode()
