"""What a result says: one answer, in words, with what is behind it."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.events import Step
from emoscope.figures.pyramid import curve_of
from emoscope.labels import COUNT, SILENCE, by_key
from emoscope.messages.trust import ABSTENTION
from emoscope.messages.units import recording_length
from emoscope.messages.verdict import NO_FEELING, below, model_verdict, verdict, verdict_of
from emoscope.models import catalog
from emoscope.outputs.corrections import read_correction
from emoscope.outputs.history import RunEntry
from emoscope.results.abstention import ABSTENTION_REASONS
from emoscope.results.calibrated import Calibrated
from emoscope.results.quality import Quality
from emoscope.results.result import Result
from emoscope.results.scores import Scores
from emoscope.results.segments import Segment
from emoscope.results.track import Track
from emoscope.waveform import Waveform
from emoscope.web import views
from emoscope.web.answer import bars, step_seconds
from emoscope.web.opened import Opened
from emoscope.web.render import headline
from results import make_result, make_scores

RUN = "outputs_20240104_223000"
EVIL = "<img src=x onerror=alert(1)>'\"{{value}}${value}.wav"
FINE = Quality(-20.0, 0.5, 0.0, 40.0, 8000.0, 0.8)


def seen(markup: str, language: str) -> str:
    """What a reader of one language sees, spaces joined."""
    other = "en" if language == "zh" else "zh"
    markup = re.sub(rf'<(span|a)[^>]* ?lang="{other}"[^>]*>.*?</\1>', "", markup)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def framed(*rows: tuple[float, str], **changes: object) -> Result:
    """A result by frame whose segments end at these times."""
    segments, start_s = [], 0.0
    for end_s, key in rows:
        emotion = SILENCE if key == "silence" else by_key(key)
        segments.append(Segment(start_s, end_s, emotion, None if key == "silence" else 0.6))
        start_s = end_s
    count = int(start_s / 0.02)
    track = Track(np.zeros((count, COUNT), np.float32))
    fields = {"duration_s": start_s, "segments": tuple(segments), "track": track, **changes}
    return make_result(granularity="frame", **fields)


def shown(result: Result, **changes: object) -> str:
    """The article of a result."""
    samples = np.full(round(result.duration_s * 16_000), 0.1, np.float32)
    fields = {"title": "", "is_corrected": False, "card": None, **changes}
    entry = RunEntry(RUN, fields["title"], fields["is_corrected"], None)
    files = ("processed_audio.wav", "result.json", "embedding.npy")
    curve = curve_of(result, Waveform(samples))
    return views.result(Opened(entry, result, curve, card=fields["card"], files=files))


def part(markup: str, name: str) -> str:
    """One replaceable part of an article."""
    pattern = rf'<(\w+)[^>]* data-part="{name}".*?(?=<section|</article|\Z)'
    found = re.search(pattern, markup, re.DOTALL)
    assert found is not None, name
    return found[0]


def sure(confidence: float, *keys: str) -> Calibrated:
    return Calibrated(confidence, keys or ("happy",), 0.9)


def test_the_headline_is_the_one_of_the_contract() -> None:
    result = make_result(scores=make_scores(happy=0.853, surprised=0.1))

    assert seen(headline(verdict(result)), "zh") == "😊 快乐 (Happy) 置信度: 85.3%"
    assert seen(headline(verdict(result)), "en") == "😊 Happy Confidence: 85.3%"
    assert verdict(result).text.zh == "😊 快乐 (Happy) 置信度: 85.3%"
    assert verdict(result).text.en == "😊 Happy Confidence: 85.3%"


def test_the_calibrated_confidence_leads_and_the_raw_score_stands_behind_it() -> None:
    markup = shown(make_result(calibrated=sure(0.882)))
    answer = part(markup, "answer")

    assert "😊 快乐 (Happy) 置信度: 88.2%" in seen(answer, "zh")
    assert "85.3%" not in seen(answer.partition('class="emo-info"')[0], "zh")
    assert "模型原始得分 85.3%" in seen(answer, "zh")
    assert "有 90% 的把握：😊 快乐" in seen(answer, "zh")
    assert "90% sure it is 😊 Happy" in seen(answer, "en")
    several = shown(make_result(calibrated=sure(0.882, "happy", "sad")))
    assert "有 90% 的把握是其中之一：😊 快乐、😢 悲伤" in seen(several, "zh")


@pytest.mark.parametrize(
    ("confidence", "calibrated", "kind", "percent"),
    [
        (0.9, None, "sure", 90.0),
        (0.49, None, "leaning", 49.0),
        (0.9, 0.303, "leaning", 30.3),
        (0.3, 0.6, "sure", 60.0),
        (0.3, 0.49951, "sure", 50.0),
        (0.3, 0.4994, "leaning", 49.9),
    ],
)
def test_below_one_half_nothing_is_sure(
    confidence: float, calibrated: float | None, kind: str, percent: float
) -> None:
    answer = verdict_of(by_key("happy"), confidence, calibrated)

    assert (answer.kind, answer.percent) == (kind, percent)
    assert ("说不准，偏向快乐" in answer.text.zh) == (kind == "leaning")
    assert ("Not sure, leaning to Happy" in answer.text.en) == (kind == "leaning")


def test_a_recording_in_which_emotions_take_turns_says_so() -> None:
    """Their mean says little, though nothing is wrong with the recording."""
    rows = [(4.0, "neutral"), (8.0, "happy"), (9.0, "silence"), (14.0, "angry"), (20.0, "sad")]
    changing = framed(*rows, abstain=("low_margin",), calibrated=sure(0.21))
    markup = shown(changing)

    assert verdict(changing).text.zh == "😐😊😠😢 情绪有变化：中性 → 快乐 → 愤怒 → 悲伤"
    assert (
        verdict(changing).text.en == "😐😊😠😢 The emotion changes: neutral → happy → angry → sad"
    )
    assert "按整段平均，没有哪一种情绪占上风" in seen(part(markup, "answer"), "zh")
    assert "前 4 秒以中性为主" in seen(part(markup, "story"), "zh")
    assert "无法判断" not in markup
    often = framed(
        *((float(at + 1), row[1]) for at, row in enumerate(rows * 3)), calibrated=sure(0.2)
    )
    assert verdict(often).text.en == "😐😊😠😢 The emotion changes: neutral, happy, angry, sad"
    noisy = replace(changing, abstain=("low_snr", "low_margin"))
    assert verdict(noisy).kind == "abstained"
    one_leads = framed((18.0, "happy"), (20.0, "sad"), calibrated=sure(0.3))
    assert verdict(one_leads).kind == "leaning"
    without_a_curve = make_result(abstain=("low_margin",))
    assert verdict(without_a_curve).kind == "abstained"


def test_headline_and_time_do_not_contradict_one_another() -> None:
    result = framed((3.0, "happy"), (9.0, "neutral"), (10.0, "happy"))

    said = below(result)

    assert [text.zh for text in said] == [
        "按时间算，中性最多（60%）；结论看的是整段的平均得分，快乐最高。"
    ]
    assert below(framed((8.0, "happy"), (10.0, "neutral"))) == []
    assert below(framed((10.0, "silence"))) == []


@pytest.mark.parametrize("key", ["other", "unknown"])
def test_what_is_no_feeling_is_explained_when_it_leads(key: str) -> None:
    markup = shown(make_result(scores=make_scores(**{key: 0.9})))
    before = part(markup, "answer").partition('class="emo-info"')[0]

    for language in ("zh", "en"):
        assert NO_FEELING[key](language) in seen(before, language)


def test_a_person_s_emotion_leads_and_the_model_s_is_told() -> None:
    result = framed((5.0, "happy"), (8.0, "neutral"))
    rows = [(0.0, 5.0, "sad"), (5.0, 8.0, "neutral")]
    raw = [{"start_s": start, "end_s": end, "emotion": key} for start, end, key in rows]
    corrected = read_correction(result, raw, saved=result.created).apply(result)

    markup = shown(corrected, is_corrected=True)

    answer = seen(part(markup, "answer"), "zh")
    assert "😢 悲伤（人工更正）" in answer
    assert "更正后，悲伤占的时间最多（62%）。" in answer
    assert "模型的结论：😊 快乐 (Happy) 置信度: 85.3%" in answer
    assert "有 1 段经人工更正。" in answer
    assert model_verdict(corrected) == verdict(result)
    assert verdict(corrected).text.en == "😢 Sad (corrected by hand)"


def test_a_correction_of_a_recording_without_a_time_axis() -> None:
    result = make_result()
    raw = [{"start_s": 0.0, "end_s": result.duration_s, "emotion": "sad"}]
    corrected = read_correction(result, raw, saved=result.created).apply(result)

    answer = seen(part(shown(corrected), "answer"), "zh")

    assert "😢 悲伤（人工更正）" in answer
    assert "模型的结论：😊 快乐 (Happy) 置信度: 85.3%" in answer
    assert "占的时间" not in answer


@given(st.lists(st.floats(0.001, 1), min_size=COUNT, max_size=COUNT))
def test_bars_and_traces_descend_and_add_up_to_one_hundred(numbers: list[float]) -> None:
    drawn, traces = bars(Scores(np.array(numbers) / sum(numbers)))

    percents = [one.percent for one in (*drawn, *traces)]
    assert len(percents) == COUNT
    assert percents == sorted(percents, reverse=True)
    assert round(sum(percents), 1) == 100.0
    assert all(one.percent >= 1 for one in drawn)
    assert all(one.percent < 1 for one in traces)


def test_mixed_emotions_are_read_out() -> None:
    mixed = shown(make_result(scores=make_scores(happy=0.7, surprised=0.2)))

    assert "混合情绪：惊喜 快乐 70.0% + 惊讶 20.0%" in seen(mixed, "zh")
    assert "Mixed emotion: pleasant surprise Happy 70.0% + Surprised 20.0%" in seen(mixed, "en")
    assert "混合情绪" not in shown(make_result(scores=make_scores(happy=0.99)))


def test_names_never_become_markup_and_titles_are_told() -> None:
    markup = shown(make_result(EVIL), title=EVIL, is_corrected=True)

    assert "<img" not in markup
    assert EVIL in html.unescape(markup)
    assert "corrected by hand" in seen(markup, "en")


def test_abstention_comes_first_and_claims_no_emotion() -> None:
    quality = Quality(-60.0, 0.01, 0.0, None, 8000.0, 0.01, ("no_speech",))
    markup = shown(make_result(quality=quality, abstain=("no_speech",)))

    answer = seen(part(markup, "answer"), "zh")

    assert answer.startswith("🤷 无法判断")
    assert "没有听到说话声，所以不作判断" in answer
    assert "置信度" not in answer
    assert "信噪比 —" in seen(markup, "zh")
    assert "录音质量良好" not in seen(markup, "zh")


def test_every_reason_to_abstain_is_told_in_both_languages() -> None:
    for code in ABSTENTION_REASONS:
        markup = shown(make_result(abstain=(code,)))
        for language in ("zh", "en"):
            assert ABSTENTION[code](language) in seen(markup, language)


def test_advice_carries_its_numbers_and_opens_the_check() -> None:
    quality = Quality(-48.0, 0.9, 0.031, 8.0, 3400.0, 0.8, ("too_quiet", "clipped"))
    markup = part(shown(make_result(quality=quality)), "check")

    assert "-48 dBFS" in seen(markup, "zh")
    assert "3.1% of the sound is clipped" in seen(markup, "en")
    assert "<details" in markup
    assert re.search(r"<details[^>]* open", markup)
    assert not re.search(r"<details[^>]* open", part(shown(make_result()), "check"))
    assert "录音质量良好" in part(shown(make_result()), "check")


def test_who_has_the_curve_is_not_sent_to_the_curve() -> None:
    quality = replace(FINE, reasons=("too_long",))

    assert "随时间的变化。" in shown(make_result(quality=quality))
    told = shown(framed((40.0, "happy"), quality=quality))
    assert "一个结论会把变化抹平" not in told
    assert "录音质量良好" in seen(told, "zh")


def test_a_recording_that_is_too_short_is_not_also_without_speech() -> None:
    quality = replace(FINE, reasons=("too_short", "no_speech"))
    markup = shown(make_result(quality=quality, abstain=("too_short", "no_speech")))

    assert "录音不到 1 秒" in seen(markup, "zh")
    assert "没有听到说话声" not in seen(markup, "zh")


def test_the_compact_model_says_what_it_is_and_how_to_get_the_large_one() -> None:
    compact = shown(make_result(), card=catalog.find("compact").card)
    other = shown(make_result(model=make_result().model.__class__("x", "1", "0")))

    assert "emoscope models pull emotion2vec-plus-large" in compact
    assert "这是内置小模型的结果，仅供体验" in seen(compact, "zh")
    assert "请勿据此对任何人作决定" in seen(compact, "zh")
    assert "models pull" not in other


def test_the_model_says_how_sure_it_is_known_to_be_on_what_it_never_met() -> None:
    card = replace(
        catalog.find("compact").card,
        accuracy={
            "met": {"uar": 0.9, "trained_on": True},
            "one": {"uar": 0.26, "trained_on": False},
            "other": {"uar": 0.46, "trained_on": False},
        },
    )

    told = shown(make_result(), card=card)
    assert "在 2 个从未见过的测试集上，平均每类认对 26%–46%" in seen(told, "zh")
    assert "On 2 unseen test sets it gets 26–46% right" in seen(told, "en")
    assert "测试集" not in shown(make_result(), card=replace(card, accuracy={}))


def test_the_log_counts_in_seconds() -> None:
    steps = (
        Step("receive", 1.25, {"bytes": 99}),
        Step("infer", 22_600.0, {"model": "m", "frames": 7}),
    )
    log = part(shown(make_result(steps=steps)), "log")

    assert "接收音频：99 B < 0.01 秒" in seen(log, "zh")
    assert "情绪识别：模型 m，7 帧 22.6 秒" in seen(log, "zh")
    assert "用时 22.6 秒" in seen(log, "zh")
    assert [step_seconds(ms) for ms in (4, 6, 990, 1_000, 61_234)] == [
        "< 0.01", "0.01", "0.99", "1.0", "61.2",
    ]  # fmt: skip


def test_files_are_named_after_the_recording_and_speak_the_page_s_language() -> None:
    markup = part(
        shown(framed((4.0, "happy"), source=make_result("talks/interview.m4a").source)), "exports"
    )

    for code in ("zh", "en"):
        link = f'exports/segments.srt?lang={code}" download="interview_segments.srt" lang="{code}"'
        assert link in markup
    for file in ("processed_audio.wav", "result.json", "embedding.npy"):
        address = f'href="v1/recognitions/{RUN}/files/{file}" download="interview_{file}"'
        assert address in markup
    assert "segments.srt" not in part(shown(make_result()), "exports")


def test_what_can_be_copied_is_file_headline_story_and_model() -> None:
    markup = shown(framed((4.0, "happy")), card=catalog.find("compact").card)

    found = re.search(r'data-share-zh="([^"]*)" data-share-en="([^"]*)"', markup)
    assert found is not None
    zh, en = map(html.unescape, found.groups())
    assert zh.splitlines() == [
        f"{RUN}（4.0 s）",
        "😊 快乐 (Happy) 置信度: 85.3%",
        "全程都是快乐。平均得分 60%。",
        "内置小模型 · Emoscope",
    ]
    assert en.splitlines()[1:3] == [
        "😊 Happy Confidence: 85.3%",
        "Happy throughout. Mean score 60%.",
    ]


def test_headings_go_down_one_step_at_a_time() -> None:
    levels = [int(level) for level in re.findall(r"<h(\d)", shown(framed((4.0, "happy"))))]

    assert levels[0] == 2
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


@pytest.mark.parametrize(
    ("duration_s", "text"),
    [(4.25, "4.2 s"), (59.9, "59.9 s"), (59.96, "1:00"), (725, "12:05"), (3_725, "1:02:05")],
)
def test_lengths_read_well(duration_s: float, text: str) -> None:
    assert recording_length(duration_s) == text
