"""Emotion curve of a result as SVG: segments, river plot with its scale, waveform, axis, legend.

Every emotion is named beside its colour. Texts can stand in both languages at once, each marked
with ``lang``, for pages that show one of them.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emoscope.figures.glance import (
    decisive_moments,
    merged_segments,
    smoothed_rows,
    smoothed_share,
    smoothing_s,
)
from emoscope.figures.pyramid import Curve
from emoscope.labels import COUNT, EMOTIONS, SILENCE, Emotion
from emoscope.messages.languages import Language
from emoscope.results.result import Result
from emoscope.results.segments import Segment
from emoscope.waveform import HOP_S

WIDTH = 960
_LEFT, _RIGHT = 56, 24
_INNER = WIDTH - _LEFT - _RIGHT
_STRIP, _RIVER, _WAVE = (48, 78), (86, 306), (314, 370)
_PLAIN_WAVE = (86, 166)
_NARROW = 20
"""Points; narrower segments are merged."""
_SLIVER = 6
"""Points; in a smoothed picture a narrower pause is none."""
_COLUMNS = 480
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
_INK, _SOFT, _LINE, _TINT = "#1c2329", "#56616b", "#dfe3e2", "#f0f3f2"

Words: TypeAlias = Mapping[Language, str]
"""A word in the languages that the picture speaks."""


def svg(
    result: Result,
    curve: Curve,
    *,
    title: str,
    quiet: Words,
    doubt: Words,
    languages: Sequence[Language] = ("zh",),
    with_waveform: bool = True,
) -> str:
    """Return the whole recording as one SVG document.

    Args:
        result: its segments are drawn; without a track only the waveform is.
        curve: made from the same result.
        title: stands above, usually the recording's name.
        quiet: the word for silence, in the legend.
        doubt: the word for stretches in which no emotion leads.
        languages: one, or both for a page that hides one by its ``lang``.
        with_waveform: draw the waveform below the river; not where the sound is not at hand.
    """
    tile = curve.tile(curve.top, 0) or {}
    ends = _ends(curve)
    has_track = tile["scores"] is not None
    wave = _WAVE if has_track else _PLAIN_WAVE
    leads, parts = _leads(result, tile), []
    if has_track:
        rows = np.array(tile["scores"], dtype=np.float64).reshape(-1, COUNT) / 1000
        order = [int(k) for k in np.argsort(-rows.sum(axis=0), kind="stable")]
        quiet_share = np.array(tile["quiet"]) / 100
        window = smoothing_s(result.duration_s) / (HOP_S * 2**curve.top)
        smooth = smoothed_rows(rows, quiet_share, window)
        parts += [_river(smooth, ends, order), _states(tile, ends, window), _scale()]
        parts += [_moments(result), _strip(result.segments, result.duration_s, languages)]
    if with_waveform:
        parts.append(_waveform(tile, ends, leads, wave))
    below = (wave if with_waveform else _RIVER)[1] + 8
    parts.append(_axis(result.duration_s, below))
    shown = EMOTIONS if has_track else () if result.abstain else (result.emotion,)
    legend, height = _legend(shown, {"quiet": quiet, "doubt": doubt}, below + 42, languages)
    name = html.escape(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="Emo Emoji, system-ui, sans-serif" font-size="12" '
        f'role="img" aria-label="{name}">'
        f"<title>{name}</title>{_EMOJI}{_HATCH}"
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
        f'<text x="{_LEFT}" y="30" font-size="16" font-weight="600" fill="{_INK}">{name}</text>'
        f"{''.join(parts)}{legend}</svg>\n"
    )


_EMOJI = (
    '<style>@font-face { font-family: "Emo Emoji"; src: local("Noto Color Emoji"), '
    'local("Apple Color Emoji"), local("Segoe UI Emoji"); '
    "unicode-range: U+1F300-1FAFF, U+2753; }</style>"
)
"""The machine's own colour emoji, before a text font draws them in black; nothing is fetched."""

_HATCH = (
    '<defs><pattern id="doubt" width="8" height="8" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect width="3" height="8" fill="#ffffff" '
    'fill-opacity="0.6"/></pattern></defs>'
)


def _ends(curve: Curve) -> NDArray[np.float64]:
    """Where each column of the top level ends, as x; the last one ends with the sound."""
    count, wide_s = len(curve.quiet[curve.top]), HOP_S * 2**curve.top
    ends_s = np.minimum(np.arange(1, count + 1) * wide_s, curve.duration_s)
    return np.asarray(_LEFT + ends_s / curve.duration_s * _INNER)


