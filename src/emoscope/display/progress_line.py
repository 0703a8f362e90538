"""Line of progress on standard error, rewritten in place in terminals and notebooks."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from emoscope.events import Clock

_EVERY_S = 0.1
_EVERY_S_IN_FILES = 30.0
"""Where a line cannot be rewritten, as in the log of a batch job, a new one comes so seldom."""


class ProgressLine:
    """Progress of a list: ``12/100 · 4.1/s · 0:03 < 0:21 · ✗ 1``.

    Args:
        stream: where it is written; standard error by default.
        clock: seconds.
    """

    def __init__(self, stream: TextIO | None = None, clock: Clock = time.monotonic) -> None:
        self._stream, self._clock = stream or sys.stderr, clock
        self._started_s = self._shown_s = clock()
        self._width = 0
        self._rewrites = self._stream.isatty() or "ipykernel" in sys.modules

    def __call__(self, done: int, total: int | None, failed: int) -> None:
        """Show how many answers there are, and write a line end after the last.

        Args:
            done: answers so far.
            total: how many there will be; None where that is not known.
            failed: failures among them.
        """
        now_s, is_last = self._clock(), done == total
        every_s = _EVERY_S if self._rewrites else _EVERY_S_IN_FILES
        if not is_last and now_s - self._shown_s < every_s:
            return
        self._shown_s = now_s
        line = progress_words(done, total, failed, now_s - self._started_s)
        start, end = ("\r", "") if self._rewrites else ("", "\n")
        self._stream.write(f"{start}{line.ljust(self._width)}{end}")
        self._width = len(line) if self._rewrites else 0
        if is_last and self._rewrites:
            self._stream.write("\n")
        self._stream.flush()


def progress_words(done: int, total: int | None, failed: int, elapsed_s: float) -> str:
    """Return the line.

    Args:
        done: answers so far.
        total: how many there will be; None where that is not known.
        failed: failures among them.
        elapsed_s: seconds since the start.
    """
    rate = done / max(elapsed_s, 1e-3)
    parts = [f"{done}" if total is None else f"{done}/{total}", f"{rate:.1f}/s", _clock(elapsed_s)]
    if total is not None and done:
        parts[-1] += f" < {_clock((total - done) / rate)}"
    return " · ".join([*parts, f"✗ {failed}"] if failed else parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
