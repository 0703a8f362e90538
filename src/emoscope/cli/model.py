"""Loading of the configured model, for every command that recognizes."""

from __future__ import annotations

from rich.console import Console

from emoscope.cli import collector
from emoscope.hub.progress import ConvertingFolder, PullEvent, PullListener, Waiting
from emoscope.limits import Limits
from emoscope.messages.languages import Language
from emoscope.messages.texts import NOTICES
from emoscope.recognizer import Recognizer
from emoscope.settings import Settings, language_of
from emoscope.settings.model import load_configured


def open_model(settings: Settings, limits: Limits) -> Recognizer:
    """Load it, with the configured heads.

    Raises:
        ModelError: it cannot be loaded.
        HeadError: a head is unknown, damaged, or of another model.
        ExtraMissingError: its backend's library is not installed.
    """
    listener = folder_progress(language_of(settings.language))
    recognizer = load_configured(settings, limits, listener)
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
