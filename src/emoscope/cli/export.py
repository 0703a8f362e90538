"""``emoscope export``: the segments of a finished run, in another program's format."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from emoscope.annotations import FORMATS, to_text
from emoscope.errors import RunNotFoundError, SettingError
from emoscope.result import Result
from emoscope.store import RESULT


def run(source: Path, name: str, out: Path | None) -> None:
    """Read a run's directory or its ``result.json``; write to ``out``, or to standard output.

    Raises:
        SettingError: there is no such format.
        RunNotFoundError: there is no result at ``source``, or it cannot be read.
        SegmentsMissingError: the run was not made by frame.
    """
    if name not in FORMATS:
        raise SettingError(setting="--format", reason=", ".join(FORMATS))
    path = source / RESULT if source.is_dir() else source
    try:
        result = Result.from_dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise RunNotFoundError(run=str(source)) from exc
    text = to_text(result, name)
    if out is None:
        sys.stdout.write(text)
    elif out.is_dir():
        (out / f"{Path(result.name).stem}{FORMATS[name].suffix}").write_text(text, "utf-8")
    else:
        out.write_text(text, "utf-8")
