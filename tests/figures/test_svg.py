"""The picture is well-formed SVG in the languages that were asked for, and small."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from emoscope.figures import svg
from emoscope.figures.pyramid import curve_of
from emoscope.labels import EMOTIONS
from emoscope.results.result import Result
from emoscope.results.segments import Segment
from emoscope.results.summary import Moment
from emoscope.results.track import Track
from emoscope.waveform import Waveform
from results import make_result

QUIET: svg.Words = {"zh": "静音", "en": "Silence"}
DOUBT: svg.Words = {"zh": "难以判断", "en": "Uncertain"}
EVIL = "<script>alert(1)</script>\"'&.wav"


def framed(seconds: float) -> tuple[Result, Waveform]:
    rng = np.random.default_rng(0)
    samples = rng.uniform(-0.3, 0.3, round(seconds * 16_000)).astype(np.float32)
    samples[len(samples) // 3 : len(samples) // 2] = 0
    track = Track(rng.normal(0, 2, ((len(samples) - 400) // 320 + 1, 9)).astype(np.float32))
    segments = track.segments(seconds)
    result = make_result(duration_s=seconds, granularity="frame", track=track, segments=segments)
    return result, Waveform(samples)


def read(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - we made it ourselves


def drawn(result: Result, sound: Waveform, *, title: str = "x.wav", **more: object) -> str:
    curve = curve_of(result, sound)
    return svg.svg(result, curve, title=title, quiet=QUIET, doubt=DOUBT, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [0.05, 1.3, 20.0, 400.0])
def test_it_is_well_formed_and_small_at_every_length(seconds: float) -> None:
    text = drawn(*framed(seconds))

    assert read(text).tag.endswith("svg")
    assert len(text) < 250_000  # of noise, which is the longest
    assert "nan" not in text


@pytest.mark.parametrize(
    ("languages", "words"),
    [
        (("zh",), ["愤怒", "静音"]),
        (("en",), ["Angry", "Silence"]),
        (("zh", "en"), ["愤怒", "Angry"]),
    ],
)
def test_it_speaks_what_it_is_asked_to(languages: tuple[str, ...], words: list[str]) -> None:
    root = read(drawn(*framed(5.0), languages=languages))
    texts = [element.text or "" for element in root.iter() if element.tag.endswith("text")]
    spoken = {element.get("lang") for element in root.iter()} - {None}

    assert spoken == set(languages)
    for word in words:
        assert any(word in text for text in texts)
    assert all(any(emotion.emoji in text for text in texts) for emotion in EMOTIONS)


def test_it_has_a_percent_scale_and_the_names_of_segments() -> None:
    root = read(drawn(*framed(5.0)))
    texts = [element.text or "" for element in root.iter() if element.tag.endswith("text")]

    assert [f"{percent}%" for percent in (0, 25, 50, 75, 100)] == [t for t in texts if "%" in t]


def test_the_moments_that_spoke_for_the_answer_are_numbered() -> None:
    result, sound = framed(5.0)
    moments = (Moment(3.0, 3.5, 0.4), Moment(1.0, 1.5, 0.8), Moment(4.0, 4.5, -0.2))
    told = replace(result, summary=SimpleNamespace(moments=moments))

    root = read(drawn(told, sound))
    circles = [e for e in root.iter() if e.tag.endswith("circle")]
    places = [float(circle.attrib["cx"]) for circle in circles]

    assert len(places) == 2
    assert places == sorted(places)
    assert "circle" not in drawn(replace(told, abstain=("low_margin",)), sound)


def test_ten_minutes_have_few_segments_that_can_be_read() -> None:
    result, sound = framed(60.0)
    segments = tuple(Segment(i * 0.5, (i + 1) * 0.5, EMOTIONS[i * 7 % 9], 0.5) for i in range(120))
    root = read(drawn(replace(result, segments=segments), sound))
    bars = [e for e in root.iter() if e.tag.endswith("rect") and e.get("height") == "5"]

    assert 5 < len(bars) <= 45
    assert all(float(bar.attrib["width"]) >= 18 for bar in bars)


def test_names_never_become_markup() -> None:
    text = drawn(*framed(2.0), title=EVIL)

    root = read(text)
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    assert EVIL in {element.text for element in root.iter()}


def test_without_a_track_it_is_the_waveform_in_the_colour_of_the_answer() -> None:
    _, sound = framed(3.0)

    plain = drawn(make_result(duration_s=3.0), sound)
    unsure = drawn(make_result(duration_s=3.0, abstain=("no_speech",)), sound)

    assert EMOTIONS[3].colour in plain
    assert "快乐" in plain
    assert not [emotion.key for emotion in EMOTIONS if emotion.colour in unsure]


@pytest.mark.parametrize(
    ("time_s", "words"), [(0, "0 s"), (2.5, "2.5 s"), (65, "1:05"), (3725, "1:02:05")]
)
def test_moments_read_well(time_s: float, words: str) -> None:
    assert svg.clock(time_s) == words
