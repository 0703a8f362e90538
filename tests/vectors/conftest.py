"""Results with embeddings, for tests of indexes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from emoscope.results.result import ModelRef, Result, SourceRef
from emoscope.results.track import Track
from results import make_result, make_scores

DIM = 16
Maker = Callable[..., Result]


@pytest.fixture(scope="session")
def make() -> Maker:
    """Maker of results with frames of random vectors, six seconds long: sad, silence, happy."""

    def result(seed: int = 0, *, model: str = "a", emotion: str = "happy", **changes) -> Result:
        rng = np.random.default_rng(seed)
        frames = rng.standard_normal((300, DIM)).astype(np.float32)
        logits = np.full((300, 9), -4.0, np.float32)
        logits[:150, 6] = logits[150:, 3] = 4.0
        speech = np.ones(300, np.bool_)
        speech[130:170] = False
        track = Track(logits, speech)
        fields = {
            "source": SourceRef(f"{seed}.wav", f"{seed:064x}"),
            "duration_s": 6.0,
            "granularity": "frame",
            "scores": make_scores(**{emotion: 0.9}),
            "model": ModelRef(f"model-{model}", "1", model * 64),
            "embedding": frames,
            "track": track,
            "segments": track.segments(6.0),
            **changes,
        }
        return make_result(f"{seed}.wav", **fields)

    return result
