"""``emoscope recognize`` and ``emoscope demo``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from emoscope.cli import show
from emoscope.cli.model import open_model
from emoscope.cli.sources import Named, carried_columns, expand
from emoscope.cli.streams import write
from emoscope.cli.utterances import SpanPlan
from emoscope.errors import EmoscopeError
from emoscope.events import Event
from emoscope.events import Progress as Moved
from emoscope.export import records, utterance_rows
from emoscope.files import check_folder
from emoscope.hub.caches import find_copy
from emoscope.inference.resume import SUFFIX
from emoscope.messages.languages import Language
from emoscope.messages.texts import NOTICES, STEPS, TERMINAL
from emoscope.models import catalog
from emoscope.multichannel import recognize_channels_with
from emoscope.outputs.store import RunStore
from emoscope.paths.choices import Granularity
from emoscope.paths.file_names import readable
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure, Result
from emoscope.results.samples import samples
from emoscope.settings import Settings, language_of
from emoscope.waveform import Waveform

if TYPE_CHECKING:
    from rich.progress import TaskID

CHECKPOINTS = ".unfinished"
"""Folder of the cache with what is known of long recordings that broke off."""


@dataclass(slots=True)
class Work:
    """Options of one call of the command, and counts of what became of the recordings."""

    granularity: Granularity = "utterance"
    embedding: bool = False
    save: bool = False
    output: str = "table"
    """table, json, jsonl or csv."""
    separate: bool = False
    """An answer per channel."""
    utterances: SpanPlan | None = None
    """Which utterances are recognized alone; None for none."""
    checkpoint_dir: Path | None = field(default=None, init=False)
    """Folder for outputs of long recordings that are interrupted; None: they start anew."""
    done: int = field(default=0, init=False)
    errors: list[EmoscopeError] = field(default_factory=list, init=False)


def run_recognize(arguments: list[str], work: Work, settings: Settings) -> None:
    """Recognize all arguments and print the answers.

    Args:
        arguments: files, folders, lists, or ``-`` for standard input.
        work: what to do with each; counts the recordings done and collects the errors.
        settings: model, limits, outputs folder and language.

    Raises:
        StoreError: runs are to be saved and cannot be, or standard output cannot be written.
        ModelError: the model cannot be loaded.
    """
    language = language_of(settings.language)
    if work.save:
        check_folder(settings.outputs)
    recognizer = open_model(settings, settings.file_limits)
    store = RunStore(settings.outputs) if work.save else None
    screen = Console(stderr=True)
    cache = catalog.find_cache() if settings.resume else None
    work.checkpoint_dir = None if cache is None else cache / CHECKPOINTS
    started_s = time.time()
    try:
        with _Bar(screen, language) as bar:
            answers = _answers(expand(arguments), recognizer, work, store, bar, language)
            if work.output == "csv" and work.utterances is None:
                _write_csv(answers, recognizer, carried_columns(arguments))
            else:
                _write((answer for answer, _ in answers), work, recognizer, language)
    except KeyboardInterrupt:
        if work.checkpoint_dir is not None and _kept_since(work.checkpoint_dir, started_s):
            screen.print(TERMINAL["unfinished"](language), style="yellow")
        raise
    if work.errors and work.done + len(work.errors) > 1:
        screen.print(
            TERMINAL["summary"](language, done=work.done, failed=len(work.errors)), style="yellow"
        )


def _kept_since(folder: Path, seconds: float) -> bool:
    return any(path.stat().st_mtime >= seconds for path in folder.rglob(f"*{SUFFIX}"))


def run_demo(settings: Settings) -> None:
    """Recognize the built-in samples and print what they were meant to express."""
    language = language_of(settings.language)
    recognizer = open_model(settings, settings.file_limits)
    screen = Console()
    answers = [recognizer.recognize(sample.path) for sample in samples()]
    screen.print(TERMINAL["demo"](language), style="bold")
    screen.print(show.result_table(answers, language))
    _notice(recognizer, language)


def _answers(
    sources: Iterator[Named | Failure],
    recognizer: Recognizer,
    work: Work,
    store: RunStore | None,
    bar: _Bar,
    language: Language,
) -> Iterator[tuple[Result | Failure, Mapping[str, str]]]:
    """Yield each answer, and what a list says of its recording besides path and name."""
    for source in sources:
        others = {} if isinstance(source, Failure) else source.others
        for answer in _each(source, recognizer, work, store, bar, language):
            if isinstance(answer, Failure):
                work.errors.append(answer.error)
            else:
                work.done += 1
            yield answer, others


def _each(
    source: Named | Failure,
    recognizer: Recognizer,
    work: Work,
    store: RunStore | None,
    bar: _Bar,
    language: Language,
) -> Iterator[Result | Failure]:
    """Give the answer for one source, or one for each of its channels."""
    if isinstance(source, Failure):
        yield replace(source, name=readable(source.name))
        return
    source = replace(source, name=readable(source.name))
    bar.start(source.name)
    try:
        results = _results(source, recognizer, work, bar)
    except EmoscopeError as error:
        yield Failure(source.name, error)
        return
    for result, waveform in results:
        if store is None:
            yield result
            continue
        try:
            run = store.save(result, waveform)
        except EmoscopeError as error:
            yield Failure(result.name, error, result)
            continue
        bar.say(TERMINAL["saved"](language, path=run.path))
        yield run.result


def _results(
    source: Named, recognizer: Recognizer, work: Work, bar: _Bar
) -> list[tuple[Result, Waveform]]:
    plan = None if work.utterances is None else work.utterances.of(source.name)
    if work.separate:
        channels = recognize_channels_with(
            recognizer,
            source.source,
            granularity=work.granularity,
            embedding=work.embedding,
            utterances=plan,
            name=source.name,
            listener=bar.listen,
            checkpoint_dir=work.checkpoint_dir,
        )
        return list(zip(channels.results, channels.waveforms, strict=True))
    recording = recognizer.decode(source.source, name=source.name, listener=bar.listen)
    result = recognizer.infer(
        recording,
        granularity=work.granularity,
        embedding=work.embedding,
        utterances=plan,
        listener=bar.listen,
        checkpoint_dir=work.checkpoint_dir,
    )
    return [(result, recording.waveform)]


def _write(
    answers: Iterator[Result | Failure], work: Work, recognizer: Recognizer, language: Language
) -> None:
    if work.output == "json":
        write(records.to_json(answers))
    elif work.output == "jsonl":
        for answer in answers:
            write(records.to_json_line(answer))
    elif work.output == "csv":
        extra = records.head_columns(recognizer.heads)
        write(utterance_rows.utterance_csv_header(extra))
        for answer in answers:
            write(utterance_rows.to_utterance_csv(answer, extra))
    else:
        _print_table(list(answers), recognizer, language)


def _write_csv(
    answers: Iterator[tuple[Result | Failure, Mapping[str, str]]],
    recognizer: Recognizer,
    carried: Sequence[str],
) -> None:
    extra = records.head_columns(recognizer.heads)
    write(records.csv_header(extra, carried))
    for answer, others in answers:
        write(records.to_csv_line(answer, extra, [others.get(name, "") for name in carried]))


def _print_table(
    answers: list[Result | Failure], recognizer: Recognizer, language: Language
) -> None:
    screen = Console()
    screen.print(show.result_table(answers, language))
    for answer in answers:
        if isinstance(answer, Result) and answer.segments:
            screen.print()
            screen.print(show.segment_table(answer, language))
        if isinstance(answer, Result) and answer.utterance_set is not None:
            screen.print()
            screen.print(show.utterance_table(answer, language))
    _notice(recognizer, language)


def _notice(recognizer: Recognizer, language: Language) -> None:
    if recognizer.model.name == catalog.COMPACT:
        large = catalog.catalog_entry(catalog.LARGE)
        copy, command = find_copy(large), large.pull_command
        line = NOTICES["compact"](language, command=command)
        if copy:
            line = NOTICES["compact_found"](language, command=command, folder=copy.folder)
        Console(stderr=True).print(line, style="yellow")


class _Bar:
    """Progress bar on stderr; silent when that is no terminal."""

    def __init__(self, screen: Console, language: Language) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeRemainingColumn(),
            console=screen,
            transient=True,
            disable=not screen.is_terminal,
        )
        self._language = language
        self._task: TaskID | None = None
        self._name = self._step = ""

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._progress.stop()

    def start(self, name: str) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._name, self._step = escape(name), ""
        text = f"{TERMINAL['working'](self._language)} {self._name}"
        self._task = self._progress.add_task(text, total=1.0)

    def listen(self, event: Event) -> None:
        if isinstance(event, Moved) and self._task is not None:
            if event.step != self._step:
                # Reading is much faster than recognizing: the time left starts anew.
                self._step = event.step
                title = STEPS[event.step](self._language)
                self._progress.reset(self._task, description=f"{title} {self._name}")
            self._progress.update(self._task, completed=event.done_s / event.total_s)

    def say(self, line: str) -> None:
        # soft_wrap: a path is to be copied, in one piece
        self._progress.console.print(line, style="dim", soft_wrap=True, markup=False)
