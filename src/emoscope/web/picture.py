"""Timeline as HTML for ``scripts/timeline.js``: data, buttons, table, corrections."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote

from emoscope.figures.pyramid import FINEST, TILE, Curve
from emoscope.labels import COUNT, EMOTIONS, SILENCE, Emotion
from emoscope.messages.languages import LANGUAGES
from emoscope.messages.page import CORRECT, PICTURE, RESULT
from emoscope.messages.trust import abstention
from emoscope.outputs.corrections import segments_of
from emoscope.outputs.store import AUDIO
from emoscope.results.result import Result
from emoscope.results.segments import Segment
from emoscope.waveform import HOP_S
from emoscope.web.markup import both, card, esc, link, pair

ROWS_MAX = 400
"""Lines of the table of segments; hours may have thousands."""


def drawing(result: Result, curve: Curve, run: str, title: str) -> dict[str, object]:
    """Return what the script draws at first; finer tiles are fetched when they come into view.

    Args:
        result: by frame, with the segments as they were corrected.
        curve: the scores over time in levels of detail.
        run: name of the run's directory.
        title: name of the recording to show.

    Returns:
        ``run``, ``title``, ``tiles`` (address of the finer ones), ``duration_s``, ``hop_s``,
        ``tile``, ``finest`` and ``top``: the levels of ``figures/pyramid.py``; ``overview``: the
        tile of ``top``; ``emotions``: key, names, emoji, colour of the nine and of silence after
        them;
        ``segments``: start, end, index;
        ``lead``: index of the answer, None when there is none.
    """
    return {
        "run": run,
        "title": title,
        "tiles": f"v1/recognitions/{quote(run)}/curve",
        "duration_s": round(result.duration_s, 4),
        "hop_s": HOP_S,
        "tile": TILE,
        "finest": FINEST,
        "top": curve.top,
        "overview": curve.tile(curve.top, 0),
        "emotions": palette(),
        "segments": segment_rows(segments_of(result)),
        "lead": None if result.abstain else result.emotion.index,
    }


def palette() -> list[dict[str, str]]:
    """Key, names, emoji and colour of the nine in their order, and of silence after them."""
    return [
        {"key": e.key, "zh": e.zh, "en": e.en, "emoji": e.emoji, "colour": e.colour}
        for e in (*EMOTIONS, SILENCE)
    ]


def segment_rows(segments: Sequence[Segment]) -> list[list[float | int]]:
    """Start, end, and the emotion's place in ``drawing``'s list, where silence comes last."""
    return [
        [
            round(s.span.start_s, 3),
            round(s.span.end_s, 3),
            COUNT if s.silent else s.emotion.index,
        ]
        for s in segments
    ]


def timeline(
    result: Result, curve: Curve, run: str, *, title: str = "", small: bool = False
) -> str:
    """Return the card with the picture.

    Args:
        result: with the segments that are to be shown, corrected or not.
        curve: made from it.
        run: its directory's name.
        title: what people call it.
        small: without table and corrections, for two side by side.
    """
    has_track = result.track is not None
    data = drawing(result, curve, run, title or result.name)
    words = {
        "label": RESULT["timeline" if has_track else "sound"],
        "quiet": PICTURE["quiet"],
        "doubt": PICTURE["doubt"],
    }
    told = " ".join(
        f'data-{name}-zh="{esc(text.zh)}" data-{name}-en="{esc(text.en)}"'
        for name, text in words.items()
    )
    drawn = esc(json.dumps(data, ensure_ascii=False, separators=(",", ":")))
    body = (
        f'<emo-timeline data-drawing="{drawn}" {told}>'
        f'<audio preload="metadata" src="{link(run, AUDIO)}"></audio>{_toolbar()}'
        f"{legend() if has_track else ''}</emo-timeline>"
    )
    if has_track and result.abstain:
        why = {lang: abstention(result.abstain, lang) for lang in LANGUAGES}
        text = PICTURE["abstained"]
        said = pair(text("zh", reasons=why["zh"]), text("en", reasons=why["en"]))
        body += f'<p class="emo-doubted">{said}</p>'
    if not small:
        body += f'<p class="emo-help">{both(PICTURE["help" if has_track else "help_sound"])}</p>'
        body += shares(result) + _moments(result) if has_track else ""
        body += segments(result) if has_track else ""
        body += _fix(has_track)
    return card(both(words["label"]), body, kind="emo-time")


def shares(result: Result) -> str:
    """Return how the time divides between emotions and silence, largest first."""
    totals: dict[Emotion, float] = {}
    for segment in result.segments:
        totals[segment.emotion] = totals.get(segment.emotion, 0.0) + segment.span.duration_s
    ranked = sorted(totals.items(), key=lambda item: -item[1])
    percents = {e: 100 * seconds_of / result.duration_s for e, seconds_of in ranked}
    bar = "".join(
        f'<i style="--c:{e.colour};--w:{percent:.2f}%"{" data-silent" if e is SILENCE else ""}></i>'
        for e, percent in percents.items()
    )
    words = "".join(
        f'<li style="--c:{e.colour}"><span aria-hidden="true">{e.emoji}</span> '
        f"{pair(e.zh, e.en)} {percent:.1f}%</li>"
        for e, percent in percents.items()
    )
    return (
        f'<div class="emo-shares"><h4>{both(PICTURE["shares"])}</h4>'
        f'<div class="emo-shares-bar" aria-hidden="true">{bar}</div><ul>{words}</ul></div>'
    )


def _moments(result: Result) -> str:
    """Return the moments that spoke most for the answer; a click plays from there."""
    if result.summary is None or result.abstain:
        return ""
    rows = "".join(
        f'<button type="button" class="emo-tool" data-seek="{m.span.start_s:.3f}">{_ICONS["play"]}'
        f"{m.span.start_s:.1f} s</button>"
        for m in sorted(result.summary.moments, key=lambda m: m.span.start_s)
        if m.logit > 0
    )
    if not rows:
        return ""
    return f'<div class="emo-moments"><h4>{both(PICTURE["moments"])}</h4>{rows}</div>'


def segments(result: Result) -> str:
    """Return the table of segments, folded away when it is long."""
    opened = " open" if len(result.segments) <= 12 else ""
    return (
        f'<details class="emo-more"{opened}><summary>{both(RESULT["segments"])} '
        f'({len(result.segments)})</summary><div class="emo-scroll emo-segments">'
        f"{segments_table(result)}</div></details>"
    )


def segments_table(result: Result) -> str:
    """Return the table itself."""
    names = ("from", "to", "length", "emotion", "score")
    head = "".join(f'<th scope="col">{both(RESULT[name])}</th>' for name in names)
    shown = result.segments[:ROWS_MAX]
    rows = "".join(
        f'<tr data-start="{s.span.start_s:.3f}">'
        f'<td class="emo-brief"><button type="button" class="emo-link">{s.span.start_s:.2f} s'
        f"</button></td>"
        f'<td class="emo-brief">{s.span.end_s:.2f} s</td>'
        f'<td class="emo-brief">{s.span.duration_s:.2f} s</td>'
        f"<td>{badge(s.emotion)}</td>"
        f"<td>{'' if s.silent else f'{s.score * 100:.1f}%'}</td></tr>"
        for s in shown
    )
    cut = ""
    if len(shown) < len(result.segments):
        cut = f'<p class="emo-help">{both(RESULT["segments_cut"], shown=len(shown))}</p>'
    return (
        f'<table class="emo-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{cut}'
    )


def badge(emotion: Emotion) -> str:
    """Return emoji and name with the emotion's colour beside them; never colour alone."""
    return (
        f'<span class="emo-badge" style="--c:{emotion.colour}">'
        f'<span aria-hidden="true">{emotion.emoji}</span> {pair(emotion.zh, emotion.en)}</span>'
    )


