"""Emotion curve of a result as SVG: river plot, waveform, segments, axis, legend.

Every emotion is named beside its colour. Texts can stand in both languages at once, each marked
with ``lang``, for pages that show one of them.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emoscope.figures.pyramid import Curve
from emoscope.labels import COUNT, EMOTIONS, Emotion
from emoscope.messages.languages import Language
from emoscope.results.result import Result
from emoscope.results.segments import Segment
from emoscope.waveform import HOP_S

WIDTH = 960
_EDGE = 24
_INNER = WIDTH - 2 * _EDGE
_RIVER, _WAVE, _STRIP = (48, 198), (208, 272), (282, 312)
_PLAIN_WAVE = (48, 128)
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
) -> str:
    """Return the whole recording as one SVG document.

    Args:
        result: its segments are drawn; without a track only the waveform is.
        curve: made from the same result.
        title: stands above, usually the recording's name.
        quiet: the word for silence, in the legend.
        doubt: the word for stretches in which no emotion leads.
        languages: one, or both for a page that hides one by its ``lang``.
    """
    tile = curve.tile(curve.top, 0) or {}
    ends = _ends(curve)
    has_track = tile["scores"] is not None
    wave = _WAVE if has_track else _PLAIN_WAVE
    leads, parts = _leads(result, tile), []
    if has_track:
        rows = np.array(tile["scores"], dtype=np.float64).reshape(-1, COUNT) / 1000
        order = [int(k) for k in np.argsort(-rows.sum(axis=0), kind="stable")]
        parts += [_river(rows, ends, order), _states(tile, ends)]
        parts.append(_strip(result.segments, result.duration_s, languages))
    parts.append(_waveform(tile, ends, leads, wave))
    below = (_STRIP[1] if has_track else wave[1]) + 8
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
        f'<text x="{_EDGE}" y="30" font-size="16" font-weight="600" fill="{_INK}">{name}</text>'
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
    return np.asarray(_EDGE + ends_s / curve.duration_s * _INNER)


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
    starts = np.concatenate([[_EDGE], ends[:-1]])
    xs = ((starts + ends) / 2)[picked]
    xs[0], xs[-1] = _EDGE, _EDGE + _INNER
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


def _states(tile: dict[str, Any], ends: NDArray[np.float64]) -> str:
    """Silence takes the river away, doubt hatches it."""
    top, bottom = _RIVER
    looks = {"doubt": 'fill="url(#doubt)"', "quiet": f'fill="{_TINT}"'}
    starts = np.concatenate([[_EDGE], ends[:-1]])
    rects = []
    for kind, look in looks.items():
        here = np.array(tile[kind]) > 50
        if kind == "doubt":
            here &= np.array(tile["quiet"]) <= 50
        on = np.concatenate([[False], here, [False]]).astype(np.int8)
        for first, last in np.flatnonzero(np.diff(on)).reshape(-1, 2):
            left, wide = starts[first], ends[last - 1] - starts[first]
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
    middle, reach = sum(place) / 2, (place[1] - place[0]) / 2 / 127
    step = max(1, len(ends) // 320)
    paths: dict[int, list[str]] = {}
    for first in range(0, len(ends), step):
        here = slice(first, first + step)
        high = max(1.0, max(tile["high"][here]) * reach)
        low = max(1.0, -min(tile["low"][here]) * reach)
        lead = int(np.bincount(leads[here] + 1).argmax()) - 1
        x = float(ends[here].mean())
        paths.setdefault(lead, []).append(f"M{x:.1f} {middle - high:.1f}v{high + low:.1f}")
    return "".join(
        f'<path d="{"".join(bars)}" stroke="{EMOTIONS[lead].colour if lead >= 0 else _LINE}" '
        f'stroke-width="1.8"/>'
        for lead, bars in paths.items()
    )


def _strip(segments: Sequence[Segment], duration_s: float, languages: Sequence[Language]) -> str:
    top, bottom = _STRIP
    boxes = []
    for segment in segments:
        left = _EDGE + segment.span.start_s / duration_s * _INNER
        wide = max(0.5, segment.span.duration_s / duration_s * _INNER - 1)
        emotion = segment.emotion
        boxes.append(
            f'<rect x="{left:.1f}" y="{top}" width="{wide:.1f}" height="{bottom - top}" '
            f'fill="{_TINT}"/><rect x="{left:.1f}" y="{bottom - 5}" width="{wide:.1f}" height="5" '
            f'fill="{_LINE if segment.silent else emotion.colour}"/>'
        )
        if wide > 90:
            boxes.append(_named(emotion, left + 6, top + 17, languages))
        elif wide > 20:
            boxes.append(f'<text x="{left + 3:.1f}" y="{top + 17}">{emotion.emoji}</text>')
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
        x = _EDGE + time_s / duration_s * _INNER
        anchor = "start" if not number else "end" if x > WIDTH - _EDGE - 20 else "middle"
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
    places = [(_EDGE + i % per_line * pitch, y + i // per_line * 24) for i in range(len(emotions))]
    parts = []
    for emotion, (x, line) in zip(emotions, places, strict=True):
        parts.append(f'<rect x="{x}" y="{line - 10}" width="12" height="12" rx="3" ')
        parts.append(f'fill="{emotion.colour}"/>{_named(emotion, x + 18, line, languages)}')
    if len(emotions) == COUNT:
        fills = {"quiet": (_TINT, ""), "doubt": (_SOFT, "url(#doubt)")}
        for number, (kind, words) in enumerate(states.items(), start=len(emotions)):
            x, line = _EDGE + number % per_line * pitch, y + number // per_line * 24
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
