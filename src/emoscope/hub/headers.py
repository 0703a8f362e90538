"""HTTP headers of the hubs: file size, sha256, revision."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime

_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")
_HEX = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class HubStatement:
    """Size, sha256 and revision of a file, as stated by the hub."""

    digest: str = ""
    """64 hex digits: sha256; 40: the identity that git gives the file; empty: nothing."""
    bytes: int = 0
    """Size of the file, 0 if it is not said."""
    commit: str = ""
    """What a revision that can move stood for."""


def hub_statement(headers: Iterable[Message]) -> HubStatement:
    """Read the hub's own word from the answers on the way, in order.

    Hugging Face marks its own answers with ``X-Repo-Commit`` and puts the sha256 of a large file
    into ``X-Linked-ETag``, the git identity of a small one into ``ETag``. A storage server behind
    it has ETags of another kind, so only a marked answer is believed.
    """
    digest, size, commit = "", 0, ""
    for one in headers:
        linked, named = one.get("X-Linked-ETag", ""), one.get("X-Repo-Commit", "")
        if linked or named:
            etag = (linked or one.get("ETag", "")).removeprefix("W/").strip('"')
            digest = digest or (etag if _HEX.fullmatch(etag) else "")
            size = size or number(one.get("X-Linked-Size"))
            commit = commit or named
    return HubStatement(digest, size, commit)


def body_start(status: int, headers: Message) -> int | None:
    """Where in the file the body begins, in bytes; None if a 206 does not say it."""
    if status != 206:
        return 0
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    return int(match[1]) if match and match[1] else None


def whole_bytes(status: int, headers: Message) -> int:
    """Size of the whole file, 0 if it is not said."""
    if status == 200:
        return number(headers.get("Content-Length"))
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    return number(match[2]) if match else 0


def retry_after_s(headers: Message) -> float | None:
    """Seconds from now; the header holds them, or a date."""
    value = headers.get("Retry-After", "")
    if value.isdecimal():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def number(text: str | None) -> int:
    """A whole number, 0 for anything else."""
    return int(text) if text and text.isdecimal() else 0
