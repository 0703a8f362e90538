"""``emoscope keys``: create, list and revoke API keys, and hand runs over to one."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emoscope.cli.arguments import Commands
from emoscope.cli.language import language
from emoscope.messages.texts import NOTICES
from emoscope.outputs.ownership import owner_of_run
from emoscope.server.key_terms import parse_expiry, parse_rate
from emoscope.server.key_use import USE_FILE, read_key_use
from emoscope.server.keys import ApiKey, KeyFile

if TYPE_CHECKING:
    from emoscope.server.middleware.audit import AuditLog

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
    expires: Annotated[
        str | None,
        typer.Option(
            "--expires", help="有效期，默认永久 · 90d, 12h or 2027-01-31; never by default"
        ),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option("--rate", help="频率上限 · 60/min; the server's rate by default"),
    ] = None,
    keys: FileOption = None,
) -> None:
    """新建密钥，只显示这一次 · Make a key; it is shown this once."""
    file, audit = _file(keys), _audit_log()
    secret = file.create(
        name,
        scope or ["read", "recognize"],
        expires_utc=parse_expiry(expires, now=datetime.now(UTC)) if expires is not None else None,
        per_minute=parse_rate(rate) if rate is not None else None,
    )
    _write_line(audit, "create_key", file.named(name))
    typer.echo(secret)
    typer.echo(NOTICES["keys"](language(), path=file.path, count=len(file.keys())), err=True)


@keys_app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="JSON · for programs")] = False,
    outputs: OutputsOption = None,
    keys: FileOption = None,
) -> None:
    """列出密钥 · List the keys, without their secrets."""
    used = read_key_use(_outputs(outputs) / USE_FILE)
    rows = [_row(key, used.get(key.id)) for key in _file(keys).keys()]  # noqa: SIM118
    if as_json:
        typer.echo(json.dumps({"keys": rows}, indent=1))
        return
    for row in rows:
        expires = row["expires_utc"] or NOTICES["key_unlimited"](language())
        if row["expired"]:
            expires = NOTICES["key_expired"](language(), moment=expires)
        last_used = row["last_used_utc"] or NOTICES["key_unused"](language())
        rate = f"{row['per_minute']}/min" if row["per_minute"] else "-"
        told = (row["name"], ",".join(row["scopes"]), row["created_utc"], row["id"])
        typer.echo("\t".join((*told, expires, last_used, rate)))


@keys_app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="名称 · whose key it is")], keys: FileOption = None
) -> None:
    """撤销密钥，立即生效 · Take a key away; it stops working at once."""
    file, audit = _file(keys), _audit_log()
    key = file.named(name)
    file.revoke(name)
    _write_line(audit, "revoke_key", key)


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
    from emoscope.outputs.store import RunStore

    key, audit = _file(keys).named(name), _audit_log()
    store = RunStore(_outputs(outputs))
    theirs = [run for run in store.names() if owner_of_run(store.root / run) == previous]
    for run in theirs:
        store.set_owner(run, key.id)
    _write_line(audit, "adopt_runs", key, previous=previous, run=",".join(theirs))
    typer.echo(NOTICES["adopted"](language(), count=len(theirs), name=name))


def _row(key: ApiKey, last_used: str | None) -> dict[str, Any]:
    return {
        "name": key.name,
        "id": key.id,
        "scopes": list(key.scopes),
        "created_utc": key.created_utc,
        "expires_utc": key.expires_utc,
        "expired": key.is_expired(datetime.now(UTC)),
        "last_used_utc": last_used,
        "per_minute": key.per_minute,
    }


def _audit_log() -> AuditLog | None:
    """Return the audit log where one is set up; before a key is made, so that no secret is lost.

    Raises:
        SettingError: the settings cannot be read.
    """
    from emoscope.server.middleware.audit import AuditLog
    from emoscope.settings import load_settings

    path = load_settings().audit_log
    return None if path is None else AuditLog(path)


def _write_line(audit: AuditLog | None, action: str, key: ApiKey, **values: Any) -> None:
    """Add a line to the audit log, with the number of the system's user."""
    from emoscope.server.middleware.audit import key_facts

    if audit is not None:
        uid = os.getuid() if hasattr(os, "getuid") else None
        audit.write(action=action, **key_facts(key), **values, uid=uid)


def _file(path: Path | None) -> KeyFile:
    from emoscope.settings import load_settings

    return KeyFile(path.absolute() if path else load_settings().keys)


def _outputs(path: Path | None) -> Path:
    from emoscope.settings import load_settings

    return path or load_settings().outputs
