"""Smoothing and merging for a view of a whole recording."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from emoscope.figures.glance import merged_segments, smoothed_rows, smoothing_s
from emoscope.labels import EMOTIONS, SILENCE
from emoscope.results.segments import Segment


def segments(*parts: tuple[float, float, int]) -> list[Segment]:
    """Segments of these emotions, by index; 9 is silence."""
    nine = (*EMOTIONS, SILENCE)
    return [Segment(start_s, end_s, nine[k], 0.5) for start_s, end_s, k in parts]


def told(parts: list[Segment], least_s: float) -> list[tuple[float, float, str]]:
    return [(m.start_s, m.end_s, m.emotion.key) for m in merged_segments(parts, least_s)]


def test_smoothing_grows_to_a_sixtieth_of_the_view() -> None:
    assert smoothing_s(4) == 0
    assert smoothing_s(600) == pytest.approx(10, abs=0.01)


def test_smoothed_scores_still_add_up_and_a_peak_is_spread() -> None:
    rows = np.tile(np.eye(9)[1], (40, 1))
    rows[20] = np.eye(9)[0]

    smooth = smoothed_rows(rows, np.zeros(40), 8)

    np.testing.assert_allclose(smooth.sum(axis=1), 1)
    assert smooth[:, 0].argmax() == 20
    assert 0.1 < smooth[20, 0] < 0.3
    np.testing.assert_array_equal(smoothed_rows(rows, np.zeros(40), 1), rows)


def test_silence_does_not_count() -> None:
    rows = np.tile(np.eye(9)[1], (8, 1))
    rows[[0, 1, 6, 7]] = np.eye(9)[0]
    quiet = np.array([0, 0, 1, 1, 1, 1, 0, 0], dtype=np.float64)

    assert smoothed_rows(rows, quiet, 8)[:, 0].min() > 0.98


def test_a_short_segment_between_long_ones_joins_the_longer() -> None:
    parts = segments((0, 10, 3), (10, 11, 6), (11, 30, 2), (30, 31, 0), (31, 40, 6))

    assert told(parts, 5) == [(0, 10, "happy"), (10, 31, "fearful"), (31, 40, "sad")]
    assert len(told(parts, 0.5)) == 5


def test_short_ones_in_a_row_are_named_after_most_of_them() -> None:
    parts = segments((0, 20, 3), (20, 22, 6), (22, 23, 0), (23, 26, 6), (26, 50, 3))

    assert told(parts, 5) == [(0, 20, "happy"), (20, 26, "sad"), (26, 50, "happy")]


def test_a_bar_code_becomes_few_stretches_without_gaps() -> None:
    parts = segments(*((i * 2.5, (i + 1) * 2.5, i * 7 % 9) for i in range(237)))

    made = merged_segments(parts, 10)

    assert 20 < len(made) <= 60
    assert (made[0].start_s, made[-1].end_s) == (0, 592.5)
    assert all(one.end_s == two.start_s for one, two in pairwise(made))
    assert all(one.duration_s >= 10 for one in made)


def test_a_pause_names_a_stretch_only_where_speech_is_rare() -> None:
    assert told(segments((0, 2, 3), (2, 5, 9), (5, 7, 3)), 8) == [(0, 7, "happy")]
    assert told(segments((0, 1, 3), (1, 30, 9), (30, 31, 3)), 8) == [(0, 31, "silence")]
