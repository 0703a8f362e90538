"""Reader of audformat databases as lists of recordings: a folder with ``db.yaml`` and its tables.

Columns of all tables that are about files stand side by side, and so does what a scheme says of a
label, such as the gender of a speaker. The package audformat is imported only here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from emoscope.errors import ListError
from emoscope.lists.reader import PATH, Row
from emoscope.messages.reasons import reason
from emoscope.optional import require_package
from emoscope.paths.access import is_file
from emoscope.results.result import Failure

HEADER = "db.yaml"
"""File by which a folder is known as an audformat database."""
_PACKAGE = "audformat"


def is_audformat(path: Path) -> bool:
    """Whether a path is an audformat database: its folder, or its header."""
    return is_file(path / HEADER) or (path.name == HEADER and is_file(path))


def read_audformat(
    path: Path,
    columns: Mapping[str, Sequence[str]],
    needed: Sequence[str] = (PATH,),
    table: str | None = None,
) -> Iterator[Row | Failure]:
    """Read the files of a database as rows of a list, in the order of its tables.

    Args:
        path: the database's folder, or its header.
        columns: what may be in a list, and how a table may call it.
        needed: columns that every row must have.
        table: whose files are read; by default of each table that has the last needed column.

    Yields:
        Row or Failure: ``corpus`` is the database's name, unless a column is called so; a row's
        line is its place, from 1. A part of a file is a failure, and so is a row without a value.

    Raises:
        ListError: it cannot be read, or no table has the last needed column.
        ExtraMissingError: audformat is not installed.
    """
    folder = path.parent if path.name == HEADER else path
    audformat = require_package(_PACKAGE)
    try:
        database = audformat.Database.load(str(folder), load_data=False)
        tables = {name: _lines(database, name) for name in database.tables}
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise _unreadable(folder, "as_said", reason=str(exc)[:200]) from exc
    wanted = columns[needed[-1]]
    chosen = [
        name
        for name, lines in tables.items()
        if (name == table if table else lines and set(wanted) & lines[0][1].keys())
    ]
    if not chosen:
        raise _unreadable(folder, "no_emotion_table")
    known: dict[str, dict[str, str]] = defaultdict(dict)
    for lines in tables.values():
        for (file, part), values in lines:
            if not part:
                known[file] |= {key: value for key, value in values.items() if value}
    seen: set[tuple[str, str]] = set()
    for name in chosen:
        for key, values in tables[name]:
            if key in seen:
                continue
            seen.add(key)
            told = {"corpus": str(database.name), **known[key[0]], **values}
            yield _row(len(seen), key, told, columns, needed, folder)


def _row(
    line: int,
    key: tuple[str, str],
    values: Mapping[str, str],
    columns: Mapping[str, Sequence[str]],
    needed: Sequence[str],
    folder: Path,
) -> Row | Failure:
    file, part = key
    names = {
        column: next((word for word in words if word in values), "")
        for column, words in columns.items()
    }
    cells = {column: values[name] for column, name in names.items() if name} | {PATH: file}
    if part:
        return Failure(f"{file} [{part}]", _unreadable(folder, "part_of_file", line=line))
    lacking = next((column for column in needed if not cells.get(column)), None)
    if lacking:
        return Failure(file, _unreadable(folder, "no_value", line=line, column=lacking))
    claimed = set(names.values())
    others = {name: value for name, value in values.items() if name not in claimed}
    return Row(line, cells, others)


def _lines(database: Any, name: str) -> list[tuple[tuple[str, str], dict[str, str]]]:
    """Rows of one table: file and part of it (empty for the whole), and values by column."""
    frame = database[name].get()
    files = [str(file) for file in frame.index.get_level_values("file")]
    parts = [""] * len(files)
    if "start" in frame.index.names:
        starts, ends = (frame.index.get_level_values(level) for level in ("start", "end"))
        parts = [_part(start, end) for start, end in zip(starts, ends, strict=True)]
    schemes = {
        column: database.schemes[found.scheme_id].labels if found.scheme_id else None
        for column, found in database[name].columns.items()
    }
    lines = [_told(record, schemes) for record in frame.to_dict("records")]
    return list(zip(zip(files, parts, strict=True), lines, strict=True))


def _told(record: Mapping[str, Any], schemes: Mapping[str, Any]) -> dict[str, str]:
    """Values of a row as words, with what the schemes say of them."""
    told: dict[str, str] = {}
    for column, value in record.items():
        labels = schemes.get(column)
        more = labels.get(value) if isinstance(labels, dict) else None
        if isinstance(more, dict):
            told |= {str(key): _word(one) for key, one in more.items()}
        told[str(column)] = _word(value)
    return told


def _part(start: Any, end: Any) -> str:
    is_whole = end != end and start.total_seconds() == 0
    return "" if is_whole else f"{start.total_seconds():g}-{end.total_seconds():g} s"


def _word(value: Any) -> str:
    return "" if value is None or value != value else str(value)  # not a number is not itself


def _unreadable(folder: Path, why: str, line: int = 1, **data: object) -> ListError:
    return ListError("list_malformed", name=folder.name, line=line, **reason(why, **data))
