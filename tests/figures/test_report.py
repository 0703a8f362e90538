"""The report holds what it is given, in both languages, and nothing that runs."""

from __future__ import annotations

import base64
import html
import re
import wave
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

from emoscope.figures.report import SOUND_MAX_BYTES, Page, ReportTable, report_html
from emoscope.labels import EMOTIONS
from emoscope.waveform import Waveform
from results import make_result

EVIL = "<script>alert(1)</script>\"'.wav"
PAIR = ("中文", "English")
PAGE = Page(
    headline=("😊 快乐 (Happy) 置信度: 85.3%", "😊 Happy Confidence: 85.3%"),
    below=(PAIR,),
    scores=PAIR,
    picture=PAIR,
    segments=PAIR,
    segments_table=None,
    check=PAIR,
    advice=(PAIR,),
    facts=ReportTable((PAIR, PAIR), ((PAIR, "1"),)),
    model=PAIR,
    about_model=(PAIR,),
    log=PAIR,
    log_table=ReportTable((PAIR, PAIR), ((PAIR, "1.0"),)),
    footer=PAIR,
)
SVG = "<svg></svg>"


def test_both_languages_stand_in_it_and_one_is_chosen() -> None:
    zh, en = (
        report_html(make_result(), PAGE, svg=SVG, chinese=chinese) for chinese in (True, False)
    )

    for text in (zh, en):
        assert '<span lang="zh">😊 快乐 (Happy) 置信度: 85.3%</span>' in text
        assert '<span lang="en">😊 Happy Confidence: 85.3%</span>' in text
    assert 'id="zh" checked' in zh
    assert 'id="en" checked' in en


def test_the_nine_scores_descend_and_add_up() -> None:
    text = report_html(make_result(), PAGE, svg=SVG)
    shown = [float(number) for number in re.findall(r'class="number">(\d+\.\d)%', text)]

    assert shown == sorted(shown, reverse=True)
    assert round(sum(shown), 1) == 100.0
    assert all(emotion.emoji in text for emotion in EMOTIONS)


def test_names_and_cells_never_become_markup() -> None:
    table = ReportTable((PAIR,), ((EVIL,), ((EVIL, EVIL),)))
    page = replace(PAGE, segments_table=table, below=((EVIL, EVIL),))

    text = report_html(make_result(EVIL), page, svg=SVG)

    assert "<script" not in text
    assert html.unescape(text).count(EVIL) >= 4


@pytest.mark.parametrize(("seconds", "inside"), [(2.0, True), (62.0, True), (63.0, False)])
def test_a_short_sound_is_inside_and_a_long_one_is_not(seconds: float, inside: bool) -> None:
    sound = Waveform(np.full(round(seconds * 16_000), 0.25, np.float32))

    text = report_html(make_result(), PAGE, svg=SVG, sound=sound)

    found = re.search(r"data:audio/wav;base64,([A-Za-z0-9+/=]+)", text)
    assert (found is not None) is inside
    assert len(text) < 2 * SOUND_MAX_BYTES
    if found is not None:
        with wave.open(BytesIO(base64.b64decode(found[1]))) as file:
            assert file.getnframes() == len(sound.samples)


def test_thousands_of_segments_are_cut_and_it_shows() -> None:
    table = ReportTable((PAIR,), tuple((f"row {number}",) for number in range(5_000)))

    text = report_html(make_result(), replace(PAGE, segments_table=table), svg=SVG)

    assert "row 999<" in text
    assert "row 1000<" not in text
    assert "<p>…</p>" in text
