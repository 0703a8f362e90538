"""Every level shows the same recording: extremes of extremes, means of means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.figures.pyramid import FINEST, SMOOTHING_S, TILE, Curve, curve_of
from emoscope.labels import EMOTIONS, SILENCE
from emoscope.results.result import Result
from emoscope.results.segments import Segment
from emoscope.results.track import Track
from emoscope.waveform import Waveform
from results import make_result


def result_of(samples: np.ndarray, *, seed: int = 0, track: bool = True) -> Result:
    frames = max(1, (len(samples) - 400) // 320 + 1)
    logits = np.random.default_rng(seed).normal(0, 3, (frames, 9)).astype(np.float32)
    return make_result(
        duration_s=len(samples) / 16_000,
        granularity="frame" if track else "utterance",
        track=Track(logits) if track else None,
    )


def curve(samples: np.ndarray, **more: object) -> Curve:
    return curve_of(result_of(samples, **more), Waveform(samples.astype(np.float32)))  # type: ignore[arg-type]


def noise(seconds: float, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * 16_000))


@pytest.mark.parametrize("seconds", [0.025, 0.31, 5, 20.48, 20.5, 90])
def test_the_top_level_is_one_tile_of_the_whole_and_all_tiles_join(seconds: float) -> None:
    made = curve(noise(seconds))

    whole = made.tile(made.top, 0)
    assert whole is not None
    assert made.tile(made.top, 1) is None
    assert made.tile(made.top + 1, 0) is None
    for level in range(FINEST, made.top + 1):
        tiles = []
        while tile := made.tile(level, len(tiles)):
            tiles.append(tile)
        columns = sum(len(tile["low"]) for tile in tiles)
        assert columns == -(-round(seconds * 16_000) // round(320 * 2.0**level))
        assert all(len(tile["low"]) == TILE for tile in tiles[:-1])
        if level >= 0:
            assert sum(len(tile["scores"]) for tile in tiles) == 9 * columns


@given(size=st.integers(400, 40_000), pieces=st.integers(1, 5), seed=st.integers(0, 9))
def test_sound_in_pieces_makes_the_same_curve(size: int, pieces: int, seed: int) -> None:
    samples = noise(size / 16_000, seed).astype(np.float32)
    result = result_of(samples)

    whole = curve_of(result, Waveform(samples))
    parts = curve_of(result, np.array_split(samples, pieces))

    for level in range(FINEST, whole.top + 1):
        assert whole.tile(level, 0) == parts.tile(level, 0)


def test_the_extremes_of_a_column_are_those_of_its_samples() -> None:
    samples = noise(60)
    samples[100_000] = -0.9
    made = curve(samples)

    for level in (FINEST, 0, made.top):
        width = round(320 * 2.0**level)
        low = np.minimum.reduceat(samples, np.arange(0, len(samples), width))
        shown = np.concatenate(made.lows[level - FINEST : level - FINEST + 1]) / 127 * 0.9
        assert np.abs(low - shown).max() < 0.9 / 127
        assert shown[100_000 // width] == pytest.approx(-0.9)


def test_the_scores_of_a_level_are_the_means_of_the_smoothed_frames() -> None:
    samples = noise(80)
    result = result_of(samples)
    made = curve_of(result, Waveform(samples.astype(np.float32)))
    assert result.track is not None
    smooth = result.track.smoothed(SMOOTHING_S)

    assert np.abs(made.scores[0][: len(smooth)] / 1000 - smooth).max() <= 0.0006
    whole = len(smooth) // 4 * 4
    means = smooth[:whole].reshape(-1, 4, 9).mean(axis=1)
    assert np.abs(made.scores[2][: whole // 4] / 1000 - means).max() <= 0.0006


def test_silence_is_silence_and_a_breath_is_none() -> None:
    samples = noise(6)
    samples[32_000:64_000] *= 1e-3  # two seconds
    samples[80_000:82_000] *= 1e-3  # an eighth of a second
    made = curve(samples)

    quiet = np.flatnonzero(made.quiet[0])
    assert abs(quiet[0] * 0.02 - 2.0) <= 0.02
    assert abs(quiet[-1] * 0.02 - 3.98) <= 0.02
    assert len(quiet) == quiet[-1] - quiet[0] + 1


def test_steady_sound_is_no_silence_and_digital_silence_is() -> None:
    assert not curve(noise(3)).quiet[0].any()
    assert curve(np.zeros(48_000)).quiet[0].all()


def test_where_nothing_leads_there_is_doubt() -> None:
    logits = np.zeros((200, 9), np.float32)
    logits[100:, 3] = 9
    made = curve_of(
        make_result(duration_s=4.0, granularity="frame", track=Track(logits)),
        Waveform(noise(4).astype(np.float32)),
    )

    assert made.doubt[0][:90].all()
    assert not made.doubt[0][110:].any()


def test_a_result_that_abstains_is_in_doubt_throughout() -> None:
    samples = noise(3).astype(np.float32)

    made = curve_of(make_result(duration_s=3.0, abstain=("no_speech",)), Waveform(samples))

    assert made.doubt[0].all()
    tile = made.tile(made.top, 0)
    assert tile is not None
    assert tile["scores"] is None


@pytest.mark.parametrize("place", [(-5, 0), (99, 0), (0, -1), (0, 10**9)])
def test_no_tile_is_no_error(place: tuple[int, int]) -> None:
    assert curve(noise(1)).tile(*place) is None


def test_where_speech_was_looked_for_its_silences_are_the_silence() -> None:
    samples = noise(4).astype(np.float32)
    logits = np.zeros((199, 9), np.float32)
    segments = (
        Segment(0.0, 1.0, EMOTIONS[3], 0.9),
        Segment(1.0, 3.0, SILENCE, 0.0),
        Segment(3.0, 4.0, EMOTIONS[3], 0.9),
    )
    result = make_result(
        duration_s=4.0,
        granularity="frame",
        track=Track(logits, np.ones(199, dtype=bool)),
        segments=segments,
    )

    quiet = np.flatnonzero(curve_of(result, Waveform(samples)).quiet[0])

    assert (quiet[0], quiet[-1], len(quiet)) == (50, 149, 100)
