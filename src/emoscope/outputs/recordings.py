"""Recordings that runs are about: their names, and labels that tell them apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emoscope.outputs.store import RESULT
from emoscope.paths.file_names import comparable, path_parts, readable, without_audio_suffix
from emoscope.results.result import Result

_TAIL_BYTES = 1 << 16
"""What stands behind the frames in a ``result.json`` is shorter."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """Recording that a run is about."""

    name: str
    """As the recording was called when it was recognized."""
    channel: int | None
    """Its channel, from 1, where each of several has a run; None where there is but one answer."""

    @classmethod
    def of(cls, results: Sequence[Result]) -> Recorded:
        """Return that of one result, or of those of all channels together."""
        channel = results[0].channel
        alone = len(results) == 1 and channel is not None and channel.count > 1
        return cls(results[0].source.name, channel.number if alone and channel else None)


def recorded(folder: Path) -> Recorded | None:
    """Return which recording the run in a folder is of, without reading its time axis.

    None where its ``result.json`` cannot be read.
    """
    path = folder / RESULT
    try:
        data = _end(path) or json.loads(without_frames(path))
        channel = data.get("channel")
        number = channel["number"] if channel and channel["count"] > 1 else None
        return Recorded(str(data["source"]["name"]), number)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _end(path: Path) -> dict[str, Any] | None:
    """Read what stands behind the frames of a ``result.json``; None where it is laid out otherwise.

    The store writes a key a line, and the frames of hours are one of tens of megabytes.
    """
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - _TAIL_BYTES))
        _, key, rest = file.read().rpartition(b'\n"source": ')
    try:
        data: dict[str, Any] = json.loads(b"{" + key + rest)
    except ValueError:
        return None
    return data


def labels(one: Recorded) -> tuple[str, str, str, str]:
    """Return what a file about a recording may be called, without ending, from short to whole.

    The last part of its name; with its folder; with all folders; with its own ending as well.
    """
    name = readable(one.name)
    number = "" if one.channel is None else f"_{one.channel}"
    parts = path_parts(without_audio_suffix(name)) or ["audio"]
    short, folder, long = ("_".join(some) + number for some in (parts[-1:], parts[-2:], parts))
    return short, folder, long, "/".join(path_parts(name) or ["audio"]) + number


def apart(one: Recorded, others: Sequence[Recorded]) -> str:
    """Return the shortest label of a recording that no other recording has, on any system.

    Recordings of one name (``is_same``) cannot be distinguished so and do not count.
    """
    taken = {
        comparable(label) for other in others if not is_same(one, other) for label in labels(other)
    }
    mine = labels(one)
    return next((label for label in mine if comparable(label) not in taken), mine[-1])


def is_same(one: Recorded, other: Recorded) -> bool:
    """Whether two runs are of recordings with one name, on a system that ignores case."""
    return comparable(labels(one)[-1]) == comparable(labels(other)[-1])


def without_frames(path: Path) -> str:
    """Return the text of ``result.json`` less the line of its frames, often tens of megabytes."""
    with path.open("rb") as file:  # one key a line, as the store writes it
        return b"".join(line for line in file if not line.startswith(b'"frames"')).decode("utf-8")
