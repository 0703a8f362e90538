"""``emoscope compare``: two models, or files of predictions of any tool, on the same clips."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from emoscope.cli.evaluate import (
    EvaluateRequest,
    check_outputs,
    json_bytes,
    measured,
    text_bytes,
    write_all,
)
from emoscope.cli.evaluate_show import print_notes
from emoscope.cli.evaluation_options import LabelOptions
from emoscope.errors import RequestError
from emoscope.evaluate.comparison import Comparison, PairedFigures
from emoscope.evaluate.comparison_report import (
    comparison_html,
    comparison_notes,
    difference_rows,
    p_text,
)
from emoscope.evaluate.lists import usable
from emoscope.evaluate.notes import EvaluationNote, evaluation_notes
from emoscope.evaluate.pairing import compare_predictions
from emoscope.evaluate.predictions import (
    PREDICTION_ENDINGS,
    Prediction,
    listed_clips,
    predictions_of,
    read_predictions,
)
from emoscope.evaluate.record import utc_now
from emoscope.messages.evaluation import COMPARISON
from emoscope.messages.languages import Language
from emoscope.settings import Settings, language_of


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """What is to be compared, and where the figures go."""

    first: str
    """A model, or a file of predictions."""
    second: str
    listing: Path | None
    """List of recordings, which models need."""
    labels: LabelOptions
    json_path: Path | None = None
    html_path: Path | None = None
    draws: int = 1_000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two systems."""

    name: str
    rows: Sequence[Prediction]
    about: dict[str, object]
    failures: int = 0
    stamps: tuple[EvaluationNote, ...] = ()
    """Why its figures must not be quoted."""


def run_compare(request: CompareRequest, settings: Settings) -> int:
    """Compare two systems, print the figures, then write the reports asked for.

    Returns:
        how many recordings a model could not recognize.

    Raises:
        InputError: a file cannot be read, or there is nothing to compare.
        ModelError: a model cannot be loaded.
        SettingError: two files are one.
        StoreError: a report cannot be written.
    """
    outputs = [path for path in (request.json_path, request.html_path) if path is not None]
    given = [Path(one) for one in (request.first, request.second) if _is_file(one)]
    inputs = [*given, *([] if request.listing is None else [request.listing])]
    check_outputs(inputs, outputs)
    sides = [_side(name, request, settings) for name in (request.first, request.second)]
    known = (
        ()
        if request.listing is None
        else usable(request.labels.read(request.listing).rows, least=0)
    )
    first, second = sides
    comparison = compare_predictions(
        first.rows,
        second.rows,
        (first.name, second.name),
        listed_clips(known),
        draws=request.draws,
        seed=request.seed,
    )
    language = language_of(settings.language)
    try:
        _print(comparison, language)
        for side in sides:
            print_notes(Console(), side.stamps, language)
    finally:
        document = {
            "created": utc_now(),
            "command": ["emoscope", *sys.argv[1:]],
            "sources": [side.about for side in sides],
            **comparison.to_dict(),
        }
        contents = []
        if request.json_path is not None:
            contents.append((request.json_path, json_bytes(document)))
        if request.html_path is not None:
            contents.append((request.html_path, text_bytes(comparison_html(comparison))))
        write_all(contents)
    return max(side.failures for side in sides)


def _is_file(name: str) -> bool:
    return Path(name).suffix.lower() in PREDICTION_ENDINGS and Path(name).is_file()


def _side(name: str, request: CompareRequest, settings: Settings) -> _Side:
    """Read a file of predictions, or recognize the list with a model."""
    if _is_file(name):
        found = read_predictions(Path(name), request.labels.words())
        return _Side(found.name, found.rows, {"file": name, "sha256": found.sha256})
    if request.listing is None:
        raise RequestError("predictions_need_list", name=name)
    wanted = EvaluateRequest(request.listing, request.labels, draws=1)
    evaluation, record = measured(wanted, settings.model_copy(update={"model": name}))
    model = evaluation.model
    label = name if model is None else f"{model.name} {model.revision}"
    about = {
        "model": model and model.to_dict(),
        "list": record.to_dict()["list"],
        "training": evaluation.training and evaluation.training.to_dict(),
    }
    stamps = tuple(note for note in evaluation_notes(evaluation) if note.level == "stamp")
    rows = predictions_of(evaluation.clips)
    return _Side(label, rows, about, len(evaluation.failures), stamps)


def _print(comparison: Comparison, language: Language) -> None:
    screen = Console()
    text = COMPARISON["sides"](language, first=comparison.first, second=comparison.second)
    screen.print(text, markup=False, highlight=False)
    for figures in (comparison.overall, *_apart(comparison)):
        screen.print(_table(figures, language))
    print_notes(screen, comparison_notes(comparison), language)


def _apart(comparison: Comparison) -> tuple[PairedFigures, ...]:
    """Corpora that are shown for themselves: where there is more than all clips."""
    return comparison.corpora if len(comparison.corpora) > 1 else ()


def _table(figures: PairedFigures, language: Language) -> Table:
    speakers = figures.resampling.speakers or "?"
    heading = COMPARISON["clips"](
        language,
        corpus=figures.corpus or COMPARISON["all"](language),
        clips=figures.clips,
        speakers=speakers,
    )
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(escape(heading))
    for name in ("A", "B", "B − A"):
        table.add_column(name, justify="left", no_wrap=True)
    for row in difference_rows(figures, language):
        table.add_row(*map(escape, row))
    only = figures.mcnemar
    told = COMPARISON["only_right"](language)
    table.add_row(
        told, str(only.only_first), str(only.only_second), f"p {p_text(only.p)} (McNemar)"
    )
    return table
