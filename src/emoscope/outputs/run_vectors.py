"""Vectors of runs: a run's result together with its embedding, as an index wants it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from emoscope.errors import RunDamagedError
from emoscope.outputs.store import AUDIO, EMBEDDING, RESULT, RUN_NAME, read_result
from emoscope.paths.access import is_file, is_folder
from emoscope.results.result import Result


def is_run(path: Path) -> bool:
    """Whether a path is the folder of a run."""
    return bool(RUN_NAME.fullmatch(path.name)) and is_file(path / RESULT)


def run_folders(folder: Path) -> list[Path]:
    """Return the runs in an outputs folder, oldest first; none where it is no such folder."""
    if not is_folder(folder):
        return []
    return sorted(path for path in folder.iterdir() if is_run(path))


def read_run(path: Path, *, segments: bool = False) -> Result | None:
    """Read a run with its embedding.

    Args:
        path: the run's folder.
        segments: the result needs its time axis as well.

    Returns:
        None where the run was made without what is needed; its sound may be there still.

    Raises:
        RunDamagedError: its result or its embedding cannot be read.
    """
    result = read_result(path / RESULT)
    if not is_file(path / EMBEDDING) or (segments and result.track is None):
        return None
    try:
        # A copy: a mapped file would stay open for as long as the result lives.
        embedding = np.load(path / EMBEDDING, allow_pickle=False)
    except (OSError, ValueError, EOFError) as exc:
        raise RunDamagedError(run=path.name, reason=str(exc)[:200]) from exc
    return replace(result, embedding=embedding)


def sound_of(path: Path) -> Path | None:
    """Return the file with the sound of a run, or None where it was not kept."""
    return path / AUDIO if is_file(path / AUDIO) else None


def as_run(result: Result, run: Result) -> Result:
    """Return a result of a run's kept sound, as one of the recording that the run is about."""
    return replace(result, source=run.source, channel=run.channel)
