"""Inputs of a batch: files, folders, patterns, lists and archives to items, row by row."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from emoscope.batch.addresses import find_inputs, join_address, local_copy
from emoscope.batch.archives import is_archive, members
from emoscope.batch.items import BatchItem, Cell
from emoscope.batch.remote import SEPARATOR, is_address
from emoscope.errors import EmoscopeError, ListError, SettingError, SourceNotFoundError
from emoscope.limits import COMMAND_LINE
from emoscope.lists import reader, records
from emoscope.lists.json_lines import EMOBOX_KEYS, found_above
from emoscope.lists.spans import SpanFile
from emoscope.messages.aliases import SPAN_WORDS
from emoscope.messages.reasons import reason
from emoscope.paths.access import files_below, is_file, is_folder
from emoscope.paths.file_names import readable
from emoscope.results.result import Failure
from emoscope.results.utterances import GivenSpan

_AMBIGUOUS = {"from", "to", "offset"}
"""Words that a list of spans may use for its times, and other lists use for other things."""
START, END = "start", "end"
INPUT_COLUMNS: Mapping[str, Sequence[str]] = {
    **reader.COLUMNS,
    **{
        name: tuple(word for word in SPAN_WORDS[name] if word not in _AMBIGUOUS)
        for name in (START, END)
    },
}
"""Columns of a list that mean something here; all others are carried to the output."""
_LISTS = frozenset((*records.RECORD_ENDINGS, *reader.LIST_ENDINGS))


def batch_items(arguments: Sequence[str], spans: SpanFile | None = None) -> Iterator[BatchItem]:
    """Turn arguments into items, in order.

    A folder gives the audio files below it, sorted; a pattern what it matches, sorted; a list its
    rows, whose relative paths start at the list's folder; an archive its recordings. All of these
    may be behind addresses. A row that cannot be read is an item
    with an error.

    Args:
        arguments: files, folders, patterns, lists and archives, or addresses of them.
        spans: spans of the recordings; each becomes an item of its own.

    Raises:
        SettingError: an argument is empty.
        SourceNotFoundError: a folder or pattern holds no recording.
        SourceError: a folder or list cannot be read.
        ListError: a list has no row, or no column with paths.
        ExtraMissingError: a list is Parquet, and pyarrow is not installed.
    """
    row = 0
    by_recording = None if spans is None else _Spans(spans)
    for argument in arguments:
        for item in _of(argument):
            for one in [item] if by_recording is None else by_recording.of(item):
                yield replace(one, row=row)
                row += 1


def _of(argument: str) -> Iterator[BatchItem]:
    if not argument.strip():
        raise SettingError("argument_empty", argument=repr(argument))
    path = Path(argument)
    if is_archive(argument) and (is_file(path) or not glob.has_magic(argument)):
        yield from members(argument)
    elif is_address(argument):
        yield from _at_address(argument)
    elif is_folder(path):
        yield from _folder(path)
    elif path.suffix.lower() in _LISTS:
        yield from _list(path, str(path.parent))
    elif not is_file(path) and glob.has_magic(argument):
        yield from _pattern(argument)
    else:
        yield _item(path, path.name)


def _item(path: Path | str, name: str, carried: Mapping[str, Cell] | None = None) -> BatchItem:
    where = str(path)
    where = where if is_address(where) else str(Path(where).absolute())
    return BatchItem(-1, readable(name), where, carried=carried or {})


def _at_address(address: str) -> Iterator[BatchItem]:
    """Recordings in object storage or on a web server: one, a folder, a pattern, or a list."""
    if is_list(address):
        with local_copy(address) as path:
            yield from _list(path, address.rpartition("/")[0])
        return
    folder = f"{address.rstrip('/')}/"
    for found in find_inputs(address, COMMAND_LINE.endings):
        if found == address or not (is_archive(found) or is_list(found)):
            yield _item(found, found.removeprefix(folder).rpartition(SEPARATOR)[2])
        else:
            yield from _of(found)


def is_list(address: str) -> bool:
    """Whether a path or an address is named as a list."""
    return Path(address).suffix.lower() in _LISTS


def _list(path: Path, folder: str) -> Iterator[BatchItem]:
    """Rows of a list, whose paths start at a folder or an address."""
    is_record = path.suffix.lower() in records.RECORD_ENDINGS
    return _records(path, folder) if is_record else _rows(path, folder)


def _folder(folder: Path) -> Iterator[BatchItem]:
    found = files_below(folder, COMMAND_LINE.endings)
    if not found:
        raise SourceNotFoundError("source_nothing_found", name=str(folder))
    for below in found:
        yield replace(_item(below.path, below.name), error=below.error)


def _pattern(pattern: str) -> Iterator[BatchItem]:
    found = sorted(glob.iglob(pattern, recursive=True))  # noqa: PTH207 - a pattern as it was typed
    if not found:
        raise SourceNotFoundError("source_nothing_found", name=pattern)
    for path in found:
        yield from _of(glob.escape(path) if glob.has_magic(path) and not is_file(path) else path)


def _rows(path: Path, folder: str) -> Iterator[BatchItem]:
    for row in reader.read(path, INPUT_COLUMNS):
        if isinstance(row, Failure):
            yield BatchItem(-1, readable(row.name), "", error=row.error)
            continue
        cells = row.cells
        where = join_address(folder, row.path)
        item = _item(where, cells.get(reader.NAME) or row.path, row.others)
        yield _spanned(item, path, row.line, cells.get(START), cells.get(END))


def _records(path: Path, folder: str) -> Iterator[BatchItem]:
    is_empty = True
    for record in records.read_records(path):
        is_empty = False
        if record.error is not None:
            yield BatchItem(-1, f"{readable(path.name)}:{record.line}", "", error=record.error)
            continue
        names = _columns_of(record)
        where = record.values.get(names.get(reader.PATH, ""))
        if not isinstance(where, str) or not where.strip():
            if record.line == 1 and reader.PATH not in names:
                raise _without_path(path, record)
            error = _bad(path, record.line, "no_value", column=reader.PATH)
            yield BatchItem(-1, f"{readable(path.name)}:{record.line}", "", error=error)
            continue
        values = dict(record.values)
        start, end = (values.get(names.get(name, "")) for name in (START, END))
        name = values.get(names.get(reader.NAME, ""))
        for known in names.values():
            del values[known]
        if record.values.keys() >= EMOBOX_KEYS and not is_address(folder):
            where = found_above(path.parent, where)
        at = join_address(folder, where)
        item = _item(at, where if name in (None, "") else str(name), values)
        yield _spanned(item, path, record.line, start, end)
    if is_empty:
        raise _bad(path, 1, "list_empty")


def _columns_of(record: records.ListRecord) -> dict[str, str]:
    """Return what the record calls each column that means something here."""
    lower = {name.strip().lower(): name for name in reversed(record.values)}
    found = {
        column: next((lower[word] for word in words if word in lower), None)
        for column, words in INPUT_COLUMNS.items()
    }
    return {column: name for column, name in found.items() if name is not None}


def _without_path(path: Path, record: records.ListRecord) -> ListError:
    lacks = reader.missing_column(INPUT_COLUMNS[reader.PATH], record.values)
    return _bad(path, record.line, "header_lacks", **lacks)


def _bad(path: Path, line: int, why: str, **data: object) -> ListError:
    return ListError("list_malformed", name=path.name, line=line, **reason(why, **data))


def _spanned(item: BatchItem, path: Path, line: int, start: Cell, end: Cell) -> BatchItem:
    """Give an item the span of its row, if it has one."""
    try:
        start_s, end_s = _seconds(START, start), _seconds(END, end)
    except _NoNumberError as wrong:
        column, value = wrong.args
        return replace(item, error=_bad(path, line, "no_number", column=column, value=value))
    if end_s is not None and end_s < 0:  # Kaldi: to the end
        end_s = None
    if (start_s or 0) < 0 or (end_s is not None and end_s < (start_s or 0)):
        error = _bad(path, line, "span_backwards", start_s=start_s or 0, end_s=end_s)
        return replace(item, error=error)
    return replace(item, start_s=start_s, end_s=end_s)


class _NoNumberError(ValueError):
    """A time that is no number: its column and its value."""


def _seconds(column: str, value: Cell) -> float | None:
    if value is None or value == "":
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = float("nan")
    if not abs(seconds) < float("inf"):
        raise _NoNumberError(column, str(value)[:40])
    return seconds


class _Spans:
    """Spans of a file, by the recording that they are of."""

    def __init__(self, file: SpanFile) -> None:
        self._file = file
        self._by_name: dict[str, list[GivenSpan]] = {}
        for row in file.rows:
            names = {row.recording, Path(row.recording).name, Path(row.recording).stem}
            for name in names:
                self._by_name.setdefault(name, []).append(row.span)

    def of(self, item: BatchItem) -> Iterator[BatchItem]:
        """Yield an item for each span of a recording; one with an error where it has none."""
        if item.error is not None:
            yield item
            return
        known = [] if self._file.names_recordings else self._by_name.get("", [])
        for name in (item.id, Path(item.path).name, Path(item.path).stem):
            known = known or self._by_name.get(name, [])
        if not known:
            yield replace(item, error=self._none_of(item))
            return
        for span in known:
            id_ = span.id or f"{item.id}:{span.start_s:g}-{span.end_s:g}"
            more = {"recording": item.id, **({"text": span.text} if span.text else {})}
            yield replace(
                item,
                id=id_,
                start_s=span.start_s,
                end_s=span.end_s,
                carried={**item.carried, **more},
            )

    def _none_of(self, item: BatchItem) -> EmoscopeError:
        why = reason("spans_of_others", recording=item.id)
        return ListError("spans_unreadable", name=self._file.name, line=1, **why)
