"""HTML report of one result: one file without scripts or network access.

The caller brings the sentences (``Page``), in both languages; ``templates/report.html`` arranges
them. The reader switches the language by two radio buttons and a style rule.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TypeAlias

from emoscope.audio.wav import write_wav
from emoscope.figures.html_page import render_html
from emoscope.labels import EMOTIONS
from emoscope.messages.page import LANGUAGE_NAMES
from emoscope.results.result import Result
from emoscope.waveform import Waveform

Pair: TypeAlias = tuple[str, str]
"""A sentence in Chinese and in English."""

SOUND_MAX_BYTES = 2_000_000
"""A longer sound, about a minute, stays outside."""
_ROWS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class ReportTable:
    """Table of the report: titles and rows; cells are plain text or pairs of languages."""

    head: tuple[Pair, ...]
    rows: tuple[tuple[Pair | str, ...], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Texts of the report."""

    headline: Pair
    """With emoji; for a result that abstains the sentence that says so."""
    below: tuple[Pair, ...]
    """Mixed emotions, reasons of abstention, file, length, time."""
    scores: Pair
    """Title over the bars."""
    picture: Pair
    segments: Pair
    segments_table: ReportTable | None
    check: Pair
    advice: tuple[Pair, ...]
    facts: ReportTable
    model: Pair
    about_model: tuple[Pair, ...]
    log: Pair
    log_table: ReportTable
    footer: Pair
    utterances: Pair = ("", "")
    utterances_table: ReportTable | None = None
    """None where they were not asked for."""
    heads: tuple[tuple[Pair, ReportTable], ...] = ()
    """Title and scores of each head."""
    words: tuple[Pair, ReportTable] | None = None
    """Title and lines of what is said; None where it was not given."""


def report_html(
    result: Result, page: Page, *, svg: str, chinese: bool = True, sound: Waveform | None = None
) -> str:
    """Return the report.

    Args:
        result: what it is about.
        page: its sentences.
        svg: the picture, from ``plots.svg`` in both languages.
        chinese: which language shows first.
        sound: 16 kHz mono, embedded for playback; None where it is longer than about a minute.
    """
    percentages = result.scores.percentages()
    ranked = sorted(EMOTIONS, key=lambda emotion: -result.scores.values[emotion.index])
    values: dict[str, object] = {
        "name": result.name,
        "page": page,
        "chinese": chinese,
        "language_names": LANGUAGE_NAMES,
        "colour": "#56616b" if result.abstain else result.emotion.colour,
        "svg": svg,
        "sound": _embedded(sound),
        "bars": [(emotion, percentages[emotion.index]) for emotion in ranked],
        "rows_max": _ROWS_MAX,
    }
    return render_html("emoscope.figures", "report.html", values)


def _embedded(sound: Waveform | None) -> str:
    """Return the sound as base64 of a WAV file; empty for none and for a long one."""
    if sound is None or 2 * len(sound.samples) > SOUND_MAX_BYTES:
        return ""
    buffer = io.BytesIO()
    write_wav(buffer, sound)
    return base64.b64encode(buffer.getvalue()).decode()
