"""Output of ``emoscope models``: text, tables and progress bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from emoscope.errors import EmoscopeError, ModelInvalidError
from emoscope.hub import pull
from emoscope.hub.caches import find_copy
from emoscope.hub.progress import (
    Converting,
    Downloading,
    FoundCopy,
    HubFailed,
    PullEvent,
    Retrying,
    Waiting,
)
from emoscope.messages.hints import sentence
from emoscope.messages.languages import Language
from emoscope.messages.models import MODEL_TEXTS
from emoscope.messages.texts import NOTICES
from emoscope.models import catalog
from emoscope.models.catalog import CatalogEntry, LocalModel, Variant
from emoscope.models.verify import Finding
from emoscope.results.agreement import AgreementThresholds
from emoscope.results.json_type import JsonType

_COLOURS = {"error": "red", "warning": "yellow", "note": "green"}


@dataclass(frozen=True, slots=True)
class InventoryLine(JsonType):
    """One model, and what of it is on this machine."""

    name: str
    title_zh: str
    title_en: str
    state: str
    """ready, partial, damaged or absent."""
    bytes: int
    revision: str
    dim: int
    licence: str
    folder: str
    """Empty if it is not here."""
    official_folder: str = ""
    """Where the official files lie in a hub's own cache, for a model that is not ready."""


def inventory(cache: Path | None = None) -> list[InventoryLine]:
    """Look at every model of the table."""
    cache = cache or catalog.find_cache()
    return [_line(entry, cache) for entry in catalog.CATALOG]


def _line(entry: CatalogEntry, cache: Path | None) -> InventoryLine:
    unfinished = 0 if cache is None else pull.unfinished_bytes(entry.name, cache)
    state, revision, folder, size = "partial" if unfinished else "absent", "", "", unfinished
    if catalog.is_installed(entry.name, cache):
        try:
            local = catalog.find(entry.name, cache=cache)
        except EmoscopeError:
            state = "damaged"
        else:
            state, revision, folder = "ready", local.card.revision, str(local.folder)
            files = sum(file.bytes for file in local.card.files)
            # The built-in model shares its folder with other assets.
            size += files if entry.is_built_in else pull.disk_bytes(local.folder)
    copy = None if state == "ready" else find_copy(entry)
    return InventoryLine(
        entry.name, entry.title_zh, entry.title_en, state, size, revision, entry.dim,
        entry.licence, folder, str(copy.folder) if copy else "",
    )  # fmt: skip


def inventory_table(lines: Sequence[InventoryLine], language: Language) -> Table:
    """One row per model."""
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for key in ("name", "state", "size", "revision", "licence"):
        shown.add_column(
            MODEL_TEXTS[key](language), overflow="fold", no_wrap=key in ("name", "state")
        )
    for line in lines:
        style = "bold" if line.state == "ready" else ""
        size = f"{line.bytes / 1e6:,.0f} MB" if line.bytes else ""
        is_found = line.official_folder and line.state in ("absent", "partial")
        state = MODEL_TEXTS["found" if is_found else line.state](language)
        shown.add_row(line.name, state, size, line.revision[:12], line.licence, style=style)
    return shown


def found_copies(lines: Sequence[InventoryLine], language: Language) -> list[str]:
    """Say of each model whose official files are on this machine where, and what to type."""
    return [
        NOTICES["found_copy"](
            language,
            model=line.name,
            folder=line.official_folder,
            command=catalog.catalog_entry(line.name).pull_command,
        )
        for line in lines
        if line.official_folder
    ]


def pulled(local: LocalModel, language: Language) -> str:
    """Say that a model was fetched, and where it lies."""
    return MODEL_TEXTS["pulled"](language, name=local.card.name, folder=local.folder)


def making_int8(name: str, language: Language) -> str:
    """Say that an int8 variant is being made, which takes a while."""
    return MODEL_TEXTS["making_int8"](language, model=name)


