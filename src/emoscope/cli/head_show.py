"""What ``emoscope head`` prints: figures of a training, and the table of heads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TaskID
from rich.table import Table

from emoscope.cli.evaluate_show import head_notes, print_notes
from emoscope.cli.head_leak import check_leak_index, leak_document, print_leak
from emoscope.cli.model import open_model
from emoscope.cli.show import detail, failure_line
from emoscope.cli.streams import write
from emoscope.errors import EmoscopeError, HeadError
from emoscope.files import atomic_write, check_file, check_folder
from emoscope.messages.heads import BASELINES, HEAD_WORDS, TEACH
from emoscope.messages.languages import Language
from emoscope.models.head_file import Head
from emoscope.models.head_folder import (
    check_head_name,
    head_folder,
    head_names,
    open_head,
    save_head,
)
from emoscope.optional import check_installed
from emoscope.settings import Settings, language_of, load_settings

_UNSURE_SPEAKERS = 10
"""Below so many, intervals over speakers are themselves unsure."""


@dataclass(frozen=True, slots=True)
class HeadOrder:
    """What to train a head on, and when to keep it."""

    listing: Path
    name: str
    label_column: str | None = None
    speaker_column: str | None = None
    by_speaker: bool = True
    licence: str = ""
    keep_anyway: bool = False
    replace: bool = False
    index: Path | None = None
    """Index to compare the training clips with."""


def run_train(order: HeadOrder, settings: Settings, *, as_json: bool = False) -> None:
    """Train a head on a list, print its figures, and keep it if it is better.

    Args:
        order: the list, the name, and when to keep it.
        settings: model, limits and language.
        as_json: print the figures as JSON.

    Raises:
        HeadError: the list is not fit for it, or the head is not better; the figures are printed.
        StoreError: it cannot be written.
        ModelError: the model cannot be loaded.
        VectorIndexError: the index cannot be opened.
        ExtraMissingError: scikit-learn is not installed.
    """
    check_installed("sklearn", extra="vectors")
    language = language_of(settings.language)
    if check_head_name(order.name) in head_names() and not order.replace:
        raise HeadError("head_exists", name=order.name)
    check_folder(head_folder())
    if order.index is not None:
        check_leak_index(order.index)
    from emoscope.vectors.head_list import embed_clips, read_head_list
    from emoscope.vectors.heads import train_head

    listed = read_head_list(
        order.listing,
        label_column=order.label_column,
        speaker_column=order.speaker_column,
        needs_speakers=order.by_speaker,
    )
    recognizer = open_model(settings, settings.file_limits).configured(heads=())
    screen = Console(stderr=True)
    with _bar(screen, HEAD_WORDS["embedding"](language), len(listed.clips)) as (bar, task):
        data = embed_clips(
            recognizer,
            listed,
            by_speaker=order.by_speaker,
            listener=lambda done: bar.update(task, completed=done),
        )
    for failure in data.failures:
        line = failure_line(failure, language)
        screen.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)
    with _bar(screen, HEAD_WORDS["fitting"](language), 1) as (bar, task):
        head, report = train_head(
            order.name,
            data,
            recognizer.model,
            is_grouped=order.by_speaker,
            licence=order.licence,
            listener=lambda done, total: bar.update(task, completed=done, total=total),
        )
    leak = {} if order.index is None else leak_document(head, order.index)
    if as_json:
        write(json.dumps(report.to_dict() | leak, ensure_ascii=False, indent=1) + "\n")
    else:
        _print_card(head.card, language)
        print_leak(leak, language)
    if not (report.is_better or order.keep_anyway):
        gain = report.gain
        raise HeadError(
            "head_not_better",
            uar=report.uar.value,
            baseline=report.baseline_uar.value,
            gain=gain.value,
            low=gain.low,
            high=gain.high,
        )
    if not report.is_better:
        screen.print(HEAD_WORDS["kept_anyway"](language), style="yellow")
    path = save_head(head, replace=order.replace)
    screen.print(
        HEAD_WORDS["saved"](language, name=head.name, path=path),
        style="dim",
        soft_wrap=True,
        markup=False,
    )


def run_teach(order: HeadOrder, settings: Settings, *, as_json: bool = False) -> None:
    """Train a head of corrections on the corrected runs of a folder, and keep it if it helps.

    Args:
        order: the outputs folder, the name, and when to keep it.
        settings: model and language.
        as_json: print the figures as JSON.

    Raises:
        HeadError: too few corrections, or the head makes no more segments right.
        StoreError: it cannot be written.
        ModelError: the model cannot be loaded.
    """
    from emoscope.outputs.store import RunStore
    from emoscope.outputs.teaching import changed_answers, taught_runs
    from emoscope.vectors.corrections import check_corrections_help, train_corrections

    language = language_of(settings.language)
    if check_head_name(order.name) in head_names() and not order.replace:
        raise HeadError("head_exists", name=order.name)
    recognizer = open_model(settings, settings.file_limits).configured(heads=())
    calibration = None if recognizer.card is None else recognizer.card.calibration
    store = RunStore(order.listing)
    taught = taught_runs(store, recognizer.model)
    head, report = train_corrections(
        order.name,
        taught.segments,
        recognizer.model,
        temperature=1.0 if calibration is None else calibration.temperature,
    )
    answers, looked_at = changed_answers(store, head)
    if as_json:
        changed = [one.run for one in answers]
        data = report.to_dict() | {"changed": changed, "looked_at": looked_at}
        write(json.dumps(data, ensure_ascii=False, indent=1) + "\n")
    else:
        _print_corrections(report.to_dict(), language)
        line = TEACH["others"](language, changed=len(answers), looked_at=looked_at)
        Console().print(line)
    if not order.keep_anyway:
        check_corrections_help(report)
    path = save_head(head, replace=order.replace)
    line = HEAD_WORDS["saved"](language, name=head.name, path=path)
    Console(stderr=True).print(line, style="dim", soft_wrap=True, markup=False)


def _print_corrections(card: Mapping[str, Any], language: Language) -> None:
    """Print how many segments are right before and after."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for key in ("unseen", "before", "after"):
        table.add_column(TEACH[key](language), justify="left" if key == "unseen" else "right")
    for key, row in (("corrected_right", "changed_right"), ("stayed_right", "stayed_right")):
        count = card["clips"] if key == "corrected_right" else card["stayed"]
        table.add_row(TEACH[key](language, count=count), *map(str, card[row]))
    Console().print(table)


