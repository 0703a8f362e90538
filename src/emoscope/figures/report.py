"""HTML report of one result: one file without scripts or network access.

The caller brings the sentences (``Page``), in both languages; here is only how they
stand on paper. The reader switches the language by two radio buttons and a style rule.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from emoscope.audio.wav import write_wav
from emoscope.labels import EMOTIONS, Emotion
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
    colour = "#56616b" if result.abstain else result.emotion.colour
    top = f"<h1>{_both(page.headline)}</h1>{_lines(page.below)}"
    sections = [
        f'<header style="--c:{colour}">{top}</header>',
        _section(page.picture, f'<div class="wide">{svg}</div>{_player(sound)}'),
        _section(page.scores, _bars(result)),
    ]
    if page.segments_table is not None:
        sections.append(_section(page.segments, _table(page.segments_table)))
    sections += [
        _section(page.check, _lines(page.advice) + _table(page.facts)),
        _section(page.model, _lines(page.about_model)),
        _section(page.log, _table(page.log_table)),
    ]
    title = html.escape(result.name)
    checked = (" checked", "") if chinese else ("", " checked")
    return (
        '<!doctype html>\n<html lang="mul"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # Whatever a name or a sentence may hold, this file runs no script and loads nothing.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; media-src data:; img-src data:\">"
        f"<title>{title} · Emoscope</title><style>{_STYLE}</style></head><body>"
        f'<input type="radio" name="language" id="zh"{checked[0]}>'
        f'<label for="zh">{LANGUAGE_NAMES["zh"]}</label>'
        f'<input type="radio" name="language" id="en"{checked[1]}><label for="en">English</label>'
        f"<main>{''.join(sections)}<footer>{_both(page.footer)}</footer></main></body></html>\n"
    )


def _both(pair: Pair) -> str:
    zh, en = map(html.escape, pair)
    return zh if zh == en else f'<span lang="zh">{zh}</span><span lang="en">{en}</span>'


def _lines(pairs: Sequence[Pair]) -> str:
    return "".join(f"<p>{_both(pair)}</p>" for pair in pairs)


def _section(title: Pair, body: str) -> str:
    return f"<section><h2>{_both(title)}</h2>{body}</section>"


def _cell(value: Pair | str) -> str:
    return html.escape(value) if isinstance(value, str) else _both(value)


def _table(table: ReportTable) -> str:
    head = "".join(f'<th scope="col">{_both(title)}</th>' for title in table.head)
    rows = "".join(
        f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row)}</tr>"
        for row in table.rows[:_ROWS_MAX]
    )
    more = "<p>…</p>" if len(table.rows) > _ROWS_MAX else ""
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f"</div>{more}"
    )


def _bars(result: Result) -> str:
    percentages = result.scores.percentages()

    def bar(emotion: Emotion) -> str:
        percent = percentages[emotion.index]
        return (
            f"<tr><th scope='row'>{emotion.emoji} {_both((emotion.zh, emotion.en))}</th>"
            f'<td class="bar"><i style="width:{percent:.1f}%;background:{emotion.colour}"></i></td>'
            f'<td class="number">{percent:.1f}%</td></tr>'
        )

    ranked = sorted(EMOTIONS, key=lambda emotion: -result.scores.values[emotion.index])
    return f'<table class="bars"><tbody>{"".join(map(bar, ranked))}</tbody></table>'


def _player(sound: Waveform | None) -> str:
    if sound is None or 2 * len(sound.samples) > SOUND_MAX_BYTES:
        return ""
    buffer = io.BytesIO()
    write_wav(buffer, sound)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<audio controls src="data:audio/wav;base64,{data}"></audio>'


# The machine's own colour emoji, before a text font draws them in black; nothing is fetched.
_STYLE = """
@font-face { font-family: "Emo Emoji"; src: local("Noto Color Emoji"),
  local("Apple Color Emoji"), local("Segoe UI Emoji"); unicode-range: U+1F300-1FAFF, U+2753; }
:root { color-scheme: light dark; --ink: #1c2329; --soft: #56616b; --line: #dfe3e2; --paper: #fff;
  --ground: #f5f6f4; }
@media (prefers-color-scheme: dark) { :root { --ink: #eceff1; --soft: #a9b4bd; --line: #333c44;
  --paper: #1b2126; --ground: #12161a; } }
body { margin: 0 auto; max-width: 960px; padding: 20px; background: var(--ground);
  color: var(--ink);
  font: 16px/1.6 "Emo Emoji", system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; }
body > input { margin: 0 4px 0 16px; }
#zh:checked ~ main [lang="en"], #en:checked ~ main [lang="zh"] { display: none; }
header { border-left: 8px solid var(--c); padding-left: 18px; margin: 20px 0; }
h1 { margin: 0; font-size: 32px; line-height: 1.3; } h2 { margin: 0 0 10px; font-size: 17px; }
p { margin: 4px 0; overflow-wrap: anywhere; } header p, footer { color: var(--soft); }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 14px;
  padding: 18px 20px; margin: 14px 0; break-inside: avoid; }
.wide { overflow-x: auto; } svg { display: block; width: 100%; min-width: 560px; height: auto;
  border-radius: 8px; }
audio { width: 100%; margin-top: 10px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line);
  font-variant-numeric: tabular-nums; } th { color: var(--soft); font-weight: 600; }
.bars th { width: 9em; color: var(--ink); font-weight: 400; } .bars th, .bars td { border: 0; }
.bar i { display: block; height: 12px; min-width: 2px; border-radius: 6px; }
.number { text-align: right; width: 4em; }
@media print { body { background: #fff; padding: 0; } body > input, body > label, audio {
  display: none; } }
"""
