"""Reader of span files: utterances that a user names, in the formats of annotation tools.

| format | known by | text | recordings |
|---|---|---|---|
| Kaldi ``segments`` | four fields a line, the last two of them numbers | no; the id is kept | yes |
| CSV, TSV | a header with start and end, or two numbers in each row | yes | with a column |
| Praat TextGrid, long or short | ``ooTextFile`` | labels; blank intervals are pauses | no |
| ELAN EAF | ``ANNOTATION_DOCUMENT`` | values of aligned annotations | no |
| SubRip, WebVTT | ``-->`` | lines of the cue, without tags | no |

What a file is, its content says. UTF-8, UTF-16 with a byte order mark, and GB18030 are read.
"""

from __future__ import annotations

import codecs
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from emoscope.errors import ListError
from emoscope.lists.delimited import record_at
from emoscope.messages.aliases import PATH_WORDS, SPAN_WORDS
from emoscope.messages.reasons import reason
from emoscope.paths.access import opened
from emoscope.results.utterances import GivenSpan, ordered_spans

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ARROW = re.compile(r"^\s*(\S+)\s+-->\s+(\S+)")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})")
_TAG = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")
_PRAAT = re.compile(
    r'"((?:[^"]|"")*)"|(?<![\w\[.<])(-?\d+(?:\.\d+)?(?:[eE]-?\d+)?)(?![\w\]:])|<exists>'
)
"""Values of a TextGrid, long or short: texts and numbers, without the names of the long form."""
_DELIMITERS = ("\t", ",", ";", "|")


@dataclass(frozen=True, slots=True)
class SpanRow:
    """One span of a file."""

    line: int
    """Line in which it stands, counted from 1; 0 where that says nothing."""
    span: GivenSpan
    recording: str = ""
    """Recording it belongs to, as the file names it; empty in formats of one recording."""


@dataclass(frozen=True, slots=True)
class SpanFile:
    """Spans of one recording, or of several."""

    name: str
    rows: tuple[SpanRow, ...]

    @property
    def names_recordings(self) -> bool:
        """Whether its rows say which recording they belong to."""
        return any(row.recording for row in self.rows)

    def spans_of(self, recording: str) -> tuple[GivenSpan, ...]:
        """Return the spans of a recording, in order of time.

        Args:
            recording: its file's name; rows name it with or without folder and ending.

        Raises:
            ListError: the file names other recordings only.
            RequestError: two spans overlap.
        """
        wanted = {recording, Path(recording).stem}
        mine = [row for row in self.rows if not row.recording or _names(row.recording) & wanted]
        if not mine:
            raise _unreadable(self.name, 1, "spans_of_others", recording=recording)
        return ordered_spans(row.span for row in mine)


def read_spans(path: Path, tier: str | None = None) -> SpanFile:
    """Read a span file.

    Args:
        path: the file.
        tier: name of the tier of a TextGrid or EAF; by default its first with intervals.

    Raises:
        SourceNotFoundError: there is no such file.
        SourceError: the system refuses to read it.
        ListError: it is none of the formats, has no span, or a line cannot be read.
        RequestError: two spans of one recording overlap.
    """
    with opened(path) as file:
        data = file.read()
    return parse_spans(path.name, data, tier)


def parse_spans(name: str, data: bytes, tier: str | None = None) -> SpanFile:
    """Read the bytes of a span file.

    Args:
        name: of the file, for errors.
        data: its content.
        tier: name of the tier of a TextGrid or EAF; by default its first with intervals.

    Raises:
        ListError: it is none of the formats, has no span, or a line cannot be read.
        RequestError: two spans of one recording overlap.
    """
    rows = tuple(_Reader(name, tier).rows(_decoded(name, data)))
    if not rows:
        raise _unreadable(name, 1, "spans_none")
    read = SpanFile(name, rows)
    for recording in {row.recording for row in rows}:
        ordered_spans(row.span for row in rows if row.recording == recording)
    return read


