"""Validation of the page script's requests.

Anybody can post anything to the page's queue, so every word is checked here: a path must lie in
the folder that uploads go to, a sample must be one of ours, a name must be a plain name.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from emoscope.errors import AudioTooLargeError, RequestError, SourceNotFoundError
from emoscope.paths.choices import Granularity
from emoscope.paths.names import NAME_MAX, plain_name, sendable_name
from emoscope.results.result import GRANULARITIES
from emoscope.web.form import sample_bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """Requested recording; its bytes are fetched when its turn comes."""

    name: str
    path: str = ""
    """Where the upload lies, as the upload's reply said."""
    sample: str = ""
    """File name of a built-in sample, instead of a path."""
    too_large: bool = False
    """The browser or the upload refused it; it has a line in the batch all the same."""
    refused: RequestError | None = None
    """Its name cannot be shown as it is; likewise."""


@dataclass(frozen=True, slots=True)
class PageQuestion:
    """Request of the page: recordings and options."""

    asked: tuple[Asked, ...]
    granularity: Granularity
    embedding: bool
    ticket: str = ""
    """What a batch is cancelled by."""


def read_question(raw: object, *, most: int) -> PageQuestion:
    """Check what came over the wire.

    Args:
        raw: the script's object: ``sources``, ``granularity``, ``embedding``.
        most: how many recordings may be asked about at once.

    Raises:
        RequestError: a part is missing or not what it should be.
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("sources"), list):
        raise RequestError("field_missing", field="sources")
    sources = raw["sources"]
    if not sources:
        raise RequestError("field_missing", field="sources")
    if len(sources) > most:
        raise RequestError("too_many_files", field="sources")
    granularity = raw.get("granularity", "utterance")
    if granularity not in GRANULARITIES:
        raise RequestError("granularity_invalid", value=str(granularity)[:40])
    embedding = raw.get("embedding", False)
    if not isinstance(embedding, bool):
        raise RequestError("boolean_invalid", field="embedding", value=str(embedding)[:40])
    asked = tuple(_asked(source) for source in sources)
    if len(asked) == 1 and asked[0].refused:
        raise asked[0].refused
    ticket = raw.get("ticket", "")
    return PageQuestion(
        asked,
        cast(Granularity, granularity),
        embedding,
        ticket if isinstance(ticket, str) else "",
    )


def fetch(asked: Asked, *, uploads: Path, max_bytes: int) -> bytes:
    """Return the bytes of a recording; an upload is removed once it has been read.

    Args:
        asked: a sample of the package, or an upload.
        uploads: folder of the uploads.
        max_bytes: largest recording.

    Raises:
        RequestError: its name was refused.
        AudioTooLargeError: more than ``max_bytes``.
        SourceNotFoundError: no such sample, or no file at that place in ``uploads``.
    """
    if asked.refused:
        discard(asked, uploads=uploads)
        raise asked.refused
    if asked.too_large:
        raise AudioTooLargeError(max_bytes=max_bytes)
    if asked.sample:
        try:
            return sample_bytes(asked.sample)
        except KeyError as exc:
            raise SourceNotFoundError("source_not_found", name=asked.sample[:NAME_MAX]) from exc
    path = _inside(asked, uploads)
    try:
        if path.stat().st_size > max_bytes:
            raise AudioTooLargeError(max_bytes=max_bytes)
        return path.read_bytes()
    except OSError as exc:
        raise SourceNotFoundError("source_not_found", name=asked.name) from exc
    finally:
        _remove(path, uploads)


def discard(asked: Asked, *, uploads: Path) -> None:
    """Remove an upload that will not be read."""
    with suppress(SourceNotFoundError):
        if asked.path:
            _remove(_inside(asked, uploads), uploads)


def _asked(source: Any) -> Asked:
    if not isinstance(source, dict):
        raise RequestError("field_missing", field="sources")
    path, sample = source.get("path", ""), source.get("sample", "")
    name = source.get("name") or sample
    if not all(isinstance(value, str) for value in (path, sample, name)) or not name:
        raise RequestError("field_missing", field="sources")
    too_large = source.get("too_large") is True
    try:
        return Asked(plain_name(name), path, sample, too_large)
    except RequestError as error:
        return Asked(sendable_name(name), path, sample, too_large, error)


def _remove(path: Path, uploads: Path) -> None:
    """Voices are not kept longer than needed.

    The script gives every upload a name of its own, so no other request waits for this file.
    """
    with suppress(OSError):
        path.unlink()
        if path.parent != uploads.resolve():
            path.parent.rmdir()


def _inside(asked: Asked, uploads: Path) -> Path:
    """Return the path when it is a plain file under ``uploads``; links are followed first."""
    try:
        path = Path(asked.path).resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as exc:
        raise SourceNotFoundError("source_not_found", name=asked.name) from exc
    if uploads.resolve() not in path.parents or not path.is_file():
        raise SourceNotFoundError("source_not_found", name=asked.name)
    return path
