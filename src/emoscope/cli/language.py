"""Option ``--lang``, and the language of error messages.

An error leaves the command that knew the option, so the option remembers itself on parsing.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from emoscope.messages.languages import Language

_option: ContextVar[str | None] = ContextVar("lang_option", default=None)


def _remember(value: str | None) -> str | None:
    _option.set(value)
    return value


LanguageOption = Annotated[
    str | None, typer.Option("--lang", help="zh | en | auto", callback=_remember, is_eager=True)
]


def language() -> Language:
    """Return the language that ``--lang``, the settings, or the machine asks for, in this order."""
    from emoscope.errors import SettingError
    from emoscope.settings import language_of, load_settings

    try:
        return language_of(load_settings(language=_option.get()).language)
    except SettingError:  # reported as an error of its own
        return language_of("auto")
