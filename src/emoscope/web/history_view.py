"""History of runs as HTML: list, one run, two side by side."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from emoscope.labels import EMOTIONS
from emoscope.messages.page import RESULT, RUNS
from emoscope.messages.units import recording_length
from emoscope.messages.verdict import verdict
from emoscope.outputs.history import Listing, RunEntry
from emoscope.paths.names import TITLE_MAX
from emoscope.web.figure import badge, timeline
from emoscope.web.markup import both, card, esc, pair
from emoscope.web.opened import Opened
from emoscope.web.render import headline, mixed_sentence


def shelf() -> str:
    """Return the left side of the view; ``scripts/runs.js`` fills the list."""
    return (
        '<emo-runs><section class="emo-card">'
        f'<h2 class="emo-card-title">{both(RUNS["title"])}</h2>'
        f'<label class="emo-search"><span class="emo-hidden">{both(RUNS["search"])}</span>'
        f'<input type="search" autocomplete="off" maxlength="200" '
        f'data-hint-zh="{esc(RUNS["search"].zh)}" data-hint-en="{esc(RUNS["search"].en)}"></label>'
        f'<p class="emo-help emo-runs-failed" role="alert" hidden>{both(RUNS["failed"])}</p>'
        '<p class="emo-compare"><button type="button" class="emo-tool" data-do="compare" disabled>'
        f"{both(RUNS['compare'])}</button> {both(RUNS['compare_help'])}</p>"
        '<div class="emo-list"></div></section>'
        f'<template data-deleted><div class="emo-result emo-empty"><section class="emo-card">'
        f"<p>{both(RUNS['deleted'])}</p></section></div></template></emo-runs>"
    )


def listing(found: Listing, *, first: int, is_search: bool) -> str:
    """Return one page of the list as HTML, to be put behind the pages before it.

    Args:
        found: the runs of this page.
        first: how many runs the pages before it have.
        is_search: whether the runs were searched, for the sentence where there are none.
    """
    if not found.entries and not first:
        return f'<p class="emo-help">{both(RUNS["no_match" if is_search else "none"])}</p>'
    rows = "".join(map(_row, found.entries))
    next_one = first + len(found.entries)
    more = ""
    if next_one < found.total and found.entries:
        more = (
            f'<button type="button" class="emo-quiet" data-do="more" data-next="{next_one}">'
            f"{both(RUNS['more'])}</button>"
        )
    count = "" if first else f'<p class="emo-help">{both(RUNS["count"], total=found.total)}</p>'
    return f'{count}<ul class="emo-runs">{rows}</ul>{more}'


def _row(entry: RunEntry) -> str:
    facts = entry.facts
    if facts is None:
        face, about = "⚠️", str(both(RUNS["damaged"]))
    else:
        emotion = facts.emotion
        face = "🤷" if facts.abstain else emotion.emoji
        name = both(RESULT["cannot_tell"]) if facts.abstain else pair(emotion.zh, emotion.en)
        score = "" if facts.abstain else f" {facts.confidence * 100:.1f}%"
        about = (
            f"{name}{score} · {recording_length(facts.duration_s)}"
            f"<span data-when>{esc(facts.timestamp[:16])}</span>"
        )
    corrected = f"✏️ {both(RUNS['corrected'])}" if entry.is_corrected else ""
    shown = esc(entry.shown)
    run = esc(entry.name)
    can_open = "" if facts else " disabled"
    tools = "".join(
        f'<button type="button" class="emo-link" data-do="{name}">{both(RUNS[name])}'
        f'<span class="emo-hidden"> {shown}</span></button>'
        for name in ("rename", "delete")
    )
    download = (
        ""
        if facts is None
        else (
            f'<a class="emo-link" href="v1/recognitions.zip?runs={quote(entry.name)}" download>'
            f'{both(RUNS["download"])}<span class="emo-hidden"> {shown}</span></a>'
        )
    )
    return (
        f'<li class="emo-run" data-run="{run}"><input type="checkbox" data-compare{can_open} '
        f'aria-label="{esc(RUNS["compare"].zh)} · {esc(RUNS["compare"].en)} {shown}">'
        f'<button type="button" class="emo-run-open" data-do="open"{can_open}>'
        f'<span class="emo-run-face" aria-hidden="true">{face}</span>'
        f'<span><strong class="emo-run-title">{shown}</strong>'
        f"<small>{about}{corrected}</small></span></button>"
        f'<div class="emo-run-tools">{tools}{download}</div>{_rename(entry)}{_sure()}</li>'
    )


def _rename(entry: RunEntry) -> str:
    return (
        f'<form class="emo-rename" hidden><label>{both(RUNS["rename_ask"])}'
        f'<input type="text" maxlength="{TITLE_MAX}" value="{esc(entry.title)}"></label>'
        f'<button type="submit" class="emo-tool emo-strong">{both(RUNS["save"])}</button>'
        f'<button type="button" class="emo-tool" data-do="keep">{both(RUNS["keep"])}</button>'
        "</form>"
    )


def _sure() -> str:
    return (
        f'<div class="emo-sure" hidden><p>{both(RUNS["delete_ask"])}</p>'
        '<button type="button" class="emo-tool emo-danger" data-do="delete-yes">'
        f"{both(RUNS['delete_yes'])}</button>"
        f'<button type="button" class="emo-tool" data-do="keep">{both(RUNS["keep"])}</button></div>'
    )


def comparison(pair_of: Sequence[Opened]) -> str:
    """Return two recordings side by side: answers, pictures, the scores with differences."""
    columns = "".join(_column(opened) for opened in pair_of)
    return (
        f'<div class="emo-result emo-compared"><h2 class="emo-hidden">{both(RUNS["compared"])}</h2>'
        f'<div class="emo-columns">{columns}</div>{_differences(pair_of)}</div>'
    )


def _column(opened: Opened) -> str:
    result = opened.result
    head = headline(verdict(result)) + mixed_sentence(result)
    about = (
        f'<p class="emo-about"><strong>{esc(opened.entry.shown)}</strong>'
        f"<span>{recording_length(result.duration_s)}</span><span>{esc(result.model.name)}</span></p>"
    )
    picture = timeline(
        result, opened.curve, opened.entry.name, title=opened.entry.shown, small=True
    )
    return f"<div>{card('', head + about, kind='emo-answer')}{picture}</div>"


def _differences(pair_of: Sequence[Opened]) -> str:
    one, other = pair_of
    left, right = one.result.scores.percentages(), other.result.scores.percentages()
    biggest = sorted(EMOTIONS, key=lambda e: -max(left[e.index], right[e.index]))
    rows = "".join(
        f'<tr style="--c:{e.colour}"><th scope="row">{badge(e)}</th>'
        f"<td>{_share(left[e.index])}</td><td>{_share(right[e.index])}</td>"
        f"<td>{_difference(right[e.index] - left[e.index])}</td></tr>"
        for e in biggest
    )
    head = (
        f'<th scope="col">{both(RESULT["emotion"])}</th>'
        f'<th scope="col">{esc(one.entry.shown)}</th><th scope="col">{esc(other.entry.shown)}</th>'
        f'<th scope="col">{both(RUNS["difference"])}</th>'
    )
    table = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
    return card(
        both(RESULT["scores"]),
        f'<div class="emo-scroll"><table class="emo-table emo-versus">{table}</table></div>',
    )


def _difference(percent: float) -> str:
    return "0.0" if abs(percent) < 0.05 else f"{percent:+.1f}".replace("-", "−")


def _share(percent: float) -> str:
    return (
        f'<span class="emo-bar-track" aria-hidden="true"><span style="--w:{percent:.1f}%"></span>'
        f"</span> {percent:.1f}%"
    )
