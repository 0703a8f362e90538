"""``emoscope evaluate --check``: makes the figures of a report again and compares them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from emoscope.cli.evaluate import EvaluateRequest, measured
from emoscope.cli.evaluation_options import LabelOptions
from emoscope.evaluate.record import FileRef, RunRecord
from emoscope.evaluate.reproduce import (
    FigureChange,
    Report,
    changed_files,
    found_file,
    read_report,
)
from emoscope.messages.evaluation import EVALUATION_NOTES
from emoscope.messages.languages import Language
from emoscope.settings import Settings, language_of

_SHOWN = 20


def run_check(path: Path, settings_for: Callable[[dict[str, Any]], Settings]) -> bool:
    """Make the figures of a report again, and print which differ.

    Args:
        path: the JSON that an evaluation wrote.
        settings_for: the settings of a run, from the options that the report has.

    Returns:
        whether all figures are the same.

    Raises:
        InputError: the report, or a list that it names, cannot be read.
        ModelError: the model cannot be loaded.
    """
    report = read_report(path)
    settings = settings_for(dict(report.record.options))
    language = language_of(settings.language)
    evaluation, record = measured(_request(report, path), settings)
    found = json.loads(json.dumps(evaluation.to_dict()))
    changes = (*_changed_inputs(report.record, record), *report.changes(found))
    _print(report.record, record, changes, language)
    return not changes


def _request(report: Report, path: Path) -> EvaluateRequest:
    record, options = report.record, report.record.options

    def here(reference: FileRef | None) -> Path | None:
        return None if reference is None else found_file(reference, path)

    labels = LabelOptions(
        here(record.label_map), bool(options["drop_unknown"]), options.get("table")
    )
    return EvaluateRequest(
        found_file(record.listing, path),
        labels,
        trained=here(record.training),
        draws=int(options["draws"]),
        seed=int(options["seed"]),
    )


def _changed_inputs(before: RunRecord, now: RunRecord) -> tuple[FigureChange, ...]:
    pairs = {
        "list": (before.listing, now.listing),
        "training_list": (before.training, now.training),
        "label_map": (before.label_map, now.label_map),
    }
    return changed_files(
        {kind: (one, two) for kind, (one, two) in pairs.items() if one is not None}
    )


def _print(
    before: RunRecord, now: RunRecord, changes: tuple[FigureChange, ...], language: Language
) -> None:
    screen = Console()

    def tell(key: str, style: str, **data: object) -> None:
        text = EVALUATION_NOTES[key](language, **data)
        screen.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    for name in sorted(before.versions.keys() | now.versions.keys()):
        one, other = before.versions.get(name, "-"), now.versions.get(name, "-")
        if one != other:
            tell("version_differs", "dim", name=name, reported=one, found=other)
    for change in changes[:_SHOWN]:
        tell(
            "figure_differs",
            "yellow",
            place=change.place,
            reported=_short(change.reported),
            found=_short(change.found),
        )
    if changes:
        tell("not_reproduced", "bold red", count=len(changes), created=before.created)
    else:
        tell("reproduced", "green", created=before.created)


def _short(value: Any) -> str:
    return (
        f"{value:.6f}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)[:80]
    )
