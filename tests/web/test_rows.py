"""Rows of the batch and the history, and the comparison, as markup."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emoscope.figures.pyramid import curve_of
from emoscope.messages.languages import Text
from emoscope.outputs import history
from emoscope.outputs.store import RunStore
from emoscope.results.calibrated import Calibrated
from emoscope.results.quality import Quality
from emoscope.results.result import Result
from emoscope.results.track import Track
from emoscope.waveform import Waveform
from emoscope.web import rows, views
from emoscope.web.markup import gaps
from emoscope.web.opened import Opened
from results import make_result, make_scores

EVIL = "<img src=x onerror=alert(1)>'\"{{value}}.wav"
SOUND = Waveform(np.zeros(16_000, np.float32))


def seen(markup: str, language: str) -> str:
    """What a reader of one language sees, spaces joined."""
    other = "en" if language == "zh" else "zh"
    markup = re.sub(rf'<span lang="{other}">[^<]*</span>', "", markup)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "outputs")


def row(store: RunStore, result: Result) -> str:
    return views.row(store, store.save(result, SOUND).name)


def test_a_row_says_how_sure_an_answer_is(store: RunStore) -> None:
    sure = make_result(calibrated=Calibrated(0.64, ("happy",), 0.9))
    unsure = replace(sure, calibrated=Calibrated(0.34, ("happy",), 0.9))
    none = replace(sure, abstain=("low_snr",))

    assert "😊 快乐 64% 4.2 s 良好" in seen(row(store, sure), "zh")
    assert "😊 Happy 85% 4.2 s fine" in seen(row(store, make_result()), "en")
    assert "data-doubt" not in row(store, sure)
    assert "😊 maybe happy 34%" in seen(row(store, unsure), "en")
    assert "data-doubt" in row(store, unsure)
    assert "🤷 无法判断 4.2 s" in seen(row(store, none), "zh")
    assert 'data-emotion="abstained" data-doubt' in row(store, none)


def test_a_row_names_what_the_recording_check_found(store: RunStore) -> None:
    poor = Quality(-20.0, 0.5, 0.1, 3.0, 8000.0, 0.8, reasons=("clipped", "low_snr"))

    shown = row(store, make_result(quality=poor))

    assert seen(shown, "en").endswith("clipped noisy")
    assert "data-bad" in shown


def test_names_in_rows_never_become_markup(store: RunStore) -> None:
    run = store.save(make_result(EVIL), SOUND).name
    history.set_title(store, run, EVIL)
    listed = views.listing(store, history.list_runs(store), first=0, is_filtered=False)

    for markup in (views.row(store, run), listed):
        assert "<img" not in markup
        assert EVIL in html.unescape(markup)


def test_long_recordings_get_their_small_river_later(store: RunStore) -> None:
    long_one = store.save(make_result(duration_s=rows.RIVER_AT_ONCE_S + 1), SOUND).name
    short_one = store.save(make_result(), SOUND).name

    listed = views.listing(store, history.list_runs(store), first=0, is_filtered=False)

    assert f'data-river="{long_one}"' in listed
    assert f'data-river="{short_one}"' not in listed
    assert listed.count('<svg class="emo-small-river"') == 1
    assert "<svg" in rows.river_of(store, long_one)


def test_a_list_leads_to_its_next_page_and_says_when_it_is_empty(store: RunStore) -> None:
    for number in range(3):
        store.save(make_result(f"{number}.wav"), SOUND)

    def listing(first: int, count: int, search: str = "") -> str:
        found = history.list_runs(store, search=search, first=first, count=count)
        return views.listing(store, found, first=first, is_filtered=bool(search))

    assert 'data-next="2"' in listing(0, 2)
    assert "共 3 条" in seen(listing(0, 2), "zh")
    assert "data-next" not in listing(2, 2)
    assert "共 3 条" not in seen(listing(2, 2), "zh")
    assert "没有符合的记录" in seen(listing(0, 2, "nothing like it"), "zh")
    empty = views.listing(store, history.Listing((), 0), first=0, is_filtered=False)
    assert "Nothing here yet" in seen(empty, "en")


def opened(store: RunStore, result: Result) -> Opened:
    entry = history.run_entry(store, store.save(result, SOUND).name)
    return Opened(entry, result, curve_of(result, SOUND), None, ())


def test_a_comparison_tells_points_times_and_what_is_only_for_reference(store: RunStore) -> None:
    scores = make_scores(happy=0.5, sad=0.45)
    one = opened(store, make_result())
    other = opened(store, make_result(scores=scores, abstain=("low_margin",), duration_s=2.1))

    shown = views.comparison([one, other])

    assert "−35.3" in shown  # happy, 85.3 to 50.0
    assert "+45.0" in shown
    assert "差值（百分点）" in shown
    assert "has no answer" in seen(shown, "en")
    assert shown.count('class="emo-only-reference"') == 9
    assert shown.count("<time>2024-01-04 22:30:00</time>") == 6
    assert re.findall(r"--share:([\d.]+)", shown) == ["1.0000", "0.5000"]
    assert "时间比例相同" in seen(shown, "zh")


def test_lengths_that_differ_too_much_have_two_time_scales(store: RunStore) -> None:
    pair = [opened(store, make_result(duration_s=length)) for length in (2.0, 200.0)]

    assert "different time scales" in seen(views.comparison(pair), "en")


def test_a_river_is_drawn_once(store: RunStore) -> None:
    rng = np.random.default_rng(0)
    track = Track(rng.normal(0, 2, (200, 9)).astype(np.float32))
    run = store.save(make_result(track=track, granularity="frame"), SOUND).name

    before = rows._read.cache_info().misses
    assert rows.river_of(store, run) == rows.river_of(store, run)
    assert rows._read.cache_info().misses == before + 1


def test_gaps_of_a_sentence_are_left_for_scripts() -> None:
    text = Text("{done} / {total} <", "{done} of {total} <")

    markup = gaps(text, total="<9>")

    assert '<span data-gap="done"></span> of &lt;9&gt; &lt;' in markup
    assert "<9>" not in markup
