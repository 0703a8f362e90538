"""Deprecated: the rules of segments are ``emoscope.results.segments.SegmentRules``."""

from __future__ import annotations

import warnings
from typing import Any


def __getattr__(name: str) -> Any:
    from emoscope.results import segments

    warnings.warn(
        "emoscope.segments is now emoscope.results.segments, and Rules is SegmentRules",
        DeprecationWarning,
        stacklevel=2,
    )
    return getattr(segments, {"Rules": "SegmentRules", "DEFAULT": "DEFAULT_RULES"}.get(name, name))
