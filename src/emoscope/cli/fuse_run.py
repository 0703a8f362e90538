"""Work of ``emoscope fuse``: recognition, reading of the words, tables and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from emoscope.cli.model import open_model
from emoscope.cli.show import emotion_name, failure_line
from emoscope.cli.streams import write
from emoscope.cli.utterances import SpanPlan
from emoscope.errors import EmoscopeError, ListError, RequestError
from emoscope.files import check_file
from emoscope.fusion.examples import FusionColumns, read_examples
from emoscope.fusion.fit import FIT_EXTRA, Figure, FusionFigures, fit_rule
from emoscope.fusion.recording import FusedRecording, GivenWords, WordReader, fuse_result
from emoscope.fusion.rule import DEFAULT_RULE, Fusion
from emoscope.fusion.rule_file import read_rule, write_rule
from emoscope.fusion.words import LabelMap, WordScores
from emoscope.labels import by_key
from emoscope.lists.spans import read_spans
from emoscope.messages.fusion import FUSION
from emoscope.messages.languages import Language
from emoscope.optional import check_installed
from emoscope.paths.access import read_json
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure
from emoscope.results.scores import Scores
from emoscope.results.utterances import UTTERANCE_RULES
from emoscope.settings import Settings, language_of

_JSON_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class FuseWork:
    """What ``emoscope fuse answer`` was asked for."""

    files: list[Path]
    text: str
    spans: Path | None
    tier: str | None
    reader: WordReader | None
    """Reads the words; None when no text model and no scores were given."""
    rule: Path | None
    as_json: bool


def run_answer(work: FuseWork, settings: Settings) -> int:
    """Answer each recording by voice and words, and print both parts.

    Returns:
        how many recordings could not be answered; each is named on standard error.

    Raises:
        ListError: the rule or the spans cannot be read.
        RequestError: nothing reads the words.
        ModelError: the model cannot be loaded.
    """
    language = language_of(settings.language)
    if work.reader is None:
        raise RequestError("text_model_missing")
    rule = DEFAULT_RULE if work.rule is None else read_rule(work.rule)
    plan = None
    if work.spans is not None:
        plan = SpanPlan(UTTERANCE_RULES, read_spans(work.spans, tier=work.tier))
    recognizer = open_model(settings, settings.file_limits)
    answers, failed = [], 0
    for path in work.files:
        try:
            spans = None if plan is None else plan.of(path.name)
            result = recognizer.recognize(path, utterances=spans)
            answers.append(fuse_result(result, work.reader, rule, text=work.text))
        except EmoscopeError as error:
            failed += 1
            _tell(Failure(path.name, error), language)
    if work.as_json:
        documents = [one.to_dict() for one in answers]
        write(json.dumps(documents, ensure_ascii=False, indent=1) + "\n")
    else:
        for one in answers:
            _print_answer(one, language)
        if answers and not rule.fitted:
            line = FUSION["not_fitted"](language)
            Console(stderr=True).print(line, style="yellow", soft_wrap=True, markup=False)
    return failed


def run_fit(
    path: Path,
    to: Path,
    reader: WordReader | None,
    columns: FusionColumns,
    settings: Settings,
    *,
    as_json: bool,
) -> int:
    """Fit a rule on a list, print its figures and write it.

    Args:
        path: the list.
        to: file of the rule; checked before the work.
        reader: reads the text of the rows; None when the rows have scores of their words.
        columns: names of the columns.
        settings: model, limits and language.
        as_json: print the figures as JSON.

    Returns:
        how many rows were not used; each is named on standard error.

    Raises:
        ExtraMissingError: the extra ``vectors`` is not installed.
        ListError: the list cannot be read, or is too small.
        StoreError: the rule cannot be written.
        ModelError: the model cannot be loaded.
    """
    language = language_of(settings.language)
    check_installed("sklearn", extra=FIT_EXTRA)
    check_file(to)
    voice = _Voice(settings)
    examples, failed = [], 0
    for row in read_examples(path, voice, reader, columns):
        if isinstance(row, Failure):
            failed += 1
            _tell(row, language)
        else:
            examples.append(row)
    rule, figures = fit_rule(examples)
    write_rule(rule, to)
    if as_json:
        write(json.dumps(figures.to_dict(), ensure_ascii=False, indent=1) + "\n")
    else:
        _print_fit(figures, to, failed, language)
    return failed


class _Voice:
    """Recognizes recordings; the model is loaded for the first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._recognizer: Recognizer | None = None

    def __call__(self, path: Path) -> Scores:
        if self._recognizer is None:
            self._recognizer = open_model(self._settings, self._settings.file_limits)
        return self._recognizer.recognize(path).scores


