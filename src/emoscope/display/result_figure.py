"""Figure of a result for notebooks and files: the river and its segments, or nine bars."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from emoscope.figures.pyramid import curve_of
from emoscope.figures.score_bars import score_bars
from emoscope.figures.svg import svg
from emoscope.files import atomic_write
from emoscope.messages.figure import FIGURE
from emoscope.messages.languages import Language
from emoscope.messages.trust import abstention
from emoscope.messages.verdict import verdict
from emoscope.results.result import Result
from emoscope.settings import language_of
from emoscope.waveform import RATE_HZ, Samples, Waveform

_CARD = (
    "max-width:960px;background:#fff;color:#1c2329;border:1px solid #dfe3e2;border-radius:10px;"
    "overflow:hidden"
)
"""White in dark notebooks too: the colours of the nine are chosen for it."""


class ResultFigure:
    """Figure of one result, which notebooks show by themselves.

    With a track it is the river of the nine scores over time; without one, nine bars.

    Args:
        result: by frame for the river.
        sound: what was recognized, at 16 kHz, for the waveform below the river; None: without it.
        language: ``zh``, ``en``, or that of this machine.
    """

    def __init__(
        self,
        result: Result,
        sound: Waveform | None = None,
        language: Literal["zh", "en", "auto"] = "auto",
    ) -> None:
        self._result, self._sound = result, sound
        self._language: Language = language_of(language)

    @property
    def svg(self) -> str:
        """The figure as one SVG document."""
        result, language = self._result, self._language
        if result.track is None:
            return score_bars(result.scores, self.title, language)
        sound = self._sound or _even(result.duration_s)
        return svg(
            result,
            curve_of(result, sound),
            title=self.title,
            quiet={language: FIGURE["quiet"](language)},
            doubt={language: FIGURE["doubt"](language)},
            languages=(language,),
            with_waveform=self._sound is not None,
        )

    @property
    def title(self) -> str:
        """Name of the recording and its answer, or why there is none."""
        result, language = self._result, self._language
        answer = verdict(result)
        text = answer.text.zh if language == "zh" else answer.text.en
        if answer.kind == "abstained":
            text += f" ({abstention(result.abstain, language)})"
        return f"{result.name} · {text}"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the figure as SVG.

        Raises:
            StoreError: the file cannot be written.
        """
        atomic_write(Path(path), self.svg.encode())

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        name = html.escape(self._result.name)
        return f'<div class="emoscope-result" title="{name}" style="{_CARD}">{self.svg}</div>'

    def __repr__(self) -> str:
        return f"<ResultFigure of {self._result!r}>"


def _even(duration_s: float) -> Iterator[Samples]:
    """Yield sound without a pause, so that silence is read from the segments alone."""
    left = max(1, round(duration_s * RATE_HZ))
    while left > 0:
        yield np.full(min(left, RATE_HZ * 60), 0.5, np.float32)
        left -= RATE_HZ * 60
