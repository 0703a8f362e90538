"""Record of an evaluation run: date, versions, hashes, options and command line."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from emoscope.recognizer import Recognizer


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file that the figures depend on."""

    path: str
    """As it was given."""
    sha256: str

    def __str__(self) -> str:
        return f"{self.path} (sha256 {self.sha256})"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """How the figures of a report were made."""

    created: str
    """In UTC, to the second."""
    versions: Mapping[str, str]
    command: tuple[str, ...]
    """Arguments, as they were typed."""
    listing: FileRef
    model_sha256: str
    training: FileRef | None = None
    label_map: FileRef | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """What was asked for: model, precision, device, draws, seed and how labels were read."""

    @property
    def command_line(self) -> str:
        """The command, quoted as a shell needs it."""
        return shlex.join(self.command)

    def to_dict(self) -> dict[str, Any]:
        """As in the report."""
        return {
            "created": self.created,
            "versions": dict(self.versions),
            "command": list(self.command),
            "list": asdict(self.listing),
            "training_list": self.training and asdict(self.training),
            "label_map": self.label_map and asdict(self.label_map),
            "options": dict(self.options),
        }


def utc_now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def versions_of(recognizer: Recognizer) -> dict[str, str]:
    """Return the versions of all that computes figures."""
    computing = {"numpy": np.__version__, "python": platform.python_version()}
    return {**recognizer.assembler.versions, **computing}