class _Reader:
    """Reads the text of one file."""

    def __init__(self, name: str, tier: str | None) -> None:
        self._name, self._tier = name, tier

    def rows(self, text: str) -> Iterator[SpanRow]:
        """Yield the spans, in the order of the file."""
        if "<ANNOTATION_DOCUMENT" in text:
            return self._elan(text)
        if "ooTextFile" in text[:200]:
            return self._praat(text)
        lines = text.split("\n")
        if any(_ARROW.match(line) for line in lines):
            return self._subtitles(lines)
        if self._tier:
            raise self._wrong(1, "spans_without_tiers")
        fields = [line.split() for line in lines if line.strip()]
        if fields and all(len(one) == 4 and _number(one[3]) is not None for one in fields[:20]):
            return self._kaldi(lines)
        return self._table(text)

    def _kaldi(self, lines: Sequence[str]) -> Iterator[SpanRow]:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            id_, recording, *times = line.split()
            first, last = (*times, "", "")[:2]
            span = self._span(number, _number(first), _number(last), id_=id_)
            yield SpanRow(number, span, recording)

    def _table(self, text: str) -> Iterator[SpanRow]:
        first = text.lstrip("\n").partition("\n")[0]
        delimiter = max(_DELIMITERS, key=first.count)
        cells = [cell.strip().lower() for cell in record_at(first, 0, delimiter).cells]
        places = {
            column: next((cells.index(word) for word in words if word in cells), None)
            for column, words in {**SPAN_WORDS, "recording": PATH_WORDS}.items()
        }
        has_header = places["start"] is not None and places["end"] is not None
        if not has_header:
            if len(cells) < 2 or _number(cells[0]) is None or _number(cells[1]) is None:
                raise self._wrong(1, "spans_unknown")
            places = {"start": 0, "end": 1, "text": 2, "id": None, "recording": None}
        at, line = len(text) - len(text.lstrip("\n")), 1 + len(text) - len(text.lstrip("\n"))
        while at < len(text):
            record = record_at(text, at, delimiter)
            if record.open_quote is not None:
                raise self._wrong(line, "quote_open")
            if not has_header and any(cell.strip() for cell in record.cells):
                yield self._table_row(line, record.cells, places)
            has_header, line = False, line + text.count("\n", at, record.end)
            at = record.end

    def _table_row(self, line: int, cells: Sequence[str], places: dict[str, int | None]) -> SpanRow:
        def cell(column: str) -> str:
            place = places[column]
            return cells[place].strip() if place is not None and place < len(cells) else ""

        start_s, end_s = _number(cell("start")), _number(cell("end"))
        span = self._span(line, start_s, end_s, text=cell("text"), id_=cell("id"))
        return SpanRow(line, span, cell("recording"))

    def _subtitles(self, lines: Sequence[str]) -> Iterator[SpanRow]:
        at = 0
        while at < len(lines):
            found = _ARROW.match(lines[at])
            at += 1
            if found is None:
                continue
            line, said = at, []
            while at < len(lines) and lines[at].strip():
                said.append(_TAG.sub("", lines[at]).strip())
                at += 1
            start_s, end_s = _clock(found[1]), _clock(found[2])
            yield SpanRow(line, self._span(line, start_s, end_s, text=" ".join(said).strip()))

    def _praat(self, text: str) -> Iterator[SpanRow]:
        tiers = list(_praat_tiers(text))
        for start_s, end_s, label in self._chosen([one for one in tiers if one[1]]):
            if label.strip():
                yield SpanRow(0, self._span(0, start_s, end_s, text=label.strip()))

    def _elan(self, text: str) -> Iterator[SpanRow]:
        if "<!ENTITY" in text:  # entities can grow without bound
            raise self._wrong(1, "spans_unknown")
        try:
            # The declaration names an encoding, which the text has no more.
            root = ET.fromstring(text.partition("?>")[2] if text.startswith("<?xml") else text)  # noqa: S314 - no entities
        except ET.ParseError as exc:
            raise self._wrong(exc.position[0], "spans_unknown") from exc
        times = {
            slot.get("TIME_SLOT_ID"): _number(slot.get("TIME_VALUE") or "")
            for slot in root.iter("TIME_SLOT")
        }
        tiers = []
        for tier in root.iter("TIER"):
            spans = [
                (times.get(one.get("TIME_SLOT_REF1")), times.get(one.get("TIME_SLOT_REF2")), one)
                for one in tier.iter("ALIGNABLE_ANNOTATION")
            ]
            said = [
                (
                    None if first is None else first / 1000,
                    None if last is None else last / 1000,
                    one.findtext("ANNOTATION_VALUE") or "",
                )
                for first, last, one in spans
            ]
            if said:
                tiers.append((tier.get("TIER_ID") or "", said))
        for start_s, end_s, value in self._chosen(tiers):
            yield SpanRow(0, self._span(0, start_s, end_s, text=value.strip()))

    def _chosen(self, tiers: Sequence[_Tier]) -> list[_Interval]:
        """Return the intervals of the tier that was asked for, or of the first."""
        for name, intervals in tiers:
            if self._tier is None or name == self._tier:
                return intervals
        if self._tier is None:
            return []
        names = ", ".join(name for name, _ in tiers) or "-"
        raise self._wrong(1, "tier_missing", tier=self._tier, tiers=names)

    def _span(
        self,
        line: int,
        start_s: float | None,
        end_s: float | None,
        *,
        text: str = "",
        id_: str = "",
    ) -> GivenSpan:
        if start_s is None or end_s is None:
            raise self._wrong(max(1, line), "span_times")
        try:
            return GivenSpan(start_s, end_s, text, id_)
        except ValueError as exc:
            values = {"start_s": start_s, "end_s": end_s}
            raise self._wrong(max(1, line), "span_backwards", **values) from exc

    def _wrong(self, line: int, why: str, **data: object) -> ListError:
        return _unreadable(self._name, line, why, **data)


