"""Requester: the key of a request, and the runs and jobs that it may see."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from emoscope.outputs.ownership import RunAccess
from emoscope.outputs.store import RunStore


def owner_of(connection: HTTPConnection) -> str:
    """Return the id of a request's key; empty on a server without keys."""
    return str(connection.scope.get("state", {}).get("key_id", ""))


def sees_all(connection: HTTPConnection) -> bool:
    """Whether a request may see others' runs and jobs: without keys, or with scope admin."""
    scopes = connection.scope.get("state", {}).get("key_scopes")
    return scopes is None or "admin" in scopes


def access_of(connection: HTTPConnection) -> RunAccess:
    """Return which runs a request may see, and to whom those that it makes belong."""
    return RunAccess(owner_of(connection), sees_all(connection))


def runs_of(connection: HTTPConnection, store: RunStore) -> RunStore:
    """Return a store as a request may see it."""
    return store.seen_by(access_of(connection))
