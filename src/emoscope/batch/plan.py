"""Plan of a batch: the input read once, cut into shards that wait in a temporary file."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Self

from emoscope.batch.columns import CarriedColumn, ColumnFinder
from emoscope.batch.items import BatchItem, item_of, item_record
from emoscope.batch.shards import InputShard, ShardCut, ShardCutter
from emoscope.errors import SourceNotFoundError
from emoscope.files import translated_os_errors


@dataclass(slots=True)
class BatchPlan:
    """The input of a batch, in shards. A context manager: its temporary file is removed at the end.

    In memory are only the places of the shards, however many rows there are.
    """

    digest: str = ""
    """Sha256 of the rows: ids, paths, spans and carried columns, not of the sound."""
    rows: int = 0
    columns: tuple[CarriedColumn, ...] = ()
    sizes: list[int] = field(default_factory=list)
    """Rows of each shard."""
    _places: list[int] = field(default_factory=list)
    _file: IO[bytes] = field(default_factory=tempfile.TemporaryFile)

    @classmethod
    def of(
        cls,
        items: Iterable[BatchItem],
        cut: ShardCut,
        taken: Iterable[str],
        seconds_of: Callable[[BatchItem], float],
    ) -> Self:
        """Read the input and cut it.

        Args:
            items: rows of the input.
            cut: how it is cut.
            taken: names of columns that the output has for itself.
            seconds_of: seconds of sound of an item, for cuts by hours.

        Raises:
            SourceNotFoundError: there is no row.
            InputError: the input cannot be read.
            StoreError: the temporary file does not fit.
        """
        plan, finder, digest = cls(), ColumnFinder(), hashlib.sha256()
        try:
            cutter = ShardCutter(cut, seconds_of)
            for piece in cutter.pieces(items):
                for item in piece:
                    finder.look(item.carried)
                    digest.update(_line(item))
                with translated_os_errors():
                    plan._add(piece)
                if cutter.grows_at(len(plan.sizes)):
                    plan._pair()
        except BaseException:
            plan.close()
            raise
        if not plan.rows:
            plan.close()
            raise SourceNotFoundError("batch_input_empty")
        plan.digest, plan.columns = digest.hexdigest(), finder.columns(list(taken))
        return plan

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.sizes)

    def close(self) -> None:
        """Remove the temporary file."""
        self._file.close()

    def shard(self, index: int) -> InputShard:
        """Return a shard."""
        self._file.seek(self._places[index])
        lines = (self._file.readline() for _ in range(self.sizes[index]))
        return InputShard(index, tuple(item_of(json.loads(line)) for line in lines))

    def shards(self) -> Iterator[InputShard]:
        """Yield all shards."""
        return map(self.shard, range(len(self)))

    def _add(self, piece: Sequence[BatchItem]) -> None:
        self._places.append(self._file.tell())
        self.sizes.append(len(piece))
        self.rows += len(piece)
        for item in piece:
            self._file.write(json.dumps(item_record(item)).encode() + b"\n")

    def _pair(self) -> None:
        """Make one shard of each two; there is an even number of them."""
        self._places = self._places[::2]
        pairs = zip(self.sizes[::2], self.sizes[1::2], strict=True)
        self.sizes = [one + other for one, other in pairs]


def _line(item: BatchItem) -> bytes:
    """Return what decides what becomes of an item."""
    span = (item.start_s, item.end_s)
    known = [item.id, item.path, item.member, *span, dict(item.carried)]
    code = None if item.error is None else item.error.code
    return json.dumps([*known, code], ensure_ascii=True).encode() + b"\n"
