"""Storage of a batch: named objects in a folder or at an address, each whole or absent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from emoscope.batch.remote import is_address
from emoscope.batch.remote_storage import RemoteStorage
from emoscope.errors import StoreError
from emoscope.files import (
    TEMPORARY,
    check_folder,
    is_abandoned,
    make_private_folder,
    opened_new,
    removed_on_failure,
    sync_folder,
    temporary_name,
    translated_os_errors,
)

LOCK_ENDING = ".lock"
LOCK_NAME = ".batch"
"""Beginning of the names of lock files."""
_PRIVATE = 0o600


class BatchStorage(Protocol):
    """Place of the output. Objects of this kind can be pickled and hold no connection."""

    @property
    def address(self) -> str:
        """The folder, or the address."""

    def prepare(self) -> None:
        """Make the folder and check that it can be written.

        Raises:
            StoreError: it is a file, read-only, or access is refused.
        """

    def names(self) -> list[str]:
        """Return the names of the objects that are complete, sorted; none where it is not there.

        Raises:
            StoreError: it cannot be read.
        """

    def read(self, name: str) -> bytes:
        """Read an object.

        Raises:
            FileNotFoundError: there is none of this name.
            StoreError: it cannot be read.
        """

    def writing(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Open an object for writing: it is there, whole, when the block ends without an error.

        Raises:
            StoreError: there is no room, or the system refuses.
        """

    def remove(self, name: str) -> None:
        """Remove an object, if it is there.

        Raises:
            StoreError: the system refuses.
        """

    def lock(self, name: str = "") -> AbstractContextManager[None]:
        """Hold the place while the block runs.

        Args:
            name: what of it; the whole by default.

        Raises:
            StoreError: another run holds it.
        """

    def clean(self) -> None:
        """Remove what writers that were killed have left."""


@dataclass(frozen=True, slots=True)
class LocalStorage:
    """Folder of this machine, for its owner only."""

    address: str

    @property
    def folder(self) -> Path:
        """The folder."""
        return Path(self.address)

    def prepare(self) -> None:
        """Make the folder and check that it can be written.

        Raises:
            StoreError: it is a file, or read-only.
        """
        check_folder(self.folder)
        with translated_os_errors(self.address):
            make_private_folder(self.folder)

    def names(self) -> list[str]:
        """Return the names of the complete files, sorted; none where there is no folder.

        Raises:
            StoreError: it cannot be read.
        """
        with translated_os_errors(self.address):
            try:
                found = os.listdir(self.folder)  # noqa: PTH208 - names alone
            except FileNotFoundError:
                return []
        return sorted(name for name in found if not name.startswith((TEMPORARY, LOCK_NAME)))

    def read(self, name: str) -> bytes:
        """Read a file.

        Raises:
            FileNotFoundError: there is none of this name.
            StoreError: it cannot be read.
        """
        path = self.folder / name
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise
        except OSError as exc:
            reason = exc.strerror or str(exc)
            raise StoreError("store_failed", reason=f"{path}: {reason}") from exc

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """Open a file for writing: it is there, whole, when the block ends without an error.

        Raises:
            StoreError: there is no room, or the system refuses.
        """
        path = self.folder / name
        temporary = self.folder / temporary_name()
        with translated_os_errors(path), removed_on_failure(temporary):
            with opened_new(temporary, mode=_PRIVATE) as file:
                yield file
            temporary.replace(path)
            sync_folder(self.folder)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there.

        Raises:
            StoreError: the system refuses.
        """
        with translated_os_errors(self.address):
            (self.folder / name).unlink(missing_ok=True)

    @contextmanager
    def lock(self, name: str = "") -> Iterator[None]:
        """Hold the folder while the block runs; the system frees it when the process ends.

        Args:
            name: what of it; the whole by default.

        Raises:
            StoreError: another run holds it.
        """
        from filelock import FileLock, Timeout

        path = self.folder / f"{LOCK_NAME}{name}{LOCK_ENDING}"
        lock = FileLock(path, mode=_PRIVATE)
        with translated_os_errors(path):
            try:
                lock.acquire(blocking=False)
            except Timeout as exc:
                raise StoreError("batch_out_busy", out=self.address) from exc
        try:
            yield
        finally:
            lock.release()  # the file stays: removing it would let two runs in

    def clean(self) -> None:
        """Remove what writers that were killed have left."""
        with translated_os_errors(self.address):
            for path in self.folder.glob(f"{TEMPORARY}*"):
                if is_abandoned(path):
                    path.unlink(missing_ok=True)


def open_storage(address: str) -> BatchStorage:
    """Return the storage at an address.

    Args:
        address: a folder, or an address such as ``s3://bucket/folder``.
    """
    if is_address(address):
        return RemoteStorage(address)
    return LocalStorage(str(Path(address).absolute()))
