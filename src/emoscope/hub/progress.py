"""Progress events of a model download.

Like ``emoscope.events``, for bytes instead of seconds of sound: front ends draw a progress bar.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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


PullEvent: TypeAlias = Downloading | Retrying | HubFailed | Waiting | Converting
PullListener: TypeAlias = Callable[[PullEvent], None]


def ignore_pull(_event: PullEvent) -> None:
    """Do nothing: the default listener."""
