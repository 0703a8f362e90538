"""Invariants of the result: what adds up, what covers, what comes back from JSON the same."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.events import Step
from emoscope.labels import EMOTIONS, KEYS
from emoscope.results.activity import Channel
from emoscope.results.quality import QUALITY_REASONS, Quality
from emoscope.results.result import GRANULARITIES, SCHEMA_VERSION, ModelRef, Result, SourceRef
from emoscope.results.scores import Scores
from emoscope.results.segments import Segment
from emoscope.results.track import Track
from emoscope.waveform import FRAME_S, HOP_S

logit_rows = st.lists(st.floats(-30, 30, width=32), min_size=9, max_size=9)
seeds = st.integers(0, 2**32 - 1)


def track_of(seed: int, frames: int, *, strength: float = 3.0, hold: int = 1) -> Track:
    """A random track in which each row stays for ``hold`` frames."""
    rows = np.random.default_rng(seed).standard_normal((-(-frames // hold), 9)) * strength
    return Track(np.repeat(rows, hold, axis=0)[:frames].astype(np.float32))


def with_pauses(track: Track, seed: int) -> Track:
    """The same with silence in some of its rows."""
    rng = np.random.default_rng(seed)
    speech = np.repeat(rng.random(len(track) // 20 + 1) < 0.6, 20)[: len(track)]
    return Track(track.logits, speech)


def duration_of(track: Track, extra_samples: int = 0) -> float:
    """Seconds of a clip that has this many frames; up to 319 samples are too few for one more."""
    return ((len(track) - 1) * 320 + 400 + extra_samples) / 16_000


# --- Scores ---------------------------------------------------------------------------------------


@given(logit_rows)
def test_scores_of_any_logits_sum_to_one(logits: list[float]) -> None:
    scores = Scores.from_logits(np.array(logits, np.float32))

    assert abs(math.fsum(scores.values) - 1) <= 1e-6
    assert scores.top.index == int(np.argmax(scores.values))
    assert scores.confidence == max(scores.to_dict().values())
    assert 0 <= scores.margin <= scores.confidence


def test_logits_far_apart_do_not_overflow() -> None:
    scores = Scores.from_logits(np.array([1e30, -1e30, *[0] * 7], np.float32))

    assert scores.values.tolist() == [1.0, *[0.0] * 8]


@given(logit_rows)
def test_the_shown_percentages_add_up_and_keep_the_ranks(logits: list[float]) -> None:
    """Nine numbers with one decimal that add up to 100.0 exactly; no two change places."""
    scores = Scores.from_logits(np.array(logits, np.float32))
    shown = [Decimal(f"{number:.1f}") for number in scores.percentages()]

    assert sum(shown) == Decimal("100.0")
    for number, text in zip(scores.percentages(), shown, strict=True):
        assert number == float(text)
    for (one, a), (other, b) in pairwise(zip(scores.values, shown, strict=True)):
        assert abs(float(a) - one * 100) < 0.1
        assert abs(float(b) - other * 100) < 0.1
    by_score = sorted(zip(scores.values, shown, strict=True))
    assert all(b >= a for (x, a), (y, b) in pairwise(by_score) if x < y)


@given(st.lists(st.integers(0, 1000), min_size=9, max_size=9).filter(any))
def test_percentages_of_scores_with_equal_parts_add_up_too(parts: list[int]) -> None:
    """Ties, zeros and exact tenths, where rounding is most likely to be a tenth off."""
    scores = Scores(np.array(parts, np.float64) / sum(parts))
    tenths = [round(number * 10) for number in scores.percentages()]

    assert sum(tenths) == 1000
    assert all(tenth >= 0 for tenth in tenths)
    for (part, tenth), (other, other_tenth) in pairwise(sorted(zip(parts, tenths, strict=True))):
        if part < other:
            assert tenth <= other_tenth


def test_ranked_is_largest_first_and_keeps_the_table_order_of_equals() -> None:
    scores = Scores(np.array([0.1, 0.2, 0.1, 0.3, 0.1, 0.0, 0.2, 0.0, 0.0]))
    expected = "happy disgusted sad angry fearful neutral other surprised unknown"

    assert " ".join(emotion.key for emotion, _ in scores.ranked()) == expected
    assert [score for _, score in scores.ranked()] == sorted(scores.values, reverse=True)
    assert scores.margin == pytest.approx(0.1)


@pytest.mark.parametrize(
    "values",
    [
        np.full(8, 1 / 8),
        np.full((1, 9), 1 / 9),
        np.full(9, 0.1),
        np.array([math.nan, 1, 0, 0, 0, 0, 0, 0, 0]),
        np.array([math.inf, 1, 0, 0, 0, 0, 0, 0, 0]),
        np.array([1.5, -0.5, 0, 0, 0, 0, 0, 0, 0]),
    ],
    ids=["eight", "two axes", "sum 0.9", "nan", "inf", "negative"],
)
def test_numbers_that_are_no_scores_are_refused(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="scores"):
        Scores(values)


# --- Track ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(0, 9), (5, 8), (9,), (1, 5, 9)])
def test_a_track_has_rows_of_nine(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="track"):
        Track(np.zeros(shape, np.float32))


@given(seeds, st.integers(1, 400))
def test_the_mean_of_the_frame_logits_is_the_logit_of_the_clip(seed: int, frames: int) -> None:
    """The mean over frames: averaging comes before the softmax, never after."""
    track = track_of(seed, frames)
    mean = track.logits.astype(np.float64).sum(axis=0) / frames
    expected = np.exp(mean) / np.exp(mean).sum()

    np.testing.assert_allclose(track.utterance.values, expected, rtol=1e-12)


@given(seeds, st.integers(1, 400), st.sampled_from(EMOTIONS))
def test_attribution_sums_to_the_logit_of_the_class(seed: int, frames: int, emotion) -> None:  # type: ignore[no-untyped-def]
    """What each frame adds, and all of it."""
    track = track_of(seed, frames)
    parts = track.attribution(emotion)

    assert parts.shape == (frames,)
    logit = track.logits[:, emotion.index].mean(dtype=np.float64)
    assert math.fsum(parts) == pytest.approx(logit, rel=1e-12, abs=1e-12)


@given(seeds, st.integers(1, 300), st.sampled_from([0.0, 0.02, 0.04, 0.1, 0.6, 3.0, 60.0]))
def test_smoothed_rows_sum_to_one_and_average_what_is_there(
    seed: int, frames: int, seconds: float
) -> None:
    track = track_of(seed, frames)
    curve = track.smoothed(seconds)
    half = round(seconds / HOP_S) // 2

    assert curve.shape == (frames, 9)
    np.testing.assert_allclose(curve.sum(axis=1), 1, atol=1e-9)
    for at in {0, frames // 2, frames - 1}:
        around = track.scores[max(0, at - half) : at + half + 1].mean(axis=0)
        np.testing.assert_allclose(curve[at], around, atol=1e-9)


def test_smoothing_by_nothing_changes_nothing() -> None:
    track = track_of(1, 50)

    np.testing.assert_allclose(track.smoothed(0.0), track.scores, atol=1e-12)


# --- Result and JSON ------------------------------------------------------------------------------

qualities = st.builds(
    Quality,
    level_dbfs=st.floats(-100, 0),
    peak=st.floats(0, 1),
    clipped_share=st.floats(0, 1),
    snr_db=st.none() | st.floats(0, 100),
    bandwidth_hz=st.floats(0, 8_000),
    speech_share=st.floats(0, 1),
    reasons=st.lists(st.sampled_from(QUALITY_REASONS), unique=True).map(tuple),
)
# Local mean times of the nineteenth century have seconds; zones since then whole minutes.
zones = st.integers(-23 * 3600 - 59 * 60, 23 * 3600 + 59 * 60).map(
    lambda seconds: timezone(timedelta(seconds=seconds))
)
EARLIEST, LATEST = datetime(1971, 1, 1), datetime(2199, 1, 1)  # noqa: DTZ001 - zones follow
moments = st.datetimes(EARLIEST, LATEST, timezones=zones)
steps = st.lists(
    st.builds(
        Step,
        st.text(min_size=1, max_size=9),
        st.floats(0, 1e6),
        st.dictionaries(st.text(max_size=9), st.integers() | st.text(max_size=9), max_size=3),
    ),
    max_size=4,
).map(tuple)
tracks = st.builds(track_of, seeds, st.integers(1, 40), strength=st.floats(0, 20))


@st.composite
def results(draw: st.DrawFn) -> Result:
    track = draw(tracks)
    if draw(st.booleans()):
        track = with_pauses(track, draw(seeds))
    segments = track.segments(duration_of(track))
    granularity = draw(st.sampled_from(GRANULARITIES))
    by_frame = granularity == "frame"
    return Result(
        source=SourceRef(draw(st.text(max_size=20)), draw(st.none() | st.just("ab" * 32))),
        created=draw(moments),
        duration_s=duration_of(track),
        granularity=granularity,
        scores=track.utterance,
        quality=draw(qualities),
        model=ModelRef("compact", draw(st.text(max_size=9)), "cd" * 32),
        track=track if by_frame else None,
        segments=segments if by_frame else (),
        summary=track.summary(segments, duration_of(track)) if by_frame else None,
        abstain=draw(st.sampled_from([(), ("no_speech",), ("too_short", "no_speech")])),
        steps=draw(steps),
        versions={"numpy": np.__version__},
        channel=draw(st.sampled_from([None, Channel(1, 1, 0.5, 0.0), Channel(2, 2, 0.4, 0.1)])),
    )


@given(results())
def test_a_result_comes_back_from_its_json_text_the_same(result: Result) -> None:
    text = json.dumps(result.to_dict(), ensure_ascii=False, allow_nan=False)
    again = Result.from_dict(json.loads(text))

    assert again.to_dict() == result.to_dict()
    assert again.created == result.created
    assert again.created.utcoffset() == result.created.utcoffset()
    assert again.scores == result.scores
    assert again.track == result.track
    assert again.segments == result.segments
    assert again.summary == result.summary
    assert again.quality == result.quality
    assert again.steps == result.steps
    assert (again.source, again.model, again.abstain, again.versions, again.channel) == (
        result.source,
        result.model,
        result.abstain,
        result.versions,
        result.channel,
    )


@given(results())
def test_result_json_has_the_agreed_keys_with_the_agreed_meanings(result: Result) -> None:
    """The keys of ``result.json`` and their meaning."""
    data = result.to_dict()

    assert {"emotion", "confidence", "scores", "granularity", "timestamp"} <= data.keys()
    assert {"schema_version", "duration_s", "frames", "segments", "quality"} <= data.keys()
    assert {"model", "source", "versions", "created_utc"} <= data.keys()
    assert data["schema_version"] == SCHEMA_VERSION
    assert list(data["scores"]) == list(KEYS)
    assert abs(sum(data["scores"].values()) - 1) <= 1e-6
    assert data["confidence"] == max(data["scores"].values()) == data["scores"][data["emotion"]]
    assert data["timestamp"] == result.created.strftime("%Y-%m-%d %H:%M:%S")
    utc = datetime.fromisoformat(data["created_utc"])
    assert utc.utcoffset() == timedelta(0)
    assert utc == result.created
    frames = data["frames"]
    assert (frames is None) == (result.granularity == "utterance")
    if frames is not None:
        assert frames["count"] == len(frames["logits"]) == len(frames["scores"])
        assert (frames["hop_s"], frames["frame_s"]) == (HOP_S, FRAME_S)
        np.testing.assert_allclose(np.sum(frames["scores"], axis=1), 1, atol=1e-6)


def result_of(**changes: object) -> Result:
    """A plain result with some fields changed."""
    track = track_of(0, 10)
    plain = Result(
        source=SourceRef("x.wav", None),
        created=datetime(2024, 1, 4, 22, 30, tzinfo=timezone(timedelta(hours=8))),
        duration_s=duration_of(track),
        granularity="utterance",
        scores=track.utterance,
        quality=Quality(-20.0, 0.5, 0.0, None, 8_000.0, 1.0),
        model=ModelRef("fake", "1", "0" * 64),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_the_timestamp_is_the_local_time_of_the_run() -> None:
    data = result_of().to_dict()

    assert data["timestamp"] == "2024-01-04 22:30:00"
    assert data["created_utc"] == "2024-01-04T14:30:00.000000+00:00"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        result_of(created=datetime(2024, 1, 4))  # noqa: DTZ001 - that is the point


def test_json_of_a_later_schema_is_refused_and_not_misread() -> None:
    with pytest.raises(ValueError, match="schema_version 2"):
        Result.from_dict({**result_of().to_dict(), "schema_version": SCHEMA_VERSION + 1})


def test_the_embedding_stays_out_of_the_json_but_is_announced() -> None:
    embedding = np.arange(12, dtype=np.float32).reshape(4, 3)
    data = result_of(embedding=embedding).to_dict()

    assert data["embedding"] == {"shape": [4, 3], "dtype": "float32"}
    assert result_of().to_dict()["embedding"] is None
    assert Result.from_dict(data).embedding is None


def test_the_utterance_embedding_is_the_mean_over_time() -> None:
    """The mean over time. In float64: a float32 sum over hours of frames would drift."""
    embedding = np.full((200_000, 2), 0.1, np.float32)
    mean = result_of(embedding=embedding).utterance_embedding

    assert mean is not None
    assert mean.dtype == np.float32
    np.testing.assert_array_equal(mean, np.full(2, 0.1, np.float32))
    assert result_of().utterance_embedding is None


def test_a_segment_comes_back_from_its_dict() -> None:
    segment = Segment(0.5, 1.25, EMOTIONS[7], 0.625)

    assert Segment.from_dict(json.loads(json.dumps(segment.to_dict()))) == segment


def test_the_moment_of_a_result_survives_a_change_of_clocks() -> None:
    """02:30 happens twice when summer time ends; the offset tells which one it was."""
    for hours in (1, 2):
        created = datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=hours)))
        again = Result.from_dict(result_of(created=created).to_dict()).created
        assert again == created
        assert again.astimezone(UTC).hour == 2 - hours


EARLIER = sorted((Path(__file__).parent / "earlier").glob("*.json"))
"""Written by the programs of those days, over a model without weights."""


@pytest.mark.parametrize("path", EARLIER, ids=lambda path: path.stem)
def test_results_of_earlier_programs_are_read(path: Path) -> None:
    data = json.loads(path.read_text("utf-8"))

    result = Result.from_dict(data)

    assert result.emotion.key == data["emotion"]
    assert result.track is not None
    assert len(result.track) == data["frames"]["count"]
    assert result.summary is not None
    assert sum(result.summary.shares.values()) == pytest.approx(1, abs=1e-6)
    again = Result.from_dict(json.loads(json.dumps(result.to_dict())))
    assert again.scores.to_dict() == data["scores"]
    assert again.segments == result.segments


def test_there_are_results_of_before_the_summary() -> None:
    assert len(EARLIER) >= 8
    assert any("reading" not in json.loads(path.read_text("utf-8")) for path in EARLIER)
