"""Facts of a request that its log line and the metrics tell: error code, run, job, bytes."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from emoscope.errors import BusyError, EmoscopeError

FACTS: ContextVar[dict[str, Any] | None] = ContextVar("facts", default=None)
"""Of the request in work; one dictionary for its tasks and threads."""

_REASONS = {
    "key_required": "key",
    "key_expired": "key",
    "scope_missing": "scope",
    "proxy_without_keys": "proxy",
    "host_refused": "host",
    "origin_refused": "origin",
    "rate_limited": "rate",
    "server_closing": "closing",
    "not_ready": "not_ready",
    "store_full": "disk_full",
    "audio_too_large": "size",
    "request_too_large": "size",
    "upload_too_slow": "slow_upload",
    "deadline_exceeded": "deadline",
}
LIMITS = ("queue", "uploads", "upload_bytes", "jobs", "streams")
"""What can be full when the server is busy."""
REFUSALS = (*LIMITS, *dict.fromkeys(_REASONS.values()))
"""Reasons of refusals, as the label of their counter."""


def note(**values: Any) -> None:
    """Add facts to the request in work; outside of a request nothing happens."""
    facts = FACTS.get()
    if facts is not None:
        facts.update(values)


def note_error(error: EmoscopeError) -> None:
    """Add the code of the error that answers the request, and its reason if it is a refusal."""
    note(code=error.code, reason=reason_of(error))


def reason_of(error: EmoscopeError) -> str:
    """Return the reason of a refusal; empty for other errors."""
    if isinstance(error, BusyError):
        return error.limit
    return _REASONS.get(error.code, "")
