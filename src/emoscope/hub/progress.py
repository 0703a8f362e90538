"""Progress events of a model download.

Like ``emoscope.events``, for bytes instead of seconds of sound: front ends draw a progress bar.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from emoscope.errors import HubError, ModelError


@dataclass(frozen=True, slots=True)
class Downloading:
    """Bytes of one file on the disk so far."""

    hub: str
    file: str
    done_bytes: int
    """On the disk, those of earlier runs included."""
    total_bytes: int
    """0 while it is not known."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """A failed attempt; the next one follows after ``wait_s``."""

    hub: str
    file: str
    error: HubError
    wait_s: float


@dataclass(frozen=True, slots=True)
class HubFailed:
    """A hub failed; the next one is tried, if there is one."""

    hub: str
    error: ModelError


@dataclass(frozen=True, slots=True)
class Waiting:
    """Another process holds the lock of the model; emitted once."""

    model: str
    holder: str


@dataclass(frozen=True, slots=True)
class Converting:
    """Conversion of the complete official files to ONNX has begun."""

    model: str


@dataclass(frozen=True, slots=True)
class FoundCopy:
    """The official files lie in the cache of a hub's own library; nothing is downloaded."""

    hub: str
    model: str
    folder: Path


@dataclass(frozen=True, slots=True)
class ConvertingFolder:
    """A folder of official files that was given as the model is being converted into the cache."""

    model: str
    folder: Path


PullEvent: TypeAlias = (
    Downloading | Retrying | HubFailed | Waiting | Converting | FoundCopy | ConvertingFolder
)
PullListener: TypeAlias = Callable[[PullEvent], None]


def ignore_pull(_event: PullEvent) -> None:
    """Do nothing: the default listener."""


def log_pull(event: PullEvent) -> None:
    """Log what makes loading a model take long: the default listener of ``load``."""
    if isinstance(event, ConvertingFolder):
        logging.getLogger("emoscope").warning(
            "converting %s into the model cache; this is done once", event.folder
        )
    elif isinstance(event, Waiting):
        logging.getLogger("emoscope").warning(
            "waiting for another process that works on %s (%s)", event.model, event.holder
        )
