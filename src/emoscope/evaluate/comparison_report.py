"""Comparison of two systems in words and as a self-contained HTML page."""

from __future__ import annotations

from emoscope.evaluate.bootstrap import FEW_SPEAKERS
from emoscope.evaluate.comparison import Comparison, FigureDifference, PairedFigures
from emoscope.evaluate.notes import EvaluationNote, interval_notes
from emoscope.figures.html_page import render_html
from emoscope.messages.evaluation import COMPARISON
from emoscope.messages.languages import Language


def comparison_html(comparison: Comparison) -> str:
    """Return the page; both languages stand side by side, as the figures are the same."""
    values: dict[str, object] = {
        "comparison": comparison,
        "tables": (comparison.overall, *comparison.corpora),
        "rows": difference_rows,
        "notes": comparison_notes(comparison),
        "words": COMPARISON,
        "p_text": p_text,
    }
    return render_html("emoscope.evaluate", "comparison.html", values)


def difference_rows(figures: PairedFigures, language: Language) -> list[tuple[str, str, str, str]]:
    """Return name, both values and the difference of each figure, as text."""
    return [
        (
            COMPARISON[one.figure](language),
            f"{one.first:.3f}",
            f"{one.second:.3f}",
            _difference_text(one, is_sure=figures.resampling.units >= FEW_SPEAKERS),
        )
        for one in figures.differences
    ]


def p_text(p: float) -> str:
    """Return a p value, as papers print it."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def comparison_notes(comparison: Comparison) -> tuple[EvaluationNote, ...]:
    """Return what must be said of a comparison, the loudest first."""
    found = []
    for code, count in (
        ("left_over", comparison.only_in_first + comparison.only_in_second),
        ("without_truth", comparison.without_truth),
        ("other_truth", comparison.contradicted),
    ):
        if count:
            found.append(EvaluationNote("warning", code, {"count": count}))
    drawn = comparison.overall.resampling
    found += interval_notes(drawn)
    if drawn.units > 1:
        found.append(EvaluationNote("note", "mcnemar"))
    return tuple(found)


def _difference_text(one: FigureDifference, *, is_sure: bool) -> str:
    if one.interval is None:
        return f"{one.value:+.3f}  [–]"
    low, high = one.interval
    mark = " *" if one.is_clear and is_sure else ""
    return f"{one.value:+.3f}  [{low:+.3f}, {high:+.3f}]{mark}"
