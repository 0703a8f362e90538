"""Hook from answers to what shows them: a figure in a notebook, a line of progress.

Figures and screens lie above the core, which imports none of them. ``emoscope.display`` is loaded
by its name when it is first asked for, as the names of ``emoscope`` itself are.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from types import ModuleType
from typing import Protocol, TypeAlias

ProgressListener: TypeAlias = Callable[[int, int | None, int], None]
"""Called after each answer with the answers so far, how many there will be (None where that is not
known), and how many of the answers are failures."""


class ResultPlot(Protocol):
    """Figure of a result, which notebooks show by themselves."""

    @property
    def svg(self) -> str:
        """The figure as one SVG document."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the figure as SVG."""

    def _repr_html_(self) -> str: ...


def display() -> ModuleType:
    """Return the package that shows answers."""
    return importlib.import_module("emoscope.display")
