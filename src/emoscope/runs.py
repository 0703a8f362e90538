"""Deprecated: runs are listed and corrected by ``emoscope.outputs.history``."""

from __future__ import annotations

import warnings
from typing import Any


def __getattr__(name: str) -> Any:
    from emoscope.outputs import history

    warnings.warn("emoscope.runs is now emoscope.outputs.history", DeprecationWarning, stacklevel=2)
    return getattr(history, {"entry": "run_entry", "correction": "corrections_of"}.get(name, name))
