"""Embeddings of a corpus: one row per recording, as an array, a ``.npy`` or a Parquet file."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emoscope.errors import ResultError
from emoscope.files import atomic_write
from emoscope.optional import require
from emoscope.results.data_frame import Carried, carried_rows
from emoscope.results.result import Failure, Result
from emoscope.waveform import Array32

_OWN = ("name", "emotion", "error", "embedding")


def embeddings(answers: Iterable[Result | Failure]) -> Array32:
    """Return the embedding of each recording, float32 of shape ``(n, D)``.

    Recordings that failed have a row of NaN, so that rows and recordings agree.

    Args:
        answers: recognized with ``embedding="utterance"``, or with all frames.

    Raises:
        ResultError: no answer has an embedding, or two are of different models.
    """
    return _matrix([_row(one)[1] for one in answers])


def save_embeddings(
    answers: Iterable[Result | Failure], path: str | Path, columns: Carried = None
) -> tuple[int, int]:
    """Write the embedding of each recording into one file, and return its shape ``(n, D)``.

    Args:
        answers: recognized with ``embedding="utterance"``, or with all frames; in order.
        path: ``.npy`` is float32 of shape ``(n, D)``, NaN for failures. ``.parquet`` has the
            columns ``name``, ``emotion``, ``error`` and ``embedding``, null for failures.
        columns: columns of the list, one row per answer, for Parquet: a pandas table, a mapping of
            columns or a sequence of rows.

    Raises:
        ResultError: another ending; no answer has an embedding, or two are of different models;
            or more or fewer rows in ``columns`` than answers.
        ExtraMissingError: pyarrow is not installed, for Parquet.
        StoreError: the file cannot be written.
    """
    path = Path(path)
    if path.suffix not in (".npy", ".parquet"):
        raise ResultError("embedding_file_unknown", name=path.name)
    # One at a time: an answer may hold the rows of all its frames.
    kept = [_row(one) for one in answers]
    matrix = _matrix([vector for _, vector in kept])
    if path.suffix == ".npy":
        buffer = io.BytesIO()
        np.save(buffer, matrix, allow_pickle=False)
        data = buffer.getvalue()
    else:
        carried = carried_rows(columns, len(kept), _OWN)
        data = _parquet(
            matrix, [{**one, **row} for one, (row, _) in zip(carried, kept, strict=True)]
        )
    atomic_write(path, data)
    return matrix.shape


def _row(answer: Result | Failure) -> tuple[dict[str, Any], Array32 | None]:
    """Return what is written of an answer beside its embedding, and the embedding."""
    if isinstance(answer, Failure):
        return {"name": answer.name, "emotion": None, "error": answer.error.code}, None
    vector = answer.utterance_embedding
    if vector is None:
        raise ResultError("embedding_missing", name=answer.name)
    return {"name": answer.name, "emotion": answer.emotion.key, "error": None}, vector


def _matrix(vectors: Sequence[Array32 | None]) -> Array32:
    sizes = {len(one) for one in vectors if one is not None}
    if len(sizes) > 1:
        raise ResultError("embeddings_differ", sizes=", ".join(map(str, sorted(sizes))))
    rows = np.full((len(vectors), sizes.pop() if sizes else 0), np.nan, np.float32)
    for at, vector in enumerate(vectors):
        if vector is not None:
            rows[at] = vector
    return rows


def _parquet(matrix: Array32, rows: Sequence[dict[str, Any]]) -> bytes:
    arrow, parquet = (require(name, extra="parquet") for name in ("pyarrow", "pyarrow.parquet"))
    known = np.isfinite(matrix).all(axis=1) & (matrix.shape[1] > 0)
    vectors = [vector if is_known else None for vector, is_known in zip(matrix, known, strict=True)]
    kind = arrow.list_(arrow.float32(), matrix.shape[1])
    table = arrow.Table.from_pylist(list(rows)).append_column(
        "embedding", arrow.array(vectors, kind)
    )
    buffer = io.BytesIO()
    parquet.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()
