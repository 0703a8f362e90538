"""Rows of a list for Python: absolute paths, and every column by its own name."""

from __future__ import annotations

import os
from pathlib import Path

from emoscope.lists import reader
from emoscope.lists.audformat_list import HEADER, is_audformat, read_audformat
from emoscope.messages.aliases import LABEL_WORDS
from emoscope.results.result import Failure

_LABEL = "emotion"


def read_list(path: str | os.PathLike[str], *, table: str | None = None) -> list[dict[str, str]]:
    """Read a list of recordings: CSV, TSV, ``wav.scp``, JSON Lines, EmoBox's, or audformat.

    For ``recognize_many(row["path"] for row in rows)`` and ``to_frame(answers, rows)``.

    Args:
        path: the list, or the folder of an audformat database.
        table: of an audformat database; by default every one with emotions.

    Returns:
        A dict for each row, in order: ``path``, made absolute from the list's folder, then the
        other columns by their names.

    Raises:
        SourceNotFoundError: there is no such list.
        SourceError: the system refuses to read it.
        ListError: it has no row, lacks a column of paths, or a row cannot be read.
        PackageMissingError: it is an audformat database, and audformat is not installed.
    """
    path = Path(path)
    if is_audformat(path):
        columns = {**reader.COLUMNS, _LABEL: LABEL_WORDS}
        needed = (reader.PATH,) if table else (reader.PATH, _LABEL)
        rows, folder = read_audformat(path, columns, needed, table), path
        folder = path.parent if path.name == HEADER else path
    else:
        rows, folder = reader.read(path), path.parent
    return [_row(one, folder.absolute()) for one in rows]


def _row(row: reader.Row | Failure, folder: Path) -> dict[str, str]:
    if isinstance(row, Failure):
        raise row.error
    cells = {name: value for name, value in row.cells.items() if name != reader.PATH}
    return {reader.PATH: str(folder / row.path), **cells, **row.others}