def _leads(result: Result, tile: dict[str, Any]) -> NDArray[np.int64]:
    """Index of the leading emotion of each column, −1 where it is silent."""
    quiet = np.array(tile["quiet"]) > 50
    if tile["scores"] is not None:
        leads = np.array(tile["scores"]).reshape(-1, COUNT).argmax(axis=1)
    else:
        leads = np.full(len(quiet), -1 if result.abstain else result.emotion.index)
    return np.where(quiet, -1, leads)


def _river(rows: NDArray[np.float64], ends: NDArray[np.float64], order: Sequence[int]) -> str:
    top, bottom = _RIVER
    picked = np.unique(np.linspace(0, len(rows) - 1, min(_COLUMNS, len(rows))).round().astype(int))
    starts = np.concatenate([[_LEFT], ends[:-1]])
    xs = ((starts + ends) / 2)[picked]
    xs[0], xs[-1] = _LEFT, _LEFT + _INNER
    stacked = bottom - np.cumsum(rows[picked][:, order], axis=1) * (bottom - top)
    layers, floor = [], np.full(len(picked), float(bottom))
    for place, k in enumerate(order):
        points = [*zip(xs, stacked[:, place], strict=True)]
        points += [*zip(xs[::-1], floor[::-1], strict=True)]
        line = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        layers.append(
            f'<path d="M{line}Z" fill="{EMOTIONS[k].colour}" stroke="#ffffff" stroke-width="0.7"/>'
        )
        floor = stacked[:, place]
    return f"<g>{''.join(layers)}</g>"


def _states(tile: dict[str, Any], ends: NDArray[np.float64], window: float) -> str:
    """Silence takes the river away, doubt hatches it; where it is smoothed, not in slivers."""
    top, bottom = _RIVER
    looks = {"doubt": 'fill="url(#doubt)"', "quiet": f'fill="{_TINT}"'}
    starts = np.concatenate([[_LEFT], ends[:-1]])
    rects = []
    shares = {kind: smoothed_share(np.array(tile[kind], np.float64), window) for kind in looks}
    narrowest = _SLIVER if window >= 2 else 0
    for kind, look in looks.items():
        here = shares[kind] > 50
        if kind == "doubt":
            here &= shares["quiet"] <= 50
        on = np.concatenate([[False], here, [False]]).astype(np.int8)
        for first, last in np.flatnonzero(np.diff(on)).reshape(-1, 2):
            left, wide = starts[first], ends[last - 1] - starts[first]
            if wide < narrowest:
                continue
            rects.append(
                f'<rect x="{left:.1f}" y="{top}" width="{wide:.1f}" height="{bottom - top}" '
                f"{look}/>"
            )
    return "".join(rects)


