"""Multipart bodies, read within limits, and the small words in them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from emoscope.errors import (
    BooleanError,
    FieldMissingError,
    GranularityError,
    NameRefusedError,
    RequestMalformedError,
    TooManyFilesError,
)
from emoscope.result import GRANULARITIES, Granularity
from emoscope.server.uploads import Uploads

YES = ("true", "1", "on", "yes")
NO = ("false", "0", "off", "no")
FORM_TYPE = "multipart/form-data"


@asynccontextmanager
async def form_of(
    request: Request, uploads: Uploads, max_bytes: int | None, *, max_files: int = 8
) -> AsyncIterator[FormData]:
    """Parse a multipart body within limits; its spooled files are closed at the end.

    Raises:
        RequestMalformedError: the body is not multipart, or broken.
        AudioTooLargeError: it grows past the limit.
        UploadSlowError: it comes too slowly.
        BusyError: too many bodies come already.
    """
    if not request.headers.get("content-type", "").lower().startswith(FORM_TYPE):
        raise RequestMalformedError
    parser = MultiPartParser(
        request.headers,
        # An async iterator is all it needs.
        cast(Any, uploads.limited(request.stream(), max_bytes)),
        max_files=max_files,
        max_fields=32,
        max_part_size=4096,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as exc:  # KeyError: a content type without a boundary
        raise RequestMalformedError from exc
    try:
        yield form
    finally:
        await form.close()


def files_of(form: FormData, field: str) -> list[UploadFile]:
    """Return the files of a field.

    Raises:
        FieldMissingError: there is none.
    """
    files = [value for value in form.getlist(field) if isinstance(value, UploadFile)]
    if not files:
        raise FieldMissingError(field=field)
    return files


def one_file_of(form: FormData, field: str) -> UploadFile:
    """Return the one file of a field.

    Raises:
        FieldMissingError: there is none.
        TooManyFilesError: there are several.
    """
    files = files_of(form, field)
    if len(files) > 1:
        raise TooManyFilesError(field=field)
    return files[0]


def text_of(form: FormData, field: str, default: str) -> str:
    """Return a field's text; a file where text should be counts as empty."""
    value = form.get(field, default)
    return value if isinstance(value, str) else ""


def plain_name(name: str) -> str:
    """Refuse a name that tries to be a path; it is kept in ``result.json`` and shown to people.

    Raises:
        NameRefusedError: it is no plain file name.
    """
    tricky = any(char in name for char in "/\\") or name in ("..", ".")
    if tricky or not name.isprintable() or len(name.encode()) > 255:
        raise NameRefusedError
    return name


def parse_granularity(value: str) -> Granularity:
    """Read ``utterance`` or ``frame``.

    Raises:
        GranularityError: it is neither.
    """
    if value not in GRANULARITIES:
        raise GranularityError(value=value[:32])
    return value


def parse_boolean(field: str, value: str) -> bool:
    """Read one of the eight words (P8), in any case.

    Raises:
        BooleanError: it is another word.
    """
    word = value.lower()
    if word not in YES + NO:
        raise BooleanError(field=field, value=value[:32])
    return word in YES
