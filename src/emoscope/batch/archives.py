"""Tar and zip archives of recordings in WebDataset layout, on a disk or in object storage.

A sample is all members whose names agree up to the first dot of their last part: ``a/0001.wav``
with ``a/0001.json`` and ``a/0001.txt``. The sound is an item, and what the others say of it are its
carried columns. An archive that breaks off gives what lies before, and one item with an error.
Members are read by their place: in object storage a member of a plain tar costs its own bytes only.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Self, TypeAlias

from emoscope.batch.addresses import open_input
from emoscope.batch.items import BatchItem, Cell
from emoscope.errors import AudioTooLargeError, EmoscopeError, SourceError
from emoscope.limits import COMMAND_LINE, Limits

_UNPACKERS = {
    (".tar",): None,
    (".tar.gz", ".tgz"): gzip.open,
    (".tar.bz2", ".tbz2"): bz2.open,
    (".tar.xz", ".txz"): lzma.open,
}
ARCHIVE_ENDINGS = (*(ending for endings in _UNPACKERS for ending in endings), ".zip")
_SAID = (".json", ".txt", ".cls")
"""Endings of members that say something of the recording beside them."""
_MAX_SAID_BYTES = 1 << 20
MEMBER_BYTES = 1 << 30
"""Largest member where the limits name none: it is held in memory."""
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, OSError)


def is_archive(address: str) -> bool:
    """Whether a path or an address is named as an archive."""
    return address.lower().endswith(ARCHIVE_ENDINGS)


def members(address: str, limits: Limits = COMMAND_LINE) -> Iterator[BatchItem]:
    """List the recordings of an archive, in its order; rows are counted from 0.

    Args:
        address: path or address of the archive.
        limits: endings of recordings; other members are passed over.

    Raises:
        SourceNotFoundError: there is no such archive.
        SourceError: it cannot be opened.
    """
    short = address.rstrip("/").rpartition("/")[2]
    row = 0
    try:
        with OpenArchive(address) as archive:
            for sound, said in _samples(archive, limits):
                yield BatchItem(
                    row,
                    f"{short}/{sound.name}",
                    address,
                    member=sound.name,
                    offset=sound.offset,
                    size=sound.size_bytes,
                    carried=said,
                )
                row += 1
    except _BROKEN as exc:
        if isinstance(exc, EmoscopeError) and not row:
            raise
        yield BatchItem(row, short, address, error=_broken(short, exc))


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """Member of an archive."""

    name: str
    size_bytes: int
    offset: int
    """Where its bytes begin in a tar, after unpacking; -1 in a zip."""

    @property
    def key(self) -> str:
        """What the members of one sample share."""
        path = PurePosixPath(self.name)
        return str(path.parent / path.name.partition(".")[0])

    @property
    def ending(self) -> str:
        """Ending of its name, such as ``.wav``; none for what macOS writes beside files."""
        path = PurePosixPath(self.name)
        return "" if path.name.startswith("._") else path.suffix.lower()


class OpenArchive:
    """Archive that is open for reading; a context manager.

    Args:
        address: path or address.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._zip: zipfile.ZipFile | None = None
        with ExitStack() as stack:
            packed: BinaryIO = stack.enter_context(open_input(address))
            self._file = packed
            lower = address.lower()
            if lower.endswith(".zip"):
                self._zip = stack.enter_context(zipfile.ZipFile(packed))
            else:
                unpack: Any = next(one for ends, one in _UNPACKERS.items() if lower.endswith(ends))
                if unpack is not None:
                    self._file = stack.enter_context(unpack(packed))
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close it; a second call does nothing."""
        self._stack.close()

    def members(self) -> Iterator[ArchiveMember]:
        """List its files in order.

        Raises:
            TarError: the tar breaks off.
        """
        if self._zip is not None:
            for entry in self._zip.infolist():
                if entry.flag_bits & 1:
                    raise zipfile.BadZipFile(f"{entry.filename}: encrypted")
                if not entry.is_dir():
                    yield ArchiveMember(entry.filename, entry.file_size, -1)
            return
        with tarfile.open(fileobj=self._file, mode="r:") as archive:
            end = self._packed_size()
            for one in archive:
                archive.members = []  # type: ignore[attr-defined]  # else it keeps every one
                if not one.isfile():
                    continue
                if end is not None and one.offset_data + one.size > end:
                    raise EOFError(f"{one.name}: {one.offset_data + one.size} > {end}")
                yield ArchiveMember(one.name, one.size, one.offset_data)
            self._file.seek(archive.offset)
            # tarfile takes a header that is cut off for the end.
            if self._file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
                raise EOFError("no end of the archive")

    def read(self, name: str, offset: int, size_bytes: int) -> bytes:
        """Return the bytes of a member.

        Args:
            name: of the member.
            offset: where its bytes begin in a tar.
            size_bytes: of the member.

        Raises:
            EOFError: the archive breaks off.
        """
        with self._lock:
            if self._zip is not None:
                with self._zip.open(name) as file:
                    data = file.read(size_bytes + 1)
            else:
                self._file.seek(offset)
                data = self._file.read(size_bytes)
        if len(data) != size_bytes:
            raise EOFError(f"{name}: {len(data)} of {size_bytes} bytes")
        return data

    def _packed_size(self) -> int | None:
        """Size of a plain tar; None where only unpacking would tell."""
        if not self.address.lower().endswith(".tar"):
            return None
        at = self._file.tell()
        end = self._file.seek(0, 2)
        self._file.seek(at)
        return end


_Sample: TypeAlias = tuple[ArchiveMember, Mapping[str, Cell]]


def _samples(archive: OpenArchive, limits: Limits) -> Iterator[_Sample]:
    """Gather recordings with what the members beside them say."""
    key, sounds, said = "", list[ArchiveMember](), dict[str, Cell]()
    try:
        for member in archive.members():
            if member.key != key:
                yield from ((sound, said) for sound in sounds)
                key, sounds, said = member.key, [], {}
            if member.ending in limits.endings:
                sounds.append(member)
            elif member.ending in _SAID and member.size_bytes <= _MAX_SAID_BYTES:
                said.update(_said(archive, member))
    except _BROKEN:
        yield from ((sound, said) for sound in sounds)
        raise
    yield from ((sound, said) for sound in sounds)


def _said(archive: OpenArchive, member: ArchiveMember) -> Mapping[str, Cell]:
    """Return what a member says of its recording; text that is no JSON stays text."""
    data = archive.read(member.name, member.offset, member.size_bytes)
    text = data.decode("utf-8", "replace").strip()
    if member.ending != ".json":
        return {member.ending[1:]: text}
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return {"json": text}
    plain = (str, int, float, bool, type(None))
    return {
        str(name): value if isinstance(value, plain) else json.dumps(value, ensure_ascii=False)
        for name, value in said.items()
    }


class MemberReader:
    """Reader of members that keeps the last archive open; safe in many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OpenArchive | None = None

    def read(self, item: BatchItem, max_bytes: int | None = None) -> bytes:
        """Return the bytes of a recording in an archive.

        Args:
            item: of ``members``.
            max_bytes: more than these are refused before they are read.

        Raises:
            AudioTooLargeError: it is larger.
            SourceError: the archive cannot be read, or breaks off.
        """
        largest = max_bytes or MEMBER_BYTES
        if item.size > largest:
            raise AudioTooLargeError(max_bytes=largest)
        try:
            with self._lock:
                if self._open is None or self._open.address != item.path:
                    self.close()
                    self._open = OpenArchive(item.path)
                return self._open.read(item.member, item.offset, item.size)
        except _BROKEN as exc:
            if isinstance(exc, EmoscopeError):
                raise
            raise _broken(item.id, exc) from exc
        except KeyError as exc:  # the zip has no such member
            raise _broken(item.id, exc) from exc

    def close(self) -> None:
        """Close the archive that is open."""
        if self._open is not None:
            self._open.close()
            self._open = None


def _broken(name: str, exc: BaseException) -> EmoscopeError:
    if isinstance(exc, EmoscopeError):
        return exc
    said = " ".join(str(exc).split()) or type(exc).__name__
    return SourceError("archive_broken", name=name, reason=said)
