"""Click commands and groups that refuse empty arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand

from emoscope.errors import SettingError

_Function = TypeVar("_Function", bound=Callable[..., Any])

RECORDINGS = "files"
"""The one parameter that is looked at item by item where it is used: one bad recording of several
has its failure in its place."""


class Command(TyperCommand):
    """A command that refuses empty arguments before they are converted.

    An unset variable in a script gives ``""``, and ``Path("")`` is the current folder.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Check the words as they were typed, then read them as ever.

        Raises:
            SettingError: one of them is empty, and which.
        """
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in self.get_params(ctx):
            name = parameter.name or ""
            value = given.get(name)
            words: Iterable[object] = value if isinstance(value, list | tuple) else (value,)
            if name != RECORDINGS and any(isinstance(w, str) and not w.strip() for w in words):
                raise SettingError("argument_empty", argument=_shown(parameter))
        return super().parse_args(ctx, args)


def _shown(parameter: Any) -> str:
    """What the help calls a parameter."""
    name = str(max(parameter.opts, key=len))
    return name if name.startswith("-") else str(parameter.metavar or name).strip(".").upper()


class Commands(typer.Typer):
    """A group of commands of this kind."""

    def command(self, name: str | None = None, **options: Any) -> Callable[[_Function], _Function]:
        """Register a command."""
        return super().command(name, cls=Command, **options)
