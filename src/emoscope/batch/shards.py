"""Shards: the input cut into pieces, each of which becomes one part of the output."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from emoscope.batch.columns import CarriedColumn
from emoscope.batch.items import BatchItem
from emoscope.batch.options import BatchOptions

SHARD_SIZE = 1_024
"""Recordings of a shard where there are very many."""
_FIRST_SIZE = 8
"""Recordings of a shard where there are few: every worker shall have some."""
_MANY = 512
"""Shards of which two become one, up to ``SHARD_SIZE``."""


@dataclass(frozen=True, slots=True)
class ShardCut:
    """How the input is cut."""

    size: int | None = None
    """Recordings of a shard at most; None: chosen by their number."""
    hours: float | None = None
    """Hours of sound after which a shard ends; None: not looked at."""


@dataclass(frozen=True, slots=True)
class InputShard:
    """Piece of the input."""

    index: int
    """Its place among the shards, from 0."""
    items: tuple[BatchItem, ...]

    @property
    def number(self) -> str:
        """Its place as names of files have it."""
        return shard_number(self.index)


def shard_number(index: int) -> str:
    """Return the place of a shard as names of files have it: ``00012``."""
    return f"{index:05d}"


def part_name(index: int) -> str:
    """Return the name of a shard's part; where it is there, the shard is done."""
    return f"part-{shard_number(index)}.parquet"


@dataclass(frozen=True, slots=True)
class ShardJob:
    """What a worker gets: a shard and what to do with it."""

    shard: InputShard
    options: BatchOptions
    columns: tuple[CarriedColumn, ...]
    """Columns of the lists that are carried to the output."""
    heads: tuple[str, ...]
    """Columns of the heads, as in ``export.records.head_columns``."""
    out: str
    """Address of the output."""
    careful: bool = False
    """Decode nothing ahead: when a worker ends now, one recording alone was in work."""
    condemned: frozenset[int] = frozenset()
    """Rows that ended a worker twice: they are written as errors and not touched again."""


class ShardCutter:
    """Cutter of items into pieces, in their order.

    Args:
        cut: how many recordings or hours of sound a piece holds at most; one recording at least.
        seconds_of: seconds of sound of an item, asked where the cut is by hours.
    """

    def __init__(self, cut: ShardCut, seconds_of: Callable[[BatchItem], float]) -> None:
        self._cut, self._seconds_of = cut, seconds_of
        self.size = cut.size or (_FIRST_SIZE if cut.hours is None else SHARD_SIZE)
        """Recordings of the next piece at most."""

    def pieces(self, items: Iterable[BatchItem]) -> Iterator[list[BatchItem]]:
        """Cut items."""
        held, seconds, hours = list[BatchItem](), 0.0, self._cut.hours
        for item in items:
            more_s = 0.0 if hours is None else self._seconds_of(item)
            is_full = hours is not None and seconds + more_s > hours * 3600
            if held and (is_full or len(held) >= self.size):
                yield held
                held, seconds = [], 0.0
            held.append(item)
            seconds += more_s
        if held:
            yield held

    def grows_at(self, count: int) -> bool:
        """Double the size where there are many pieces; say whether the pieces so far are to pair.

        So the size depends on nothing but the number of recordings.

        Args:
            count: pieces so far.
        """
        is_chosen = self._cut.size is None and self._cut.hours is None
        grows = is_chosen and count == _MANY and self.size < SHARD_SIZE
        self.size *= 2 if grows else 1
        return grows
