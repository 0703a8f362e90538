"""A run as it was read for front ends."""

from __future__ import annotations

from dataclasses import dataclass

from emoscope.figures.pyramid import Curve
from emoscope.models import catalog
from emoscope.outputs.history import RunEntry
from emoscope.outputs.words import RunWords
from emoscope.results.result import Result
from emoscope.web.figure import drawing


@dataclass(frozen=True, slots=True)
class Opened:
    """Run with the data of its timeline."""

    entry: RunEntry
    result: Result
    """With the segments as they were corrected."""
    curve: Curve
    card: catalog.ModelCard | None
    """Of the loaded model, when it is the one that answered then."""
    files: tuple[str, ...] = ()
    """Names of the files of the run's directory."""
    own: Result | None = None
    """With the segments as the model made them, where they were corrected."""

    words: RunWords | None = None
    """What is said, where it was given."""
    channels: tuple[Opened, ...] = ()
    """All channels of the recording in their order, where each has a run of its own."""

    def drawing(self) -> dict[str, object]:
        """Return what ``<emo-timeline>`` draws; see ``web.figure.drawing``."""
        return drawing(self.result, self.curve, self.entry.name, self.entry.shown, own=self.own)
