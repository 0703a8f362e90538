"""Lengths of recordings as their headers state them, without decoding."""

from __future__ import annotations

import io
from typing import BinaryIO

from emoscope.audio.containers import open_container, track_of
from emoscope.batch.addresses import open_input
from emoscope.batch.items import BatchItem
from emoscope.batch.sources import SourceReader
from emoscope.errors import EmoscopeError
from emoscope.limits import COMMAND_LINE

_HEAD_BYTES = 512


def stated_seconds(item: BatchItem) -> float:
    """Return the seconds of sound of an item; 0 where its header does not say, or is unreadable."""
    if item.end_s is not None:
        return max(item.end_s - (item.start_s or 0.0), 0.0)
    if item.error is not None:
        return 0.0
    try:
        whole = _seconds(item)
    except EmoscopeError:
        return 0.0
    return max(whole - (item.start_s or 0.0), 0.0)


def _seconds(item: BatchItem) -> float:
    if item.member:
        with SourceReader() as sources:
            return _of_reader(io.BytesIO(sources.read(item)))  # type: ignore[arg-type]  # bytes
    with open_input(item.path) as file:
        return _of_reader(file)


def _of_reader(reader: BinaryIO) -> float:
    head = reader.read(_HEAD_BYTES)
    reader.seek(0)
    with open_container(reader, head, COMMAND_LINE) as container:
        track = track_of(container, COMMAND_LINE)
        if track is not None and track.stream.duration is not None:
            return float(track.stream.duration * track.stream.time_base)
        return (container.duration or 0) / 1e6
