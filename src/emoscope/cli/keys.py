"""``emoscope keys``: create, list and revoke API keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emoscope.cli.arguments import Commands
from emoscope.cli.language import language
from emoscope.messages.texts import NOTICES
from emoscope.server.keys import KeyFile

keys_app = Commands(help="API 密钥 · API keys of the server.", no_args_is_help=True)

FileOption = Annotated[Path | None, typer.Option("--keys", help="密钥文件 · file of the keys")]


@keys_app.command()
def create(
    name: Annotated[str, typer.Argument(help="名称 · whose key it is")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="权限，可多次 · read | recognize | admin, repeatable"),
    ] = None,
    keys: FileOption = None,
) -> None:
    """新建密钥，只显示这一次 · Make a key; it is shown this once."""
    file = _file(keys)
    typer.echo(file.create(name, scope or ["read", "recognize"]))
    typer.echo(NOTICES["keys"](language(), path=file.path, count=len(file.keys())), err=True)


@keys_app.command("list")
def list_(keys: FileOption = None) -> None:
    """列出密钥 · List the keys, without their secrets."""
    for key in _file(keys).keys():  # noqa: SIM118 - no dictionary
        typer.echo(f"{key.name}\t{','.join(key.scopes)}\t{key.created_utc}")


@keys_app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="名称 · whose key it is")], keys: FileOption = None
) -> None:
    """撤销密钥，立即生效 · Take a key away; it stops working at once."""
    _file(keys).revoke(name)


def _file(path: Path | None) -> KeyFile:
    from emoscope.settings import load_settings

    return KeyFile(path.absolute() if path else load_settings().keys)
