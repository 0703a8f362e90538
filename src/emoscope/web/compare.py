"""Comparison of two results: what ``templates/comparison.html`` names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from emoscope.labels import EMOTIONS, Emotion
from emoscope.messages.languages import LANGUAGES, Language
from emoscope.messages.trust import abstention
from emoscope.messages.verdict import Verdict, verdict
from emoscope.web.figure import timeline
from emoscope.web.opened import Opened

SMALLEST_SHARE = 0.2
"""A curve is drawn at least this wide; below it the two have different time scales."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One of the two results."""

    opened: Opened
    figure: Markup
    width: float
    """Of the picture, as a share of the longer recording's."""
    verdict: Verdict
    reasons: dict[Language, str]
    """Why no emotion is claimed; empty sentences where one is."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One emotion's scores in both, in percent with one decimal."""

    emotion: Emotion
    percents: tuple[float, float]

    @property
    def points(self) -> str:
        """The second less the first, with its sign: ``+3.2``, ``−0.4``, ``0.0``."""
        change = self.percents[1] - self.percents[0]
        return "0.0" if abs(change) < 0.05 else f"{change:+.1f}".replace("-", "−")


def comparison_context(pair: Sequence[Opened]) -> dict[str, Any]:
    """Return what the template names.

    Returns:
        ``both_results``: the two; ``differences``: one line an emotion, the largest score first;
        ``has_one_scale``: whether both curves have the same time scale.
    """
    longest_s = max(opened.result.duration_s for opened in pair)
    shares = [opened.result.duration_s / longest_s for opened in pair]
    percents = [opened.result.scores.percentages() for opened in pair]
    differences = [
        Difference(emotion, (percents[0][emotion.index], percents[1][emotion.index]))
        for emotion in EMOTIONS
    ]
    return {
        "both_results": [
            _compared(opened, max(share, SMALLEST_SHARE))
            for opened, share in zip(pair, shares, strict=True)
        ],
        "differences": sorted(differences, key=lambda one: -max(one.percents)),
        "has_one_scale": min(shares) >= SMALLEST_SHARE,
    }


def _compared(opened: Opened, width: float) -> Compared:
    entry, result = opened.entry, opened.result
    figure = timeline(result, opened.curve, entry.name, title=entry.shown, small=True)
    reasons = {language: abstention(result.abstain, language) for language in LANGUAGES}
    return Compared(opened, Markup(figure), width, verdict(result), reasons)  # noqa: S704 - a template's
