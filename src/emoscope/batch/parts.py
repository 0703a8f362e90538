"""Parts: the Parquet tables of one shard, written row group by row group and committed at the end.

The part itself is committed last, so where it is there, everything of its shard is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import numpy as np

from emoscope.batch import rows
from emoscope.batch.items import BatchItem
from emoscope.batch.shards import ShardJob, part_name
from emoscope.batch.storage import BatchStorage
from emoscope.optional import require
from emoscope.results.result import Failure, Result

SIDES = ("segments", "frames", "utterances", "errors")
"""Tables beside the part."""
_GROUP = 512
"""Rows of a row group; as many are in memory."""
_FRAME_GROUP = 30_000
"""Rows of a row group of frames: ten minutes."""
_EMBEDDING = "embedding.list.element"
"""Path of the numbers of embeddings in a Parquet file."""
FORMAT = "emoscope-batch"
FORMAT_VERSION = 1


def side_name(side: str, number: str) -> str:
    """Return the name of a table beside a part: ``errors-00012.parquet``."""
    return f"{side}-{number}.parquet"


class ShardWriter:
    """Writer of one shard's tables. A context manager: they are there when it ends without error.

    Args:
        job: the shard and what is written of it.
        storage: where to.
        dim: numbers per embedding.
        about: what stands in the schema of each table.
    """

    def __init__(
        self, job: ShardJob, storage: BatchStorage, dim: int, about: Mapping[str, object]
    ) -> None:
        self._job, self._storage, self._dim = job, storage, dim
        self._arrow: Any = require("pyarrow", extra="parquet")
        self._parquet: Any = require("pyarrow.parquet", extra="parquet")
        self._about = {FORMAT: json.dumps({"version": FORMAT_VERSION, **about}, sort_keys=True)}
        self._stack = ExitStack()
        self._tables: dict[str, _Table] = {}
        self.files: list[str] = []

    def __enter__(self) -> Self:
        options, number = self._job.options, self._job.shard.number
        there = set(self._storage.names())
        for side in SIDES:  # of a worker that ended before it had written the part
            if side_name(side, number) in there:
                self._storage.remove(side_name(side, number))
        self._stack.__enter__()
        embedding = self._dim if options.embedding != "none" else 0
        self._open("part", part_name(self._job.shard.index), rows.part_types(self._job), embedding)
        if options.segments:
            self._side("segments", rows.SEGMENT_TYPES)
        if options.utterances is not None:
            self._side("utterances", rows.UTTERANCE_TYPES)
        if options.writes_frames:
            frames = self._dim if options.embedding == "frames" else 0
            self._side("frames", rows.FRAME_TYPES, frames)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            try:
                for table in self._tables.values():
                    table.close()
            except BaseException as exc:
                self._stack.__exit__(type(exc), exc, exc.__traceback__)
                raise
        # The last one opened is committed first, so the part is the last.
        self._stack.__exit__(kind, error, traceback)

    def add(self, item: BatchItem, answer: Result | Failure) -> None:
        """Write what is known of a recording."""
        if isinstance(answer, Failure):
            if "errors" not in self._tables:
                self._side("errors", rows.ERROR_TYPES)
            self._tables["errors"].add(rows.error_row(item, answer))
            return
        self._tables["part"].add(rows.part_row(item, answer, self._job), answer.utterance_embedding)
        if "segments" in self._tables:
            for row in rows.batch_segments(item, answer):
                self._tables["segments"].add(row)
        if "utterances" in self._tables:
            for row in rows.batch_utterances(item, answer):
                self._tables["utterances"].add(row)
        if "frames" in self._tables:
            columns = rows.frame_columns(item, answer)
            self._tables["frames"].add_columns(columns, answer.embedding)

    def _side(self, side: str, types: Mapping[str, str], embedding: int = 0) -> None:
        self._open(side, side_name(side, self._job.shard.number), types, embedding)

    def _open(self, key: str, name: str, types: Mapping[str, str], embedding: int) -> None:
        file = self._stack.enter_context(self._storage.writing(name))
        schema = _schema(self._arrow, types, embedding).with_metadata(self._about)
        # A dictionary of floats that are all different is half as much again as the floats.
        encoding = {_EMBEDDING: "BYTE_STREAM_SPLIT"} if embedding else None
        # A name leads to its column alone, and lists have longer paths.
        others = [f"{one}{tail}" for one in types for tail in ("", ".list.element")]
        writer = self._parquet.ParquetWriter(
            file, schema, compression="zstd", use_dictionary=others, column_encoding=encoding
        )
        self._tables[key] = _Table(self._arrow, writer, schema)
        self.files.append(name)


class _Table:
    """One table: rows are held until a row group is full."""

    def __init__(self, arrow: Any, writer: Any, schema: Any) -> None:
        self._arrow, self._writer, self._schema = arrow, writer, schema
        self._rows: list[rows.RowCells] = []
        self._embeddings: list[Any] = []
        self._groups: list[Any] = []
        self._frames = 0

    def add(self, row: rows.RowCells, embedding: Any = None) -> None:
        self._rows.append(row)
        if embedding is not None:
            self._embeddings.append(embedding)
        if len(self._rows) >= _GROUP:
            self._flush()

    def add_columns(self, columns: dict[str, Any], embeddings: Any) -> None:
        self._groups.append(self._batch(columns, embeddings))
        self._frames += len(columns["row"])
        if self._frames >= _FRAME_GROUP:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            names = [name for name in self._schema.names if name != "embedding"]
            columns = {name: [row.get(name) for row in self._rows] for name in names}
            vectors = np.stack(self._embeddings) if self._embeddings else None
            self._groups.append(self._batch(columns, vectors))
            self._rows, self._embeddings = [], []
        if self._groups:
            table = self._arrow.Table.from_batches(self._groups, self._schema)
            self._writer.write_table(table, row_group_size=max(table.num_rows, 1))
            self._groups, self._frames = [], 0

    def _batch(self, columns: Mapping[str, Any], embeddings: Any) -> Any:
        arrays = []
        for field in self._schema:
            if field.name == "embedding":
                flat = self._arrow.array(np.ascontiguousarray(embeddings, np.float32).reshape(-1))
                size = field.type.list_size
                arrays.append(self._arrow.FixedSizeListArray.from_arrays(flat, size))
            else:
                arrays.append(self._arrow.array(columns[field.name], field.type))
        return self._arrow.RecordBatch.from_arrays(arrays, schema=self._schema)


def _schema(arrow: Any, types: Mapping[str, str], embedding: int) -> Any:
    kinds = {
        "string": arrow.string(),
        "strings": arrow.list_(arrow.string()),
        "int64": arrow.int64(),
        "float64": arrow.float64(),
        "float32": arrow.float32(),
        "bool": arrow.bool_(),
    }
    fields = [(name, kinds[kind]) for name, kind in types.items()]
    if embedding:
        fields.append(("embedding", arrow.list_(arrow.float32(), embedding)))
    return arrow.schema(fields)
