"""Live view as HTML: microphone controls and the running curve."""

from __future__ import annotations

import json

from emoscope.figures.pyramid import DOUBT_MARGIN, SMOOTHING_S
from emoscope.messages.live import LIVE, MICROPHONE
from emoscope.messages.page import FAILURE, FORM, WAITING
from emoscope.results.segments import DEFAULT_RULES
from emoscope.waveform import HOP_S
from emoscope.web.figure import legend, palette
from emoscope.web.markup import both, esc


def live_form() -> str:
    """Return the left side: record button, clock, level meter and one choice."""
    rules = {
        "hop_s": HOP_S,
        "smoothing_s": SMOOTHING_S,
        "doubt_margin": DOUBT_MARGIN,
        "pause_s": DEFAULT_RULES.pause_s,
        "emotions": palette(),
    }
    hints = "".join(
        f'<p class="emo-help" data-hint="{name}" hidden>{both(LIVE[name])}</p>'
        for name in ("faint", "loud")
    )
    return (
        f'<emo-live data-live="{esc(json.dumps(rules, ensure_ascii=False))}">'
        f'<section class="emo-card"><h2 class="emo-card-title">{both(LIVE["title"])}</h2>'
        f'<p class="emo-help" data-when="idle">{both(LIVE["help"])}</p>'
        '<button type="button" class="emo-primary" data-do="live">'
        f'<span data-when="idle">🎙 {both(LIVE["start"])}</span>'
        f'<span data-when="live" hidden>⏹ {both(LIVE["stop"])}</span></button>'
        '<div class="emo-hearing" data-when="live" hidden>'
        f'<p><span>{both(LIVE["time"])}</span> <time class="emo-timer">0:00</time></p>'
        f'<p id="emo-level">{both(LIVE["level"])}</p>'
        '<div class="emo-meter" role="meter" aria-labelledby="emo-level" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="0"><span></span></div>{hints}</div>'
        f'<div class="emo-live-choice">{_embedding_choice()}</div></section></emo-live>'
    )


def live_desk() -> str:
    """Return the right side: before, while, and after."""
    steps = "".join(
        f"<li>{both(LIVE[name])}</li>" for name in ("step_one", "step_two", "step_three")
    )
    empty = (
        '<div class="emo-result emo-empty" data-part="empty"><section class="emo-card">'
        f'<h2>{both(LIVE["empty_title"])}</h2><ol class="emo-steps">{steps}</ol></section></div>'
    )
    result = '<div data-part="result"></div>'
    return f'<div id="emo-desk-live">{_live_notes()}{empty}{_now()}{result}</div>'


def _now() -> str:
    lead = (
        '<h2 class="emo-headline" data-part="lead" data-silent>'
        '<span class="emo-face" aria-hidden="true">🔇</span> <span class="emo-words">'
        f'<span class="emo-hidden">{both(LIVE["now"])}</span> '
        f'<span class="emo-name" data-name>{_BOTH}</span> <span class="emo-confidence">'
        f"{both(LIVE['confidence'])} <span data-percent></span></span></span></h2>"
    )
    whole = (
        f'<p class="emo-about" data-part="all"><span>{both(LIVE["all"])}: '
        f'<span class="emo-face" aria-hidden="true"></span> <span data-name>{_BOTH}</span> '
        f"<span data-percent></span></span><span>{both(LIVE['provisional'])}</span></p>"
    )
    veiled = (
        '<span class="emo-state"><i class="emo-state-veiled" aria-hidden="true"></i>'
        f"{both(LIVE['veiled'])}</span>"
    )
    return (
        f'<section class="emo-card emo-now-live" data-part="now" hidden>{lead}{whole}'
        f'<p class="emo-hidden" role="status" data-part="said"><span data-name>{_BOTH}</span></p>'
        f'<h3 class="emo-hidden">{both(LIVE["picture"])}</h3>'
        '<div class="emo-river" data-part="picture"></div>'
        f'<p class="emo-help">{veiled} <span class="emo-delay">{both(LIVE["delay"])} '
        f'<output data-part="delay" aria-live="off">0.0 s</output></span></p>{legend()}</section>'
    )


_BOTH = '<span lang="zh"></span><span lang="en"></span>'


def _embedding_choice() -> str:
    """Return the box that asks for ``embedding.npy``."""
    return (
        '<label class="emo-choice emo-check"><input type="checkbox" name="embedding">'
        f"<span><strong>{both(FORM['embedding'])}</strong>"
        f"<small>{both(FORM['embedding_help'])}</small></span></label>"
    )


def _live_notes() -> str:
    """Return what stands above the live picture; ``told`` is filled with the server's messages."""
    lines = {
        **{name: both(text) for name, text in MICROPHONE.items()},
        "no_server": both(LIVE["no_server"]),
        "line_broken": both(LIVE["line_broken"]),
        "line_lost": both(LIVE["line_lost"]),
        "told": both(WAITING["no_answer"]),
    }
    shown = "".join(_alert(name, line) for name, line in lines.items())
    shown += _working("finishing", both(LIVE["finishing"]))
    return f'<div data-part="notes" class="emo-notes" aria-live="polite">{shown}</div>'


def _alert(name: str, line: str) -> str:
    return (
        f'<section class="emo-card emo-error" data-note="{name}" hidden>'
        f'<h3 class="emo-card-title">{both(FAILURE["title_ours"])}</h3><p>{line}</p></section>'
    )


def _working(name: str, line: str, later: str = "") -> str:
    return (
        f'<section class="emo-card emo-working" data-note="{name}" hidden>'
        f'<span class="emo-spinner" aria-hidden="true"></span><p>{line} '
        f'<span class="emo-count"></span> {later}</p></section>'
    )
