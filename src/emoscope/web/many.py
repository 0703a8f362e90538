"""Batch view as HTML: progress, one row per file, ZIP link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote

from emoscope.messages.page import FAILURE, MANY, RESULT, WAITING
from emoscope.messages.units import recording_length
from emoscope.outputs.store import RESULT as RESULT_FILE
from emoscope.outputs.store import Run
from emoscope.results.result import Failure
from emoscope.web.figure import badge
from emoscope.web.markup import both, esc, link
from emoscope.web.render import error_sentence, warnings

BatchLine: TypeAlias = Run | Failure
"""One file's outcome."""


@dataclass(frozen=True, slots=True)
class Tally:
    """State of a batch."""

    done: int
    failed: int
    total: int

    @property
    def is_over(self) -> bool:
        """Whether every file has had its turn."""
        return self.done + self.failed == self.total


def empty_table() -> str:
    """Return what stands there before the first batch."""
    return (
        '<div class="emo-result emo-empty"><section class="emo-card">'
        f"<h2>{both(WAITING['empty_many'])}</h2></section></div>"
    )


def batch_table(lines: Sequence[BatchLine], total: int, *, cancelled: bool = False) -> str:
    """Return progress, the table so far and, at the end, the link to the ZIP, as HTML.

    Args:
        lines: results and failures so far.
        total: number of recordings of the batch.
        cancelled: whether the rest will not be recognized.
    """
    failed = sum(isinstance(line, Failure) for line in lines)
    tally = Tally(len(lines) - failed, failed, total)
    names = ("file", "emotion", "second", "duration", "check", "result")
    head = '<th scope="col">#</th>' + "".join(
        f'<th scope="col">{_sorter(number, name)}</th>' for number, name in enumerate(names, 1)
    )
    rows = "".join(_row(number, line) for number, line in enumerate(lines, start=1))
    over = tally.is_over or cancelled
    return (
        f'<div class="emo-result emo-many"><section class="emo-card">{_progress(tally, cancelled)}'
        f'<div class="emo-scroll"><table class="emo-table"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{_zip(lines) if over else ''}"
        "</section></div>"
    )


def _sorter(column: int, name: str) -> str:
    words = both((MANY if name in MANY else RESULT)[name])
    if name == "result":
        return words
    return f'<button type="button" class="emo-sorter" data-sort="{column}">{words}</button>'


def _progress(tally: Tally, cancelled: bool) -> str:
    finished = tally.done + tally.failed
    if cancelled:
        words = both(
            MANY["cancelled"], done=tally.done, failed=tally.failed, left=tally.total - finished
        )
    elif tally.is_over:
        words = both(MANY["summary"], done=tally.done, failed=tally.failed)
    else:
        words = both(MANY["progress"], done=finished, total=tally.total)
    over = tally.is_over or cancelled
    cancel = (
        ""
        if over
        else f'<button type="button" class="emo-tool" data-do="cancel">{both(MANY["cancel"])}'
        "</button>"
    )
    return (
        f'<div class="emo-progress" data-over="{str(over).lower()}"><p>{words} {cancel}</p>'
        f'<progress value="{finished}" max="{tally.total}" aria-label="{finished}/{tally.total}">'
        f"{finished}/{tally.total}</progress></div>"
    )


def _row(number: int, line: BatchLine) -> str:
    if isinstance(line, Failure):
        error = line.error
        return (
            f'<tr class="emo-failed" data-number="{number}"><td>{number}</td>'
            f'<td class="emo-file" data-value="{esc(line.name)}">{esc(line.name)}</td>'
            f'<td colspan="5">{error_sentence(error)}<br>'
            f"<small>{both(FAILURE['code'], code=error.code)}</small></td></tr>"
        )
    result = line.result
    percentages = result.scores.percentages()
    (first, _), (second, _) = result.scores.ranked()[:2]
    if result.abstain:
        emotion = f"🤷 {both(RESULT['cannot_tell'])}"
        runner_up = ""
    else:
        emotion = f"{badge(first)} <b>{percentages[first.index]:.1f}%</b>"
        runner_up = f"{badge(second)} {percentages[second.index]:.1f}%"
    advice = "<br>".join(warnings(result)) or both(MANY["fine"])
    # What a column is sorted by: emotions in their order, the surest of each first.
    keys = (
        10.0 if result.abstain else first.index - percentages[first.index] / 1000,
        10.0 if result.abstain else second.index - percentages[second.index] / 1000,
        result.duration_s,
        float(len(result.quality.reasons)),
    )
    emotion_key, second_key, duration_key, check_key = (f'data-value="{key:.4f}"' for key in keys)
    return (
        f'<tr data-number="{number}"><td>{number}</td>'
        f'<td class="emo-file" data-value="{esc(result.name)}">{esc(result.name)}</td>'
        f'<td class="emo-brief" {emotion_key}>{emotion}</td>'
        f'<td class="emo-brief" {second_key}>{runner_up}</td>'
        f'<td class="emo-brief" {duration_key}>{recording_length(result.duration_s)}</td>'
        f'<td class="emo-small" {check_key}>{advice}</td>'
        f'<td class="emo-brief"><a href="#run={esc(line.name)}">{both(MANY["open"])}</a> '
        f'<a href="{link(line.name, RESULT_FILE)}" target="_blank">JSON</a></td></tr>'
    )


def _zip(lines: Sequence[BatchLine]) -> str:
    runs = ",".join(line.name for line in lines if isinstance(line, Run))
    if not runs:
        return ""
    return (
        f'<p><a class="emo-primary" href="v1/recognitions.zip?runs={quote(runs)}" download>'
        f"{both(MANY['zip'])}</a></p>"
    )
