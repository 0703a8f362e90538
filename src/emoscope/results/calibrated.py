"""Calibrated confidence and conformal label set of one answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Calibrated confidence and label set of an answer."""

    confidence: float
    """How often an answer with such a score was right."""
    label_set: tuple[str, ...]
    """Keys of the emotions it may be, the likeliest first."""
    coverage: float
    """In which share of cases the truth was among them."""

    def to_dict(self) -> dict[str, object]:
        """As ``label_set`` in ``result.json``; the confidence has a key of its own there."""
        return {"coverage": self.coverage, "emotions": list(self.label_set)}


def _calibrated(data: dict[str, Any]) -> Calibrated | None:
    """Read the two keys, which older results lack."""
    kept = data.get("label_set")
    if kept is None:
        return None
    confidence = data["confidence_calibrated"]
    return Calibrated(confidence, tuple(kept["emotions"]), kept["coverage"])
