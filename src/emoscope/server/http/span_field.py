"""Field ``spans`` of a request: utterances that the client names, as a file or as a JSON list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from emoscope.errors import ListError, RequestError
from emoscope.lists.spans import SpanFile, SpanRow, parse_spans
from emoscope.messages.reasons import reason
from emoscope.results.utterances import GivenSpan, ordered_spans

SPANS_MAX_BYTES = 1_000_000
"""Of a file of spans: hours of subtitles are 200 kB."""
SPANS_TEXT = "text of a file, or [[start_s, end_s], ...]"
_FORMATS = {
    "description": "utterances of one's own, recognized alone: Kaldi segments, CSV, TextGrid, EAF,"
    " SubRip or WebVTT",
}
_LIST = {
    "type": "array",
    "description": "pairs of seconds, or objects",
    "items": {
        "oneOf": [
            {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
            {
                "type": "object",
                "required": ["start_s", "end_s"],
                "additionalProperties": False,
                "properties": {
                    "start_s": {"type": "number", "minimum": 0},
                    "end_s": {"type": "number", "minimum": 0},
                    "text": {"type": "string"},
                    "id": {"type": "string"},
                    "recording": {"type": "string", "description": "name, of several recordings"},
                },
            },
        ]
    },
}
SPANS_AS_TEXT = {"type": "string", **_FORMATS, "maxLength": SPANS_MAX_BYTES}
SPANS_IN_JSON = {"oneOf": [_LIST, {"type": "string", **_FORMATS}]}
"""What the API document says of the field in a form and in JSON."""
_NAME = "spans"
_NUMBERS, _WORDS = ("start_s", "end_s"), ("text", "id", "recording")


def spans_of_file(name: str, data: bytes, tier: str) -> SpanFile | None:
    """Read spans that came as a file or as its text; None where the field is empty.

    Args:
        name: of the file; may be empty.
        data: its bytes, in one of the formats of ``lists.spans``.
        tier: name of the tier of a TextGrid or EAF; empty: the first with intervals.

    Raises:
        ListError: it is none of the formats, has no span, or a line cannot be read.
        RequestError: two spans of one recording overlap.
    """
    if not data.strip():
        return None
    return parse_spans(name or _NAME, data, tier or None)


def spans_of_list(items: Sequence[Any]) -> SpanFile | None:
    """Read spans that came as JSON: pairs of seconds, or objects; None where there is none.

    Args:
        items: ``[start_s, end_s]``, or ``start_s`` and ``end_s`` with or without ``text``, ``id``
            and ``recording``.

    Raises:
        RequestError: one is neither, or two of one recording overlap.
    """
    rows = tuple(_row(number, item) for number, item in enumerate(items, 1))
    for recording in {row.recording for row in rows}:
        ordered_spans(row.span for row in rows if row.recording == recording)
    return SpanFile(_NAME, rows) if rows else None


def check_names(spans: SpanFile | None, recordings: int) -> None:
    """Check that spans say which of several recordings they belong to.

    Raises:
        ListError: they do not.
    """
    if spans is not None and recordings > 1 and not spans.names_recordings:
        raise ListError("spans_unreadable", name=spans.name, line=1, **reason("spans_of_one"))


def spans_to_json(spans: SpanFile | None) -> str | None:
    """Return spans as text that ``spans_of_list`` reads after ``json.loads``."""
    if spans is None:
        return None
    rows = [
        {
            **dict(zip(_NUMBERS, (row.span.start_s, row.span.end_s), strict=True)),
            **dict(zip(_WORDS, (row.span.text, row.span.id, row.recording), strict=True)),
        }
        for row in spans.rows
    ]
    return json.dumps(rows, ensure_ascii=False)


def _row(number: int, item: Any) -> SpanRow:
    if isinstance(item, list) and len(item) == len(_NUMBERS):
        item = dict(zip(_NUMBERS, item, strict=True))
    try:
        if set(item) - {*_NUMBERS, *_WORDS}:
            raise ValueError
        if any(type(item[key]) not in (int, float) for key in _NUMBERS):  # true is no second
            raise TypeError
        words = [item.get(key, "") for key in _WORDS]
        if not all(isinstance(word, str) for word in words):
            raise ValueError
        start_s, end_s = (float(item[key]) for key in _NUMBERS)
        return SpanRow(number, GivenSpan(start_s, end_s, *words[:2]), words[2])
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as exc:
        raise RequestError("span_invalid", number=number, value=repr(item)[:80]) from exc
