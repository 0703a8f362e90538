"""Formats of a run's files as they are written: ``.npy`` in pieces, JSON of one key a line."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

import numpy as np

from emoscope.waveform import release_pages

_ROWS = 4_096
"""Rows of an array written at once."""


def write_npy(file: BinaryIO, array: np.ndarray[Any, Any]) -> None:
    """Write a ``.npy`` file that loads with ``allow_pickle=False``, piece by piece."""
    header = np.lib.format.header_data_from_array_1_0(np.ascontiguousarray(array[:1]))
    np.lib.format.write_array_header_1_0(file, {**header, "shape": array.shape})
    for first in range(0, len(array), _ROWS):
        file.write(np.ascontiguousarray(array[first : first + _ROWS]).data)
        release_pages(array)


def write_json_lines(file: BinaryIO, data: dict[str, Any]) -> None:
    """Write UTF-8 JSON, one key a line, so that thousands of frames are one line and not many.

    NaN is refused, as JSON has none.
    """
    for at, (key, value) in enumerate(data.items()):
        line = f"{',' if at else '{'}\n{json.dumps(key)}: {_json(value)}"
        # A file name that is no UTF-8 holds lone surrogates: as \udcff they are JSON again.
        file.write(line.encode("utf-8", "backslashreplace"))
    file.write(b"\n}\n")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
