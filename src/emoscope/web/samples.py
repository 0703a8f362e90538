"""Samples as the page shows them: finished result of the sequence, and cards with small rivers."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from emoscope.figures.pyramid import Curve, curve_of
from emoscope.figures.small_river import small_river
from emoscope.labels import Emotion
from emoscope.messages.languages import Text
from emoscope.messages.samples import DEMO
from emoscope.messages.spoken import SPOKEN
from emoscope.outputs.store import wav_pieces
from emoscope.results.samples import SEQUENCE, Sample, sample_named, sample_result, samples
from emoscope.results.summary import emotions_in_turn
from emoscope.web.figure import drawing, timeline


@dataclass(frozen=True, slots=True)
class SampleCard:
    """Sample with what its card shows."""

    sample: Sample
    emotions: tuple[Emotion, ...]
    """Those of its segments, one after another."""
    spoken: Text
    """Name of its language."""
    river: Markup


@dataclass(frozen=True, slots=True)
class DemoTurn:
    """Emotion of the sequence, and when it is heard, in seconds."""

    emotion: Emotion
    start_s: float
    end_s: float


@functools.cache
def sample_cards() -> tuple[SampleCard, ...]:
    """Return the card of every sample but the sequence, which the page opens with."""
    cards = []
    for sample in samples():
        result = sample_result(sample.file)
        river = Markup(small_river(result, label=""))  # noqa: S704 - ours, and without words
        turns = emotions_in_turn(result.segments)
        if sample.file != SEQUENCE:
            cards.append(SampleCard(sample, turns, SPOKEN[sample.language], river))
    return tuple(cards)


@functools.cache
def demo_context() -> dict[str, Any]:
    """Return what ``templates/demo.html`` names; the same for everybody.

    Returns:
        ``sample``; ``turns``: its emotions one after another; ``figure``: its markup; ``words``:
        the sentences around it.
    """
    sample = sample_named(SEQUENCE)
    figure = timeline(
        sample_result(SEQUENCE),
        sample_curve(SEQUENCE),
        "",
        title=_title(sample),
        small=True,
        address=f"v1/samples/{sample.audio}",
    )
    return {
        "sample": sample,
        "turns": demo_turns(),
        "figure": Markup(figure),  # noqa: S704 - a template's
        "words": DEMO,
    }


def demo_turns() -> list[DemoTurn]:
    """Return the emotions of the sequence in turn; pauses belong to what was heard before."""
    turns: list[DemoTurn] = []
    for segment in sample_result(SEQUENCE).segments:
        emotion, span = segment.emotion, segment.span
        if segment.silent or (turns and turns[-1].emotion is emotion):
            if turns:
                last = turns.pop()
                turns.append(DemoTurn(last.emotion, last.start_s, span.end_s))
        else:
            turns.append(DemoTurn(emotion, span.start_s, span.end_s))
    return turns


def sample_drawing(file: str) -> dict[str, object]:
    """Return what ``<emo-timeline>`` draws of a sample; its finer tiles come from ``/v1/samples``.

    Raises:
        KeyError: no sample has this name.
    """
    sample = sample_named(file)
    drawn = drawing(sample_result(sample.file), sample_curve(file), "", _title(sample))
    return drawn | {"tiles": f"v1/samples/{sample.file}/curve"}


@functools.cache
def sample_curve(file: str) -> Curve:
    """Return the curve of a sample's result.

    Raises:
        KeyError: no sample has this name.
    """
    sample = sample_named(file)
    return curve_of(sample_result(sample.file), wav_pieces(sample.path))


def _title(sample: Sample) -> str:
    return f"{sample.title_zh} · {sample.title_en}"
