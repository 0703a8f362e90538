"""Incremental reader of multipart forms, and parsing of their fields."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import cast, get_args
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from emoscope.errors import RequestError
from emoscope.paths.choices import ChannelMode
from emoscope.paths.names import is_shown
from emoscope.server.http.body_spool import RecordingSpool, StoredRecording

_EXTENDED_NAME = re.compile(rb";\s*filename\*\s*=\s*utf-8'[^']*'([^;]*)", re.IGNORECASE)
"""The other way to state a name, of RFC 5987; older versions of urllib3 know only it."""

YES = ("true", "1", "on", "yes")
NO = ("false", "0", "off", "no")
FORM_TYPE = "multipart/form-data"
FORM_EXPECTED = "multipart/form-data; curl -F audio=@a.wav"
SECONDS_EXPECTED = "0.2 - 60 s"
_LEAST_S, _MOST_S = 0.2, 60.0
_FIELDS_MAX = 32
_TEXT_MAX_BYTES = 4096


class FormReader:
    """Reads a multipart form piece by piece: ``feed`` each, then ``finish``.

    Files of one field go to the spool; files of other fields are dropped.

    Args:
        content_type: the request's header, with the boundary.
        spool: takes the files.
        field: name of the field whose files are taken.
        max_files: files of that field that are taken; None for no bound.
        long: fields that may be long texts, or files, with their bytes at most; none by default.

    Raises:
        RequestError: the header names no form or no boundary.
    """

    def __init__(
        self,
        content_type: str,
        spool: RecordingSpool,
        *,
        field: str,
        max_files: int | None = None,
        long: Mapping[str, int] | None = None,
    ) -> None:
        kind, parameters = parse_options_header(content_type)
        boundary = parameters.get(b"boundary", b"")
        if kind.decode("latin-1") != FORM_TYPE or not boundary:
            raise RequestError("request_malformed", expected=FORM_EXPECTED)
        self.texts: dict[str, str] = {}
        """Value of each field; of several with one name the last, and empty for a file."""
        self.long_texts: dict[str, tuple[str, bytes]] = {}
        """Name and bytes of each field that may be long; the name is empty for a text."""
        self._spool, self._field, self._max_files = spool, field, max_files
        self._long, self._long_name = long or {}, ""
        self._fields = 0
        self._headers: dict[bytes, bytes] = {}
        self._header_name = self._header_value = b""
        self._part = ""
        self._text: bytearray | None = None
        """Value of the field that is being read; None for a file."""
        self._is_wanted = self._is_whole = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_end": self._on_end,
                },
            )
        except FormParserError as exc:
            raise RequestError("request_malformed", expected=FORM_EXPECTED) from exc

    def feed(self, piece: bytes) -> None:
        """Read more of the body.

        Raises:
            RequestError: it is no form.
            RequestError: too many files, or a field that is too long.
        """
        if self._is_whole:  # what follows the last boundary has no meaning
            return
        try:
            self._parser.write(piece)
        except FormParserError as exc:
            raise RequestError("request_malformed", expected=FORM_EXPECTED) from exc

    def finish(self) -> None:
        """Check that the form is whole.

        Raises:
            RequestError: its last boundary did not come.
        """
        if not self._is_whole:
            raise RequestError("form_broken_off")

    def files(self) -> list[StoredRecording]:
        """Return the files.

        Raises:
            RequestError: there is none.
        """
        if not self._spool.recordings:
            raise RequestError("field_missing", field=self._field)
        return self._spool.recordings

    def one_file(self) -> StoredRecording:
        """Return the one file.

        Raises:
            RequestError: there is none.
            RequestError: there are several.
        """
        files = self.files()
        if len(files) > 1:
            raise RequestError("too_many_files", field=self._field)
        return files[0]

    def _on_part_begin(self) -> None:
        self._headers = {}

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _on_headers_finished(self) -> None:
        disposition = self._headers.get(b"content-disposition", b"")
        _, options = parse_options_header(disposition)
        if b"name" not in options:
            raise RequestError("request_malformed", expected=FORM_EXPECTED)
        self._part = _decoded(options[b"name"])
        extended = _EXTENDED_NAME.search(disposition)
        if b"filename" in options or extended:
            self._text = None
            name = options.get(b"filename")
            if name is None and extended:  # forbidden in forms by RFC 7578, and sent all the same
                name = unquote_to_bytes(extended[1])
            self._long_name = _file_name(name or b"")
            if self._part not in self._long:
                self._begin_file(self._long_name)
                return
        else:
            self._long_name = ""
        self._fields += 1
        if self._fields > _FIELDS_MAX:
            raise RequestError("request_malformed", expected=f"≤ {_FIELDS_MAX} fields")
        self._text = bytearray()

    def _begin_file(self, name: str) -> None:
        self._is_wanted = self._part == self._field
        if not self._is_wanted:
            self.texts[self._part] = ""
            return
        if self._max_files is not None and len(self._spool.recordings) >= self._max_files:
            raise RequestError("field_invalid", field=self._field, expected=f"≤ {self._max_files}")
        self._spool.begin(name)

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._text is None:
            if self._is_wanted:
                self._spool.write(data[start:end])
            return
        self._text += data[start:end]
        most = self._long.get(self._part, _TEXT_MAX_BYTES)
        if len(self._text) > most:
            is_file = self._part == self._field  # sent without a name, so as text
            expected = 'filename="..."' if is_file else f"≤ {most} bytes"
            raise RequestError("field_invalid", field=self._part[:64], expected=expected)

    def _on_part_end(self) -> None:
        if self._text is not None and self._part in self._long:
            self.long_texts[self._part] = (self._long_name, bytes(self._text))
        elif self._text is not None:
            self.texts[self._part] = _decoded(bytes(self._text))
        elif self._is_wanted:
            self._spool.end()

    def _on_end(self) -> None:
        self._is_whole = True


def _file_name(raw: bytes) -> str:
    """Decode a name: UTF-8, or GB18030 as curl on a Chinese Windows sends it, or Latin-1."""
    for encoding in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            return raw.decode(encoding)
    name = raw.decode("latin-1")
    return name if is_shown(name) else raw.decode("utf-8", "replace")


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def parse_channels(value: str) -> ChannelMode:
    """Read ``mix`` or ``separate``.

    Raises:
        RequestError: it is neither.
    """
    if value not in get_args(ChannelMode):
        raise RequestError(
            "field_invalid", field="channels", expected=", ".join(get_args(ChannelMode))
        )
    return cast(ChannelMode, value)


def parse_heads(value: str) -> tuple[str, ...]:
    """Read names of heads, parted by commas; which of them exist is not known here."""
    return tuple(name for part in value.split(",") if (name := part.strip()))


def parse_seconds(field: str, value: str | None) -> float | None:
    """Read seconds from 0.2 to 60; None where the field is not there or empty.

    Raises:
        RequestError: it is no such number.
    """
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not _LEAST_S <= seconds <= _MOST_S:
        raise RequestError("field_invalid", field=field, expected=SECONDS_EXPECTED)
    return seconds


def parse_boolean(field: str, value: str) -> bool:
    """Read one of the eight words, in any case.

    Raises:
        RequestError: it is another word.
    """
    word = value.lower()
    if word not in YES + NO:
        raise RequestError("boolean_invalid", field=field, value=value[:32])
    return word in YES
