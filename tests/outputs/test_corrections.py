"""A correction covers the recording, whatever is asked for; the model's answer stays."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.labels import KEYS
from emoscope.outputs.corrections import Corrected, read_correction, segments_of
from emoscope.results.result import Result
from emoscope.results.segments import smoothed_scores
from emoscope.results.track import Track
from raising import raises_code
from results import make_result

NOW = datetime(2024, 1, 4, 22, 30, tzinfo=UTC)


def framed(duration_s: float = 4.0) -> Result:
    rng = np.random.default_rng(0)
    frames = int((duration_s * 16_000 - 400) // 320) + 1
    track = Track(rng.normal(size=(frames, 9)).astype(np.float32))
    return make_result(
        duration_s=duration_s,
        granularity="frame",
        track=track,
        segments=track.segments(duration_s),
    )


def spoken(seed: int, quiet: list[tuple[int, int]]) -> Result:
    """Twenty seconds of slowly changing logits with stretches without speech."""
    rng = np.random.default_rng(seed)
    frames = (20 * 16_000 - 400) // 320 + 1
    logits = np.repeat(rng.normal(size=(frames // 60 + 1, 9)) * 2, 60, axis=0)[:frames]
    speech = np.ones(frames, np.bool_)
    for first, count in quiet:
        speech[first : first + count] = False
    track = Track(logits.astype(np.float32), speech)
    segments = track.segments(20.0)
    return make_result(duration_s=20.0, granularity="frame", track=track, segments=segments)


def row(start_s: float, end_s: float, emotion: str) -> dict[str, Any]:
    return {"start_s": start_s, "end_s": end_s, "emotion": emotion}


def test_a_label_and_a_border_can_change_and_the_rest_stays() -> None:
    result = framed()
    made = read_correction(result, [row(0, 1.5, "happy"), row(1.5, 4.0, "sad")], saved=NOW)

    applied = made.apply(result)

    assert [(s.span.start_s, s.span.end_s, s.emotion.key) for s in applied.segments] == [
        (0.0, 1.5, "happy"),
        (1.5, 4.0, "sad"),
    ]
    assert applied.scores == result.scores
    assert applied.track is not None
    smooth = smoothed_scores(applied.track.scores, np.ones(len(applied.track), np.bool_))
    assert applied.segments[0].score == pytest.approx(smooth[:75, 3].mean())


@given(
    seed=st.integers(0, 50),
    quiet=st.lists(st.tuples(st.integers(0, 999), st.integers(1, 120)), max_size=4),
    which=st.integers(0, 1_000),
)
def test_one_correction_leaves_the_other_segments_as_they_are(
    seed: int, quiet: list[tuple[int, int]], which: int
) -> None:
    result = spoken(seed, quiet)
    place = which % len(result.segments)
    raw = [row(s.start_s, s.end_s, s.emotion.key) for s in result.segments]
    before = raw[place]["emotion"]
    raw[place]["emotion"] = "sad" if before == "happy" else "happy"

    applied = read_correction(result, raw, saved=NOW).apply(result).segments

    assert [s.corrected for s in applied] == [at == place for at in range(len(applied))]
    assert applied[:place] == result.segments[:place]
    assert applied[place + 1 :] == result.segments[place + 1 :]
    assert not any(s.corrected for s in result.segments)


@given(
    seed=st.integers(0, 50),
    quiet=st.lists(st.tuples(st.integers(0, 999), st.integers(1, 120)), max_size=4),
)
def test_the_mean_of_a_corrected_segment_has_the_definition_of_the_others(
    seed: int, quiet: list[tuple[int, int]]
) -> None:
    result = spoken(seed, quiet)
    assert result.track is not None

    means = result.track.mean_scores(result.segments)

    for segment, mean in zip(result.segments, means, strict=True):
        if not segment.silent:
            assert mean[segment.emotion.index] == pytest.approx(segment.score, abs=1e-9)


def test_a_recording_without_a_time_axis_is_one_segment() -> None:
    result = make_result()
    (whole,) = segments_of(result)
    assert (whole.span.start_s, whole.span.end_s) == (0.0, result.duration_s)

    made = read_correction(result, [row(0, result.duration_s, "sad")], saved=NOW)

    assert made.segments[0].score == result.scores.to_dict()["sad"]
    assert made.to_dict(result)["segments"][0]["changed"] is True
    same = read_correction(result, [row(0, result.duration_s, "happy")], saved=NOW)
    assert same.to_dict(result)["segments"][0]["changed"] is False


def test_silence_is_a_label_too() -> None:
    result = framed()

    made = read_correction(result, [row(0, 1, "silence"), row(1, 4, "sad")], saved=NOW)

    assert made.segments[0].silent
    assert Corrected.from_dict(made.to_dict(result)) == made


@given(
    cuts=st.lists(st.integers(1, 199), unique=True, max_size=12),
    emotions=st.lists(st.sampled_from(KEYS), min_size=13, max_size=13),
)
def test_whatever_covers_the_recording_is_kept_and_read_back(
    cuts: list[int], emotions: list[str]
) -> None:
    """Also after three decimals, as the page sends them."""
    result = framed()
    borders = [0.0, *(round(cut * 0.02, 3) for cut in sorted(cuts)), 4.0]
    spans = zip(pairwise(borders), emotions, strict=False)
    raw = [row(*span, emotion) for span, emotion in spans]

    made = read_correction(result, raw, saved=NOW)
    again = Corrected.from_dict(made.to_dict(result))

    assert again == made
    assert made.segments[0].span.start_s == 0.0
    assert made.segments[-1].span.end_s == result.duration_s
    assert all(0 <= segment.score <= 1 for segment in made.segments)


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        {},
        [row(0, 4, "joy")],
        [row(0, 3, "sad")],
        [row(1, 4, "sad")],
        [row(0, 5, "sad")],
        [row(0, 2, "sad"), row(2.5, 4, "sad")],
        [row(0, 2.5, "sad"), row(2, 4, "sad")],
        [row(0, 2, "sad"), row(2, 2, "sad"), row(2, 4, "sad")],
        [row(0, 2, "sad"), row(2, 1, "sad"), row(1, 4, "sad")],
        [row(float("nan"), 4, "sad")],
        [row(0, float("nan"), "sad")],
        [row(0, float("inf"), "sad")],
        [{"start_s": 0, "end_s": 4}],
        [{"start_s": "zero", "end_s": 4, "emotion": "sad"}],
        [{"start_s": 0, "end_s": 4, "emotion": ["sad"]}],
        ["sad"],
    ],
)
def test_anything_else_is_refused(raw: object) -> None:
    with raises_code("correction_refused"):
        read_correction(framed(), raw, saved=NOW)
