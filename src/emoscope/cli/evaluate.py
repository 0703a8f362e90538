"""``emoscope evaluate``: accuracy of a model on a labelled list."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from emoscope.cli.evaluation_options import LabelOptions
from emoscope.cli.model import open_model
from emoscope.cli.show import emotion_name, failure_line
from emoscope.errors import SettingError, StoreError
from emoscope.evaluate.lists import LabelledList, leak
from emoscope.evaluate.report import evaluation_html
from emoscope.evaluate.run import Evaluation, evaluate
from emoscope.files import atomic_write, check_file
from emoscope.labels import by_key
from emoscope.messages.evaluation import EVALUATION_NOTES
from emoscope.messages.languages import Language
from emoscope.messages.texts import TERMINAL
from emoscope.messages.trust import CALIBRATED
from emoscope.results.result import Failure
from emoscope.settings import Settings, language_of


def run_evaluate(
    path: Path,
    labels: LabelOptions,
    trained: Path | None,
    json_path: Path | None,
    html_path: Path | None,
    settings: Settings,
) -> int:
    """Evaluate a list, print the figures, then write the reports asked for.

    Args:
        path: the list of labelled recordings.
        labels: how its labels, and those of the training list, are read.
        trained: the list that the model was trained on, to find what both share.
        json_path: where to write the figures; checked before anything is recognized.
        html_path: where to write the report; checked before anything is recognized.
        settings: model, limits and language.

    Returns:
        how many recordings could not be recognized; each has been named on standard error.

    Raises:
        InputError: a list cannot be read, or none of its recordings can be recognized.
        ModelError: the model cannot be loaded.
        SettingError: two files are one.
        StoreError: a report cannot be written; the figures have been printed if they are known.
    """
    language = language_of(settings.language)
    _check_outputs([path, *([] if trained is None else [trained])], [json_path, html_path])
    listed = labels.read(path)
    items, screen = listed.rows, Console(stderr=True)
    _tell_labels(listed, language, screen)
    shared = None if trained is None else leak(labels.read(trained).rows, items)
    recognizer = open_model(settings, settings.file_limits)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(TERMINAL["working"](language), total=len(items))

        def tell(failure: Failure) -> None:
            if failure.error.code == "label_unknown":  # told together, before the work
                return
            line = failure_line(failure, language)
            bar.console.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)

        evaluation = evaluate(
            recognizer,
            items,
            leak=shared,
            listener=lambda done: bar.update(task, completed=done),
            failed=tell,
        )
    try:
        _print(evaluation, language)
    finally:  # also where standard output cannot be written
        _write(evaluation, path.name, json_path, html_path)
    return len(evaluation.failures)


def _tell_labels(listed: LabelledList, language: Language, screen: Console) -> None:
    """Name all labels that mean nothing at once, with how often and where they stand."""
    told = []
    if listed.unknown:
        found = "; ".join(map(str, listed.unknown))
        told.append(EVALUATION_NOTES["labels_unknown"](language, found=found))
    if listed.dropped:
        told.append(EVALUATION_NOTES["rows_dropped"](language, count=listed.dropped))
    for line in told:
        screen.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)


def _check_outputs(inputs: list[Path], outputs: list[Path | None]) -> None:
    """Refuse, before the work, outputs that cannot be written or are the same file."""
    seen = {one.resolve() for one in inputs}
    for path in outputs:
        if path is None:
            continue
        check_file(path)
        is_file = path.is_file() or not path.exists()  # two reports may go to one device
        if is_file and path.resolve() in seen:
            raise SettingError(
                "setting_invalid",
                setting="--json / --html",
                reason=f"{path}: LIST / --json / --html",
            )
        seen.add(path.resolve())


def _write(
    evaluation: Evaluation, title: str, json_path: Path | None, html_path: Path | None
) -> None:
    """Write each report whole; one that cannot be written does not cost the other."""
    errors: list[StoreError] = []
    figures = json.dumps(evaluation.to_dict(), ensure_ascii=False, indent=1, allow_nan=False)
    for path, text in (
        (json_path, figures + "\n"),
        (html_path, evaluation_html(evaluation, title)),
    ):
        if path is None:
            continue
        try:
            # A name that is no UTF-8 holds lone surrogates: as \udcff they are JSON again.
            atomic_write(path, text.encode("utf-8", "backslashreplace"))
        except StoreError as error:
            errors.append(error)
    if errors:
        raise errors[0]


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
