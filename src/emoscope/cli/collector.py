"""Garbage collector of a command: it rests while modules are imported and a model is loaded.

Nearly all that is made then stays, so looking through it for cycles finds nothing: 0.03 s of a
first answer, 0.06 s of a server's start, and 0.08 s at the end of each process.
"""

from __future__ import annotations

import atexit
import gc

_STARTING = 50_000
"""New objects between two looks, while a command starts; Python has 700."""
_usual = gc.get_threshold()


def rest() -> None:
    """Let the collector rest until ``work``, and at the end of the process."""
    atexit.register(gc.freeze)
    gc.set_threshold(_STARTING)


def work() -> None:
    """Let it work as usual, without what stands now; nothing where it does not rest."""
    if gc.get_threshold()[0] == _STARTING:
        gc.freeze()
        gc.set_threshold(*_usual)