def _waveform(
    tile: dict[str, Any],
    ends: NDArray[np.float64],
    leads: NDArray[np.int64],
    place: tuple[int, int],
) -> str:
    """Bars as high as the sound is loud, in the colour of the leading emotion."""
    middle, reach = sum(place) / 2, (place[1] - place[0]) / 2 / 100
    step = max(1, len(ends) // 300)
    paths: dict[int, list[str]] = {}
    for first in range(0, len(ends), step):
        here = slice(first, first + step)
        high = max(1.0, float(np.mean(tile["loud"][here])) * reach)
        lead = int(np.bincount(leads[here] + 1).argmax()) - 1
        x = float(ends[here].mean())
        paths.setdefault(lead, []).append(f"M{x:.1f} {middle - high:.1f}v{2 * high:.1f}")
    return "".join(
        f'<path d="{"".join(bars)}" stroke="{EMOTIONS[lead].colour if lead >= 0 else _LINE}" '
        f'stroke-width="1.8"/>'
        for lead, bars in paths.items()
    )


def _scale() -> str:
    """Percent, with a light line at each quarter."""
    top, bottom = _RIVER
    marks = []
    for percent in (0, 25, 50, 75, 100):
        y = bottom - percent / 100 * (bottom - top)
        if 0 < percent < 100:
            line = f"M{_LEFT} {y:.0f}h{_INNER}"
            marks.append(f'<path d="{line}" stroke="#ffffff" stroke-opacity="0.35"/>')
        marks.append(
            f'<text x="{_LEFT - 8}" y="{y + 4:.0f}" text-anchor="end" fill="{_SOFT}">'
            f"{percent}%</text>"
        )
    return "".join(marks)


def _moments(result: Result) -> str:
    """Numbered marks on the moments that spoke for the answer."""
    top, bottom = _RIVER
    marks = []
    for number, moment in enumerate(decisive_moments(result), start=1):
        left = _LEFT + moment.span.start_s / result.duration_s * _INNER
        wide = max(3.0, moment.span.duration_s / result.duration_s * _INNER)
        x = left + wide / 2
        marks.append(
            f'<rect x="{left:.1f}" y="{top}" width="{wide:.1f}" height="{bottom - top}" '
            f'fill="#ffffff" fill-opacity="0.16"/><circle cx="{x:.1f}" cy="{top + 15}" r="10" '
            f'fill="#ffffff" stroke="{_INK}" stroke-width="1.5"/><text x="{x:.1f}" '
            f'y="{top + 19}" text-anchor="middle" font-weight="600" fill="{_INK}">{number}</text>'
        )
    return "".join(marks)


def _strip(segments: Sequence[Segment], duration_s: float, languages: Sequence[Language]) -> str:
    top, bottom = _STRIP
    boxes = []
    for one in merged_segments(segments, _NARROW / _INNER * duration_s):
        left = _LEFT + one.start_s / duration_s * _INNER
        wide = max(0.5, one.duration_s / duration_s * _INNER - 1)
        place = f'x="{left:.1f}" width="{wide:.1f}"'
        silent = one.emotion is SILENCE
        colour = _LINE if silent else one.emotion.colour
        boxes.append(
            f'<rect {place} y="{top}" height="{bottom - top}" fill="{_TINT if silent else colour}" '
            f'fill-opacity="{1 if silent else 0.2}"/>'
            f'<rect {place} y="{bottom - 5}" height="5" fill="{colour}"/>'
        )
        if silent:
            continue
        if wide > 90:
            boxes.append(_named(one.emotion, left + 6, top + 17, languages))
        elif wide > 20:
            boxes.append(f'<text x="{left + 3:.1f}" y="{top + 17}">{one.emotion.emoji}</text>')
    return "".join(boxes)


def _named(emotion: Emotion, x: float, y: float, languages: Sequence[Language]) -> str:
    words: Words = {"zh": emotion.zh, "en": emotion.en}
    return "".join(
        f'<text lang="{language}" x="{x:.1f}" y="{y:.1f}" fill="{_INK}">'
        f"{emotion.emoji} {html.escape(words[language])}</text>"
        for language in languages
    )


def _axis(duration_s: float, y: float) -> str:
    step_s = next((s for s in _STEPS_S if s / duration_s * _INNER >= 60), 7200)
    marks = []
    for number in range(int(duration_s / step_s + 1e-6) + 1):
        time_s = number * step_s
        x = _LEFT + time_s / duration_s * _INNER
        anchor = "start" if not number else "end" if x > WIDTH - _RIGHT - 20 else "middle"
        marks.append(
            f'<path d="M{x:.1f} {y - 6}v5" stroke="{_SOFT}"/><text x="{x:.1f}" y="{y + 11}" '
            f'text-anchor="{anchor}" fill="{_SOFT}">{clock(time_s)}</text>'
        )
    return "".join(marks)


def _legend(
    emotions: Sequence[Emotion],
    states: Mapping[str, Words],
    y: float,
    languages: Sequence[Language],
) -> tuple[str, int]:
    """Return the legend and the height of the whole picture."""
    pitch = 118
    per_line = _INNER // pitch
    places = [(_LEFT + i % per_line * pitch, y + i // per_line * 24) for i in range(len(emotions))]
    parts = []
    for emotion, (x, line) in zip(emotions, places, strict=True):
        parts.append(f'<rect x="{x}" y="{line - 10}" width="12" height="12" rx="3" ')
        parts.append(f'fill="{emotion.colour}"/>{_named(emotion, x + 18, line, languages)}')
    if len(emotions) == COUNT:
        fills = {"quiet": (_TINT, ""), "doubt": (_SOFT, "url(#doubt)")}
        for number, (kind, words) in enumerate(states.items(), start=len(emotions)):
            x, line = _LEFT + number % per_line * pitch, y + number // per_line * 24
            parts += [
                f'<rect x="{x}" y="{line - 10}" width="12" height="12" rx="3" fill="{fill}" '
                f'stroke="{_LINE}"/>'
                for fill in fills[kind]
                if fill
            ]
            parts += [
                f'<text lang="{language}" x="{x + 18}" y="{line}" fill="{_INK}">'
                f"{html.escape(words[language])}</text>"
                for language in languages
            ]
    count = len(emotions) + 2 * (len(emotions) == COUNT)
    lines = -(-count // per_line)
    return "".join(parts), round(y + 24 * max(0, lines - 1) + 20)


def clock(time_s: float) -> str:
    """A moment on the axis: ``2.5 s``, ``1:05``, ``1:02:05``."""
    if time_s < 60:
        return f"{time_s:g} s"
    minutes, seconds = divmod(round(time_s), 60)
    if minutes < 60:
        return f"{minutes}:{seconds:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
