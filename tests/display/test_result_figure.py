"""The figure of a result: what notebooks show, and the SVG that is saved."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from emoscope.display import ResultFigure
from emoscope.labels import EMOTIONS
from emoscope.recognizer import Recognizer
from emoscope.waveform import Waveform
from results import make_result
from sounds import sample

SOUND = Waveform(sample("happy_zh.wav"), name="a<b>.wav")


def parsed(svg: str) -> ET.Element:
    """The figure, which must be well-formed XML."""
    return ET.fromstring(svg)  # noqa: S314 - our own


def texts(svg: str) -> list[str]:
    """What stands in the figure."""
    return ["".join(one.itertext()) for one in parsed(svg).iter() if one.tag.endswith("text")]


def test_a_result_by_frame_is_a_river_in_one_language(fake_recognizer: Recognizer) -> None:
    result = fake_recognizer.recognize(SOUND, granularity="frame")
    english, chinese = (result.plot(language=one) for one in ("en", "zh"))

    assert any("Silence" in one for one in texts(english.svg))
    assert not any("停顿" in one for one in texts(english.svg))
    assert any("停顿" in one for one in texts(chinese.svg))
    assert english.svg.count("<path") > 9


def test_the_waveform_is_drawn_where_the_sound_is_given(fake_recognizer: Recognizer) -> None:
    result = fake_recognizer.recognize(SOUND, granularity="frame")
    without, with_sound = (parsed(result.plot(one).svg).get("viewBox") for one in (None, SOUND))

    assert without != with_sound
    assert len(result.plot(SOUND).svg) > len(result.plot().svg)


def test_a_result_without_a_track_is_nine_bars_largest_first() -> None:
    found = texts(make_result().plot(language="en").svg)

    assert found[0] == "speech.wav · 😊 Happy Confidence: 85.3%"
    assert found[1] == "😊 Happy"
    assert "85.3%" in found
    assert sum(any(e.en in one for e in EMOTIONS) for one in found[1:]) == 9


def test_a_result_that_abstains_says_so_in_the_title() -> None:
    figure = ResultFigure(make_result(abstain=("no_speech",)), language="en")

    assert "Happy" not in figure.title
    assert "(" in figure.title


def test_a_notebook_gets_html_with_names_escaped(fake_recognizer: Recognizer) -> None:
    result = fake_recognizer.recognize(SOUND, granularity="frame")
    html = result._repr_html_()

    assert "<svg" in html
    assert "a<b>" not in html
    assert "script" not in html
    assert html == result.plot()._repr_html_()


def test_it_is_saved_as_svg(tmp_path: Path) -> None:
    path = tmp_path / "bars.svg"
    make_result().plot().save(path)

    assert parsed(path.read_text("utf-8")).tag.endswith("svg")


@pytest.mark.parametrize("granularity", ["utterance", "frame"])
def test_two_hours_are_drawn_without_their_sound(
    fake_recognizer: Recognizer, granularity: str
) -> None:
    import numpy as np

    from emoscope.results.track import Track

    track = Track(np.zeros((360_000, 9), np.float32), np.ones(360_000, np.bool_))
    result = make_result(duration_s=7_200.0, track=track if granularity == "frame" else None)

    assert len(result.plot().svg) < 200_000
