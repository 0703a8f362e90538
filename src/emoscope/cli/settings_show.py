"""``emoscope settings show``: the settings in force and their origins; unknown variables."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emoscope.cli.arguments import Commands
from emoscope.errors import SettingError

if TYPE_CHECKING:
    from emoscope.settings import Settings

_PREFIX = "EMOSCOPE_"
OTHER_VARIABLES = ("EMOSCOPE_CACHE", "EMOSCOPE_DATA", "EMOSCOPE_MODELSCOPE_ENDPOINT")
"""Variables of ours that are no settings."""

settings_app = Commands(help="设置 · Settings and where they come from.", no_args_is_help=True)


@settings_app.command()
def show(
    as_json: Annotated[bool, typer.Option("--json", help="给程序读取 · for programs")] = False,
) -> None:
    """列出生效的设置及其来源 · List the settings in force and where each comes from."""
    from emoscope.settings import load_settings

    found = list(settings_with_origins(load_settings()))
    if as_json:
        rows = [
            {"setting": name, "value": value, "origin": origin} for name, value, origin in found
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for name, value, origin in found:
        typer.echo(f"{name} = {json.dumps(value, ensure_ascii=False)}\t{origin}")


def settings_with_origins(settings: Settings) -> Iterator[tuple[str, Any, str]]:
    """Return name, value as JSON and origin of each setting.

    The origin is the name of a variable, ``emoscope.toml`` or ``default``. No setting holds a
    secret: keys and certificates are named by their files.
    """
    from emoscope.settings import FILE, RENAMED
    from emoscope.settings.toml_file import read_settings_file

    old = {new: name for name, new in RENAMED.items()}
    variables = {name.upper() for name, value in os.environ.items() if value}
    in_file = read_settings_file(Path(FILE))
    for name, value in settings.model_dump(mode="json").items():
        names = [one for one in (name, old.get(name)) if one]
        given = [f"{_PREFIX}{one.upper()}" for one in names]
        origin = next((one for one in given if one in variables), "")
        if not origin:
            origin = FILE if any(one in in_file for one in names) else "default"
        yield name, value, origin


def check_variables(environment: Mapping[str, str]) -> None:
    """Refuse a variable that looks like a setting and is none; empty ones count as not given.

    Args:
        environment: variables of the process.

    Raises:
        SettingError: there is one; the error says which name is nearest.
    """
    given = [
        name for name, value in environment.items() if name.upper().startswith(_PREFIX) and value
    ]
    if not given:
        return  # nothing is imported then
    from emoscope.settings import RENAMED, Settings

    known = {f"{_PREFIX}{name.upper()}" for name in (*Settings.model_fields, *RENAMED)}
    known |= set(OTHER_VARIABLES)
    for name in sorted(given):
        if name.upper() not in known:
            nearest = difflib.get_close_matches(name.upper(), sorted(known), 1, cutoff=0)[0]
            raise SettingError("variable_unknown", variable=name[:64], nearest=nearest)
