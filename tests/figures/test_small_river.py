"""The small river is well-formed, small, and shows the shares that the result has."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from emoscope.figures.small_river import SMALL_HEIGHT, SMALL_WIDTH, small_river
from emoscope.results.result import Result
from emoscope.results.segments import Segment
from emoscope.results.track import Track
from results import make_result


def shown(result: Result, label: str = "") -> dict[str, str]:
    """Outline of each area, by the key of its emotion."""
    tree = ET.fromstring(small_river(result, label))  # noqa: S314 - we made it ourselves
    assert tree.get("viewBox") == f"0 0 {SMALL_WIDTH} {SMALL_HEIGHT}"
    return {path.get("class", "").removeprefix("emo-of-"): path.get("d", "") for path in tree}


def track_of(*stretches: tuple[int, int]) -> Track:
    """Pairs of an emotion's index and how many frames it leads."""
    rows = [np.eye(9)[index] for index, frames in stretches for _ in range(frames)]
    return Track((np.array(rows) * 12).astype(np.float32))


def framed(track: Track, seconds: float) -> Result:
    segments: tuple[Segment, ...] = track.segments(seconds)
    return make_result(duration_s=seconds, granularity="frame", track=track, segments=segments)


def edge(path: str) -> tuple[list[int], list[int]]:
    """Upper edge of an area: x and y of its points."""
    start, first = (int(part) for part in re.findall(r"V(\d+)H(\d+)", path)[0])
    steps = [(int(dx), int(dy)) for dx, dy in re.findall(r"l(-?\d+) (-?\d+)", path)]
    xs, ys = [first], [start]
    for dx, dy in steps:
        xs.append(xs[-1] + dx)
        ys.append(ys[-1] + dy)
    return xs, ys


def test_half_of_each_emotion_is_half_of_the_width() -> None:
    paths = shown(framed(track_of((3, 300), (0, 300)), 12.02))

    assert set(paths) == {"happy", "angry"}
    lower = list(paths)[-1]
    xs, ys = edge(paths[lower])
    led = [x for x, y in zip(xs, ys, strict=True) if y < SMALL_HEIGHT / 2]
    assert len(led) == pytest.approx(len(xs) / 2, abs=1)
    assert (max(led) < SMALL_WIDTH * 0.55) == (lower == "happy")


def test_areas_reach_from_the_floor_to_the_top_and_over_the_whole_width() -> None:
    paths = shown(framed(track_of((3, 100), (0, 200), (6, 150)), 9.02))
    xs, ys = edge(next(iter(paths.values())))

    assert set(ys) == {0}, "the area painted first is the highest"
    assert xs[0] < SMALL_WIDTH / 40
    for path in paths.values():
        assert path.startswith(f"M0 {SMALL_HEIGHT}V")
        assert path.endswith(f"H{SMALL_WIDTH}V{SMALL_HEIGHT}z")


def test_silence_is_left_blank() -> None:
    speech = np.array([True] * 200 + [False] * 200 + [True] * 200)
    track = Track(track_of((3, 600)).logits, speech)
    blank = shown(framed(track, 12.02))["silence"]

    first, last, _ = (int(x) for x in re.findall(r"[MH](\d+)", blank))
    assert first == pytest.approx(SMALL_WIDTH / 3, abs=SMALL_WIDTH / 40)
    assert last == pytest.approx(SMALL_WIDTH * 2 / 3, abs=SMALL_WIDTH / 40)


def test_a_result_without_a_track_is_one_block() -> None:
    paths = shown(make_result())

    assert list(paths) == ["neutral", "surprised", "happy"]
    (_, (happy,)) = edge(paths["happy"])
    assert happy == pytest.approx(SMALL_HEIGHT * (1 - 0.853 / 0.993), abs=1)


def test_one_frame_and_an_evil_label_are_drawn() -> None:
    text = small_river(framed(track_of((3, 1)), 0.03), label='"><script>')

    assert "<script" not in text
    assert 'role="img"' in text
    assert shown(framed(track_of((3, 1)), 0.03))


def test_it_stays_small() -> None:
    rng = np.random.default_rng(0)
    track = Track(rng.normal(0, 2, (5_000, 9)).astype(np.float32))

    assert len(small_river(framed(track, 100.02), "")) < 4_000
