from __future__ import annotations

import html
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.errors import AudioError, EmoscopeError, InternalError, all_codes
from emoscope.figures.pyramid import curve_of
from emoscope.labels import COUNT, EMOTIONS
from emoscope.messages.trust import ABSTENTION
from emoscope.outputs.history import RunEntry
from emoscope.results.result import Result
from emoscope.results.segments import Segment
from emoscope.results.track import Track
from emoscope.waveform import Waveform
from emoscope.web import render, views
from emoscope.web.figure import ROWS_MAX, timeline
from emoscope.web.markup import esc
from emoscope.web.opened import Opened
from results import make_result

EVIL = "<img src=x onerror=alert(1)>'\"{{value}}${value}.wav"


def seen(markup: str, language: str) -> str:
    """What a reader of one language sees, spaces joined."""
    other = "en" if language == "zh" else "zh"
    markup = re.sub(rf'<span lang="{other}">[^<]*</span>', "", markup)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markup)).split())


def shown(result: Result, **changes: object) -> str:
    curve = changes.pop("curve", None) or curve_of(result, Waveform(np.zeros(16_000, np.float32)))
    entry = RunEntry(
        str(changes.pop("run", "outputs_20240104_223000")),
        str(changes.pop("title", "")),
        bool(changes.pop("is_corrected", False)),
        None,
    )
    files = changes.pop("files", ("processed_audio.wav", "result.json"))
    card = changes.pop("card_of_model", None)
    opened = Opened(entry, result, curve, card, files)  # type: ignore[arg-type]
    assert not changes
    return views.result(opened)


def frames(seconds: float, seed: int = 0) -> tuple[Result, Waveform]:
    rng = np.random.default_rng(seed)
    samples = rng.uniform(-0.1, 0.1, round(seconds * 16_000)).astype(np.float32)
    rows = (len(samples) - 400) // 320 + 1
    track = Track(rng.standard_normal((rows, COUNT)).astype(np.float32))
    result = make_result(
        granularity="frame",
        duration_s=seconds,
        scores=track.utterance,
        track=track,
        segments=track.segments(seconds),
    )
    return result, Waveform(samples)


@given(st.text())
def test_escaping_can_be_undone_and_leaves_nothing_active(text: str) -> None:
    safe = esc(text)

    assert html.unescape(safe) == html.unescape(html.escape(text))
    assert not set(safe) & set("<>\"'")


def test_a_picture_of_an_abstention_says_why_it_is_hatched() -> None:
    result, waveform = frames(2.0)
    markup = timeline(
        replace(result, abstain=("low_snr", "clipped")), curve_of(result, waveform), "r"
    )

    for language in ("zh", "en"):
        said = seen(markup[markup.index('class="emo-doubted"') :], language)
        assert ABSTENTION["low_snr"](language) in said
        assert ABSTENTION["clipped"](language) in said
    assert "emo-doubted" not in timeline(result, curve_of(result, waveform), "r")


def test_frame_mode_shows_the_timeline_and_every_segment() -> None:
    result, waveform = frames(6.0)
    markup = shown(result, curve=curve_of(result, waveform))

    drawing = re.search(r'data-drawing="([^"]*)"', markup)
    assert drawing is not None
    data = json.loads(html.unescape(drawing[1]))
    assert data["duration_s"] == 6.0
    assert len(data["segments"]) == len(result.segments)
    assert len(data["overview"]["scores"]) == 9 * 300
    assert markup.count("<tr data-start=") == len(result.segments)
    assert "segments.TextGrid" in markup


def test_without_a_time_axis_there_is_sound_to_see_and_one_segment_to_correct() -> None:
    waveform = frames(3.0)[1]
    result = make_result(duration_s=3.0)
    markup = shown(result, curve=curve_of(result, waveform))

    drawing = re.search(r'data-drawing="([^"]*)"', markup)
    assert drawing is not None
    data = json.loads(html.unescape(drawing[1]))
    assert data["overview"]["scores"] is None
    assert data["segments"] == [[0.0, 3.0, 3]]
    assert data["lead"] == 3
    assert "segments.TextGrid" not in markup


def test_hours_do_not_make_a_heavy_page() -> None:
    """The finer tiles are fetched; the table stops and says so."""
    result, waveform = frames(1_200.0)
    many_segments = tuple(
        Segment(float(i), float(i + 1), EMOTIONS[i % 9], 0.5) for i in range(1_200)
    )
    result = replace(result, segments=many_segments)

    markup = shown(result, curve=curve_of(result, waveform))

    assert markup.count("<tr data-start=") == ROWS_MAX
    assert f"这里列出前 {ROWS_MAX} 段" in seen(markup, "zh")
    assert len(markup) < 400_000


@pytest.mark.parametrize("error", [AudioError("audio_empty_file"), InternalError()])
def test_the_red_panel_has_both_sentences_and_the_code(error: EmoscopeError) -> None:
    panel = render.error_panel(error)

    assert error.detail_zh in seen(panel, "zh")
    assert error.detail_en in seen(panel, "en")
    assert error.code in panel
    assert 'role="alert"' in panel
    assert all_codes()
