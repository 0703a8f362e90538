"""Events of a pull: progress, failed attempts and waiting, passed to a listener.

The kin of ``emoscope.events`` for bytes instead of seconds of sound: a face makes a progress bar of
it, a test counts it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from emoscope.errors import HubError, ModelError


@dataclass(frozen=True, slots=True)
class Downloading:
    """Some more bytes of one file are on the disk."""

    hub: str
    file: str
    done_bytes: int
    """On the disk, those of earlier runs included."""
    total_bytes: int
    """0 while it is not known."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """An attempt failed; the next one follows after a wait."""

    hub: str
    file: str
    error: HubError
    wait_s: float


@dataclass(frozen=True, slots=True)
class HubFailed:
    """A hub was given up; another one is tried, if there is one."""

    hub: str
    error: ModelError


@dataclass(frozen=True, slots=True)
class Waiting:
    """Another process holds the lock of the model; emitted once."""

    model: str
    holder: str


@dataclass(frozen=True, slots=True)
class Converting:
    """The official files are whole; the ONNX file is being made."""

    model: str


PullEvent: TypeAlias = Downloading | Retrying | HubFailed | Waiting | Converting
PullListener: TypeAlias = Callable[[PullEvent], None]


def ignore_pull(_event: PullEvent) -> None:
    """Do nothing: the listener of those who do not want to know."""
