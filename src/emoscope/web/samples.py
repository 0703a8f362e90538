"""Samples as the page shows them: finished result of the sequence, and cards with small rivers."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from emoscope.figures.pyramid import Curve, curve_of
from emoscope.figures.small_river import small_river
from emoscope.labels import Emotion
from emoscope.outputs.store import wav_pieces
from emoscope.results.result import Result
from emoscope.results.samples import SEQUENCE, Sample, sample_named, sample_result, samples
from emoscope.results.summary import emotions_in_turn
from emoscope.web.figure import drawing


@dataclass(frozen=True, slots=True)
class SampleCard:
    """Sample with what its card shows."""

    sample: Sample
    emotions: tuple[Emotion, ...]
    """Those of its segments, one after another."""
    river: Markup


@functools.cache
def sample_cards() -> tuple[SampleCard, ...]:
    """Return the card of every sample, the sequence first."""
    first_the_sequence = sorted(samples(), key=lambda sample: sample.file != SEQUENCE)
    return tuple(
        SampleCard(
            sample,
            emotions_in_turn(sample_result(sample.file).segments),
            Markup(small_river(_shown(sample.file), label="")),  # noqa: S704 - ours, no words in it
        )
        for sample in first_the_sequence
    )


def demo_context() -> dict[str, Any]:
    """Return what ``templates/demo.html`` names.

    Returns:
        ``sample``; ``emotions``: those of its segments, one after another; ``drawing``: what
        ``<emo-timeline>`` draws.
    """
    return {
        "sample": sample_named(SEQUENCE),
        "emotions": emotions_in_turn(sample_result(SEQUENCE).segments),
        "drawing": sample_drawing(SEQUENCE),
    }


def sample_drawing(file: str) -> dict[str, object]:
    """Return what ``<emo-timeline>`` draws of a sample; its finer tiles come from ``/v1/samples``.

    Raises:
        KeyError: no sample has this name.
    """
    sample = sample_named(file)
    title = f"{sample.title_zh} · {sample.title_en}"
    drawn = drawing(_shown(file), sample_curve(file), "", title)
    return drawn | {"tiles": f"v1/samples/{file}/curve"}


@functools.cache
def sample_curve(file: str) -> Curve:
    """Return the curve of a sample's result.

    Raises:
        KeyError: no sample has this name.
    """
    return curve_of(_shown(file), wav_pieces(sample_named(file).path))


def _shown(file: str) -> Result:
    """Return a sample's result for a picture over time.

    Four emotions in turn have no clear leader as a whole, which is no doubt about any moment.
    """
    result = sample_result(file)
    return replace(result, abstain=tuple(one for one in result.abstain if one != "low_margin"))
