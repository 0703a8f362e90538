"""``emoscope export``: the segments or the curve of finished runs, in another program's format."""

from __future__ import annotations

import sys
from pathlib import Path

from emoscope.annotations import FORMATS, export
from emoscope.errors import SettingError
from emoscope.result import Result
from emoscope.store import RESULT, read_result
from emoscope.whole import write_whole


def run(sources: list[Path], name: str, out: Path | None, *, curve: bool = False) -> None:
    """Read runs' directories or their ``result.json``; write to ``out``, or to standard output.

    Args:
        sources: one run, or one for each channel of a recording.
        name: the format.
        out: a file, or a folder in which the file is named after the recording.
        curve: the rows of 20 ms in place of the segments.

    Raises:
        SettingError: there is no such format, it has no place for a curve, or it is no text and
            would go to a terminal.
        RunNotFoundError: there is no result at a source.
        RunDamagedError: it cannot be read.
        SegmentsMissingError: the run was not made by frame.
        ChannelsMismatchError: the runs are not the channels of one recording.
        StoreError: ``out`` cannot be written, or the disk is full.
    """
    if name not in FORMATS:
        raise SettingError(setting="--format", reason=", ".join(FORMATS))
    chosen = FORMATS[name]
    if (chosen.curve if curve else chosen.segments) is None:
        able = [key for key, one in FORMATS.items() if (one.curve if curve else one.segments)]
        setting = "--curve --format" if curve else "--format"
        raise SettingError(setting=setting, reason=", ".join(able))
    if out is None and not chosen.is_text and sys.stdout.isatty():
        raise SettingError(setting="--out", reason=f"FILE{chosen.suffix}")
    paths = [source / RESULT if source.is_dir() else source for source in sources]
    results = [read_result(path) for path in paths]
    made = export(results, name, curve=curve)
    if out is not None:
        write_whole(out / _file_name(results, chosen.suffix) if out.is_dir() else out, made)
    elif chosen.is_text:
        sys.stdout.write(made.decode())
    else:
        sys.stdout.buffer.write(made)


def _file_name(results: list[Result], suffix: str) -> str:
    """Name it after the recording, and after the channel where only one of several is exported."""
    first = results[0]
    alone = len(results) == 1 and first.channel is not None and first.channel.count > 1
    number = f"_{first.channel.number}" if alone and first.channel else ""
    return f"{Path(first.source.name).stem}{number}{suffix}"
