"""``emoscope export``: the segments of a finished run, in another program's format."""

from __future__ import annotations

import sys
from pathlib import Path

from emoscope.annotations import FORMATS, to_text
from emoscope.errors import SettingError
from emoscope.store import RESULT, read_result


def run(source: Path, name: str, out: Path | None) -> None:
    """Read a run's directory or its ``result.json``; write to ``out``, or to standard output.

    Raises:
        SettingError: there is no such format.
        RunNotFoundError: there is no result at ``source``.
        RunDamagedError: it cannot be read.
        SegmentsMissingError: the run was not made by frame.
    """
    if name not in FORMATS:
        raise SettingError(setting="--format", reason=", ".join(FORMATS))
    path = source / RESULT if source.is_dir() else source
    result = read_result(path)
    text = to_text(result, name)
    if out is None:
        sys.stdout.write(text)
    elif out.is_dir():
        (out / f"{Path(result.name).stem}{FORMATS[name].suffix}").write_text(text, "utf-8")
    else:
        out.write_text(text, "utf-8")
