"""Loading of the configured model, for every command that recognizes."""

from __future__ import annotations

from rich.console import Console

from emoscope.cli import collector
from emoscope.hub.progress import ConvertingFolder, PullEvent, PullListener, Waiting
from emoscope.limits import Limits
from emoscope.messages.languages import Language
from emoscope.messages.texts import NOTICES
from emoscope.recognizer import Recognizer, load
from emoscope.settings import Settings, language_of


def open_model(settings: Settings, limits: Limits) -> Recognizer:
    """Load it, with the configured heads.

    Raises:
        ModelError: it cannot be loaded.
        HeadError: a head is unknown, damaged, or of another model.
        ExtraMissingError: its backend's library is not installed.
    """
    recognizer = load(
        settings.model,
        backend=settings.backend,
        precision=settings.precision,
        agreement_thresholds=settings.agreement_thresholds,
        thresholds=settings.thresholds,
        threads=settings.threads,
        device=settings.device,
        limits=limits,
        listener=folder_progress(language_of(settings.language)),
    ).configured(heads=settings.heads)
    collector.work()
    return recognizer


def folder_progress(language: Language) -> PullListener:
    """Return a listener that says on stderr why loading a folder takes long."""

    def listen(event: PullEvent) -> None:
        if isinstance(event, ConvertingFolder):
            line = NOTICES["converting_folder"](language, folder=event.folder)
        elif isinstance(event, Waiting):
            line = NOTICES["waiting"](language, model=event.model, holder=event.holder)
        else:
            return
        Console(stderr=True).print(line, style="yellow", soft_wrap=True, markup=False)

    return listen
