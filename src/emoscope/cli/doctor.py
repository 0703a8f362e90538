"""``emoscope doctor``: robustness of the answer for one recording."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from emoscope.audio.decode import decode
from emoscope.cli.model import open_model
from emoscope.cli.show import emotion_name
from emoscope.cli.streams import write
from emoscope.evaluate.robustness import Robustness, perturb
from emoscope.messages.languages import Language
from emoscope.messages.texts import NOTICES, TERMINAL
from emoscope.messages.trust import STABILITY, abstention
from emoscope.paths.file_names import readable
from emoscope.settings import Settings, language_of


def run_doctor(path: Path, as_json: bool, settings: Settings) -> bool:
    """Print whether small changes to a recording alter its answer.

    Args:
        path: the recording.
        as_json: print JSON instead of a table.
        settings: model, limits and language.

    Returns:
        Whether no change altered the answer.

    Raises:
        InputError: the recording cannot be used.
        ModelError: the model cannot be loaded, or it failed.
    """
    recognizer = open_model(settings, settings.file_limits)
    found = perturb(recognizer, decode(path, limits=settings.file_limits, name=readable(path.name)))
    if as_json:
        write(json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False) + "\n")
    else:
        _print(found, language_of(settings.language))
    return found.is_stable


def _print(found: Robustness, language: Language) -> None:
    screen = Console()
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
            STABILITY[change.code](language),
            emotion_name(change.emotion, language),
            f"{100 * change.scores.confidence:.1f}%",
            f"{100 * change.difference:.1f}%",
            f"[{'green' if change.same else 'yellow'}]{verdict}[/]",
        )
    screen.print(table)
    if before.abstain:
        why = abstention(before.abstain, language)
        screen.print(NOTICES["abstain"](language, reasons=why), style="yellow")
    verdict = STABILITY["stable" if found.is_stable else "unstable"](language)
    screen.print(verdict, style="green" if found.is_stable else "yellow")