def given_words(path: Path) -> GivenWords:
    """Read scores of words from a JSON object of emotions.

    Raises:
        ListError: it is none.
        SourceError: it cannot be read.
    """
    found = _json(path)
    if not isinstance(found, dict):
        raise ListError("text_scores_invalid", reason=path.name)
    return GivenWords(WordScores.from_dict(found))


def label_map_of(path: Path | None) -> LabelMap | None:
    """Read a map from labels to emotions from a JSON object.

    Raises:
        ListError: it is none.
        SourceError: it cannot be read.
    """
    if path is None:
        return None
    found = _json(path)
    if not isinstance(found, dict):
        raise ListError("text_labels_unknown", found=path.name, labels="-")
    return found


def _json(path: Path) -> Any:
    try:
        return read_json(path, _JSON_BYTES)
    except ValueError as exc:
        raise ListError("text_scores_invalid", reason=f"{path.name}: {exc}"[:200]) from exc


def _tell(failure: Failure, language: Language) -> None:
    line = failure_line(failure, language)
    Console(stderr=True).print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)


def _print_answer(answer: FusedRecording, language: Language) -> None:
    screen = Console()
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("", FUSION["voice"](language), FUSION["words"](language)):
        table.add_column(heading)
    table.add_column(FUSION["both"](language))
    table.add_column(FUSION["text"](language), overflow="fold")
    for name, fusion, text in _rows(answer):
        mark = FUSION["disagree"](language, bits=fusion.divergence) if fusion.disagree else ""
        table.add_row(
            name,
            *_cells(fusion, language),
            f"{text}\n{mark}".strip(),
        )
    screen.print(table)


def _rows(answer: FusedRecording) -> Iterator[tuple[str, Fusion, str]]:
    yield answer.name, answer.fusion, "" if answer.utterances else answer.text
    for one in answer.utterances:
        yield f"  {one.start_s:.2f}–{one.end_s:.2f} s", one.fusion, one.text


def _cells(fusion: Fusion, language: Language) -> tuple[str, str, str]:
    parts = (
        (fusion.voice_emotion, fusion.voice_scores.confidence),
        (fusion.words_emotion, max(fusion.words_scores.values())),
        (fusion.emotion, fusion.confidence),
    )
    one, two, three = (
        f"{emotion_name(by_key(key), language)} {100 * share:.1f}%" for key, share in parts
    )
    return one, two, three


def _print_fit(figures: FusionFigures, to: Path, failed: int, language: Language) -> None:
    screen = Console()
    told = FUSION["fitted_on"](
        language, rows=figures.rows, speakers=figures.speakers, classes=figures.classes
    )
    screen.print(told, soft_wrap=True, markup=False)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("")
    table.add_column(FUSION["uar"](language))
    table.add_column(FUSION["apart"](language, rows=figures.disagreements), justify="right")
    for key, figure, right in (
        ("voice", figures.voice, figures.voice_right),
        ("words", figures.words, figures.words_right),
        ("both", figures.both, figures.both_right),
    ):
        table.add_row(FUSION[key](language), _figure(figure), f"{100 * right:.0f}%")
    screen.print(table, markup=False)
    if figures.both.uar <= max(figures.voice.uar, figures.words.uar):
        screen.print(FUSION["worse"](language), style="yellow", soft_wrap=True, markup=False)
    if failed:
        screen.print(FUSION["skipped"](language, count=failed), style="yellow", markup=False)
    screen.print(FUSION["written"](language, path=to), soft_wrap=True, markup=False)


def _figure(figure: Figure) -> str:
    return f"{figure.uar:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
