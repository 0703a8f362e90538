"""Reader of ``model.safetensors``, with bfloat16.

Read here and not with the ``safetensors`` package, whose NumPy side has no bfloat16; the format
is one page long and has no code in it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from emoscope.emotion2vec.tensor_numbers import as_float32, item_bytes
from emoscope.errors import CheckpointError
from emoscope.messages.reasons import reason
from emoscope.waveform import Array32

_DTYPES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}
_MAX_HEADER_BYTES = 100_000_000
"""The limit of the format."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """Header entry of one tensor."""

    dtype: str
    shape: tuple[int, ...]
    first_byte: int
    last_byte: int


class SafetensorsFile:
    """A file in the safetensors format.

    Raises:
        CheckpointError: it is no such file, or cut off.
    """

    def __init__(self, path: Path) -> None:
        self.file = path.name
        self._stream = path.open("rb")
        try:
            self._entries = self._read_header(path.stat().st_size)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            self.close()
            raise CheckpointError(
                "checkpoint_damaged",
                file=self.file,
                **reason("header"),
            ) from exc
        self.shapes = {name: entry.shape for name, entry in self._entries.items()}

    def read(self, name: str) -> Array32:
        """Return one tensor as float32.

        Raises:
            CheckpointError: its numbers are cut off or changed.
            CheckpointError: it holds something else than floating-point numbers.
        """
        entry = self._entries[name]
        size = item_bytes(entry.dtype, name=name, file=self.file)
        length = entry.last_byte - entry.first_byte
        self._stream.seek(entry.first_byte)
        raw = self._stream.read(length)
        if len(raw) != length or length != prod(entry.shape) * size:
            raise CheckpointError(
                "checkpoint_damaged",
                file=self.file,
                **reason("tensor_length", name=name),
            )
        return as_float32(raw, entry.dtype).reshape(entry.shape)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _read_header(self, file_bytes: int) -> dict[str, _Entry]:
        header_bytes = int.from_bytes(self._stream.read(8), "little")
        if header_bytes > min(_MAX_HEADER_BYTES, file_bytes - 8):
            raise ValueError("the header is longer than the file")
        header = json.loads(self._stream.read(header_bytes))
        start = 8 + header_bytes
        return {
            name: _entry(described, start, file_bytes)
            for name, described in header.items()
            if name != "__metadata__"
        }


def _entry(described: dict[str, Any], start: int, file_bytes: int) -> _Entry:
    shape = tuple(described["shape"])
    first, last = (start + offset for offset in described["data_offsets"])
    if (
        not all(type(n) is int and n >= 0 for n in shape)
        or not start <= first <= last <= file_bytes
    ):
        raise ValueError("a tensor reaches past the file")
    dtype = described["dtype"]
    return _Entry(_DTYPES.get(dtype, dtype), shape, first, last)
