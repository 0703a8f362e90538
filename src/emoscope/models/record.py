"""Pull record (``pull.json``): where official files came from and how they were verified.

The card describes the ONNX file; the record describes the official files it was made from, so that
a later change of either is found. It never claims more than was done: ``checked_against`` says
whose word a file's bytes were compared with.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from emoscope.files import atomic_write_json
from emoscope.models.catalog import ModelFile

RECORD_FILE = "pull.json"
OFFICIAL = "official"
"""Subfolder with the official files."""

Checked: TypeAlias = Literal["catalog", "hub", "nothing"]
"""The catalog's sha256, what the hub itself says of the file, or nothing."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Fetched official file and its verification."""

    file: ModelFile
    checked_against: Checked
    commit: str = ""
    """The commit that the hub named, for a revision that can move."""
    kept: bool = True
    """Whether it is still in the ``official`` folder."""


@dataclass(frozen=True, slots=True)
class PullRecord:
    """Origin and verification of the official files of one model."""

    model: str
    hub: str
    """hf, ms, or folder."""
    endpoint: str
    """Address of the hub or mirror; empty for a folder."""
    repo: str
    revision: str
    files: tuple[Fetched, ...] = ()

    def of(self, path: str) -> Fetched | None:
        """What is recorded of one file."""
        return next((one for one in self.files if one.file.path == path), None)

    def with_file(self, fetched: Fetched) -> PullRecord:
        """The record with one file added or replaced."""
        others = tuple(one for one in self.files if one.file.path != fetched.file.path)
        return replace(self, files=(*others, fetched))

    def write(self, folder: Path) -> None:
        """Write ``pull.json``, whole or not at all."""
        atomic_write_json(folder / RECORD_FILE, {"schema_version": 1, **asdict(self)})

    @classmethod
    def read(cls, folder: Path) -> PullRecord | None:
        """Read ``pull.json``; None where there is none that can be read."""
        try:
            data: dict[str, Any] = json.loads((folder / RECORD_FILE).read_text("utf-8"))
            return cls(
                model=str(data["model"]),
                hub=str(data["hub"]),
                endpoint=str(data["endpoint"]),
                repo=str(data["repo"]),
                revision=str(data["revision"]),
                files=tuple(_fetched(one) for one in data["files"]),
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None


def _fetched(data: dict[str, Any]) -> Fetched:
    file = data["file"]
    return Fetched(
        ModelFile(str(file["path"]), int(file["bytes"]), str(file["sha256"])),
        data["checked_against"],
        str(data["commit"]),
        bool(data["kept"]),
    )
