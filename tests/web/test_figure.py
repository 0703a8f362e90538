"""The figure's data and markup."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from importlib.resources import files
from types import SimpleNamespace

import numpy as np
import pytest

from emoscope.figures.pyramid import curve_of
from emoscope.labels import by_key
from emoscope.results.result import Result
from emoscope.results.segments import Segment
from emoscope.results.summary import Moment
from emoscope.results.track import Track
from emoscope.waveform import Waveform
from emoscope.web.figure import drawing, segments, share_text, timeline
from results import make_result, make_scores

SOUND = Waveform(np.full(64_000, 0.1, np.float32))
STATIC = files("emoscope.web") / "static"


def spoken(*parts: tuple[float, float, str], **more: object) -> Result:
    """A result by frame with these segments."""
    made = tuple(Segment(start_s, end_s, by_key(key), 0.8) for start_s, end_s, key in parts)
    track = Track(np.tile(np.eye(9)[3] * 4, (198, 1)).astype(np.float32), None)
    result = make_result(scores=make_scores(happy=0.9))
    return replace(result, granularity="frame", duration_s=4.0, segments=made, track=track, **more)


def figure(result: Result, **more: object) -> str:
    return timeline(result, curve_of(result, SOUND), "outputs_1", **more)


def data_of(markup: str) -> dict[str, object]:
    found = re.search(r'data-drawing="([^"]*)"', markup)
    assert found is not None
    data: dict[str, object] = json.loads(unescape(found[1]))
    return data


def test_the_drawing_has_the_model_s_segments_beside_the_corrected_ones() -> None:
    own = spoken((0.0, 2.0, "happy"), (2.0, 4.0, "sad"))
    corrected = spoken((0.0, 2.0, "happy"), (2.0, 4.0, "angry"))

    data = data_of(figure(corrected, own=own))

    assert data["segments"] == [[0, 2, 3], [2, 4, 0]]
    assert data["own"] == [[0, 2, 3], [2, 4, 6]]
    assert data["tiles"] == "v1/recognitions/outputs_1/curve"


def test_moments_are_in_order_of_time_and_speak_for_the_answer() -> None:
    result = spoken((0.0, 4.0, "happy"))
    curve = curve_of(result, SOUND)
    assert drawing(result, curve, "r", "t")["moments"] == []

    moments = (Moment(2.0, 2.5, 0.9), Moment(0.5, 1.0, 0.4), Moment(3.0, 3.5, -0.1))
    result = replace(result, summary=SimpleNamespace(moments=moments))

    assert drawing(result, curve, "r", "t")["moments"] == [[0.5, 1.0], [2.0, 2.5]]
    unsure = replace(result, abstain=("low_margin",))
    assert drawing(unsure, curve, "r", "t")["moments"] == []


def test_a_result_in_one_line_of_text() -> None:
    result = replace(spoken((0.0, 4.0, "happy")), calibrated=None)

    shared = share_text(result, "interview.wav")
    assert shared.zh.startswith("interview.wav（4.0 s）：😊 快乐 ")
    assert shared.en.startswith("interview.wav (4.0 s): 😊 Happy ")


def test_where_no_emotion_leads_over_all_those_in_turn_are_told() -> None:
    turns = spoken((0.0, 2.0, "happy"), (2.0, 3.0, "angry"), (3.0, 4.0, "sad"))
    close = replace(turns, abstain=("low_margin",))
    noise = replace(turns, abstain=("low_snr", "low_margin"))

    assert "😊😠😢 情绪有变化：快乐 → 愤怒 → 悲伤" in share_text(close, "a.wav").zh
    assert "😊" not in share_text(noise, "a.wav").zh
    assert "emo-doubted" not in figure(close)
    assert "emo-doubted" in figure(noise)


def test_a_corrected_segment_is_marked_and_has_no_score_of_the_model() -> None:
    own = spoken((0.0, 2.0, "happy"), (2.0, 4.0, "sad"))
    corrected = spoken((0.0, 2.0, "happy"), (2.0, 4.0, "angry"))

    rows = re.findall(r"<tr data-start.*?</tr>", segments(corrected, own), re.DOTALL)

    assert ["emo-changed" in row for row in rows] == [False, True]
    assert ["80.0%" in row for row in rows] == [True, False]
    assert "emo-changed" not in segments(own)


@pytest.mark.parametrize(
    ("attribute", "script"),
    [("do", "timeline"), ("act", "correct"), ("share", "share")],
)
def test_every_button_means_something_to_the_script(attribute: str, script: str) -> None:
    text = STATIC.joinpath(f"{script}.js").read_text("utf-8")

    names = set(re.findall(rf'data-{attribute}="([^"]+)"', figure(spoken((0.0, 4.0, "happy")))))

    assert names
    for name in names:
        assert re.search(rf'^ +"?{re.escape(name)}"?: (async )?\(', text, re.MULTILINE), name


def test_names_are_text_and_never_markup() -> None:
    evil = "<img src=x onerror=alert(1)>'\".wav"

    markup = figure(spoken((0.0, 4.0, "happy")), title=evil)

    assert "<img" not in markup
    assert data_of(markup)["title"] == evil


def test_one_of_two_side_by_side_has_nothing_to_correct_or_share() -> None:
    markup = figure(spoken((0.0, 4.0, "happy")), small=True)

    for part in ("emo-edit", "emo-menu", "emo-keys", "label-selection"):
        assert part not in markup
