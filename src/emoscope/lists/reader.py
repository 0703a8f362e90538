"""Reader of recording lists: Kaldi's ``wav.scp``, CSV and JSON Lines, with line numbers.

A row that cannot be read becomes a ``Failure`` in its place, and the rows after it are read. A
list is an error as a whole only where nothing says what its columns are, or it holds no row.

What this covers, of a CSV: UTF-8 with and without a byte order mark, UTF-16, GB18030 under a rule
(see ``emoscope.lists.encoding``); every kind of line end; comma, semicolon, tab or bar, whichever
the header has; headers in any case and order; quotation marks that are never closed. What it does
not: other encodings, whose lines are refused; globs and addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from emoscope.errors import ListError
from emoscope.limits import COMMAND_LINE
from emoscope.lists import json_lines
from emoscope.lists.delimited import Record, line_end, record_at
from emoscope.lists.encoding import SURROGATE, decoded_list
from emoscope.messages.aliases import NAME_WORDS, PATH_WORDS
from emoscope.messages.reasons import reason
from emoscope.paths.access import is_file, opened
from emoscope.results.result import Failure

KALDI = ".scp"
LIST_ENDINGS = frozenset((KALDI, ".csv", ".tsv")) | json_lines.JSON_LINES_ENDINGS
"""Endings of files that are lists."""

PATH, NAME = "path", "name"
COLUMNS: Mapping[str, Sequence[str]] = {
    PATH: PATH_WORDS,
    NAME: NAME_WORDS,
}
"""Column, and the words that a header may call it; the first of them that is there counts."""

_DELIMITERS = (",", ";", "\t", "|")
_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
"""First line by which a list tells spreadsheets its delimiter."""
_UNLIKELY = (
    # What a path holds that hardly any file has, and what that means in a list.
    (re.compile("\0"), "path_nul"),
    (re.compile("\n"), "path_line_break"),
    (SURROGATE, "list_not_utf8"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """Row of a list: one recording."""

    line: int
    """Line in which the row begins, counted from 1."""
    cells: dict[str, str]
    """Value by column, without spaces around it; a column that the list lacks has none."""
    others: dict[str, str] = field(default_factory=dict)
    """Value by header, of columns that were not asked for."""

    @property
    def path(self) -> str:
        """The path as the list has it."""
        return self.cells[PATH]


def read(
    path: Path,
    columns: Mapping[str, Sequence[str]] = COLUMNS,
    needed: Sequence[str] = (PATH,),
) -> Iterator[Row | Failure]:
    """Read a list, row by row; blank rows are passed over.

    Args:
        path: the list; one that ends in ``.jsonl`` or ``.ndjson`` has a JSON object on each line,
            one that ends in ``.scp`` has ``name path``, unless more columns are needed; every
            other one is a CSV.
        columns: what may be in a list, and how a header or a key may call it.
        needed: columns that every row must have, ``PATH`` first. In this order they are taken from
            a CSV without a header, which is known by a path in its first cell.

    Yields:
        Row or Failure: a failure has the row's name, else its path, else ``list:line``.

    Raises:
        SourceNotFoundError: there is no such list.
        SourceError: the system refuses to read it.
        ListError: it has no row, or its header lacks a needed column.
    """
    reader = _reader_of(path, columns, needed)
    with opened(path) as file:
        data = file.read()
    is_empty = True
    for row in reader.rows(decoded_list(data, reader.names_a_file)):
        is_empty = False
        yield row
    if is_empty:
        raise reader.malformed(1, "list_empty")


def _reader_of(path: Path, columns: Mapping[str, Sequence[str]], needed: Sequence[str]) -> _Reader:
    ending = path.suffix.lower()
    if ending == KALDI and set(needed) <= {PATH, NAME}:
        return _Kaldi(path)
    kind = _JsonLines if ending in json_lines.JSON_LINES_ENDINGS else _Csv
    return kind(path, columns, needed)


class _Reader:
    """Base class of the list readers."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self, text: str) -> Iterator[Row | Failure]:
        """Yield the rows of a list's text, whose lines end in a line feed."""
        raise NotImplementedError

    def malformed(self, line: int, why: str, **data: object) -> ListError:
        return ListError("list_malformed", name=self._path.name, line=line, **reason(why, **data))

    def is_there(self, path: str) -> bool:
        """Whether a path of this list leads to a file."""
        return bool(path) and is_file(self._path.parent / path)

    def names_a_file(self, text: str) -> bool:
        """Whether a path beyond ASCII leads to a file when a list is read like this."""
        try:
            return any(
                not row.path.isascii() and self.is_there(row.path)
                for row in self.rows(text)
                if isinstance(row, Row)
            )
        except ListError:
            return False

    def failed(self, line: int, cells: Mapping[str, str], why: str, **data: object) -> Failure:
        name = cells.get(NAME) or cells.get(PATH) or f"{self._path.name}:{line}"
        return Failure(name, self.malformed(line, why, **data))

    def checked(self, row: Row, needed: Iterable[str]) -> Row | Failure:
        """Refuse what lacks a needed value, and a path that no file can have."""
        for column in needed:
            if not row.cells.get(column):
                return self.failed(row.line, row.cells, "no_value", column=column)
        if "\\" in row.path and not self.is_there(row.path):
            turned = row.path.replace("\\", "/")  # a list that was made on Windows
            if self.is_there(turned):
                return replace(row, cells={**row.cells, PATH: turned})
        refused = next((why for hidden, why in _UNLIKELY if hidden.search(row.path)), None)
        if refused is None or self.is_there(row.path):
            return row
        return self.failed(row.line, row.cells, refused)


