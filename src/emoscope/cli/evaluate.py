"""``emoscope evaluate``."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from emoscope.cli.model import open_model
from emoscope.cli.show import emotion_name
from emoscope.evaluate.lists import leak, read
from emoscope.evaluate.report import to_html
from emoscope.evaluate.run import Evaluation, evaluate
from emoscope.labels import by_key
from emoscope.settings import Settings, language_of
from emoscope.webui.texts import TERMINAL, Language
from emoscope.webui.words_trust import CALIBRATED


def run(
    path: Path,
    trained: Path | None,
    json_path: Path | None,
    html_path: Path | None,
    settings: Settings,
) -> None:
    """Evaluate a list, print the figures, write the reports asked for."""
    language = language_of(settings.language)
    items = read(path)
    shared = None if trained is None else leak(read(trained), items)
    recognizer = open_model(settings, settings.file_limits)
    screen = Console(stderr=True)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(TERMINAL["working"](language), total=len(items))
        evaluation = evaluate(
            recognizer, items, leak=shared, listener=lambda done: bar.update(task, completed=done)
        )
    if json_path is not None:
        text = json.dumps(evaluation.to_dict(), ensure_ascii=False, indent=1, allow_nan=False)
        json_path.write_text(text + "\n", "utf-8")
    if html_path is not None:
        html_path.write_text(to_html(evaluation, path.name), "utf-8")
    _print(evaluation, language)


def _ece(evaluation: Evaluation) -> str:
    before, after = evaluation.calibration, evaluation.calibrated
    return f"{before.ece:.3f}" + ("" if after is None else f" → {after.ece:.3f}")


def _print(evaluation: Evaluation, language: Language) -> None:
    screen = Console()
    metrics = evaluation.metrics
    figures = Table(box=None, show_header=False, pad_edge=False)
    for name, value, interval in (
        ("UA", metrics.ua, evaluation.ua_interval),
        ("WA", metrics.wa, evaluation.wa_interval),
        (
            TERMINAL["own_classes"](language),
            evaluation.own_classes.ua,
            evaluation.own_classes_interval,
        ),
    ):
        figures.add_row(name, f"{value:.3f}  [{interval[0]:.3f}, {interval[1]:.3f}]")
    figures.add_row("Macro-F1", f"{metrics.macro_f1:.3f}")
    figures.add_row("ECE", _ece(evaluation))
    figures.add_row("AURC", f"{evaluation.risk_coverage.area:.3f}")
    if (sets := evaluation.label_sets) is not None:
        held = f"{100 * sets.coverage:.1f}% ({sets.size:.1f})"
        figures.add_row(CALIBRATED["held"](language, percent=100 * sets.wanted), held)
    figures.add_row(CALIBRATED["abstained"](language), str(evaluation.abstained))
    screen.print(figures)
    classes = Table(box=None, header_style="bold", pad_edge=False)
    classes.add_column(TERMINAL["emotion"](language))
    for heading in ("recall", "precision", "F1", "n"):
        classes.add_column(heading, justify="right")
    for key in metrics.recall:
        classes.add_row(
            emotion_name(by_key(key), language),
            f"{metrics.recall[key]:.3f}",
            f"{metrics.precision[key]:.3f}",
            f"{metrics.f1[key]:.3f}",
            str(metrics.support[key]),
        )
    screen.print(classes)
    if evaluation.failures:
        done, failed = metrics.clips, len(evaluation.failures)
        screen.print(TERMINAL["summary"](language, done=done, failed=failed), style="yellow")
    if evaluation.leak is not None and evaluation.leak.found:
        screen.print(TERMINAL["leak"](language), style="bold red")
