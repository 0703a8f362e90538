"""Cache of verified sha256 sums, so that a start need not read 649 MB again.

``checked.json`` beside the card notes what the file system said of a file when its sha256 was
found right: device, inode, size, time of the last change of content and of anything. Writing
to the file or replacing it changes one of them; the last cannot be set back where the system keeps
it (not on Windows, which has the time of creation there).

What this cannot see is a disk that loses bits by itself. ``emoscope models verify`` reads all.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emoscope.files import atomic_write_json
from emoscope.models.catalog import LocalModel, ModelFile

NOTES_FILE = "checked.json"
SETTLED_S = 3.0
"""A file changed later than this is not noted: the next change might fall into the same tick of
the file system's clock, which is two seconds on the coarsest."""


def verify_file(
    local: LocalModel, file: ModelFile, *, now_ns: Callable[[], int] = time.time_ns
) -> None:
    """Check a file against the card: its sha256 unless that was checked and nothing changed since.

    Only in the cache is a check noted; other folders belong to the user and are only read.

    Args:
        local: the model, on this machine.
        file: a file of its card.
        now_ns: clock in nanoseconds since the epoch.

    Raises:
        ModelMissingError: it is not there.
        ModelInvalidError: its size or sha256 differs.
    """
    if local.origin != "cache":
        file.verify(local.folder)
        return
    notes, found = _notes(local.folder), file_facts(local.folder / file.path)
    if found and notes.get(file.path) == {"sha256": file.sha256, **found}:
        return
    file.verify(local.folder)
    if not found or found != file_facts(local.folder / file.path):
        return
    if is_settled(found, now_ns()):
        notes[file.path] = {"sha256": file.sha256, **found}
        with contextlib.suppress(OSError):  # a cache that may only be read is checked each time
            atomic_write_json(local.folder / NOTES_FILE, notes)


def file_facts(path: Path) -> dict[str, int]:
    """Device, inode, size and times of a file, which any change alters; empty if it is gone."""
    try:
        said = path.stat()
    except OSError:
        return {}
    return {
        "device": said.st_dev,
        "inode": said.st_ino,
        "bytes": said.st_size,
        "modified_ns": said.st_mtime_ns,
        "changed_ns": said.st_ctime_ns,
    }


def is_settled(facts: dict[str, int], now_ns: int) -> bool:
    """Whether the last change of a file is old enough that the next one will bear another time."""
    return now_ns - max(facts["modified_ns"], facts["changed_ns"]) > SETTLED_S * 1e9


def _notes(folder: Path) -> dict[str, Any]:
    try:
        notes = json.loads((folder / NOTES_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return notes if isinstance(notes, dict) else {}