class _Kaldi(_Reader):
    """Reader of ``wav.scp``: ``name path`` per line, separated by spaces or tabs."""

    def rows(self, text: str) -> Iterator[Row | Failure]:
        for number, line in enumerate(text.split("\n"), start=1):
            name, *rest = re.split(r"[ \t]+", line.strip(" \t"), maxsplit=1)
            if not line.strip():
                continue
            cells = {NAME: name, PATH: rest[0] if rest else ""}
            # Kaldi lets a line be a command that ends in "|"; running it is not ours.
            if cells[PATH].endswith("|"):
                yield self.failed(
                    number,
                    cells,
                    "command",
                )
            else:
                yield self.checked(Row(number, cells), (PATH,))


class _Table(_Reader):
    """Reader of a list whose columns have names."""

    def __init__(
        self, path: Path, columns: Mapping[str, Sequence[str]], needed: Sequence[str]
    ) -> None:
        super().__init__(path)
        self._columns = columns
        self._needed = needed


class _JsonLines(_Table):
    """Reader of a JSON object on each line."""

    def rows(self, text: str) -> Iterator[Row | Failure]:
        for one in json_lines.json_lines(text):
            if one.cells is None:
                yield self.failed(one.line, {}, "not_json_object")
            else:
                yield self._row(one.line, one.cells)

    def _row(self, line: int, given: Mapping[str, str]) -> Row | Failure:
        keys = {
            column: next((word for word in words if word in given), "")
            for column, words in self._columns.items()
        }
        cells = {column: given[key].strip() for column, key in keys.items() if key}
        for column in self._needed:
            if column not in cells:
                return self.failed(
                    line, cells, "key_lacks", **missing_column(self._columns[column], given)
                )
        path = cells[PATH]
        if given.keys() >= json_lines.EMOBOX_KEYS and path and not self.is_there(path):
            cells[PATH] = json_lines.found_above(self._path.parent, path)
        claimed = set(keys.values())
        others = {key: value for key, value in given.items() if key not in claimed}
        return self.checked(Row(line, cells, others), self._needed)


def missing_column(words: Sequence[str], found: Iterable[str]) -> dict[str, str]:
    """Return what the reason of a missing column names: its words, and the columns there are."""
    there = ", ".join(name.strip()[:20] for name in list(found)[:6])
    return {"word": words[0], "others": ", ".join(words[1:]), "found": there}


