"""Rows become segments that cover the recording, hold out against flicker and know silence."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.labels import EMOTIONS, SILENCE
from emoscope.results.scores import softmax
from emoscope.results.segments import DEFAULT_RULES, Segment, SegmentReader, SegmentRules
from emoscope.waveform import HOP_S, Span

seeds = st.integers(0, 2**32 - 1)
rules = st.builds(
    SegmentRules,
    smoothing_s=st.sampled_from([0.0, 0.1, 0.6]),
    minimum_s=st.floats(0.0, 1.5) | st.sampled_from([0.02, 0.05, 0.14, 0.5, 0.51, 0.53]),
    margin=st.sampled_from([0.0, 0.05, 0.3]),
    pause_s=st.sampled_from([0.3, 0.35, 0.7, 2.0]),
    sound_s=st.sampled_from([0.0, 0.1, 0.5]),
)


def rows_of(seed: int, frames: int, *, hold: int = 1, strength: float = 3.0) -> np.ndarray:
    """Random scores in which each row stays for ``hold`` frames."""
    logits = np.random.default_rng(seed).standard_normal((-(-frames // hold), 9)) * strength
    return softmax(np.repeat(logits, hold, axis=0)[:frames])


def speech_of(seed: int, frames: int, *, hold: int = 1, share: float = 0.7) -> np.ndarray:
    draws = np.random.default_rng(seed).random(-(-frames // hold)) < share
    return np.repeat(draws, hold)[:frames]


def seconds(frames: int, extra_samples: int = 0) -> float:
    """Length of a clip that has this many frames."""
    return ((frames - 1) * 320 + 400 + extra_samples) / 16_000


def segments_of(
    scores: np.ndarray, speech: np.ndarray | None = None, rules: SegmentRules = DEFAULT_RULES
) -> list[Segment]:
    reader = SegmentReader(rules)
    speech = np.ones(len(scores), np.bool_) if speech is None else speech
    return reader.feed(scores, speech) + reader.finish(seconds(len(scores)))


def steady(*parts: tuple[int, int]) -> np.ndarray:
    """Rows for (emotion's index, frames) in a row."""
    logits = np.concatenate([np.tile(np.eye(9)[index] * 4, (frames, 1)) for index, frames in parts])
    return softmax(logits)


# --- invariants --------------------------------------------------------------------------------


@given(
    seeds, st.integers(1, 400), st.integers(1, 60), st.integers(1, 60), st.integers(0, 319), rules
)
def test_segments_cover_the_recording_once(
    seed: int, frames: int, hold: int, pause: int, extra_samples: int, rules: SegmentRules
) -> None:
    """[0, duration] without gap or overlap, and nothing short beside another emotion."""
    reader = SegmentReader(rules)
    duration_s = seconds(frames, extra_samples)
    segments = reader.feed(rows_of(seed, frames, hold=hold), speech_of(seed, frames, hold=pause))
    segments += reader.finish(duration_s)

    assert segments[0].span.start_s == 0
    assert segments[-1].span.end_s == duration_s
    for one, two in pairwise(segments):
        assert one.span.end_s == two.span.start_s
        assert one.emotion is not two.emotion
    for before, one, after in zip(
        [None, *segments[:-1]], segments, [*segments[1:], None], strict=True
    ):
        beside_another = any(near is not None and not near.silent for near in (before, after))
        if one.silent and before is not None and after is not None:
            assert one.span.duration_s >= rules.pause_s - 1e-9
        if not one.silent and beside_another:
            assert one.span.duration_s >= rules.minimum_s - 1e-9
        assert one.score is None if one.silent else 0 < one.score <= 1


@given(seeds, st.integers(1, 300), st.integers(1, 40), rules, st.data())
def test_portions_of_any_size_give_the_same_segments_bit_by_bit(
    seed: int, frames: int, hold: int, rules: SegmentRules, data: st.DataObject
) -> None:
    """What makes a stream and a file equal."""
    scores, speech = rows_of(seed, frames, hold=hold), speech_of(seed + 1, frames, hold=20)
    reader, given_ = SegmentReader(rules), []
    at = 0
    while at < frames:
        size = data.draw(st.sampled_from([1, 2, 7, 50, 299]))
        given_ += reader.feed(scores[at : at + size], speech[at : at + size])
        at += size
    given_ += reader.finish(seconds(frames))

    assert given_ == segments_of(scores, speech, rules)


@given(seeds, st.integers(2, 300), st.integers(1, 40), st.integers(0, 500), rules)
def test_silence_before_the_sound_moves_the_segments_and_does_no_more(
    seed: int, frames: int, hold: int, more: int, rules: SegmentRules
) -> None:
    """Equivariance under a shift in time."""
    scores, speech = rows_of(seed, frames, hold=hold), speech_of(seed, frames, hold=20)
    speech[0] = True
    late = math.ceil(rules.pause_s / HOP_S) + more
    plain = segments_of(scores, speech, rules)
    silence = rows_of(seed + 1, late)
    moved = segments_of(
        np.vstack([silence, scores]), np.concatenate([np.zeros(late, np.bool_), speech]), rules
    )
    if plain[0].silent or len(plain) == 1:
        return  # a click at the very beginning, which is judged by what stands before it

    assert moved[0].silent
    assert [(s.emotion, s.score) for s in moved[1:]] == [(s.emotion, s.score) for s in plain]
    for one, two in zip(plain, moved[1:], strict=True):
        assert two.span.start_s == pytest.approx(one.span.start_s + late * HOP_S, abs=1e-9)


# --- hysteresis -----------------------------------------------------------------------------------


def test_a_segment_shows_what_leads_in_it_with_its_mean_score() -> None:
    first, last = segments_of(steady((3, 100), (6, 100)), rules=SegmentRules(smoothing_s=0.0))

    assert (first.emotion.key, last.emotion.key) == ("happy", "sad")
    assert first.span == Span(0.0, 2.0)
    assert first.score == pytest.approx(math.exp(4) / (math.exp(4) + 8))


def test_smoothing_leaves_a_border_where_it_was() -> None:
    first, _ = segments_of(steady((3, 100), (6, 100)))

    assert first.span.end_s == pytest.approx(2.0, abs=HOP_S)


def test_a_short_flicker_is_no_segment() -> None:
    scores = steady((3, 100), (4, 20), (3, 80), (6, 100))

    keys = [s.emotion.key for s in segments_of(scores, rules=SegmentRules(smoothing_s=0.0))]
    assert keys == ["happy", "sad"]


def test_a_narrow_lead_is_not_enough() -> None:
    scores = steady((3, 100))
    close = np.full((100, 9), 0.01)
    close[:, 3], close[:, 6] = 0.45, 0.48
    rows = np.vstack([scores, close])

    assert len(segments_of(rows, rules=SegmentRules(margin=0.05))) == 1
    assert len(segments_of(rows, rules=SegmentRules(margin=0.02))) == 2


@pytest.mark.parametrize("minimum_s", [0.05, 0.09, 0.13, 0.53])
def test_a_minimum_between_two_frames_is_rounded_up(minimum_s: float) -> None:
    """0.05 s is two and a half frames: a stretch of two would be shorter than was asked for."""
    scores = rows_of(5, 800, strength=9.0, hold=math.floor(minimum_s / HOP_S))
    segments = segments_of(scores, rules=SegmentRules(smoothing_s=0.0, minimum_s=minimum_s))

    assert len(segments) > 1
    assert min(segment.span.duration_s for segment in segments) >= minimum_s - 1e-9


def test_one_emotion_throughout_is_one_segment_however_short() -> None:
    (segment,) = segments_of(steady((2, 3)))

    assert segment.emotion.key == "fearful"
    assert segment.span == Span(0.0, seconds(3))


# --- silence --------------------------------------------------------------------------------------


def voiced(*parts: tuple[bool, int]) -> np.ndarray:
    return np.concatenate([np.full(frames, speaks) for speaks, frames in parts])


def test_a_pause_gets_no_emotion_and_a_breath_does() -> None:
    speech = voiced((True, 50), (False, 40), (True, 50), (False, 20), (True, 50))
    segments = segments_of(steady((3, 210)), speech)

    assert [s.emotion.key for s in segments] == ["happy", "silence", "happy"]
    assert segments[1].emotion is SILENCE
    assert segments[1].span == Span(50 * HOP_S, 90 * HOP_S)


@pytest.mark.parametrize("pause", [1, 2, 15, 34])
def test_a_short_pause_belongs_half_to_each_side(pause: int) -> None:
    """Neither emotion's share is lengthened by all of it."""
    speech = voiced((True, 100), (False, pause), (True, 100))
    one, two = segments_of(
        steady((3, 100 + pause // 2), (6, 200 + pause - 100 - pause // 2)), speech
    )

    assert (one.emotion.key, two.emotion.key) == ("happy", "sad")
    assert one.span == Span(0.0, (100 + pause - pause // 2) * HOP_S)
    assert two.span == Span(one.end_s, seconds(200 + pause))


def test_rows_of_silence_do_not_colour_the_speech_beside_them() -> None:
    """A model says something about silence too; it must not count."""
    scores = steady((3, 50), (6, 60), (3, 50))
    speech = voiced((True, 50), (False, 60), (True, 50))
    segments = segments_of(scores, speech)

    assert [s.emotion.key for s in segments] == ["happy", "silence", "happy"]
    assert segments[0].score == pytest.approx(math.exp(4) / (math.exp(4) + 8))


def test_a_click_in_silence_is_silence() -> None:
    speech = voiced((False, 60), (True, 3), (False, 60), (True, 50))
    segments = segments_of(steady((3, 173)), speech)

    assert [s.emotion.key for s in segments] == ["silence", "happy"]


def test_nothing_but_silence_is_one_silence() -> None:
    (segment,) = segments_of(steady((3, 90)), np.zeros(90, np.bool_))

    assert segment.silent
    assert segment.span == Span(0.0, seconds(90))


def test_short_pauses_at_both_ends_belong_to_the_speech() -> None:
    speech = voiced((False, 20), (True, 50), (False, 20))
    (segment,) = segments_of(steady((3, 90)), speech)

    assert segment.emotion.key == "happy"
    assert segment.span == Span(0.0, seconds(90))


def test_the_open_segment_can_be_asked_for() -> None:
    reader = SegmentReader()
    assert reader.now == (SILENCE, 0.0)
    reader.feed(steady((3, 80)), np.ones(80, np.bool_))
    assert reader.now == (EMOTIONS[3], 0.0)
    reader.feed(steady((6, 120)), np.ones(120, np.bool_))
    emotion, since_s = reader.now
    assert emotion is EMOTIONS[6]
    assert since_s == pytest.approx(1.6, abs=HOP_S)
    reader.feed(steady((6, 60)), np.zeros(60, np.bool_))
    assert reader.now[0] is SILENCE


# --- what cannot be ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given_",
    [{"smoothing_s": -0.1}, {"minimum_s": math.nan}, {"margin": 1.5}, {"pause_s": 0.1}],
)
def test_rules_that_make_no_sense_are_refused(given_: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"rules|pause_s"):
        SegmentRules(**given_)


def test_no_rows_are_no_segments() -> None:
    with pytest.raises(ValueError, match="row"):
        SegmentReader().finish(1.0)
