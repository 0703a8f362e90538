from __future__ import annotations

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.waveform import RATE_HZ, Span, Waveform


def test_duration_follows_the_rate() -> None:
    assert Waveform(np.zeros(8_000, np.float32)).duration_s == 0.5
    assert Waveform(np.zeros(8_000, np.float32), 8_000).duration_s == 1.0
    assert Waveform(np.zeros(0, np.float32)).duration_s == 0.0


@pytest.mark.parametrize(
    "samples",
    [np.zeros(4, np.float64), np.zeros(4, np.int16), np.zeros((4, 1), np.float32), np.float32(0)],
    ids=["float64", "int16", "two axes", "no axis"],
)
def test_samples_of_another_kind_are_refused(samples: np.ndarray) -> None:
    with pytest.raises(ValueError, match="float32 of shape"):
        Waveform(np.asarray(samples))


@pytest.mark.parametrize("rate_hz", [0, -16_000])
def test_a_rate_is_positive(rate_hz: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        Waveform(np.zeros(4, np.float32), rate_hz)


def test_a_waveform_cannot_be_given_other_fields() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Waveform(np.zeros(4, np.float32)).rate_hz = 8_000  # type: ignore[misc]


@pytest.mark.parametrize(
    ("start_s", "end_s"), [(-0.1, 1.0), (2.0, 1.0), (math.nan, 1.0), (0.0, math.nan)]
)
def test_a_span_runs_forward_from_zero(start_s: float, end_s: float) -> None:
    with pytest.raises(ValueError, match="runs forward"):
        Span(start_s, end_s)


def test_spans_are_ordered_by_their_start() -> None:
    assert sorted([Span(2, 3), Span(0, 9), Span(0, 1)]) == [Span(0, 1), Span(0, 9), Span(2, 3)]


@given(
    n=st.integers(0, 50_000),
    cuts=st.lists(st.floats(0, 4), min_size=2, max_size=6).map(sorted),
)
def test_neighbouring_cuts_share_no_sample_and_lose_none(n: int, cuts: list[float]) -> None:
    """What one span ends before, the next begins with: at any place, on the grid or off it."""
    waveform = Waveform(np.arange(n, dtype=np.float32), name="x")
    pieces = [waveform.cut(Span(start_s, end_s)) for start_s, end_s in pairwise(cuts)]

    glued = np.concatenate([piece.samples for piece in pieces])
    whole = waveform.cut(Span(cuts[0], cuts[-1]))
    np.testing.assert_array_equal(glued, whole.samples)
    assert {piece.name for piece in pieces} == {"x"}


def test_missing_spans_lie_in_order_inside() -> None:
    for missing in (
        (Span(0.0, 1.5),),
        (Span(0.5, 0.6), Span(0.1, 0.2)),
        (Span(0.1, 0.3), Span(0.2, 0.4)),
    ):
        with pytest.raises(ValueError, match="missing spans"):
            Waveform(np.zeros(RATE_HZ, np.float32), missing=missing)


def test_a_cut_knows_what_is_missing_in_it() -> None:
    spans = (Span(0.0, 0.2), Span(0.5, 0.7), Span(0.9, 1.0))
    waveform = Waveform(np.zeros(RATE_HZ, np.float32), missing=spans)

    assert waveform.cut(Span(0.0, 1.0)).missing == spans
    first, last = waveform.cut(Span(0.1, 0.6)).missing
    assert (first.start_s, first.end_s) == pytest.approx((0.0, 0.1))
    assert (last.start_s, last.end_s) == pytest.approx((0.4, 0.5))
    assert waveform.cut(Span(0.2, 0.5)).missing == ()
    assert waveform.cut(Span(2.0, 3.0)).missing == ()


def test_a_cut_past_the_end_gives_what_is_there_without_copying() -> None:
    waveform = Waveform(np.arange(RATE_HZ, dtype=np.float32))
    piece = waveform.cut(Span(0.75, 5.0))

    assert len(piece.samples) == RATE_HZ // 4
    assert piece.samples[0] == 12_000
    assert np.shares_memory(piece.samples, waveform.samples)
    assert len(waveform.cut(Span(2.0, 3.0)).samples) == 0
