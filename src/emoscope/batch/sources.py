"""Sources of a batch: the bytes or the file behind an item."""

from __future__ import annotations

from pathlib import Path

from emoscope.batch.items import BatchItem


def source_of(item: BatchItem) -> bytes | Path:
    """Return what is decoded: the path of a local file, else bytes.

    Raises:
        SourceError: it cannot be read.
    """
    return Path(item.path)
