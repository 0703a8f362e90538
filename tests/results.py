"""Results for tests of what is made out of a result."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from emoscope.labels import KEYS
from emoscope.results.quality import Quality
from emoscope.results.result import ModelRef, Result, SourceRef
from emoscope.results.scores import Scores


def make_scores(**given: float) -> Scores:
    """The named scores; what is left to 1 goes to ``unknown``."""
    values = {**dict.fromkeys(KEYS, 0.0), **given}
    values["unknown"] += 1 - sum(values.values())
    return Scores(np.array([values[key] for key in KEYS]))


def make_result(name: str = "speech.wav", **changes: object) -> Result:
    """A plain result; any field can be changed."""
    fields = {
        "source": SourceRef(name, "0" * 64),
        "created": datetime(2024, 1, 4, 22, 30, tzinfo=UTC),
        "duration_s": 4.2,
        "granularity": "utterance",
        "scores": make_scores(happy=0.853, surprised=0.1, neutral=0.04),
        "quality": Quality(-20.0, 0.5, 0.0, 40.0, 8000.0, 0.8),
        "model": ModelRef("compact", "1", "0" * 64),
        **changes,
    }
    return Result(**fields)  # type: ignore[arg-type]
