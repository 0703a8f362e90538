"""Static parts of the web page: header, footer and input form."""

from __future__ import annotations

from emoscope.labels import EMOTIONS, by_key
from emoscope.limits import ENDINGS, FORMAT_NAMES
from emoscope.messages.page import FORM, LANGUAGE_NAMES, PAGE, QUESTIONS, TIPS
from emoscope.results.result import GRANULARITIES
from emoscope.results.samples import sample_path
from emoscope.results.samples import samples as samples
from emoscope.web.markup import both, esc, pair

UPLOAD_FORMATS = " · ".join(FORMAT_NAMES)
ACCEPT = ",".join(["audio/*", *(f".{ending}" for ending in ENDINGS)])
MANY_MAX = 100
"""Files in one batch of the page; the command line has no such limit."""


def sample_bytes(file: str) -> bytes:
    """Return a sample's file.

    Raises:
        KeyError: no sample has this name.
    """
    return sample_path(file).read_bytes()


def header() -> str:
    """Name, tagline, the views and the two languages."""
    spectrum = "".join(f'<i style="background:{e.colour}"></i>' for e in EMOTIONS)
    views = "".join(
        f'<button type="button" data-view="{view}">{both(PAGE[f"view_{view}"])}</button>'
        for view in ("one", "many", "live", "runs")
    )
    languages = "".join(
        f'<button type="button" data-language="{language}">{name}</button>'
        for language, name in LANGUAGE_NAMES.items()
    )
    return (
        '<emo-head><header class="emo-head"><div class="emo-spectrum" aria-hidden="true">'
        f'{spectrum}</div><div class="emo-head-row"><h1>Emoscope '
        f"<small>{both(PAGE['tagline'])}</small></h1>"
        f'<nav class="emo-switch emo-views"><span class="emo-hidden">{both(PAGE["views"])}</span>'
        f'{views}</nav><div class="emo-switch emo-languages" role="group">'
        f'<span class="emo-hidden">{both(PAGE["language"])}</span>'
        f"{languages}</div></div></header></emo-head>"
    )


def footer() -> str:
    """Where the recordings go, and where programmers look."""
    return (
        f'<footer class="emo-foot"><span>{both(PAGE["footer"])}</span>'
        f'<a href="openapi.json">{both(PAGE["api"])}</a></footer>'
    )


def form(kind: str, *, max_bytes: int) -> str:
    """Return the left side.

    Args:
        kind: ``one`` or ``many`` recordings.
        max_bytes: largest upload; the browser checks it before it sends anything.
    """
    many = kind == "many"
    return (
        f'<emo-form data-kind="{kind}" data-max-bytes="{max_bytes}" data-max-files="{MANY_MAX}">'
        f'<section class="emo-card">{_picker(many, max_bytes)}{"" if many else _sample_picker()}'
        f"{_options(kind)}"
        f'<button type="button" class="emo-primary" data-do="start">'
        f"{both(FORM['start_many' if many else 'start'])}</button></section>"
        f"{tips()}</emo-form>"
    )


def _picker(many: bool, max_bytes: int) -> str:
    drop = FORM["drop_many" if many else "drop"]
    formats = both(FORM["formats"], formats=UPLOAD_FORMATS, megabytes=max_bytes / 1e6)
    several = "multiple" if many else ""
    record = (
        ""
        if many
        else f'<button type="button" class="emo-quiet" data-do="record">'
        f'<span data-when="idle">🎙 {both(FORM["record"])}</span>'
        f'<span data-when="recording" hidden>⏹ {both(FORM["stop"])} '
        '<time class="emo-clock">0:00</time></span></button>'
    )
    return (
        f'<h3 class="emo-card-title">{both(FORM["sound"])}</h3>'
        f'<label class="emo-drop"><input type="file" {several} accept="{ACCEPT}">'
        f"{_WAVE}<strong>{both(drop)}</strong><small>{formats}</small></label>"
        '<div class="emo-chosen" hidden><template><li><span class="emo-file"></span><small></small>'
        f'<button type="button" class="emo-link" data-do="remove"><span aria-hidden="true">✕</span>'
        f'<span class="emo-hidden">{both(FORM["remove"])}</span></button></li></template>'
        "<ul></ul><audio controls hidden></audio>"
        '<button type="button" class="emo-link" data-do="clear">'
        f"{both(FORM['clear'])}</button></div>"
        f'<div class="emo-buttons">{record}</div>'
    )


def _sample_picker() -> str:
    chips = "".join(
        f'<button type="button" class="emo-chip" data-sample="{esc(s.file)}" '
        f'data-spoken="{esc(s.language)}"><span aria-hidden="true">'
        f"{by_key(s.emotion).emoji}</span> {pair(s.title_zh, s.title_en)}</button>"
        for s in samples()
    )
    return (
        '<div class="emo-samples"><button type="button" class="emo-quiet" data-do="sample">'
        f'{both(FORM["sample"])}</button><details class="emo-more"><summary>'
        f'{both(FORM["samples"])}</summary><div class="emo-chips">{chips}</div>'
        f'<p class="emo-help">{both(FORM["sample_source"])}</p></details></div>'
    )


def _options(kind: str) -> str:
    choices = "".join(
        f'<label class="emo-choice"><input type="radio" name="granularity-{kind}" '
        f'value="{value}"{" checked" if value == "utterance" else ""}><span><strong>'
        f"{both(FORM[value])}</strong><small>{both(FORM[f'{value}_help'])}</small></span></label>"
        for value in GRANULARITIES
    )
    return (
        f'<fieldset class="emo-choices"><legend class="emo-card-title">'
        f"{both(FORM['granularity'])}</legend>{choices}</fieldset>{embedding_choice()}"
    )


def embedding_choice() -> str:
    """Return the box that asks for ``embedding.npy``."""
    return (
        '<label class="emo-choice emo-check"><input type="checkbox" name="embedding">'
        f"<span><strong>{both(FORM['embedding'])}</strong>"
        f"<small>{both(FORM['embedding_help'])}</small></span></label>"
    )


def tips() -> str:
    """Return the advice on recordings and the questions people ask, folded away."""
    lines = "".join(f"<li>{both(tip)}</li>" for tip in TIPS)
    asked = [name for name in QUESTIONS if f"{name}_answer" in QUESTIONS]
    answers = "".join(
        f"<dt>{both(QUESTIONS[name])}</dt><dd>{both(QUESTIONS[f'{name}_answer'])}</dd>"
        for name in asked
    )
    return (
        f'<section class="emo-card"><details class="emo-more"><summary>{both(FORM["tips"])}'
        f'</summary><ul class="emo-tips">{lines}</ul></details><details class="emo-more"><summary>'
        f'{both(QUESTIONS["title"])}</summary><dl class="emo-asked">{answers}</dl></details>'
        "</section>"
    )


_WAVE = (
    '<svg class="emo-wave" viewBox="0 0 64 28" width="64" height="28" aria-hidden="true">'
    '<path d="M2 14h4M10 9v10M16 4v20M22 10v8M28 2v24M34 7v14M40 11v6M46 5v18M52 10v8M58 14h4" '
    'stroke="currentColor" stroke-width="3" stroke-linecap="round" fill="none"/></svg>'
)