class _Csv(_Table):
    """Reader of CSV with a header."""

    def rows(self, text: str) -> Iterator[Row | Failure]:
        at, line, delimiter = 0, 1, None
        first = text.partition("\n")[0]
        if named := _SEPARATOR.fullmatch(first.strip(" ")):
            at, line, delimiter = len(first) + 1, 2, named[1]
        while at < len(text) and not text[at : (end := line_end(text, at))].strip(" \t,;"):
            at, line = end + 1, line + 1
        if at >= len(text):
            return
        delimiter, places, has_header = self._header(text, at, line, delimiter)
        others: dict[str, int] = {}
        if has_header:
            header = record_at(text, at, delimiter)
            claimed = set(places.values())
            names = ((name.strip().strip("\ufeff"), i) for i, name in enumerate(header.cells))
            others = {name: i for name, i in names if name and i not in claimed}
            at, line = header.end, line + text.count("\n", at, header.end)
        while at < len(text):
            record = self._record(text, at, delimiter, places[PATH])
            cells = _at(record, places)
            if record.open_quote is not None:
                opens = line + text.count("\n", at, record.open_quote)
                yield self.failed(opens, cells, "quote_open")
            elif any(cell.strip() for cell in record.cells):
                yield self.checked(Row(line, cells, _at(record, others)), self._needed)
            line += text.count("\n", at, record.end)
            at = record.end

    def _header(
        self, text: str, at: int, line: int, delimiter: str | None
    ) -> tuple[str, dict[str, int], bool]:
        """Return the delimiter, the place of each column, and whether there is a header."""
        choices = (delimiter,) if delimiter else _DELIMITERS
        named = [(choice, record_at(text, at, choice).cells) for choice in choices]
        # The delimiter by which most columns are known; of those that are equal, the first.
        places, delimiter = max(
            ((self._places(cells, line), choice) for choice, cells in named),
            key=lambda found: len(found[0]),
        )
        if PATH not in places:
            for choice, cells in named:
                if len(cells) >= len(self._needed) and self._is_path(cells[0].strip()):
                    return choice, {name: i for i, name in enumerate(self._needed)}, False
        lacking = next((column for column in self._needed if column not in places), None)
        if lacking is None:
            return delimiter, places, True
        if record_at(text, at, delimiter).open_quote is not None:
            raise self.malformed(line, "quote_open")
        raise self._without(lacking, line, max((cells for _, cells in named), key=len))

    def _without(self, lacking: str, line: int, cells: Sequence[str]) -> ListError:
        """Return the error for a header without a needed column."""
        told = missing_column(self._columns[lacking], cells)
        return self.malformed(
            line, "header_lacks", word=told["word"], others=told["others"], found=told["found"]
        )

    def _places(self, cells: Sequence[str], line: int) -> dict[str, int]:
        """Where each column stands in a header."""
        header = [cell.strip().strip("\ufeff").lower() for cell in cells]
        places = {}
        for column, words in self._columns.items():
            word = next((word for word in words if word in header), None)
            if word is None:
                continue
            if header.count(word) > 1:
                raise self.malformed(
                    line,
                    "column_twice",
                    count=header.count(word),
                    word=word,
                )
            places[column] = header.index(word)
        return places

    def _is_path(self, cell: str) -> bool:
        return Path(cell).suffix.lower() in COMMAND_LINE.endings or self.is_there(cell)

    def _record(self, text: str, at: int, delimiter: str, place: int) -> Record:
        """Read a record; end it in its first line where its quotation mark is not closed."""
        record = record_at(text, at, delimiter)
        opened_at = record.open_quote
        if opened_at is None and text.find("\n", at, record.end - 1) >= 0:
            opened_at = self._swallowing(text, at, record.end, delimiter, place)
        if opened_at is None:
            return record
        return Record(record.cells, line_end(text, opened_at) + 1, opened_at)

    def _swallowing(self, text: str, at: int, end: int, delimiter: str, place: int) -> int | None:
        """Find a quotation mark behind which rows with paths of files stand as text."""
        after = line_end(text, at) + 1
        while after < end:
            cells = record_at(text, after, delimiter).cells
            if place < len(cells) and self.is_there(cells[place].strip()):
                return text.rindex('"', at, after)
            after = line_end(text, after) + 1
        return None


def _at(record: Record, places: Mapping[str, int]) -> dict[str, str]:
    """Values of a record by name, as far as it reaches."""
    cells = record.cells
    return {name: cells[at].strip() for name, at in places.items() if at < len(cells)}
