"""Answers of a list of recordings, one after another as they are recognized."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from emoscope.results.data_frame import Carried, to_frame
from emoscope.results.display import ProgressListener, display
from emoscope.results.result import Failure, FramesT, MeanT, Result, TrackT
from emoscope.results.rows import RowKind
from emoscope.results.track import DataFrame


def progress_listener(choice: bool | ProgressListener) -> ProgressListener | None:
    """Return what is told of progress: a line on standard error, a function, or nothing.

    Args:
        choice: True for the line, a function, or False.
    """
    if callable(choice):
        return choice
    return display().ProgressLine() if choice else None


class AnswerStream(Iterator[Result[TrackT, FramesT, MeanT] | Failure]):
    """Iterator over answers; each is made when it is asked for, or a little ahead by workers.

    Args:
        answers: generator of the answers.
        told: called after each answer; None for no progress.
        total: how many there will be, where that is known.
    """

    def __init__(
        self,
        answers: Iterator[Result[TrackT, FramesT, MeanT] | Failure],
        told: ProgressListener | None = None,
        total: int | None = None,
    ) -> None:
        self._answers, self._told, self._total = answers, told, total
        self._done = self._failed = 0

    def __next__(self) -> Result[TrackT, FramesT, MeanT] | Failure:
        answer = next(self._answers)
        self._done += 1
        self._failed += isinstance(answer, Failure)
        if self._told is not None:
            self._told(self._done, self._total, self._failed)
        return answer

    def __repr__(self) -> str:
        of = "" if self._total is None else f" of {self._total}"
        return f"<AnswerStream {self._done}{of} answers, {self._failed} failed>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the work; what is being recognized is finished first."""
        close = getattr(self._answers, "close", None)
        if close is not None:
            close()

    def to_frame(self, columns: Carried = None, *, rows: RowKind = "recordings") -> DataFrame:
        """Recognize all that is left, and return it as a pandas table.

        Args:
            columns: columns of the list that the recordings came from, one row for each.
            rows: ``recordings``, ``segments``, ``utterances`` or ``frames``.

        Raises:
            PackageMissingError: pandas is not installed.
            RequestError: ``rows`` is none of the four.
            ResultError: there are more or fewer rows in ``columns`` than answers.
        """
        return to_frame(self, columns, rows=rows)
