"""Calibrated confidence and conformal label set of one answer."""

from __future__ import annotations

from dataclasses import dataclass

from emoscope.results.json_type import EmotionKey, JsonType


@dataclass(frozen=True, slots=True)
class LabelSet(JsonType):
    """The smallest set of emotions that holds the truth in ``coverage`` of cases like its own."""

    coverage: float
    emotions: tuple[EmotionKey, ...]


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Calibrated confidence and label set of an answer."""

    confidence: float
    """How often an answer with such a score was right."""
    label_set: tuple[str, ...]
    """Keys of the emotions it may be, the likeliest first."""
    coverage: float
    """In which share of cases the truth was among them."""