def run_evaluate_head(
    path: Path, head: Head, settings: Settings, *, json_path: Path | None = None
) -> int:
    """Measure a head on a list that it did not learn from, and print the figures.

    Args:
        path: the list; its labels are those of the head.
        head: with classes of its own.
        settings: model, limits and language.
        json_path: where to write the figures.

    Returns:
        how many recordings could not be recognized; each has been named on standard error.

    Raises:
        InputError: the list cannot be used.
        ModelError: the model cannot be loaded.
        StoreError: the figures cannot be written.
    """
    from emoscope.vectors.head_evaluation import evaluate_head

    language, screen = language_of(settings.language), Console(stderr=True)
    if json_path is not None:
        check_file(json_path)
    recognizer = open_model(settings, settings.file_limits)
    with _bar(screen, HEAD_WORDS["embedding"](language), 1) as (bar, task):
        figures = evaluate_head(
            recognizer,
            path,
            head,
            listener=lambda done, total: bar.update(task, completed=done, total=total),
        )
    for failure in figures.failures:
        line = failure_line(failure, language)
        screen.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)
    data = figures.to_dict()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row(HEAD_WORDS["clips"](language), f"{data['clips']} / {data['speakers'] or '?'}")
    table.add_row("UAR", escape(_estimate(data["uar"])))
    table.add_row("WA", f"{data['wa']:.3f}")
    table.add_row(HEAD_WORDS["ece"](language), f"{data['ece']:.3f}")
    Console().print(table)
    Console().print(_confusion(data, language))
    print_notes(Console(), head_notes(figures), language)
    if json_path is not None:
        atomic_write(json_path, (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode())
    return len(figures.failures)


def run_list(lang: str | None, *, as_json: bool) -> None:
    """Print all heads; one that cannot be read is named with the reason."""
    language = language_of(load_settings(language=lang).language)
    heads: list[Head] = []
    damaged: list[EmoscopeError] = []
    for name in head_names():
        try:
            heads.append(open_head(name))
        except EmoscopeError as error:
            damaged.append(error)
    if as_json:
        rows = [
            {
                "name": head.name,
                "kind": head.kind,
                "labels": [label.key for label in head.labels],
                "model": head.model.name,
                "sha256": head.sha256,
                "uar": head.card.get("uar"),
            }
            for head in heads
        ]
        write(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
    elif heads:
        Console().print(_heads_table(heads, language))
    elif not damaged:
        Console(stderr=True).print(HEAD_WORDS["none"](language))
    for one in damaged:
        Console(stderr=True).print(detail(one, language), style="yellow", markup=False)


def run_show(
    head: Head, lang: str | None, *, index: Path | None = None, as_json: bool = False
) -> None:
    """Print the card of a head.

    Args:
        head: any.
        lang: language of the terminal; that of the settings by default.
        index: folder of an index to compare the training clips with; none by default.
        as_json: print JSON, without the numbers of the map.

    Raises:
        VectorIndexError: the index cannot be opened.
    """
    language = language_of(load_settings(language=lang).language)
    leak = {} if index is None else leak_document(head, index)
    if as_json:
        hidden = ("weights", "bias", "trained_on")
        data = {key: value for key, value in head.to_dict().items() if key not in hidden}
        write(json.dumps(data | leak, ensure_ascii=False, indent=1) + "\n")
        return
    screen = Console()
    screen.print(escape(head.name), style="bold")
    about = Table(box=None, show_header=False, pad_edge=False)
    model = f"{head.model.name} {head.model.revision} ({head.model.sha256[:12]})"
    about.add_row(HEAD_WORDS["model"](language), model)
    about.add_row("sha256", head.sha256[:12])
    about.add_row(HEAD_WORDS["licence"](language), escape(str(head.card.get("licence") or "-")))
    screen.print(about)
    if head.kind == "classes":
        _print_card(head.card, language)
    else:
        _print_corrections(head.card, language)
    print_leak(leak, language)


def told_removed(name: str, lang: str | None) -> str:
    """Return the sentence that a head was removed, in the language of the terminal."""
    return HEAD_WORDS["removed"](language_of(load_settings(language=lang).language), name=name)


@contextmanager
def _bar(screen: Console, title: str, total: int) -> Iterator[tuple[Progress, TaskID]]:
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
        yield bar, bar.add_task(title, total=total)


def _heads_table(heads: list[Head], language: Language) -> Table:
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for key in ("name", "classes", "model"):
        shown.add_column(HEAD_WORDS[key](language), overflow="fold")
    shown.add_column("UAR", justify="right", no_wrap=True)
    for head in heads:
        labels = ", ".join(label.zh if language == "zh" else label.en for label in head.labels)
        if head.kind == "corrections":
            labels = HEAD_WORDS["corrections"](language)
        uar = head.card.get("uar")
        cells = (head.name, labels, head.model.name, _estimate(uar) if uar else "")
        shown.add_row(*(escape(cell) for cell in cells))
    return shown


def _estimate(three: Sequence[float | None], sign: str = "") -> str:
    value, low, high = three
    if low is None:  # of one speaker
        return f"{value:{sign}.3f} [–]"
    return f"{value:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


def _print_card(card: Mapping[str, Any], language: Language) -> None:
    """Print the figures of a head with classes of its own."""
    screen = Console()
    figures = Table(box=None, show_header=False, pad_edge=False)
    speakers = card["speakers"] or "?"
    figures.add_row(HEAD_WORDS["clips"](language), f"{card['clips']} / {speakers}")
    figures.add_row(HEAD_WORDS["uar"](language), escape(_estimate(card["uar"])))
    baseline = BASELINES[card["baseline"]](language)
    figures.add_row(baseline, escape(_estimate(card["baseline_uar"])))
    figures.add_row(HEAD_WORDS["gain"](language), escape(_estimate(card["gain"], "+")))
    figures.add_row(HEAD_WORDS["ece"](language), f"{card['ece']:.3f}")
    points = (
        HEAD_WORDS["curve_point"](language, clips=clips, uar=uar)
        for clips, uar in card["learning_curve"]
    )
    figures.add_row(HEAD_WORDS["curve"](language), " · ".join(points))
    figures.add_row(HEAD_WORDS["doubled"](language), escape(_estimate(card["doubled"])))
    screen.print(figures)
    screen.print(_confusion(card, language))
    for line in _remarks(card, language):
        screen.print(line, style="yellow")


def _remarks(card: Mapping[str, Any], language: Language) -> Iterator[str]:
    if not card["grouped_by_speaker"]:
        yield HEAD_WORDS["ungrouped"](language)
    elif card["speakers"] < _UNSURE_SPEAKERS:
        yield HEAD_WORDS["few_speakers"](language, count=card["speakers"])
    for key in ("repeated", "contradicted", "failed"):
        if card[key]:
            yield HEAD_WORDS[key](language, count=card[key])


def _confusion(card: Mapping[str, Any], language: Language) -> Table:
    """Recall of each class and what it was taken for."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(HEAD_WORDS["label"](language))
    table.add_column(HEAD_WORDS["recall"](language), justify="right")
    for key in card["counts"]:
        table.add_column(f"→ {escape(key)}", justify="right")
    for (key, count), row in zip(card["counts"].items(), card["confusion"], strict=True):
        recall = f"{card['recall'][key]:.3f}" if count else "-"
        table.add_row(f"{escape(key)} ({count})", recall, *map(str, row))
    return table
