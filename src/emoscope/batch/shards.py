"""Shards: the input cut into pieces, each of which becomes one part of the output."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from emoscope.batch.columns import CarriedColumn
from emoscope.batch.items import BatchItem
from emoscope.batch.options import BatchOptions

SHARD_SIZE = 1_000
"""Recordings of a shard by default."""


@dataclass(frozen=True, slots=True)
class ShardCut:
    """How the input is cut."""

    size: int = SHARD_SIZE
    """Recordings of a shard at most."""
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


def cut_into_shards(
    items: Iterable[BatchItem], cut: ShardCut, seconds_of: Callable[[BatchItem], float]
) -> Iterator[InputShard]:
    """Cut items into shards, in their order.

    Args:
        items: rows of the input.
        cut: how many recordings or hours of sound a shard holds at most; one at least.
        seconds_of: seconds of sound of an item, asked where the cut is by hours.
    """
    index, held, seconds = 0, list[BatchItem](), 0.0
    for item in items:
        more_s = 0.0 if cut.hours is None else seconds_of(item)
        is_full = cut.hours is not None and seconds + more_s > cut.hours * 3600
        if held and (is_full or len(held) >= cut.size):
            yield InputShard(index, tuple(held))
            index, held, seconds = index + 1, [], 0.0
        held.append(item)
        seconds += more_s
    if held:
        yield InputShard(index, tuple(held))
