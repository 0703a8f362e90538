"""Track summary: shares add up, key moments are where they should be."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.labels import EMOTIONS, KEYS, SILENCE, by_key
from emoscope.results.segments import Segment
from emoscope.results.summary import (
    MOMENT_S,
    MOMENTS,
    TrackSummary,
    emotions_in_turn,
    moments,
    summarize_track,
)
from emoscope.results.track import Track
from emoscope.waveform import HOP_S

lengths = st.lists(
    st.tuples(st.floats(0.1, 20.0), st.sampled_from([*EMOTIONS, SILENCE])), min_size=1, max_size=12
)


def segments_of(parts: list[tuple[float, object]]) -> tuple[Segment, ...]:
    """Segments of these lengths, in a row."""
    borders = np.cumsum([0.0, *(length_s for length_s, _ in parts)])
    return tuple(
        Segment(float(start_s), float(end_s), emotion, 0.5)  # type: ignore[arg-type]
        for start_s, end_s, (_, emotion) in zip(borders, borders[1:], parts, strict=False)
    )


@given(lengths)
def test_shares_sum_to_one_and_are_the_time_of_each(parts: list[tuple[float, object]]) -> None:
    """Shares, with silence, sum to 1."""
    segments = segments_of(parts)
    total_s = segments[-1].span.end_s
    summary = summarize_track(segments, np.ones(5), total_s)

    assert list(summary.shares) == [*KEYS, "silence"]
    assert math.fsum(summary.shares.values()) == pytest.approx(1, abs=1e-9)
    quiet_s = sum(length_s for length_s, emotion in parts if emotion is SILENCE)
    assert summary.shares["silence"] == pytest.approx(quiet_s / total_s)


@given(lengths)
def test_stability_is_one_for_one_emotion_and_falls_with_more(
    parts: list[tuple[float, object]],
) -> None:
    segments = segments_of(parts)
    summary = summarize_track(segments, np.ones(5), segments[-1].span.end_s)
    shown = {segment.emotion.key for segment in segments if not segment.silent}

    if not shown:
        assert summary.concentration is None
        return
    assert summary.concentration is not None
    assert 1 / len(shown) - 1e-9 <= summary.concentration <= 1
    assert (summary.concentration == pytest.approx(1)) == (len(shown) == 1)


def test_transitions_are_changes_of_emotion_also_across_a_silence() -> None:
    happy, sad = by_key("happy"), by_key("sad")
    segments = segments_of(
        [(1.0, happy), (1.0, SILENCE), (1.0, happy), (2.0, sad), (1.0, SILENCE), (1.0, happy)]
    )
    found = summarize_track(segments, np.ones(5), 7.0).transitions

    assert [(t.at_s, t.before, t.after) for t in found] == [(3.0, happy, sad), (6.0, sad, happy)]


@given(st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_attribution_is_exact(seed: int, frames: int) -> None:
    """What the frames add is the logit of the answer."""
    logits = np.random.default_rng(seed).standard_normal((frames, 9)).astype(np.float32)
    track = Track(logits)
    duration_s = ((frames - 1) * 320 + 400) / 16_000
    summary = track.summary(track.segments(duration_s), duration_s)
    index = track.utterance.top.index

    assert summary.logit == pytest.approx(logits[:, index].mean(dtype=np.float64), abs=1e-9)
    parts = track.attribution(track.utterance.top)
    for moment in summary.moments:
        first = round(moment.span.start_s / HOP_S)
        width = min(frames, round(MOMENT_S / HOP_S))
        assert moment.logit == pytest.approx(parts[first : first + width].sum(), abs=1e-12)
        assert moment.span.end_s <= duration_s
    ranked = [moment.logit for moment in summary.moments]
    assert ranked == sorted(ranked, reverse=True)
    assert 1 <= len(summary.moments) <= MOMENTS


def test_the_moments_are_where_it_was_loudest_said() -> None:
    parts = np.zeros(500)
    parts[100:125], parts[300:325], parts[400:425] = 2.0, 3.0, 1.0
    starts = [moment.span.start_s for moment in moments(parts, 10.005)]

    assert starts == pytest.approx([6.0, 2.0, 8.0])


@given(st.integers(1, 400), st.integers(0, 2**32 - 1))
def test_moments_do_not_overlap(frames: int, seed: int) -> None:
    parts = np.random.default_rng(seed).standard_normal(frames)
    spans = sorted(m.span for m in moments(parts, (frames - 1) * HOP_S + 0.025))

    for one, two in pairwise(spans):
        assert one.end_s <= two.start_s + 1e-9


def test_a_reading_comes_back_from_its_dict() -> None:
    happy, sad = by_key("happy"), by_key("sad")
    summary = summarize_track(segments_of([(1.0, happy), (2.0, sad)]), np.arange(140.0), 3.0)

    assert TrackSummary.from_dict(summary.to_dict()) == summary


def test_emotions_in_turn_skip_silence_and_repetition() -> None:
    sad, happy = by_key("sad"), by_key("happy")
    segments = segments_of([(1, sad), (1, SILENCE), (1, sad), (2, happy), (1, SILENCE), (1, sad)])

    assert emotions_in_turn(segments) == (sad, happy, sad)
    assert emotions_in_turn(segments_of([(1, SILENCE)])) == ()
