"""Terminal tables of an evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from emoscope.cli.show import emotion_name
from emoscope.evaluate.bootstrap import FEW_SPEAKERS
from emoscope.evaluate.evaluation import Evaluation
from emoscope.evaluate.lists import CORPUS
from emoscope.evaluate.notes import EvaluationNote, evaluation_notes
from emoscope.evaluate.report import figure_text
from emoscope.labels import by_key
from emoscope.messages.evaluation import EVALUATION
from emoscope.messages.languages import Language
from emoscope.messages.texts import TERMINAL
from emoscope.messages.trust import CALIBRATED

if TYPE_CHECKING:
    from emoscope.vectors.head_evaluation import HeadEvaluation

_STYLES = {"stamp": "bold red", "warning": "yellow", "note": "dim"}


def print_evaluation(evaluation: Evaluation, language: Language) -> None:
    """Print the figures, those of each class and corpus, and what must be said of them."""
    screen = Console()
    screen.print(_figures(evaluation, language))
    screen.print(_classes(evaluation, language))
    if any(group.column == CORPUS for group in evaluation.groups):
        screen.print(_corpora(evaluation, language))
    if evaluation.failures:
        done, failed = evaluation.metrics.clips, len(evaluation.failures)
        screen.print(TERMINAL["summary"](language, done=done, failed=failed), style="yellow")
    print_notes(screen, evaluation_notes(evaluation), language)


def print_notes(screen: Console, notes: tuple[EvaluationNote, ...], language: Language) -> None:
    """Print notes, coloured by how loud they are.

    Args:
        screen: where to.
        notes: the loudest first.
        language: of the sentences.
    """
    for note in notes:
        text = note.text(language)
        screen.print(text, style=_STYLES[note.level], markup=False, highlight=False, soft_wrap=True)


def head_notes(figures: HeadEvaluation) -> tuple[EvaluationNote, ...]:
    """Return what must be said of the figures of a head, the loudest first."""
    found, training = [], figures.training
    if training is None:
        found.append(EvaluationNote("warning", "head_training_unknown"))
    elif training.found:
        counts = {"speakers": len(training.speakers), "files": len(training.files)}
        found.append(EvaluationNote("stamp", "head_trained_on", counts))
    elif not figures.speakers:
        found.append(EvaluationNote("warning", "head_speakers_unknown"))
    if figures.units == 1:
        found.append(EvaluationNote("warning", "one_speaker"))
    elif figures.units < FEW_SPEAKERS:
        found.append(EvaluationNote("warning", "few_speakers", {"speakers": figures.units}))
    return tuple(found)


def _figures(evaluation: Evaluation, language: Language) -> Table:
    measured, metrics = evaluation.measured, evaluation.metrics
    rows = [
        ("UA", figure_text(metrics.ua, measured.ua_interval)),
        ("WA", figure_text(metrics.wa, measured.wa_interval)),
    ]
    if (own := evaluation.own_classes) is not None:
        text = figure_text(own.metrics.ua, own.ua_interval)
        rows.append((TERMINAL["own_classes"](language), text))
    rows.append(("Macro-F1", figure_text(metrics.macro_f1, measured.macro_f1_interval)))
    if (before := evaluation.calibration) is not None:
        after = evaluation.calibrated
        told = f"{before.ece:.3f}" + ("" if after is None else f" → {after.ece:.3f}")
        rows.append(("ECE", told))
    if (curve := evaluation.risk_coverage) is not None:
        rows.append(("AURC", f"{curve.area:.3f}"))
    if (sets := evaluation.label_sets) is not None:
        held = f"{100 * sets.coverage:.1f}% ({sets.size:.1f})"
        rows.append((CALIBRATED["held"](language, percent=100 * sets.wanted), held))
    if evaluation.abstained is not None:
        rows.append((CALIBRATED["abstained"](language), str(evaluation.abstained)))
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, text in rows:
        table.add_row(name, escape(text))
    return table


def _classes(evaluation: Evaluation, language: Language) -> Table:
    metrics = evaluation.metrics
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(TERMINAL["emotion"](language))
    for heading in ("recall", "precision", "F1", "n"):
        table.add_column(heading, justify="right")
    for key in metrics.recall:
        table.add_row(
            emotion_name(by_key(key), language),
            f"{metrics.recall[key]:.3f}",
            f"{metrics.precision[key]:.3f}",
            f"{metrics.f1[key]:.3f}",
            str(metrics.support[key]),
        )
    return table


def _corpora(evaluation: Evaluation, language: Language) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(CORPUS)
    for heading in ("n", EVALUATION["speakers"](language), EVALUATION["classes"](language)):
        table.add_column(heading, justify="right")
    for heading in ("UA", EVALUATION["own_classes"](language), "WA"):
        table.add_column(heading, no_wrap=True)
    for group in evaluation.groups:
        if group.column != CORPUS:
            continue
        measured, own = group.measured, group.own_classes
        table.add_row(
            escape(group.value),
            str(group.metrics.clips),
            str(measured.resampling.speakers or "?"),
            str(len(group.metrics.support)),
            escape(figure_text(group.metrics.ua, measured.ua_interval)),
            "" if own is None else escape(figure_text(own.metrics.ua, own.ua_interval)),
            f"{group.metrics.wa:.3f}",
        )
    return table
