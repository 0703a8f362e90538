"""The strip of utterances as markup, and the report's table of them."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from emoscope.figures.pyramid import curve_of
from emoscope.messages.utterances import UTTERANCES
from emoscope.results.result import Result
from emoscope.results.utterances import UTTERANCE_RULES, Utterance, UtteranceCut, UtteranceSet
from emoscope.waveform import Waveform
from emoscope.web.figure import timeline
from emoscope.web.report_page import page_of
from results import make_result, make_scores

SOUND = Waveform(np.full(67_200, 0.1, np.float32))
EVIL = "<img src=x onerror=alert(1)>\"'"


def utterance(start_s: float, end_s: float, **changes: object) -> Utterance:
    scores = make_scores(sad=0.75)
    fields = {
        "emotion": scores.top,
        "confidence": scores.confidence,
        "scores": scores,
        **changes,
    }
    return Utterance(start_s=start_s, end_s=end_s, **fields)  # type: ignore[arg-type]


def result_of(*utterances: Utterance, given: bool = False) -> Result:
    cut = UtteranceCut(
        by="spans" if given else "pauses",
        rules=None if given else UTTERANCE_RULES,
        reason=None if utterances else "no_speech",
    )
    return replace(make_result(), utterance_set=UtteranceSet(utterances, cut))


def figure(result: Result) -> str:
    return timeline(result, curve_of(result, SOUND), "outputs_1")


def test_each_utterance_is_a_button_at_its_time() -> None:
    markup = figure(result_of(utterance(0.42, 2.1), utterance(2.1, 4.2, abstain=("low_snr",))))

    assert re.findall(r'data-from="([^"]*)" data-to="([^"]*)" tabindex="([^"]*)"', markup) == [
        ("0.420", "2.100", "0"),
        ("2.100", "4.200", "-1"),
    ]
    assert "left:10.0000%;width:40.0000%" in markup
    assert markup.count("emo-unsure") == 1
    assert "0.4 s 到 2.1 s，悲伤。播放这一句。" in markup
    assert "2.1 s to 4.2 s, Cannot tell. Play this utterance." in markup
    assert UTTERANCES["about"].zh in markup


def test_what_is_said_cannot_become_markup() -> None:
    markup = figure(result_of(utterance(0.0, 1.0, text=EVIL), given=True))

    assert "<img" not in markup
    assert "&lt;img src=x" in markup
    assert UTTERANCES["given"].en in markup


def test_none_found_is_said_and_none_asked_for_is_not() -> None:
    assert UTTERANCES["none"].zh in figure(result_of())
    assert "emo-said" not in figure(make_result())


def test_the_report_has_a_row_for_each() -> None:
    page = page_of(result_of(utterance(0.42, 2.1, text="hello")), run="outputs_1")
    assert page.utterances_table is not None
    assert page.utterances_table.rows == (
        ("0.42 s", "2.10 s", ("😢 悲伤", "😢 Sad"), "75.0%", "hello"),
    )
    empty = page_of(result_of(), run="outputs_1").utterances_table
    assert empty is not None
    assert len(empty.rows) == 1
    assert page_of(make_result(), run="outputs_1").utterances_table is None
