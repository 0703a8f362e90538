"""Long sound is cut so that gluing the pieces gives every frame back, once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.audio.windows import FRAME, HOP, frame_count, plan
from emoscope.backends.fake_backend import FakeBackend
from emoscope.engine.forward import Forward

sizes = st.integers(0, 200_000) | st.integers(0, 600).map(lambda n: FRAME + n * HOP)
window_seconds = st.sampled_from([0.02, 0.1, 0.5, 1.0, 1.23])
context_seconds = st.sampled_from([0.0, 0.02, 0.25, 1.0])


@pytest.mark.parametrize(
    ("n_samples", "count"),
    [(0, 0), (399, 0), (400, 1), (719, 1), (720, 2), (16_000, 49), (160_000, 499)],
)
def test_frames_are_counted_by_the_formula(n_samples: int, count: int) -> None:
    """P10: ⌊(N − 400) / 320⌋ + 1."""
    assert frame_count(n_samples) == count


@given(st.integers(0, 100_000))
def test_the_last_frame_fits_and_one_more_would_not(n_samples: int) -> None:
    count = frame_count(n_samples)

    assert count == 0 or (count - 1) * HOP + FRAME <= n_samples
    assert count * HOP + FRAME > n_samples


@given(sizes, window_seconds, context_seconds)
def test_windows_keep_every_frame_exactly_once_and_in_order(
    n_samples: int, window_s: float, context_s: float
) -> None:
    kept: list[int] = []
    for window in plan(n_samples, window_s=window_s, context_s=context_s):
        assert 0 <= window.first_sample <= window.last_sample <= n_samples
        assert window.first_sample % HOP == 0
        rows = frame_count(window.last_sample - window.first_sample)
        assert 0 <= window.keep_from <= window.keep_to <= rows
        first = window.first_sample // HOP
        kept += range(first + window.keep_from, first + window.keep_to)

    assert kept == list(range(frame_count(n_samples)))
    assert window.last_sample == n_samples, "a model may hear what is behind the last frame"


@given(sizes, window_seconds, context_seconds)
def test_windows_are_as_short_as_promised_and_have_their_context(
    n_samples: int, window_s: float, context_s: float
) -> None:
    total = frame_count(n_samples)
    keep, context = (int(seconds * 16_000) // HOP for seconds in (window_s, context_s))
    windows = plan(n_samples, window_s=window_s, context_s=context_s)

    if total <= keep + 2 * context:
        assert [(w.first_sample, w.last_sample) for w in windows] == [(0, n_samples)]
        return
    lengths = [window.keep_to - window.keep_from for window in windows]
    assert max(lengths) <= keep
    assert max(lengths) - min(lengths) <= 1, "equal shares: no short window at the end"
    for window in windows:
        first = window.first_sample // HOP + window.keep_from
        after = total - (window.first_sample // HOP + window.keep_to)
        rows = frame_count(window.last_sample - window.first_sample)
        assert window.keep_from == min(context, first)
        assert rows - window.keep_to == min(context, after)


@given(
    st.integers(FRAME, 60_000),
    st.sampled_from([0.1, 0.3, 1.0]),
    st.sampled_from([0.0, 0.04, 0.5]),
    st.integers(0, 2**32 - 1),
)
def test_a_model_that_hears_one_frame_at_a_time_gives_the_same_rows_in_windows(
    n_samples: int, window_s: float, context_s: float, seed: int
) -> None:
    """Nearly every row is another, so a row that is lost, doubled or moved cannot hide."""
    samples = np.random.default_rng(seed).standard_normal(n_samples).astype(np.float32)
    forward = Forward(FakeBackend())
    (whole,) = forward.run([samples])

    glued = []
    for window in plan(n_samples, window_s=window_s, context_s=context_s):
        (output,) = forward.run([samples[window.first_sample : window.last_sample]])
        glued.append(output.logits[window.keep_from : window.keep_to])

    np.testing.assert_array_equal(np.concatenate(glued), whole.logits)
    assert len(np.unique(whole.logits[:, 3])) > 0.9 * len(whole.logits)
