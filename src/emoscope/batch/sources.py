"""Sources of a batch: the file or the bytes behind an item, fetched ahead where that takes time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self

from emoscope.batch.addresses import read_whole
from emoscope.batch.archives import MEMBER_BYTES, MemberReader
from emoscope.batch.items import BatchItem
from emoscope.batch.remote import is_address

_AHEAD = 8
"""Recordings that are fetched from object storage ahead of the decoder."""
_FETCHERS = 4


class SourceReader:
    """Reader of the recordings of a shard. A context manager; safe in many threads.

    Files of this machine are given by their paths. Members of archives and objects are bytes; a few
    objects are fetched ahead, so that the model does not wait for each answer of the storage.

    Args:
        items: of the shard, in order.
        max_bytes: of one recording; None for a gigabyte where it is held in memory.
    """

    def __init__(self, items: Sequence[BatchItem] = (), max_bytes: int | None = None) -> None:
        self._max_bytes = max_bytes or MEMBER_BYTES
        self._members = MemberReader()
        self._left: Iterator[BatchItem] = iter(_fetched(items))
        self._waiting: dict[tuple[str, str], Future[bytes]] = {}
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End what is fetched, and close the archive that is open."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._members.close()

    def read(self, item: BatchItem) -> bytes | Path:
        """Return what is decoded: the path of a local file, else bytes.

        Raises:
            AudioTooLargeError: it is larger than it may be.
            SourceError: it cannot be read.
        """
        if item.member:
            return self._members.read(item, self._max_bytes)
        if not is_address(item.path):
            return Path(item.path)
        self._fetch_ahead()
        fetched = self._waiting.pop(item.file, None)
        return read_whole(item.path, self._max_bytes) if fetched is None else fetched.result()

    def _fetch_ahead(self) -> None:
        while len(self._waiting) < _AHEAD and (item := next(self._left, None)) is not None:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_FETCHERS, "fetch")
            future = self._pool.submit(read_whole, item.path, self._max_bytes)
            self._waiting[item.file] = future


def _fetched(items: Sequence[BatchItem]) -> Iterator[BatchItem]:
    """Items that are objects of their own, without those of the same object one after another."""
    before = ""
    for item in items:
        if item.error is None and not item.member and is_address(item.path):
            if item.path != before:
                yield item
            before = item.path
