"""LRU cache of curves of runs for the timeline."""

from __future__ import annotations

import threading
from collections import OrderedDict

from emoscope.figures.pyramid import Curve, curve_of
from emoscope.outputs.store import AUDIO, RunStore, wav_pieces
from emoscope.results.result import Result

KEPT = 6
"""About 25 MB each for two hours."""


class Curves:
    """Cache of the curves of runs of one outputs folder."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Curve] = OrderedDict()

    def of(self, store: RunStore, run: str, result: Result | None = None) -> Curve:
        """Return the curve of a run.

        Args:
            store: the folder, with the access of who asks.
            run: name of the run's directory.
            result: its result when it has been read already.

        Raises:
            RunNotFoundError: there is no such run.
            RunDamagedError: it cannot be read.
        """
        path = store.file(run, AUDIO)  # also says no when the run was deleted meanwhile
        # One at a time: ten tiles of a long run must not read it ten times over.
        with self._lock:
            curve = self._kept.get(run)
            if curve is None:
                result = result or store.open(run).result
                curve = curve_of(result, wav_pieces(path))
            self._keep(run, curve)
        return curve

    def _keep(self, run: str, curve: Curve) -> None:
        self._kept[run] = curve
        self._kept.move_to_end(run)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