def _toolbar() -> str:
    play = "".join(
        f'<span class="emo-{name}">{_ICONS[name]}<span class="emo-hidden">{both(PICTURE[name])}'
        "</span></span>"
        for name in ("play", "pause")
    )
    zooms = "".join(
        f'<button type="button" class="emo-tool" data-do="{name}">{_ICONS[name]}'
        f'<span class="{"emo-hidden" if name != "fit" else ""}">{both(PICTURE[name])}</span>'
        "</button>"
        for name in ("wider", "closer", "fit")
    )
    return (
        '<div class="emo-tools">'
        f'<button type="button" class="emo-tool emo-round" data-do="play">{play}</button>'
        '<output class="emo-now" aria-live="off">0.0 s</output>'
        '<span class="emo-selection" hidden><output></output>'
        f'<button type="button" class="emo-tool" data-do="play-selection">{_ICONS["play"]} '
        f"{both(PICTURE['play_selection'])}</button>"
        '<button type="button" class="emo-tool" data-do="clear-selection">'
        f'<span aria-hidden="true">✕</span><span class="emo-hidden">'
        f"{both(PICTURE['clear_selection'])}</span></button></span>"
        f'<span class="emo-zooms">{zooms}</span></div>'
    )


def legend() -> str:
    """Return the nine as buttons that isolate one, and how silence and doubt are drawn."""
    keys = "".join(
        f'<button type="button" class="emo-key" data-emotion="{e.index}" aria-pressed="false" '
        f'style="--c:{e.colour}"><span aria-hidden="true">{e.emoji}</span> '
        f"{pair(e.zh, e.en)}</button>"
        for e in EMOTIONS
    )
    states = "".join(
        f'<span class="emo-state"><i class="emo-state-{name}" aria-hidden="true"></i>'
        f"{both(PICTURE[name])}</span>"
        for name in ("quiet", "doubt")
    )
    return f'<div class="emo-legend">{keys}<span class="emo-states">{states}</span></div>'


