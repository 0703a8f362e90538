"""Nine scores as bars in one SVG, the largest first, each named beside its colour."""

from __future__ import annotations

import html

from emoscope.figures.svg import WIDTH
from emoscope.messages.languages import Language
from emoscope.results.scores import Scores

_LEFT, _TOP, _LINE = 150, 56, 26
_BAR = 620
_INK, _SOFT = "#1c2329", "#56616b"


def score_bars(scores: Scores, title: str, language: Language) -> str:
    """Return the bars as one SVG document.

    Args:
        scores: nine of them.
        title: stands above.
        language: of the emotions' names.
    """
    parts, percent = [], scores.percentages()
    for line, (emotion, score) in enumerate(scores.ranked()):
        y, name = _TOP + line * _LINE, emotion.zh if language == "zh" else emotion.en
        parts.append(
            f'<text x="{_LEFT - 10}" y="{y + 13}" text-anchor="end" fill="{_INK}">'
            f"{emotion.emoji} {html.escape(name)}</text>"
            f'<rect x="{_LEFT}" y="{y}" width="{max(1.0, score * _BAR):.1f}" height="18" rx="3" '
            f'fill="{emotion.colour}"/>'
            f'<text x="{_LEFT + max(1.0, score * _BAR) + 8:.1f}" y="{y + 13}" fill="{_SOFT}">'
            f"{percent[emotion.index]:.1f}%</text>"
        )
    height, name = _TOP + len(scores) * _LINE + 10, html.escape(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="Emo Emoji, system-ui, sans-serif" font-size="13" role="img" '
        f'aria-label="{name}"><title>{name}</title>'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
        f'<text x="24" y="32" font-size="16" font-weight="600" fill="{_INK}">{name}</text>'
        f"{''.join(parts)}</svg>\n"
    )
