"""Long sound is cut so that gluing the pieces gives every frame back, once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.backends.fake_backend import FakeBackend
from emoscope.inference.forward import Forward
from emoscope.inference.windows import Window, WindowCutter
from emoscope.waveform import FRAME, HOP, frame_count

sizes = st.integers(0, 200_000) | st.integers(0, 600).map(lambda n: FRAME + n * HOP)
window_seconds = st.sampled_from([0.02, 0.1, 0.5, 1.0, 1.23])
context_seconds = st.sampled_from([0.0, 0.02, 0.25, 1.0])
whole_seconds = st.sampled_from([0.0, 0.7, 2.0])


@pytest.mark.parametrize(
    ("n_samples", "count"),
    [(0, 0), (399, 0), (400, 1), (719, 1), (720, 2), (16_000, 49), (160_000, 499)],
)
def test_frames_are_counted_by_the_formula(n_samples: int, count: int) -> None:
    """T = ⌊(N − 400) / 320⌋ + 1."""
    assert frame_count(n_samples) == count


@given(st.integers(0, 100_000))
def test_the_last_frame_fits_and_one_more_would_not(n_samples: int) -> None:
    count = frame_count(n_samples)

    assert count == 0 or (count - 1) * HOP + FRAME <= n_samples
    assert count * HOP + FRAME > n_samples


def cut(
    samples: np.ndarray,
    window_s: float,
    context_s: float,
    whole_s: float,
    portions: list[int] | None = None,
) -> list[Window]:
    """All windows of a sound that comes in these portions, over and over; whole by default."""
    cutter = WindowCutter(window_s=window_s, context_s=context_s, whole_s=whole_s)
    windows: list[Window] = []
    at, turn = 0, 0
    while at < len(samples):
        size = portions[turn % len(portions)] if portions else len(samples)
        windows += cutter.feed(samples[at : at + size])
        at, turn = at + size, turn + 1
    return windows + list(cutter.finish())


def numbered(n_samples: int) -> np.ndarray:
    """Samples that say where they stood (exact in float32)."""
    return np.arange(n_samples, dtype=np.float32)


@given(sizes, window_seconds, context_seconds, whole_seconds)
def test_windows_keep_every_frame_exactly_once_and_in_order(
    n_samples: int, window_s: float, context_s: float, whole_s: float
) -> None:
    kept: list[int] = []
    end = 0
    for window in cut(numbered(n_samples), window_s, context_s, whole_s):
        first = window.first_frame * HOP
        end = first + len(window.samples)
        np.testing.assert_array_equal(window.samples, numbered(n_samples)[first:end])
        assert 0 <= window.keep_from < window.keep_to <= frame_count(len(window.samples))
        kept += range(window.first_frame + window.keep_from, window.first_frame + window.keep_to)

    assert kept == list(range(frame_count(n_samples)))
    assert not kept or end == n_samples, "a model may hear what is behind the last frame"


@given(sizes, window_seconds, context_seconds, whole_seconds)
def test_short_sound_stays_whole_and_long_sound_is_heard_in_equal_windows_with_context(
    n_samples: int, window_s: float, context_s: float, whole_s: float
) -> None:
    total = frame_count(n_samples)
    keep, context, whole = (int(s * 16_000) // HOP for s in (window_s, context_s, whole_s))
    windows = cut(numbered(n_samples), window_s, context_s, whole_s)

    if total <= max(whole, keep + 2 * context):
        assert [len(window.samples) for window in windows] == [n_samples] * (total > 0)
        return
    for window in windows:
        rows = frame_count(len(window.samples))
        assert rows == keep + 2 * context, "no window is judged from less sound than the others"
        before = window.keep_from
        after = rows - window.keep_to
        first = window.first_frame + before
        assert before >= min(context, first)
        assert after >= min(context, total - (window.first_frame + window.keep_to))


@given(
    st.integers(0, 30_000),
    st.sampled_from([0.1, 0.3]),
    st.sampled_from([0.0, 0.04, 0.5]),
    st.sampled_from([0.0, 1.0]),
    st.lists(st.integers(1, 9_000), min_size=1, max_size=5),
)
def test_portions_of_any_size_give_the_same_windows(
    n_samples: int, window_s: float, context_s: float, whole_s: float, portions: list[int]
) -> None:
    whole = cut(numbered(n_samples), window_s, context_s, whole_s)
    pieces = cut(numbered(n_samples), window_s, context_s, whole_s, portions)

    assert len(whole) == len(pieces)
    for one, other in zip(whole, pieces, strict=True):
        assert (one.first_frame, one.keep_from, one.keep_to) == (
            other.first_frame,
            other.keep_from,
            other.keep_to,
        )
        np.testing.assert_array_equal(one.samples, other.samples)


def test_the_latest_sound_can_be_looked_at_before_its_window_is_settled() -> None:
    cutter = WindowCutter(window_s=0.1, context_s=0.04)
    sound = numbered(6_000)
    list(cutter.feed(sound))
    frame = cutter.given + 1
    window = cutter.latest(frame, 0.04)

    assert window is not None
    assert window.first_frame == frame - 2
    assert window.keep_from == 2
    assert window.first_frame + window.keep_to == frame_count(6_000)
    np.testing.assert_array_equal(window.samples, sound[window.first_frame * HOP :])
    assert cutter.latest(frame_count(6_000), 0.04) is None


def test_an_hour_holds_no_more_than_two_windows() -> None:
    cutter = WindowCutter(window_s=1.0, context_s=0.25)
    held = cutter._buffer.nbytes
    for _ in range(3_600):
        for window in cutter.feed(np.zeros(16_000, np.float32)):
            assert window.samples.nbytes <= held
    assert cutter._buffer.nbytes == held <= 4 * 16_000 * 2.6
    assert cutter.given >= 3_597 * 50


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
    for window in cut(samples, window_s, context_s, 0.0):
        (output,) = forward.run([window.samples])
        glued.append(output.logits[window.keep_from : window.keep_to])

    np.testing.assert_array_equal(np.concatenate(glued), whole.logits)
    assert len(np.unique(whole.logits[:, 3])) > 0.9 * len(whole.logits)
