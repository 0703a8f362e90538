"""Old spellings on the command line: they work, and one line on stderr names today's."""

from __future__ import annotations

import typer

from emoscope.cli.language import language
from emoscope.paths.choices import OLD_PRECISION


def tell_renamed(old: str, new: str) -> None:
    """Say on stderr what is called otherwise now."""
    from emoscope.messages.renamed import RENAMED_TEXT

    typer.echo(RENAMED_TEXT(language(), old=old, new=new), err=True)


def precision_of_today(value: str | None) -> str | None:
    """Return the word of today for what ``--precision`` was given."""
    if value != OLD_PRECISION:
        return value
    tell_renamed(f"--precision {OLD_PRECISION}", "--precision int8")
    return "int8"
