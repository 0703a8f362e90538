"""``emoscope evaluate --timeline``: segments against emotions that people annotated over time."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from emoscope.cli.evaluate import check_outputs, json_bytes, write_all
from emoscope.cli.evaluate_show import print_notes
from emoscope.cli.evaluation_options import LabelOptions
from emoscope.cli.model import open_model
from emoscope.cli.show import emotion_name, failure_line
from emoscope.evaluate.notes import interval_notes
from emoscope.evaluate.record import utc_now, versions_of
from emoscope.evaluate.report import figure_text
from emoscope.evaluate.timeline import TimelineEvaluation
from emoscope.evaluate.timeline_run import evaluate_timelines, read_annotated
from emoscope.labels import EMOTIONS
from emoscope.messages.evaluation import TIMELINE
from emoscope.messages.languages import Language
from emoscope.messages.texts import TERMINAL
from emoscope.settings import Settings, language_of


def run_evaluate_timeline(
    path: Path,
    labels: LabelOptions,
    json_path: Path | None,
    settings: Settings,
    *,
    tier: str | None = None,
    draws: int = 1_000,
    seed: int = 0,
) -> int:
    """Compare segments with annotations, print the figures, and write them.

    Args:
        path: list of recordings and annotations, or a folder with both.
        labels: what the labels of annotations mean.
        json_path: where to write the figures; None for nowhere.
        settings: model, limits and language.
        tier: of TextGrid and EAF; by default the first with intervals.
        draws: bootstrap samples of the intervals.
        seed: of the drawing.

    Returns:
        how many recordings could not be used; each has been named on standard error.

    Raises:
        InputError: the list or its annotations cannot be read.
        ModelError: the model cannot be loaded.
        StoreError: the figures cannot be written.
    """
    outputs = [] if json_path is None else [json_path]
    check_outputs([path] if path.is_file() else [], outputs)
    language, screen = language_of(settings.language), Console(stderr=True)
    items = read_annotated(path, labels.words(), tier)
    recognizer = open_model(settings, settings.file_limits)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(TERMINAL["working"](language), total=len(items))
        found = evaluate_timelines(
            recognizer,
            items,
            draws=draws,
            seed=seed,
            listener=lambda done: bar.update(task, completed=done),
        )
    for failure in found.failures:
        line = failure_line(failure, language)
        screen.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)
    try:
        _print(found, language)
    finally:
        document = {
            "created": utc_now(),
            "versions": versions_of(recognizer),
            "command": ["emoscope", *sys.argv[1:]],
            "model": recognizer.model.to_dict(),
            **found.to_dict(),
        }
        write_all((one, json_bytes(document)) for one in outputs)
    return len(found.failures)


def _print(found: TimelineEvaluation, language: Language) -> None:
    screen = Console()
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, text in (
        (TIMELINE["eder"](language), figure_text(found.eder, found.eder_interval)),
        (TIMELINE["eder_by_time"](language), f"{found.eder_by_time:.3f}"),
        (TIMELINE["ua"](language), figure_text(found.ua, found.ua_interval)),
        (TIMELINE["wa"](language), f"{found.wa:.3f}"),
    ):
        table.add_row(name, escape(text))
    screen.print(table)
    classes = Table(box=None, header_style="bold", pad_edge=False)
    classes.add_column(TERMINAL["emotion"](language))
    for heading in ("recall", "s"):
        classes.add_column(heading, justify="right")
    for emotion in EMOTIONS:
        total_s = float(found.seconds[emotion.index].sum())
        if total_s:
            share = float(found.seconds[emotion.index, emotion.index]) / total_s
            classes.add_row(emotion_name(emotion, language), f"{share:.3f}", f"{total_s:.1f}")
    screen.print(classes)
    print_notes(screen, tuple(interval_notes(found.resampling)), language)
