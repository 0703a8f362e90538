"""Reader of the files that lie beside the result of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from emoscope.errors import RunDamagedError
from emoscope.outputs.store import RunStore

_Read = TypeVar("_Read")


def read_beside(
    store: RunStore, run: str, file: str, read: Callable[[dict[str, Any]], _Read]
) -> _Read | None:
    """Return what a file beside a run's result holds, or None where there is no such file.

    Args:
        store: holds the run.
        run: name of its directory.
        file: name of the file, as ``RunStore.write_beside`` wrote it.
        read: makes the value of its JSON.

    Raises:
        RunNotFoundError: there is no such run.
        RunDamagedError: the file cannot be read.
    """
    path = store.folder(run) / file
    try:
        return read(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise RunDamagedError(run=run, reason=str(exc)[:200]) from exc
