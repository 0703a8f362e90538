"""Incremental reader of a JSON body whose long strings are base64.

``json.loads`` would hold a body three times: as bytes, as text, and as decoded recordings. Here
each string longer than ``LONG_CHARS`` is decoded into the spool while it comes, and a mark takes
its place in the JSON, which stays small enough for ``json.loads``.
"""

from __future__ import annotations

import binascii
import json
import re
import secrets
from collections.abc import Callable
from typing import Any

from emoscope.errors import RequestError
from emoscope.server.http.body_spool import RecordingSpool

LONG_CHARS = 4096
"""Shorter strings stay in the JSON: names, options, and base64 of up to 3 kB."""
JSON_EXPECTED = '{"recordings": [{"name": "a.wav", "audio": "<base64>"}]}'
_JSON_BYTES = 64 * 1024
_JSON_BYTES_EACH = 3 * LONG_CHARS
"""What may stand beside the long strings: names, options; bytes for each recording."""
_IN_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_ESCAPE_BYTES = 6
_SPACE = b" \t\r\n"
_SPACES = re.compile(rb"[ \t\r\n]+")
_DATA_URL = re.compile(rb"data:[^,]*;base64,", re.IGNORECASE)
_DATA_URL_BYTES = 256


class Base64Decoder:
    """Incremental decoder of base64 text.

    White space is skipped, as ``base64`` wraps its lines. A leading ``data:audio/webm;base64,`` is
    skipped as well, as browsers write it.

    Args:
        write: takes the decoded bytes.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._rest = b""
        self._begun = self._padded = False

    def feed(self, text: bytes) -> None:
        """Decode more text.

        Raises:
            ValueError: it is no base64.
        """
        text = self._rest + text.translate(None, _SPACE)
        self._rest = b""
        if not self._begun:
            if len(text) < _DATA_URL_BYTES:
                self._rest = text
                return
            text = self._without_prefix(text)
        whole = len(text) // 4 * 4
        self._rest = text[whole:]
        self._decode(text[:whole])

    def finish(self) -> None:
        """Decode what is left.

        Raises:
            ValueError: it is no base64, or ends in the middle of a group of four.
        """
        text, self._rest = self._rest, b""
        self._decode(text if self._begun else self._without_prefix(text))

    def _without_prefix(self, text: bytes) -> bytes:
        self._begun = True
        prefix = _DATA_URL.match(text)
        return text[prefix.end() :] if prefix else text

    def _decode(self, text: bytes) -> None:
        if not text:
            return
        if self._padded:
            raise binascii.Error("text after the padding")
        self._padded = text.endswith(b"=")
        self._write(binascii.a2b_base64(text, strict_mode=True))


class JsonBodyReader:
    """Reads a JSON body piece by piece: ``feed`` each, then ``finish``.

    Args:
        spool: takes the decoded long strings.
        max_files: long strings that are taken.
    """

    def __init__(self, spool: RecordingSpool, max_files: int) -> None:
        self._spool, self._max_files = spool, max_files
        self._json = bytearray()
        self._json_max_bytes = _JSON_BYTES + _JSON_BYTES_EACH * max_files
        # Only who knows the mark can write it.
        self._mark = secrets.token_hex(16)
        self._string: bytearray | None = None
        """Raw text of a string that has not ended and is short so far."""
        self._decoder: Base64Decoder | None = None
        """Of a string that has become long."""
        self._escape = b""
        """Beginning of an escape that the end of a piece has cut."""
        self._wrong: set[int] = set()
        """Places in the spool of long strings that are no base64."""

    def feed(self, piece: bytes) -> None:
        """Read more of the body.

        Raises:
            RequestError: more stands beside the recordings than may.
            RequestError: there are too many recordings.
        """
        piece, self._escape = self._escape + piece, b""
        at = 0
        while at < len(piece):
            is_inside = self._string is not None or self._decoder is not None
            at = self._inside(piece, at) if is_inside else self._outside(piece, at)

    def finish(self) -> Any:
        """Return the JSON, in which marks stand for long strings; see ``long_string``.

        Raises:
            RequestError: it is no JSON, or ends in the middle.
        """
        try:
            return json.loads(bytes(self._json))
        except (ValueError, RecursionError) as exc:
            raise RequestError("request_malformed", expected=JSON_EXPECTED) from exc

    def long_string(self, value: str) -> int | None:
        """Return the place in the spool of the string that a mark stands for; None for no mark."""
        is_mark = value.startswith(self._mark)
        return int(value.removeprefix(self._mark)) if is_mark else None

    def is_base64(self, place: int) -> bool:
        """Whether the long string at this place of the spool was base64."""
        return place not in self._wrong

    def _outside(self, piece: bytes, at: int) -> int:
        """Read up to the next string; return where the reading goes on."""
        quote = piece.find(b'"', at)
        end = len(piece) if quote < 0 else quote + 1
        # White space has no bound; one blank of each stretch is enough.
        self._keep(_SPACES.sub(b" ", piece[at:end]))
        if quote >= 0:
            self._string = bytearray()
        return end

    def _inside(self, piece: bytes, at: int) -> int:
        """Read up to the end of the string; return where the reading goes on."""
        found = _IN_STRING.match(piece, at)
        end = found.end() if found else at  # it matches always, if only nothing
        if piece[end : end + 1] == b'"':
            self._take(piece[at:end])
            self._close()
            return end + 1
        last = piece.rfind(b"\\", at)
        is_cut = last >= 0 and len(piece) - last < _ESCAPE_BYTES
        if is_cut and (last == end or piece[last + 1 : last + 2] == b"u"):
            end, self._escape = last, piece[last:]
        self._take(piece[at:end])
        return len(piece)

    def _take(self, text: bytes) -> None:
        """Take more text of a string, as it stands in the JSON."""
        if self._string is not None:
            self._string += text
            if len(self._string) <= LONG_CHARS:
                return
            if len(self._spool.recordings) >= self._max_files:
                raise RequestError(
                    "field_invalid", field="recordings", expected=f"≤ {self._max_files}"
                )
            text, self._string = bytes(self._string), None
            self._spool.begin()
            self._decoder = Base64Decoder(self._spool.write)
        place = len(self._spool.recordings)
        if self._decoder is None or place in self._wrong:
            return
        try:
            self._decoder.feed(_plain(text))
        except ValueError:
            self._wrong.add(place)

    def _close(self) -> None:
        """End a string."""
        if self._decoder is None:
            self._keep(bytes(self._string or b"") + b'"')
        else:
            place = len(self._spool.recordings)
            try:
                if place not in self._wrong:
                    self._decoder.finish()
            except ValueError:
                self._wrong.add(place)
            self._spool.end()
            self._keep(f'{self._mark}{place}"'.encode())
        self._string = self._decoder = None

    def _keep(self, text: bytes) -> None:
        self._json += text
        if len(self._json) > self._json_max_bytes:
            raise RequestError("request_malformed", expected=JSON_EXPECTED)


def _plain(text: bytes) -> bytes:
    """Return the text without JSON's escapes: PHP and .NET escape ``/`` and ``+``.

    Raises:
        ValueError: an escape is none, or stands for a character that is not ASCII.
    """
    if b"\\" not in text:
        return text
    plain: str = json.loads(b'"' + text + b'"')
    return plain.encode("ascii")


def decode_base64(text: str) -> bytes:
    """Return the bytes of base64 text, which may be wrapped or a data URL.

    Raises:
        ValueError: it is no base64.
    """
    pieces: list[bytes] = []
    decoder = Base64Decoder(pieces.append)
    decoder.feed(text.encode("ascii"))
    decoder.finish()
    return b"".join(pieces)