def compared(
    local: LocalModel, variant: Variant, thresholds: AgreementThresholds, language: Language
) -> str:
    """Describe an int8 variant: its agreement with the exact model, and whether that suffices.

    Args:
        local: the model.
        variant: its variant, with the figures.
        thresholds: agreement that a variant needs to be used.
        language: ``zh`` or ``en``.
    """
    found = variant.agreement
    figures = MODEL_TEXTS["figures"](
        language,
        file=variant.file.path,
        cosine=found.cosine,
        same=found.same_top,
        clips=found.clips,
        difference=found.score_difference,
        speedup=found.speedup,
    )
    if failures := found.failures(thresholds):
        error = ModelInvalidError(
            "model_fast_refused", model=local.card.name, figures=", ".join(failures)
        )
        return f"{figures}\n{sentence(error, language, 'cli')}"
    return f"{figures}\n{MODEL_TEXTS['agreed'](language)}"


def removed(name: str, freed_bytes: int, language: Language) -> str:
    """Say that a model was removed.

    Args:
        name: name of the model.
        freed_bytes: bytes that its folders took.
        language: ``zh`` or ``en``.
    """
    return MODEL_TEXTS["removed"](language, name=name, mb=freed_bytes / 1e6)


def findings_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """Findings for programs, in both languages."""
    usable = all(finding.severity != "error" for finding in findings)
    return {"usable": usable, "findings": [asdict(finding) for finding in findings]}


def findings_text(model: str, findings: Sequence[Finding], language: Language) -> str:
    """Describe findings, one a line, in rich markup.

    Args:
        model: name of the model.
        findings: what ``verify_model`` found.
        language: ``zh`` or ``en``.
    """
    lines = []
    for one in findings:
        colour, word = _COLOURS[one.severity], MODEL_TEXTS[one.severity](language)
        sentence = escape(one.zh if language == "zh" else one.en)
        lines.append(f"[{colour}]{word}[/{colour}] {sentence} ({one.code})")
    if all(one.severity == "note" for one in findings):
        lines.append(f"[green]{escape(MODEL_TEXTS['whole'](language, model=model))}[/green]")
    return "\n".join(lines)


class PullProgress:
    """Progress bar per file on stderr; plain sentences when that is no terminal."""

    def __init__(self, language: Language) -> None:
        self._screen = Console(stderr=True)
        self._language = language
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._screen,
            disable=not self._screen.is_terminal,
        )
        self._tasks: dict[tuple[str, str], TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def listen(self, event: PullEvent) -> None:
        """Show what happened."""
        if isinstance(event, Downloading):
            self._move(event)
        elif isinstance(event, Retrying):
            self._say("retrying", reason=self._sentence(event.error), wait_s=event.wait_s)
        elif isinstance(event, HubFailed):
            self._say("other_hub", hub=event.hub, reason=self._sentence(event.error))
        elif isinstance(event, FoundCopy):
            self._print(NOTICES["using_copy"](self._language, hub=event.hub, folder=event.folder))
        elif isinstance(event, Waiting):
            self._print(NOTICES["waiting"](self._language, model=event.model, holder=event.holder))
        elif isinstance(event, Converting):
            self._say("converting", model=event.model)

    def _move(self, event: Downloading) -> None:
        key = (event.hub, event.file)
        total = event.total_bytes or None
        if key not in self._tasks:
            text = f"{event.hub} {event.file}"
            self._tasks[key] = self._progress.add_task(text, total=total)
        self._progress.update(self._tasks[key], completed=event.done_bytes, total=total)

    def _say(self, key: str, **data: object) -> None:
        self._print(MODEL_TEXTS[key](self._language, **data))

    def _print(self, sentence: str) -> None:
        self._progress.console.print(escape(sentence), style="yellow", highlight=False)

    def _sentence(self, error: EmoscopeError) -> str:
        return sentence(error, self._language, "cli")