_Interval = tuple[float | None, float | None, str]
_Tier = tuple[str, list[_Interval]]


def _praat_tiers(text: str) -> Iterator[_Tier]:
    """Yield name and intervals of each tier; one of points has none."""
    values: list[str | float] = []
    for found in _PRAAT.finditer(text):
        if found[2] is not None:
            values.append(float(found[2]))
        elif found[1] is not None:
            values.append(found[1].replace('""', '"'))
    at = 0
    while at < len(values):
        kind = values[at]
        at += 1
        if kind not in ("IntervalTier", "TextTier"):
            continue
        name, count = str(values[at]) if at < len(values) else "", _whole(values, at + 3)
        at += 4
        intervals: list[_Interval] = []
        size = 3 if kind == "IntervalTier" else 2
        for place in range(at, min(at + size * count, len(values) - size + 1), size):
            if size == 3:
                start_s, end_s, label = values[place : place + 3]
                intervals.append((_real(start_s), _real(end_s), str(label)))
        at += size * count
        yield name, intervals


def _whole(values: Sequence[str | float], at: int) -> int:
    value = values[at] if at < len(values) else 0
    return int(value) if isinstance(value, float) else 0


def _real(value: str | float) -> float | None:
    return value if isinstance(value, float) else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _clock(text: str) -> float | None:
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds, part = found.groups()
    return (
        3600 * int(hours or 0) + 60 * int(minutes) + int(seconds) + int(part.ljust(3, "0")) / 1000
    )


def _names(recording: str) -> set[str]:
    plain = recording.replace("\\", "/").rpartition("/")[2]
    return {recording, plain, Path(plain).stem}


def _decoded(name: str, data: bytes) -> str:
    """Return the text of a file, whose lines end in a line feed.

    Raises:
        ListError: it is in none of the encodings, or no text at all.
    """
    encodings = [(mark, encoding) for mark, encoding in _MARKS if data.startswith(mark)]
    for mark, encoding in encodings or [(b"", "utf-8"), (b"", "gb18030")]:
        try:
            text = data[len(mark) :].decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text.replace("\r\n", "\n").replace("\r", "\n")
    raise _unreadable(name, 1, "spans_no_text")


def _unreadable(name: str, line: int, why: str, **data: object) -> ListError:
    return ListError("spans_unreadable", name=name, line=line, **reason(why, **data))
