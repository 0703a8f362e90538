"""Answers as pandas tables; pandas is imported when one is made, and need not be installed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from emoscope.errors import ResultError
from emoscope.optional import require_package
from emoscope.results.result import Failure, Result
from emoscope.results.rows import COLUMNS_OF, RowKind, answer_rows, carried_name, check_row_kind
from emoscope.results.track import DataFrame

Carried: TypeAlias = Any
"""Columns of a list: a pandas table, a mapping of columns, or a sequence of rows."""


def to_frame(
    answers: Iterable[Result | Failure] | Result | Failure,
    columns: Carried = None,
    *,
    rows: RowKind = "recordings",
) -> DataFrame:
    """Return answers as a pandas table, one row for each observation; failures keep their row.

    Args:
        answers: one, or all of ``recognize_many``, in order.
        columns: columns of the list that the recordings came from, to stand before those of the
            answers: a pandas table, a mapping of columns or a sequence of rows, one row per
            answer. A column with a name of the answers, such as ``emotion``, becomes
            ``list_emotion``.
        rows: ``recordings``, ``segments``, ``utterances``, or ``frames`` of 20 ms.

    Returns:
        ``pandas.DataFrame`` with the columns of the CSV. ``error`` holds the code of a failure.
        With ``recordings`` the index is that of ``columns``, where it is a pandas table.

    Raises:
        PackageMissingError: pandas is not installed.
        RequestError: ``rows`` is none of the four.
        ResultError: there are more or fewer rows in ``columns`` than answers.
    """
    pandas, kind = require_package("pandas"), check_row_kind(rows)
    given = [answers] if isinstance(answers, Result | Failure) else list(answers)
    carried = carried_rows(columns, len(given), COLUMNS_OF[kind])
    made = [
        {**before, **row}
        for before, answer in zip(carried, given, strict=True)
        for row in answer_rows(answer, kind)
    ]
    names = dict.fromkeys([*(carried[0] if carried else {}), *COLUMNS_OF[kind]])
    names |= dict.fromkeys(name for row in made for name in row if name not in names)
    kept = [name for name in names if name in {key for row in made for key in row} or not made]
    frame = pandas.DataFrame(made, columns=kept)
    if kind == "recordings" and hasattr(columns, "columns") and hasattr(columns, "index"):
        frame.index = columns.index
    return frame


def carried_rows(columns: Carried, count: int, taken: Sequence[str]) -> list[dict[str, Any]]:
    """Return the row of a list for each answer; a name that is taken gets ``list_`` before it.

    Args:
        columns: a pandas table, a mapping of columns, a sequence of rows, or None.
        count: answers.
        taken: names of the answers' own columns.

    Raises:
        ResultError: there are more or fewer rows than answers.
    """
    if columns is None:
        return [{} for _ in range(count)]
    if isinstance(columns, Mapping) or hasattr(columns, "columns"):
        by_name = {name: list(columns[name]) for name in columns}
        found = max((len(values) for values in by_name.values()), default=0)
        even = all(len(values) == found for values in by_name.values())
        given = [{name: by_name[name][at] for name in by_name} for at in range(found * even)]
    else:
        given = [dict(row) for row in columns]
    if len(given) != count:
        raise ResultError("table_rows_differ", answers=count, rows=len(given))
    return [{carried_name(str(name), taken): value for name, value in row.items()} for row in given]
