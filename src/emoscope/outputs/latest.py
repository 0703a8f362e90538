"""Pointer to the newest run, ``latest.json``: replaced whole, and made again where it was lost.

It is not flushed to the disk, since all that it says stands in the run.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from emoscope.files import replace_file
from emoscope.outputs.writing import write_json_lines
from emoscope.results.result import Result

LATEST = "latest.json"


def write_latest(root: Path, name: str, result: Result, *, mode: int) -> None:
    """Point it at a run.

    Args:
        root: outputs folder.
        name: name of the run's directory.
        result: of the run.
        mode: permissions of the file.

    Raises:
        OSError: the system refused; it says what it said before.
    """
    latest = {
        "run": name,
        "timestamp": result.created.strftime("%Y-%m-%d %H:%M:%S"),
        "emotion": result.emotion.key,
        "confidence": result.confidence,
        "source": result.source.name,
    }
    fill = partial(write_json_lines, data=latest)
    replace_file(root / LATEST, fill, mode=mode, durable=False)


def latest_name(root: Path) -> str | None:
    """Return the name of the run; empty where it is damaged, None where there is none to read."""
    try:
        found = json.loads((root / LATEST).read_text("utf-8"))
    except OSError:
        return None
    except ValueError:
        return ""
    return str(found.get("run", "")) if isinstance(found, dict) else ""
