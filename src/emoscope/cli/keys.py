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

OutputsOption = Annotated[
    Path | None, typer.Option("--outputs", help="结果文件夹 · folder of the runs")
]
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


@keys_app.command()
def adopt(
    name: Annotated[str, typer.Argument(help="名称 · key that gets them")],
    previous: Annotated[
        str,
        typer.Option("--from", help="原所有者编号，默认无主 · id of their key; by default of none"),
    ] = "",
    outputs: OutputsOption = None,
    keys: FileOption = None,
) -> None:
    """把结果交给一个密钥 · Give runs to a key: those of before the keys, or of a revoked one."""
    from emoscope.errors import SettingError
    from emoscope.outputs.ownership import owner_of_run
    from emoscope.outputs.store import RunStore
    from emoscope.settings import load_settings

    owner = next((key.id for key in _file(keys).keys() if key.name == name), None)  # noqa: SIM118
    if owner is None:
        raise SettingError("setting_invalid", setting="NAME", reason=f"{name!r}?")
    store = RunStore(outputs or load_settings().outputs)
    theirs = [run for run in store.names() if owner_of_run(store.root / run) == previous]
    for run in theirs:
        store.set_owner(run, owner)
    typer.echo(NOTICES["adopted"](language(), count=len(theirs), name=name))


def _file(path: Path | None) -> KeyFile:
    from emoscope.settings import load_settings

    return KeyFile(path.absolute() if path else load_settings().keys)
