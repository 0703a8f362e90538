"""What the recipe uses of the package itself, taken from the sources beside it."""

from __future__ import annotations

import sys
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HOUSE / "src"))

from emoscope.evaluate import metrics, pictures  # noqa: E402
from emoscope.evaluate.lists import duration_group  # noqa: E402
from emoscope.results import calibration  # noqa: E402
from emoscope.results.scores import Scores, softmax  # noqa: E402
from emoscope.telemetry import load_onnxruntime  # noqa: E402

__all__ = [
    "HOUSE",
    "Scores",
    "calibration",
    "duration_group",
    "load_onnxruntime",
    "metrics",
    "pictures",
    "softmax",
]
