"""``emoscope evaluate``: accuracy of a model on a labelled list."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from emoscope.cli.evaluate_show import print_evaluation
from emoscope.cli.evaluation_options import LabelOptions
from emoscope.cli.model import open_model
from emoscope.cli.show import failure_line
from emoscope.errors import SettingError, StoreError
from emoscope.evaluate.evaluation import Evaluation
from emoscope.evaluate.leaks import leak
from emoscope.evaluate.lists import LabelledList, list_sha256
from emoscope.evaluate.predictions import prediction_bytes, prediction_table
from emoscope.evaluate.record import FileRef, RunRecord, utc_now, versions_of
from emoscope.evaluate.report import evaluation_html
from emoscope.evaluate.run import evaluate
from emoscope.files import atomic_write, check_file
from emoscope.lists.records import PARQUET
from emoscope.messages.evaluation import EVALUATION_NOTES
from emoscope.messages.languages import Language
from emoscope.messages.texts import TERMINAL
from emoscope.optional import check_installed
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure
from emoscope.settings import Settings, language_of


@dataclass(frozen=True, slots=True)
class EvaluateRequest:
    """What is to be evaluated, and where the figures go."""

    path: Path
    """The list of labelled recordings."""
    labels: LabelOptions
    """How its labels, and those of the training list, are read."""
    trained: Path | None = None
    """List that the model was trained on, to find what both share."""
    json_path: Path | None = None
    html_path: Path | None = None
    predictions: Path | None = None
    """Where the answers to each clip go: CSV, JSON Lines or Parquet, by the ending."""
    draws: int = 1_000
    seed: int = 0

    @property
    def inputs(self) -> list[Path]:
        """Files that are read."""
        given = (self.path, self.trained, self.labels.label_map)
        return [one for one in given if one is not None]

    @property
    def outputs(self) -> dict[str, Path]:
        """Files that are written, by what they are."""
        given = {
            "json": self.json_path,
            "html": self.html_path,
            "predictions": self.predictions,
        }
        return {kind: path for kind, path in given.items() if path is not None}


def run_evaluate(request: EvaluateRequest, settings: Settings) -> int:
    """Evaluate a list, print the figures, then write the reports asked for.

    Returns:
        how many recordings could not be recognized; each has been named on standard error.

    Raises:
        InputError: a list cannot be read, or none of its recordings can be recognized.
        ModelError: the model cannot be loaded.
        SettingError: two files are one.
        StoreError: a report cannot be written; the figures have been printed if they are known.
    """
    check_outputs(request.inputs, request.outputs.values())
    if request.predictions is not None and request.predictions.suffix.lower() in PARQUET:
        check_installed("pyarrow", extra="parquet")
    language = language_of(settings.language)
    evaluation, record = measured(request, settings)
    try:
        print_evaluation(evaluation, language)
    finally:  # also where standard output cannot be written
        _write(evaluation, record, request)
    return len(evaluation.failures)


def measured(request: EvaluateRequest, settings: Settings) -> tuple[Evaluation, RunRecord]:
    """Recognize a list and return its figures, and how they were made.

    Raises:
        InputError: a list cannot be read, or none of its recordings can be recognized.
        ModelError: the model cannot be loaded.
    """
    language, screen = language_of(settings.language), Console(stderr=True)
    listed = request.labels.read(request.path)
    _tell_labels(listed, language, screen)
    trained = None if request.trained is None else request.labels.read(request.trained)
    shared = None if trained is None else leak(trained.rows, listed.rows)
    recognizer = open_model(settings, settings.file_limits)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(TERMINAL["working"](language), total=len(listed.rows))
        evaluation = evaluate(
            recognizer,
            listed.rows,
            leak=shared,
            draws=request.draws,
            seed=request.seed,
            listener=lambda done: bar.update(task, completed=done),
            failed=_teller(bar.console, language),
        )
    return evaluation, _record(request, settings, recognizer, listed, trained)


def _teller(screen: Console, language: Language) -> Callable[[Failure], None]:
    def tell(failure: Failure) -> None:
        if failure.error.code == "label_unknown":  # told together, before the work
            return
        line = failure_line(failure, language)
        screen.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)

    return tell


def _record(
    request: EvaluateRequest,
    settings: Settings,
    recognizer: Recognizer,
    listed: LabelledList,
    trained: LabelledList | None,
) -> RunRecord:
    mapped = request.labels.label_map
    return RunRecord(
        created=utc_now(),
        versions=versions_of(recognizer),
        command=("emoscope", *sys.argv[1:]),
        listing=FileRef(str(request.path), listed.sha256),
        model_sha256=recognizer.model.sha256,
        training=None if trained is None else FileRef(str(request.trained), trained.sha256),
        label_map=None if mapped is None else FileRef(str(mapped), list_sha256(mapped)),
        options={
            "model": settings.model,
            "precision": settings.precision,
            "backend": settings.backend,
            "device": settings.device,
            "heads": list(settings.heads),
            "draws": request.draws,
            "seed": request.seed,
            "drop_unknown": request.labels.drop_unknown,
            "table": request.labels.table,
        },
    )


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


def check_outputs(inputs: Iterable[Path], outputs: Iterable[Path]) -> None:
    """Refuse, before the work, outputs that cannot be written or are the same file.

    Raises:
        SettingError: an output is one of the other files.
        StoreError: an output cannot be written.
    """
    seen = {one.resolve() for one in inputs}
    for path in outputs:
        check_file(path)
        is_file = path.is_file() or not path.exists()  # two reports may go to one device
        if is_file and path.resolve() in seen:
            raise SettingError(
                "setting_invalid",
                setting="--json / --html",
                reason=f"{path}: LIST / --json / --html",
            )
        seen.add(path.resolve())


def _write(evaluation: Evaluation, record: RunRecord, request: EvaluateRequest) -> None:
    """Write each report whole; one that cannot be written does not cost the others."""
    document = {**record.to_dict(), **evaluation.to_dict()}
    contents: dict[str, Callable[[Path], bytes]] = {
        "json": lambda _path: json_bytes(document),
        "html": lambda _path: text_bytes(evaluation_html(evaluation, request.path.name, record)),
        "predictions": lambda path: prediction_bytes(
            prediction_table(evaluation.clips, record.to_dict()), path.suffix.lower()
        ),
    }
    write_all((path, contents[kind](path)) for kind, path in request.outputs.items())


def json_bytes(document: Mapping[str, Any]) -> bytes:
    """Return a document as JSON for a file."""
    return text_bytes(json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def text_bytes(text: str) -> bytes:
    """Return text as UTF-8; a name that is none holds lone surrogates, which are escaped."""
    return text.encode("utf-8", "backslashreplace")


def write_all(contents: Iterable[tuple[Path, bytes]]) -> None:
    """Write each file whole; one that cannot be written does not cost the others.

    Raises:
        StoreError: the first of those that could not be written.
    """
    errors: list[StoreError] = []
    for path, data in contents:
        try:
            atomic_write(path, data)
        except StoreError as error:
            errors.append(error)
    if errors:
        raise errors[0]
