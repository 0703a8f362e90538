"""``emoscope doctor``: robustness of the answers for recordings."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from emoscope.audio.decode import decode
from emoscope.cli.model import open_model
from emoscope.cli.show import emotion_name, failure_line
from emoscope.cli.sources import Named, expand
from emoscope.cli.streams import write
from emoscope.errors import EmoscopeError
from emoscope.evaluate.robustness import Perturbation, Robustness, perturb
from emoscope.export.records import to_record
from emoscope.messages.languages import Language
from emoscope.messages.texts import NOTICES, TERMINAL
from emoscope.messages.trust import STABILITY, abstention
from emoscope.paths.file_names import readable
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure
from emoscope.settings import Settings, language_of


def run_doctor(arguments: list[str], as_json: bool, settings: Settings) -> bool:
    """Print whether small changes to recordings alter their answers.

    Args:
        arguments: files, folders, lists, or ``-`` for standard input.
        as_json: print JSON, an object a line, instead of tables.
        settings: model, limits and language.

    Returns:
        Whether every recording was recognized, has an answer, and no change alters it.

    Raises:
        InputError: the one recording cannot be used.
        ModelError: the model cannot be loaded, or it failed.
    """
    language = language_of(settings.language)
    recognizer = open_model(settings, settings.file_limits)
    sources = list(expand(arguments))
    screen, verdicts = Console(), list[str]()
    for found in _examined(sources, recognizer, settings):
        if isinstance(found, Failure) and len(sources) == 1:
            raise found.error
        verdicts.append("failed" if isinstance(found, Failure) else found.verdict)
        if as_json:
            data = to_record(found) if isinstance(found, Failure) else found.to_dict()
            write(json.dumps(data, ensure_ascii=False, allow_nan=False) + "\n")
        elif isinstance(found, Failure):
            screen.print(escape(failure_line(found, language)), style="red")
        elif len(sources) == 1:
            _print(screen, found, language)
        else:
            screen.print(_line(found, language))
    if len(sources) > 1 and not as_json:
        counts = {name: verdicts.count(name) for name in ("stable", "unstable", "no_answer")}
        failed = verdicts.count("failed")
        screen.print(STABILITY["summary"](language, failed=failed, **counts), style="bold")
    return all(verdict == "stable" for verdict in verdicts)


def _examined(
    sources: list[Named | Failure], recognizer: Recognizer, settings: Settings
) -> Iterator[Robustness | Failure]:
    for source in sources:
        if isinstance(source, Failure):
            yield source
            continue
        name = readable(source.name)
        try:
            yield perturb(recognizer, decode(source.source, limits=settings.file_limits, name=name))
        except EmoscopeError as error:
            yield Failure(name, error)


def _line(found: Robustness, language: Language) -> str:
    """Return the line of one recording among several."""
    name, emotion = escape(found.result.name), emotion_name(found.result.emotion, language)
    percent = f"{100 * found.result.confidence:.1f}%"
    if found.verdict == "no_answer":
        why = abstention(found.result.abstain, language)
        return f"{name}: [yellow]{NOTICES['abstain'](language, reasons=why)}[/]"
    altering = [_change(one, language) for one in found.changes if not one.same]
    if not altering:
        return f"{name}: {emotion} {percent} [green]{STABILITY['same'](language)}[/]"
    comma = "、" if language == "zh" else "; "
    changed = STABILITY["changed_by"](language, changes=comma.join(altering))
    return f"{name}: {emotion} {percent} [yellow]{changed}[/]"


def _change(change: Perturbation, language: Language) -> str:
    """Return what was done; what is cut off at full scale is no change of level alone."""
    code = f"{change.code}_clipped" if change.clips else change.code
    return STABILITY[code](language)


def _print(screen: Console, found: Robustness, language: Language) -> None:
    before = found.result
    table = Table(box=None, header_style="bold", pad_edge=False, title=escape(before.name))
    table.add_column(STABILITY["change"](language), no_wrap=True)
    table.add_column(TERMINAL["emotion"](language), no_wrap=True)
    table.add_column(TERMINAL["confidence"](language), justify="right", no_wrap=True)
    table.add_column(STABILITY["difference"](language), justify="right", no_wrap=True)
    table.add_column(STABILITY["verdict"](language), no_wrap=True)
    table.add_row(
        STABILITY["as_it_is"](language),
        emotion_name(before.emotion, language),
        f"{100 * before.confidence:.1f}%",
        "",
        "",
    )
    for change in found.changes:
        verdict = STABILITY["same" if change.same else "changed"](language)
        table.add_row(
            _change(change, language),
            emotion_name(change.emotion, language),
            f"{100 * change.scores.confidence:.1f}%",
            f"{100 * change.difference:.1f}%",
            f"[{'green' if change.same else 'yellow'}]{verdict}[/]",
        )
    screen.print(table)
    if before.abstain:
        why = abstention(before.abstain, language)
        screen.print(NOTICES["abstain"](language, reasons=why), style="yellow")
    verdict = STABILITY[found.verdict](language)
    screen.print(verdict, style="green" if found.is_stable else "yellow")
