"""The story is true of the segments, whatever they are."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.labels import EMOTIONS, SILENCE, Emotion, emotion_or_silence
from emoscope.messages.story import CLOCK_S, IN_TURN_MAX, STORY, name_in_sentence, story
from emoscope.messages.units import clock_time
from emoscope.results.segments import Segment


def made(*rows: tuple[float, str, float]) -> list[Segment]:
    """Segments that follow each other, by end, emotion and score."""
    found, start_s = [], 0.0
    for end_s, key, score in rows:
        found.append(Segment(start_s, end_s, emotion_or_silence(key), score))
        start_s = end_s
    return found


def told(segments: list[Segment]) -> tuple[str, str]:
    text = story(segments, segments[-1].end_s)
    assert text is not None
    return text.zh, text.en


@st.composite
def some_segments(draw: st.DrawFn, longest_s: float = 30.0) -> list[Segment]:
    lengths = draw(st.lists(st.floats(0.1, longest_s), min_size=1, max_size=14))
    emotions = st.sampled_from((*EMOTIONS, SILENCE))
    found, start_s = [], 0.0
    for length_s in lengths:
        emotion = draw(emotions)
        score = 0.0 if emotion is SILENCE else draw(st.floats(0.05, 1.0))
        corrected = draw(st.booleans()) and draw(st.booleans())
        found.append(Segment(start_s, start_s + length_s, emotion, score, corrected))
        start_s += length_s
    return found


def share(segments: list[Segment], emotion: Emotion) -> float:
    whole = sum(s.duration_s for s in segments if s.emotion is emotion)
    return whole / segments[-1].end_s


def runs(segments: list[Segment]) -> list[Emotion]:
    """Emotions in turn; silence parts nothing."""
    emotions = [s.emotion for s in segments if not s.silent]
    return emotions[:1] + [two for one, two in pairwise(emotions) if one is not two]


def names(text: str, language: str) -> list[Emotion]:
    """Emotions that a text names, in its order."""
    found = [
        (at.start(), emotion)
        for emotion in EMOTIONS
        for at in re.finditer(re.escape(name_in_sentence(emotion, language)), text.lower())  # type: ignore[arg-type]
    ]
    return [emotion for _, emotion in sorted(found, key=lambda one: one[0])]


def test_the_story_of_three_stretches() -> None:
    zh, en = told(made((5, "neutral", 0.6), (8, "happy", 0.86), (10, "neutral", 0.5)))

    assert zh == (
        "前 5 秒以中性为主，第 6–8 秒转为快乐，最后回到中性。最强的是第 6–8 秒的快乐（86%）。"
    )
    assert en == (
        "Mostly neutral for the first 5 s, happy from 5 to 8 s, then neutral again at the end. "
        "Strongest: happy from 5 to 8 s (86%)."
    )


@pytest.mark.parametrize(
    ("rows", "zh", "en"),
    [
        ([(4.2, "sad", 0.9)], "全程都是悲伤。平均得分 90%。", "Sad throughout. Mean score 90%."),
        (
            [(1, "silence", 0), (4.2, "other", 0.9)],
            "说话时一直是「其他」。平均得分 90%。",
            "“Other” whenever there is speech. Mean score 90%.",
        ),
        ([(4.2, "silence", 0)], "整段没有人说话。", "There is no speech in this recording."),
        (
            [(12, "neutral", 0.6), (60, "silence", 0), (90, "happy", 0.8)],
            (
                "大部分时间没有人说话（53%）；0:00–0:12 以中性为主，最后转为快乐。"
                "最强的是 1:00–1:30 的快乐（80%）。"
            ),
            (
                "Silent for 53% of the time. Mostly neutral from 0:00 to 0:12, "
                "then happy at the end. "
                "Strongest: happy from 1:00 to 1:30 (80%)."
            ),
        ),
        (
            [(0.3, "angry", 0.7), (0.7, "sad", 0.5), (3, "silence", 0)],
            (
                "大部分时间没有人说话（77%）；开头以愤怒为主，第 1 秒转为悲伤。"
                "最强的是第 1 秒的愤怒（70%）。"
            ),
            (
                "Silent for 77% of the time. Mostly angry at first, then sad from 0 to 1 s. "
                "Strongest: angry from 0 to 1 s (70%)."
            ),
        ),
    ],
)
def test_edges(rows: list[tuple[float, str, float]], zh: str, en: str) -> None:
    assert told(made(*rows)) == (zh, en)


def test_hours_are_summed_up() -> None:
    keys = ("neutral", "happy", "neutral", "angry", "silence")
    rows = [(60.0 * (at + 1), keys[at % 5], 0.3 + at / 1_000) for at in range(180)]

    zh, en = told(made(*rows))

    assert zh.startswith("中性最多（占 40%），其次是快乐（20%），共变化 143 次。")
    assert "最强的是 2:58:00–2:59:00 的愤怒（48%）" in zh
    assert en.startswith("Most often neutral (40% of the time), then happy (20%), with 143 changes")
    assert len(zh) < 120


def test_corrections_count_and_have_no_score() -> None:
    segments = made((3, "neutral", 0.4), (5, "sad", 0.9))
    one = [segments[0], replace(segments[1], corrected=True)]
    both = [replace(segment, corrected=True) for segment in segments]

    assert told(one)[0].endswith("最强的是第 1–3 秒的中性（40%）。有 1 段经人工更正。")
    assert told(one)[1].endswith("One segment was corrected by hand.")
    assert told(both)[0] == "前 3 秒以中性为主，最后转为悲伤。有 2 段经人工更正。"
    assert told(both)[1].endswith("2 segments were corrected by hand.")


def test_no_course_is_told_where_no_emotion_is_claimed_or_there_is_no_time_axis() -> None:
    segments = made((3, "neutral", 0.4), (5, "sad", 0.9))

    assert story((), 5.0) is None
    abstained = story(segments, 5.0, is_abstained=True)
    assert abstained == STORY["abstained"]


@given(some_segments())
def test_the_text_is_well_formed(segments: list[Segment]) -> None:
    zh, en = told(segments)

    for text in (zh, en):
        assert text == text.strip()
        assert "  " not in text
        assert "{" not in text
    assert zh[0] not in "，。； "
    assert not re.search(r"[，；。] | [，；。]|。。|，。", zh)
    assert zh.endswith("。")
    assert en.endswith(".")
    assert re.match(r"“?[A-Z]", en)
    assert not re.search(r"\b1 (changes|segments)\b", en)
    assert not re.search(r"[\u3400-\u9fff]", en)


@given(some_segments())
def test_emotions_are_those_of_the_segments_in_their_order(segments: list[Segment]) -> None:
    in_turn = runs(segments)
    for text, language in zip(told(segments), ("zh", "en"), strict=True):
        named = names(text, language)
        assert set(named) <= set(in_turn)
        if 0 < len(in_turn) <= IN_TURN_MAX:
            assert named[: len(in_turn)] == in_turn


@given(some_segments())
def test_what_most_of_the_time_sounds_like_is_what_takes_most_of_it(
    segments: list[Segment],
) -> None:
    zh, en = told(segments)
    in_turn = runs(segments)
    if len(in_turn) > IN_TURN_MAX:
        first = names(zh, "zh")[0]
        assert share(segments, first) == max(share(segments, e) for e in in_turn)
        assert names(en, "en")[0] is first
        assert f"{round(100 * share(segments, first))}%" in zh
        assert f"变化 {len(in_turn) - 1} 次" in zh
        assert f"{len(in_turn) - 1} changes" in en
        assert ("大部分时间是" in zh) == (share(segments, first) >= 0.5)
    silent = share(segments, SILENCE)
    if in_turn:
        assert ("大部分时间没有人说话" in zh) == (silent >= 0.5)
        assert (f"Silent for {round(100 * silent)}%" in en) == (silent >= 0.5)


@given(some_segments())
def test_the_strongest_is_the_highest_score_that_was_measured(segments: list[Segment]) -> None:
    zh, en = told(segments)
    scores = [s.score for s in segments if not s.silent and not s.corrected]
    if scores:
        assert re.findall(r"（(\d+)%）。|平均得分 (\d+)%。", zh)[-1] in {
            (str(round(100 * max(scores))), ""),
            ("", str(round(100 * max(scores)))),
        }
        assert f"{round(100 * max(scores))}%" in en


@given(some_segments())
def test_clock_times_are_rounded_borders_of_segments(segments: list[Segment]) -> None:
    if segments[-1].end_s < CLOCK_S:
        return
    borders = {clock_time(round(at)) for s in segments for at in (s.start_s, s.end_s)}
    for text in told(segments):
        assert set(re.findall(r"\d+:\d\d(?::\d\d)?", text)) <= borders


@given(some_segments(longest_s=8.0))
def test_seconds_are_rounded_borders_of_segments_or_hold_a_short_one(
    segments: list[Segment],
) -> None:
    if segments[-1].end_s >= CLOCK_S:
        return
    zh, en = told(segments)
    starts = {round(s.start_s) for s in segments}
    ends = {round(s.end_s) for s in segments}
    middles = {int((s.start_s + s.end_s) / 2) for s in stretches(segments)}
    for first, last in re.findall(r"第 (\d+)(?:–(\d+))? 秒", zh):
        start, end = int(first) - 1, int(last or first)
        assert (start in starts and end in ends) or (end == start + 1 and start in middles)
    assert {int(end) for end in re.findall(r"前 (\d+) 秒", zh)} <= ends
    for first, last in re.findall(r"from (\d+) to (\d+) s", en):
        start, end = int(first), int(last)
        assert (start in starts and end in ends) or (end == start + 1 and start in middles)


def stretches(segments: list[Segment]) -> list[Segment]:
    """Segments, and each emotion from its first to its last without another between."""
    voiced = [s for s in segments if not s.silent]
    joined: list[Segment] = []
    for segment in voiced:
        if joined and joined[-1].emotion is segment.emotion:
            joined[-1] = replace(joined[-1], end_s=segment.end_s)
        else:
            joined.append(segment)
    return voiced + joined
