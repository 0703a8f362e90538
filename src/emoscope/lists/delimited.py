"""Parser of delimited text: CSV and its relatives.

Not Python's ``csv``: that keeps a quotation mark open to the end of the text, reads everything
behind it as one cell, up to a limit of 128 kB, and does not say where the mark stands.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """Cells of a row, and the offset of its end."""

    cells: list[str]
    end: int
    """Where the next record begins."""
    open_quote: int | None = None
    """Where the quotation mark stands that is not closed."""


def record_at(text: str, at: int, delimiter: str) -> Record:
    """Split one record of a CSV, which begins at ``at`` and may go over several lines.

    As ``csv`` does, with two differences. Spaces before a quotation mark are passed over. A quoted
    cell of several lines must be closed before a delimiter or a line end: else its mark is an open
    one, and the cells are those before it.

    Args:
        text: the whole list, whose lines end in a line feed.
        at: position in ``text`` at which the record begins.
        delimiter: one character.
    """
    cells: list[str] = []
    while True:
        end = line_end(text, at)
        if not cells and text.find('"', at, end) < 0:
            return Record(text[at:end].split(delimiter), end + 1)
        begin = at
        while text.startswith(" ", begin):
            begin += 1
        if text.startswith('"', begin):
            quoted = _quoted(text, begin)
            if quoted is None:
                return Record(cells, end + 1, begin)
            cell, at = quoted
            stop = _cell_end(text, at, delimiter)
            rest = text[at:stop]
            if rest.strip() and "\n" in text[begin:at]:
                return Record(cells, line_end(text, begin) + 1, begin)
            cells.append(cell + rest)
        else:
            stop = _cell_end(text, at, delimiter)
            cells.append(text[at:stop])
        if not text.startswith(delimiter, stop):
            return Record(cells, stop + 1)
        at = stop + len(delimiter)


def _quoted(text: str, at: int) -> tuple[str, int] | None:
    """Return what stands in the quotation marks that open at ``at``, and where they end."""
    parts = []
    at += 1
    while (close := text.find('"', at)) >= 0:
        parts.append(text[at:close])
        if not text.startswith('"', close + 1):
            return "".join(parts), close + 1
        parts.append('"')  # two of them stand for one
        at = close + 2
    return None


def line_end(text: str, at: int) -> int:
    """Return where the line of ``at`` ends: at its line feed, or with the text."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _cell_end(text: str, at: int, delimiter: str) -> int:
    last = line_end(text, at)
    end = text.find(delimiter, at, last)
    return last if end < 0 else end
