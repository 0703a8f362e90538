"""Output of a batch, read again: its model, and its vectors as entries of an index."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np

from emoscope.batch.manifest import MANIFEST, BatchManifest
from emoscope.batch.parts import FORMAT
from emoscope.batch.storage import LocalStorage
from emoscope.errors import StoreError, VectorIndexError
from emoscope.labels import KEYS
from emoscope.messages.aliases import LABEL_WORDS, SPEAKER_WORDS
from emoscope.optional import require
from emoscope.paths.access import is_file
from emoscope.results.result import ModelRef
from emoscope.vectors.entry import Entry
from emoscope.waveform import Array32

VectorBlock: TypeAlias = list[tuple[Entry, Array32]]
"""Entries of an index and their vectors, float32 of shape ``(D,)``."""


def is_batch_output(path: Path) -> bool:
    """Whether a path is the folder of a batch's output."""
    if not is_file(path / MANIFEST):
        return False
    try:
        found = json.loads((path / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("format") == FORMAT


@dataclass(frozen=True, slots=True)
class BatchOutput:
    """Folder with the parts of a batch."""

    folder: Path
    model: ModelRef
    dim: int
    """Numbers per vector."""
    speaker: str | None
    """Column with the speaker; None where the lists had none."""
    label: str | None
    """Column with the label that the lists gave."""

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read the manifest of a batch's output.

        Raises:
            StoreError: it is damaged, or of another version.
            VectorIndexError: it was written without embeddings.
        """
        manifest = BatchManifest.read(LocalStorage(str(folder)))
        if manifest is None:
            raise StoreError("batch_out_damaged", out=str(folder), reason="no manifest")
        data = manifest.data
        if data["options"]["embedding"] == "none":
            raise VectorIndexError("batch_without_vectors", name=folder.name)
        model = {name: value for name, value in data["model"].items() if name != "embedding_size"}
        columns = {source.strip().lower(): name for source, name, _kind in data["input"]["columns"]}
        return cls(
            folder,
            ModelRef.from_dict(model),
            int(data["model"]["embedding_size"]),
            next((columns[word] for word in SPEAKER_WORDS if word in columns), None),
            next((columns[word] for word in LABEL_WORDS if word in columns), None),
        )

    def blocks(self) -> Iterator[tuple[VectorBlock, list[str]]]:
        """Yield what an index keeps, block by block, and the names of recordings without speech.

        Raises:
            ExtraMissingError: pyarrow is not installed.
            StoreError: a part is damaged.
        """
        arrow, parquet = (require(name, extra="parquet") for name in ("pyarrow", "pyarrow.parquet"))
        own = ("id", "path", "member", "start_s", "sha256", "duration_s", "abstain", *KEYS)
        more = [name for name in (self.speaker, self.label) if name is not None]
        for path in sorted(self.folder.glob("part-*.parquet")):
            try:
                file = parquet.ParquetFile(path)
                for batch in file.iter_batches(columns=[*own, *more, "embedding"]):
                    yield self._block(batch)
            except (arrow.ArrowException, OSError) as exc:
                reason = f"{path.name}: {exc}"[:160]
                raise StoreError("batch_out_damaged", out=str(self.folder), reason=reason) from exc

    def _block(self, batch: Any) -> tuple[VectorBlock, list[str]]:
        rows = batch.drop_columns(["embedding"]).to_pylist()
        flat = batch.column("embedding").flatten().to_numpy(zero_copy_only=False)
        vectors = np.asarray(flat, np.float32).reshape(len(rows), self.dim)
        silent = [row["id"] for row in rows if "no_speech" in row["abstain"]]
        block = [
            (self._entry(row), vector)
            for row, vector in zip(rows, vectors, strict=True)
            if "no_speech" not in row["abstain"]
        ]
        return block, silent

    def _entry(self, row: Mapping[str, Any]) -> Entry:
        start_s = row["start_s"] or 0.0
        scores: Sequence[float] = [row[key] for key in KEYS]
        return Entry(
            name=row["id"],
            sha256=row["sha256"],
            start_s=start_s,
            end_s=start_s + row["duration_s"],
            scores=tuple(scores),
            path="" if row["member"] else row["path"],
            speaker=_word(row, self.speaker),
            label=_word(row, self.label),
        )


def _word(row: Mapping[str, Any], column: str | None) -> str:
    value = None if column is None else row[column]
    return "" if value is None else str(value)
