"""Audit log: which key read, changed, made or deleted which run or job; keys made and revoked."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from emoscope.outputs.store import RUN_NAME
from emoscope.server.keys import ApiKey, owner_and_mode

if TYPE_CHECKING:
    from starlette.types import Scope

_log = logging.getLogger("emoscope.audit")
_JOB = re.compile(r"job_[0-9a-f]{24}")
_ACTIONS = {"GET": "read", "HEAD": "read", "PUT": "change", "DELETE": "delete"}
_MAKING = ("/predict", "/v1/recognitions", "/v1/jobs", "/v1/stream")
_LISTS = ("/v1/recognitions", "/v1/jobs", "/page/history")
_QUERIES = {
    "/v1/recognitions.zip": ("runs",),
    "/page/compare": ("one", "other"),
    "/timeline": ("run",),
}
"""Parameters of the query that name runs, by route."""


@dataclass(frozen=True, slots=True)
class AuditLog:
    """Audit log of a server: a file to which lines are only added.

    It is opened for each line, so that another program may rename it away at any time.
    """

    path: Path

    def check(self) -> None:
        """Check that lines can be added.

        Raises:
            OSError: the file cannot be opened for writing.
        """
        os.close(self._open())

    def write(self, **values: Any) -> None:
        """Add a line; a failure is logged as an error and refuses nothing."""
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **values}
        data = f"{json.dumps(line, ensure_ascii=False)}\n".encode()
        try:
            file = self._open()
            try:
                os.write(file, data)
            finally:
                os.close(file)
        except OSError as exc:
            _log.error("the audit log cannot be written: %s", exc.strerror)

    def keys_changed(self, added: Iterable[ApiKey], gone: Iterable[ApiKey]) -> None:
        """Add a line for each key that a running server finds in its key file, or misses there."""
        for action, keys in (("key_added", added), ("key_removed", gone)):
            for key in keys:
                self.write(action=action, **key_facts(key))

    def _open(self) -> int:
        owner, mode = owner_and_mode(self.path)
        is_new = not self.path.exists()
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, mode)
        if is_new and owner is not None and owner != (os.geteuid(), os.getegid()):
            os.fchown(file, *owner)  # a command that root runs leaves it to the service
        return file


def key_facts(key: ApiKey) -> dict[str, Any]:
    """Return what a line of the audit log says of a key that was made or taken away."""
    return {
        "name": key.name,
        "id": key.id,
        "scopes": list(key.scopes),
        "expires_utc": key.expires_utc,
        "per_minute": key.per_minute,
    }


def audited(scope: Scope, route: str, facts: dict[str, Any]) -> dict[str, str] | None:
    """Return the action of a request and its runs and job; None when it concerns none.

    Args:
        scope: of the request; only names that have the form of a run or job are taken from it.
        route: the route's pattern.
        facts: of the request; they hold the runs or the job that it made.
    """
    method = "POST" if scope["type"] == "websocket" else scope["method"]
    named = scope.get("path_params", {})
    made = str(facts.get("run", "")).split(",")
    runs = [run for run in (*_runs_of(scope, route), *made) if RUN_NAME.fullmatch(run)]
    job = next((str(job) for job in (named.get("job"), facts.get("job")) if job), "")
    found = {"run": ",".join(runs), "job": job if _JOB.fullmatch(job) else ""}
    found = {name: value for name, value in found.items() if value}
    if method == "POST":
        action = "recognize" if route in _MAKING else "change"
    else:
        action = _ACTIONS.get(method, "")
    if not found and action == "read" and route in _LISTS:
        return {"action": "list"}
    return {"action": action, **found} if found and action else None


def _runs_of(scope: Scope, route: str) -> list[str]:
    names = [str(scope.get("path_params", {}).get("run", ""))]
    if route in _QUERIES:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        for name in _QUERIES[route]:
            names += ",".join(query.get(name, [])).split(",")
    return names
