"""Many files at once, as HTML: how far it is, one line per file, and one ZIP (P22)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote

from emoscope.result import Failure
from emoscope.store import RESULT as RESULT_FILE
from emoscope.store import Run
from emoscope.webui.markup import both, esc, pair
from emoscope.webui.render import badge, link, seconds, warnings
from emoscope.webui.words_page import FAILURE, MANY, RESULT, WAITING

Line: TypeAlias = Run | Failure
"""One file's outcome."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How a batch stands."""

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


def table(lines: Sequence[Line], total: int) -> str:
    """Return progress, the table so far, and the ZIP when all is done."""
    failed = sum(isinstance(line, Failure) for line in lines)
    tally = Tally(len(lines) - failed, failed, total)
    head = "".join(
        f'<th scope="col">{words}</th>'
        for words in (
            "#",
            both(MANY["file"]),
            both(RESULT["emotion"]),
            both(MANY["second"]),
            both(RESULT["duration"]),
            both(MANY["check"]),
            both(MANY["result"]),
        )
    )
    rows = "".join(_row(number, line) for number, line in enumerate(lines, start=1))
    return (
        f'<div class="emo-result emo-many"><section class="emo-card">{_progress(tally)}'
        f'<div class="emo-scroll"><table class="emo-table"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{_zip(lines) if tally.is_over else ''}"
        "</section></div>"
    )


def _progress(tally: Tally) -> str:
    finished = tally.done + tally.failed
    if tally.is_over:
        words = both(MANY["summary"], done=tally.done, failed=tally.failed)
    else:
        words = both(MANY["progress"], done=finished, total=tally.total)
    return (
        f'<div class="emo-progress" data-over="{str(tally.is_over).lower()}"><p>{words}</p>'
        f'<progress value="{finished}" max="{tally.total}">{finished}/{tally.total}</progress>'
        "</div>"
    )


def _row(number: int, line: Line) -> str:
    if isinstance(line, Failure):
        error = line.error
        return (
            f'<tr class="emo-failed"><td>{number}</td><td class="emo-file">{esc(line.name)}</td>'
            f'<td colspan="5">{pair(error.detail_zh, error.detail_en)}<br>'
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
    advice = "<br>".join(warnings(result.quality)) or both(MANY["fine"])
    return (
        f'<tr><td>{number}</td><td class="emo-file">{esc(result.name)}</td><td>{emotion}</td>'
        f'<td>{runner_up}</td><td class="emo-brief">{seconds(result.duration_s)}</td>'
        f'<td class="emo-small">{advice}</td>'
        f'<td><a href="{link(line.name, RESULT_FILE)}" target="_blank">JSON</a></td></tr>'
    )


def _zip(lines: Sequence[Line]) -> str:
    runs = ",".join(line.name for line in lines if isinstance(line, Run))
    if not runs:
        return ""
    return (
        f'<p><a class="emo-primary" href="page/batch.zip?runs={quote(runs)}" download>'
        f"{both(MANY['zip'])}</a></p>"
    )
