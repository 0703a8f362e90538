"""Evaluation of a model on labelled recordings, with repeatable figures.

The names below are for users; they are fetched when first used, as some load what runs models.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emoscope.evaluate.comparison import Comparison, compare_scores
    from emoscope.evaluate.evaluation import Evaluation
    from emoscope.evaluate.lists import read_labelled, read_labelled_list
    from emoscope.evaluate.predictions import read_predictions
    from emoscope.evaluate.report import evaluation_html
    from emoscope.evaluate.run import evaluate
    from emoscope.evaluate.scores import evaluate_scores
    from emoscope.evaluate.timeline import measure_timelines, recording_times
    from emoscope.evaluate.timeline_run import evaluate_timelines, read_annotated

_HOMES = {
    "Comparison": "comparison",
    "Evaluation": "evaluation",
    "compare_scores": "comparison",
    "evaluate": "run",
    "evaluate_scores": "scores",
    "evaluation_html": "report",
    "evaluate_timelines": "timeline_run",
    "measure_timelines": "timeline",
    "read_annotated": "timeline_run",
    "recording_times": "timeline",
    "read_labelled": "lists",
    "read_labelled_list": "lists",
    "read_predictions": "predictions",
}

__all__ = [
    "Comparison",
    "Evaluation",
    "compare_scores",
    "evaluate",
    "evaluate_scores",
    "evaluate_timelines",
    "evaluation_html",
    "measure_timelines",
    "read_annotated",
    "read_labelled",
    "read_labelled_list",
    "read_predictions",
    "recording_times",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
