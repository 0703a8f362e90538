"""Atomic JSON files beside a model."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path


def write_json_file(path: Path, data: Mapping[str, object]) -> None:
    """Write under another name, flush to the disk, rename.

    A folder with a card is complete, so the card appears whole and after everything else.

    Raises:
        OSError: it cannot be written; its previous content is unchanged.
    """
    partial = path.with_name(f".{path.name}.part")
    try:
        with partial.open("w", encoding="utf-8") as file:
            json.dump(data, file, ensure_ascii=False, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
