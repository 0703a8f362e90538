"""Answers in a notebook and on a terminal: the figure of a result, a line of progress."""

from emoscope.display.progress_line import ProgressLine
from emoscope.display.result_figure import ResultFigure

__all__ = ["ProgressLine", "ResultFigure"]
