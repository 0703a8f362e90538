"""Atomic writes (temporary name, fsync, rename) and errors of the file system as ours."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from emoscope.errors import EmoscopeError, StoreError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

TEMPORARY = ".tmp-"
"""What names begin with until their files are complete."""
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""What the system says when there is no room."""


def temporary_name() -> str:
    """Return a random name for a file that is not complete yet."""
    return f"{TEMPORARY}{secrets.token_hex(8)}"


def atomic_write(path: Path, data: bytes) -> None:
    """Write a file that people named, whole or not at all.

    Raises:
        StoreError: the disk is full; its previous content is unchanged.
        StoreError: it cannot be written.
    """
    with translated_os_errors(path):
        path = path.resolve()
        if path.exists() and not path.is_file():
            path.write_bytes(data)  # a pipe or a device: there is nothing to replace
            return
        mode = path.stat().st_mode & 0o7777 if path.exists() else None  # private stays private
        replace_file(path, lambda file: file.write(data), mode=mode)


def replace_file(
    path: Path,
    fill: Callable[[BinaryIO], object],
    *,
    temporary: Path | None = None,
    mode: int | None = None,
    durable: bool = True,
) -> None:
    """Write a file under another name, flush it to the disk, and rename it.

    Args:
        path: the file; what was there before stays until the rename.
        fill: writes the content.
        temporary: the other name, on the same file system; a random one beside ``path`` by default.
            A fixed one, for one writer at a time, replaces what a killed process has left.
        mode: permissions, from the first moment; those of any new file by default.
        durable: flush it; if not, a power cut may leave it empty, for what can be made again.

    Raises:
        OSError: the system refused; what was there before is there still.
    """
    if temporary is None:
        temporary = path.parent / temporary_name()
    else:
        temporary.unlink(missing_ok=True)
    with removed_on_failure(temporary):
        write_new(temporary, fill, mode=mode, durable=durable)
        temporary.replace(path)


def atomic_write_json(path: Path, data: Mapping[str, object]) -> None:
    """Write readable JSON, whole or not at all.

    Raises:
        OSError: the system refused; what was there before is there still.
    """
    text = json.dumps(data, ensure_ascii=False, indent=2) + "\n"
    replace_file(path, lambda file: file.write(text.encode()))


def write_free(path: Path, data: bytes) -> bool:
    """Write a file whole if none of this name is there; return whether it was written.

    Two processes that want the same name do not overwrite one another.

    Raises:
        StoreError: the disk is full; nothing is left behind.
        StoreError: it cannot be written.
    """
    with translated_os_errors(path):
        temporary = path.parent / temporary_name()
        with removed_on_failure(temporary):
            write_new(temporary, lambda file: file.write(data))
            try:
                path.hardlink_to(temporary)
            except FileExistsError:
                return False
            except OSError:  # a file system without links
                if path.exists():
                    return False
                temporary.replace(path)
                return True
            finally:
                temporary.unlink(missing_ok=True)
    return True


def write_new(
    path: Path,
    fill: Callable[[BinaryIO], object],
    *,
    mode: int | None = None,
    durable: bool = True,
) -> None:
    """Make a new file, filled and on the disk.

    Args:
        path: the file.
        fill: writes the content.
        mode: permissions, from the first moment; those of any new file by default.
        durable: flush it to the disk.

    Raises:
        OSError: the system refused, or there is such a file.
    """
    with opened_new(path, mode=mode, durable=durable) as file:
        fill(file)


@contextmanager
def opened_new(path: Path, *, mode: int | None = None, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a new file, locked; it is on the disk when the block ends without an error.

    Args:
        path: the file.
        mode: permissions, from the first moment; those of any new file by default.
        durable: flush it to the disk.

    Raises:
        OSError: the system refused, or there is such a file.
    """

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags, 0o666 if mode is None else mode)

    with open(path, "xb", opener=opener) as file:
        if mode is not None:
            os.chmod(path, mode)  # noqa: PTH101 - the umask may have taken bits away
        with suppress(OSError):  # a file system without locks
            _lock(file.fileno())
        yield file
        file.flush()
        if durable:
            os.fsync(file.fileno())


def make_private_folder(path: Path) -> None:
    """Make a folder that only its owner can enter; one that is there stays as it is.

    Raises:
        OSError: the system refused, or there is a file of this name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def new_folder(root: Path) -> Iterator[Path]:
    """Make a folder with a temporary name, for its owner only; the block fills and renames it.

    While the block runs the folder is locked, so that others see that its writer lives. Nothing is
    left of it when the block fails.

    Args:
        root: where it is made; made as well when it is not there.

    Raises:
        OSError: the system refused.
    """
    folder = root / temporary_name()
    make_private_folder(root)
    with removed_on_failure(folder):
        make_private_folder(folder)
        with ExitStack() as stack:
            with suppress(OSError):  # a file system without locks
                stack.enter_context(_locked(folder))
            yield folder


def is_abandoned(path: Path) -> bool:
    """Whether the writer of a new file or folder has ended; False where there are no locks."""
    try:
        with _locked(path):
            return True
    except OSError:
        return False


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file or folder.

    Raises:
        OSError: another process holds it, or there are no such locks here.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Lock a file or folder until it is closed.

    Raises:
        OSError: another process has locked it, or there are no such locks here.
    """
    if fcntl is None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def sync_folder(path: Path) -> None:
    """Make renames in a folder last through a power cut, where the system can do that."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def removed_on_failure(path: Path) -> Iterator[None]:
    """Leave nothing at ``path``, a file or a folder, when the block fails."""
    try:
        yield
    except BaseException:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        raise


@contextmanager
def translated_os_errors(what: Path | str | None = None) -> Iterator[None]:
    """Turn what the system says into ours.

    Args:
        what: is written, for the sentence; None leaves it away.

    Raises:
        StoreError: there is no room.
        StoreError: anything else that the system refused.
    """
    try:
        yield
    except EmoscopeError:
        raise
    except OSError as exc:
        if exc.errno in FULL:
            raise StoreError("store_full") from exc
        reason = exc.strerror or str(exc)
        raise StoreError(
            "store_failed", reason=reason if what is None else f"{what}: {reason}"
        ) from exc


def check_file(path: Path) -> None:
    """Check that a file can be written here, before the work whose result it is to hold.

    Raises:
        StoreError: it is a folder, its folder is missing, or the system refuses to write there.
    """
    with translated_os_errors(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with suppress(FileNotFoundError):
            path.stat()  # tells names that are too long, and links that lead round in a circle
            if not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            if not path.is_file():
                return
        _try_out(path.resolve().parent)


def check_folder(path: Path) -> None:
    """Check that files can be written into a folder, which need not exist yet.

    Raises:
        StoreError: it is a file, or the system refuses to make it or to write into it.
    """
    with translated_os_errors(path):
        path = path.absolute()
        while True:
            try:
                path.stat()
            except FileNotFoundError:
                path = path.parent
                continue
            _try_out(path)
            return


def _try_out(folder: Path) -> None:
    """Make a file and remove it: rights alone do not tell of a medium that is read-only."""
    trial = folder / temporary_name()
    trial.touch(exist_ok=False)
    trial.unlink()


def free_bytes(folder: Path) -> int:
    """Return how much a disk has free, of a folder that may not be there yet.

    Raises:
        OSError: the system does not tell.
    """
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free