def _fix(has_track: bool) -> str:
    """Return the panel that ``scripts/correct.js`` works."""
    chips = "".join(
        f'<button type="button" class="emo-chip" data-label="{place}" aria-pressed="false" '
        f'style="--c:{e.colour}"><span aria-hidden="true">{e.emoji}</span> '
        f"{pair(e.zh, e.en)}</button>"
        for place, e in enumerate((*EMOTIONS, SILENCE))
    )
    edges = "".join(
        f'<label>{both(CORRECT[edge])} <input type="number" step="0.02" min="0" '
        f'data-edge="{edge}"></label>'
        for edge in ("start", "end")
    )
    tools = "".join(
        f'<button type="button" class="emo-tool" data-do="{name}">{both(CORRECT[name])}</button>'
        for name in ("split", "join")
    )
    times = f'<div class="emo-fix-times"{"" if has_track else " hidden"}>{edges}{tools}</div>'
    said = "".join(
        f'<span data-said="{name}" hidden>{both(CORRECT[name])}</span>'
        for name in ("kept", "undone", "failed")
    )
    return (
        f'<details class="emo-more emo-fix"><summary>{both(CORRECT["title"])}</summary>'
        f'<p class="emo-help">{both(CORRECT["help" if has_track else "help_whole"])}</p>{times}'
        f'<div class="emo-chips" role="group"><span class="emo-hidden">{both(CORRECT["label"])}'
        f'</span>{chips}</div><div class="emo-fix-end">'
        '<button type="button" class="emo-tool emo-strong" data-do="save" disabled>'
        f"{both(CORRECT['save'])}</button>"
        f'<button type="button" class="emo-tool" data-do="undo">{both(CORRECT["undo"])}</button>'
        f'<span role="status">{said}</span></div></details>'
    )


def _icon(path: str) -> str:
    return (
        '<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">'
        f'<path d="{path}" fill="none" stroke="currentColor" stroke-width="1.8" '
        'stroke-linecap="round" stroke-linejoin="round"/></svg>'
    )


_ICONS = {
    "play": (
        '<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">'
        '<path d="M4 2.5v11l9-5.5z" fill="currentColor"/></svg>'
    ),
    "pause": (
        '<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">'
        '<path d="M4 2.5h3v11H4zM9 2.5h3v11H9z" fill="currentColor"/></svg>'
    ),
    "closer": _icon("M7 2a5 5 0 1 0 0 10A5 5 0 0 0 7 2zM11 11l3.5 3.5M7 5v4M5 7h4"),
    "wider": _icon("M7 2a5 5 0 1 0 0 10A5 5 0 0 0 7 2zM11 11l3.5 3.5M5 7h4"),
    "fit": _icon("M2 4v8M14 4v8M4.5 8h7M6 6L4 8l2 2M10 6l2 2-2 2"),
}
