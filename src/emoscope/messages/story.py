"""How the emotion went, in two sentences, from the segments of a recording.

The first sentence tells the course: each stretch in turn where there are few, else what most of
the time sounds like. The second tells the strongest segment, and of long recordings the longest
one. Pauses do not part a stretch. Every time is a border of a segment, rounded to the second:
seconds are counted in Chinese as ordinals (第 6–8 秒 is 5 s to 8 s), and from a minute on both
languages use the clock. Scores are the model's; what a person corrected has none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from emoscope.labels import SILENCE, Emotion
from emoscope.messages.languages import LANGUAGES, Language, Text
from emoscope.messages.units import clock_time
from emoscope.results.segments import Segment
from emoscope.waveform import Span

IN_TURN_MAX = 4
"""Stretches that are told one by one; more are summed up."""
MOST = 0.5
"""Share of the time from which on something holds for most of it."""
CLOCK_S = 59.5
"""Length of a recording from which on times are written as on a clock."""

STORY: dict[str, Text] = {
    "abstained": Text(
        "这段录音不足以判断情绪，曲线和分段只供参考。",
        "This recording does not allow an answer; curve and segments are for reference only.",
    ),
    "all_silent": Text("整段没有人说话。", "There is no speech in this recording."),
    "mostly_silent": Text(
        "大部分时间没有人说话（{percent}%）；", "Silent for {percent}% of the time."
    ),
    "throughout": Text("全程都是{emotion}。", "{emotion} throughout."),
    "whenever": Text("说话时一直是{emotion}。", "{emotion} whenever there is speech."),
    "first": Text("{span}以{emotion}为主", "Mostly {emotion} {span}"),
    "to": Text("{span}转为{emotion}", "{emotion} {span}"),
    "back": Text("{span}回到{emotion}", "{emotion} again {span}"),
    "last_to": Text("最后转为{emotion}", "{emotion} at the end"),
    "last_back": Text("最后回到{emotion}", "{emotion} again at the end"),
    "most": Text(
        "大部分时间是{emotion}（{percent}%），其间变化 {changes} 次。",
        "Mostly {emotion} ({percent}% of the time), with {changes} changes.",
    ),
    "spread": Text(
        "{emotion}最多（占 {percent}%），其次是{second}（{second_percent}%），"
        "共变化 {changes} 次。",
        "Most often {emotion} ({percent}% of the time), then {second} ({second_percent}%), "
        "with {changes} changes.",
    ),
    "mean": Text("平均得分 {percent}%。", "Mean score {percent}%."),
    "strongest": Text(
        "最强的是{span}的{emotion}（{percent}%）。", "Strongest: {emotion} {span} ({percent}%)."
    ),
    "longest": Text("最长的一段是{span}的{emotion}", "The longest stretch is {emotion} {span}"),
    "then_strongest": Text(
        "，最强的是{span}的{emotion}（{percent}%）。",
        "; the strongest, {emotion} {span} ({percent}%).",
    ),
    "also_strongest": Text("，也是最强的（{percent}%）。", ", also the strongest ({percent}%)."),
    "full_stop": Text("。", "."),
    "corrected_one": Text("有 1 段经人工更正。", "One segment was corrected by hand."),
    "corrected": Text("有 {count} 段经人工更正。", "{count} segments were corrected by hand."),
}
"""The parts of the sentences; emotions come with their names in mid-sentence."""

SPANS: dict[str, Text] = {
    "from_start": Text("前 {end} 秒", "for the first {end} s"),
    "first_second": Text("第 1 秒", "for the first second"),
    "at_start": Text("开头", "at first"),
    "seconds": Text("第 {first}–{end} 秒", "from {start} to {end} s"),
    "second": Text("第 {first} 秒", "from {start} to {end} s"),
    "clock": Text(" {start}–{end} ", "from {start} to {end}"),
    "at_clock": Text(" {start} 前后", "around {start}"),
}
"""Stretches of time."""


@dataclass(frozen=True, slots=True)
class _Stretch(Span):
    """One emotion from its first segment to its last, pauses between them included."""

    emotion: Emotion


def story(
    segments: Sequence[Segment], duration_s: float, *, is_abstained: bool = False
) -> Text | None:
    """Return how the emotion went, in both languages; None without segments.

    Args:
        segments: of a result by frame, in order, as they were corrected; they cover the recording.
        duration_s: length of the recording.
        is_abstained: whether no emotion is claimed.
    """
    if not segments:
        return None
    if is_abstained:
        return STORY["abstained"]
    zh, en = (_story(segments, duration_s, language) for language in LANGUAGES)
    return Text(_closed_up(zh), en)


def _closed_up(chinese: str) -> str:
    """Return a text without the spaces that a clock time brings behind punctuation."""
    return re.sub(r"(?<=[，；。]) | (?=[，；。])|^ ", "", chinese)


def _story(segments: Sequence[Segment], duration_s: float, language: Language) -> str:
    stretches = _stretches(segments)
    if not stretches:
        return STORY["all_silent"](language)
    tell = _Teller(language, duration_s, segments)
    silent = tell.share(SILENCE)
    before = STORY["mostly_silent"](language, percent=_percent(silent)) if silent >= MOST else ""
    if len(stretches) == 1:
        course = tell.one(stretches[0])
    elif len(stretches) <= IN_TURN_MAX:
        course = tell.in_turn(stretches)
    else:
        course = tell.summed_up(len(stretches) - 1)
    parts = (before, _capital(course), tell.strongest(len(stretches)), tell.corrected())
    return (" " if language == "en" else "").join(part for part in parts if part)


class _Teller:
    """Sentences about the segments of one recording in one language."""

    def __init__(self, language: Language, duration_s: float, segments: Sequence[Segment]) -> None:
        self._language = language
        self._duration_s = duration_s
        self._voiced = [segment for segment in segments if not segment.silent]
        self._is_paused = len(self._voiced) < len(segments)
        self._segments = segments

    def one(self, stretch: _Stretch) -> str:
        return self._say(
            "whenever" if self._is_paused else "throughout", emotion=self._name(stretch.emotion)
        )

    def in_turn(self, stretches: Sequence[_Stretch]) -> str:
        first, *rest = stretches
        told = [
            self._say(
                "first", emotion=self._name(first.emotion), span=self._span(first, at_start=True)
            )
        ]
        seen = {first.emotion}
        for stretch in rest:
            way = "back" if stretch.emotion in seen else "to"
            seen.add(stretch.emotion)
            is_last = stretch is rest[-1] and self._reaches_end(stretch)
            told.append(
                self._say(
                    f"last_{way}" if is_last else way,
                    emotion=self._name(stretch.emotion),
                    span=self._span(stretch),
                )
            )
        if self._language == "zh":
            return "，".join(told) + "。"
        *most, last = told
        return f"{', '.join(most)}, then {last}."

    def summed_up(self, changes: int) -> str:
        emotions = dict.fromkeys(segment.emotion for segment in self._voiced)
        first, second = sorted(emotions, key=lambda emotion: -self.share(emotion))[:2]
        return self._say(
            "most" if self.share(first) >= MOST else "spread",
            emotion=self._name(first),
            percent=_percent(self.share(first)),
            second=self._name(second),
            second_percent=_percent(self.share(second)),
            changes=changes,
        )

    def strongest(self, count: int) -> str:
        """Return the sentence on the strongest segment, and on the longest of many stretches."""
        scored = [segment for segment in self._voiced if not segment.corrected]
        best = max(scored, key=lambda segment: segment.score or 0.0, default=None)
        if best is None:
            return self._longest() + self._say("full_stop") if count > IN_TURN_MAX else ""
        about = {"percent": _percent(best.score or 0.0), **self._about(best)}
        if len(self._voiced) == 1:
            return self._say("mean", **about)
        if count <= IN_TURN_MAX:
            return self._say("strongest", **about)
        is_both = best is max(self._voiced, key=lambda segment: segment.duration_s)
        return self._longest() + self._say(
            "also_strongest" if is_both else "then_strongest", **about
        )

    def corrected(self) -> str:
        count = sum(segment.corrected for segment in self._segments)
        if not count:
            return ""
        return self._say("corrected_one" if count == 1 else "corrected", count=count)

    def share(self, emotion: Emotion) -> float:
        """Return the share of the recording's time."""
        whole = sum(one.duration_s for one in self._segments if one.emotion is emotion)
        return whole / self._duration_s

    def _longest(self) -> str:
        longest = max(self._voiced, key=lambda segment: segment.duration_s)
        return self._say("longest", **self._about(longest))

    def _about(self, segment: Segment) -> dict[str, str]:
        return {
            "emotion": self._name(segment.emotion),
            "span": self._span(segment),
        }

    def _say(self, key: str, **data: object) -> str:
        return STORY[key](self._language, **data)

    def _name(self, emotion: Emotion) -> str:
        return name_in_sentence(emotion, self._language)

    def _reaches_end(self, stretch: Span) -> bool:
        return self._segments[-1].end_s == stretch.end_s

    def _span(self, span: Span, *, at_start: bool = False) -> str:
        """Return when: ``at_start`` allows "for the first 5 s"."""
        start, end = round(span.start_s), round(span.end_s)
        if self._duration_s >= CLOCK_S:
            key = "clock" if end > start else "at_clock"
            return SPANS[key](self._language, start=clock_time(start), end=clock_time(end))
        if at_start and start == 0:
            key = ("at_start", "first_second")[end] if end < 2 else "from_start"
            return SPANS[key](self._language, end=end)
        if end <= start:  # under a second: the second in which its middle lies
            start = int((span.start_s + span.end_s) / 2)
            end = start + 1
        key = "seconds" if end > start + 1 else "second"
        return SPANS[key](self._language, first=start + 1, start=start, end=end)


def name_in_sentence(emotion: Emotion, language: Language) -> str:
    """Return the name of an emotion in mid-sentence: 快乐, ``happy``, 「其他」, ``“other”``."""
    if emotion.key in ("other", "unknown"):
        return f"「{emotion.zh}」" if language == "zh" else f"“{emotion.key}”"
    return emotion.zh if language == "zh" else emotion.key


def _stretches(segments: Sequence[Segment]) -> list[_Stretch]:
    voiced = [segment for segment in segments if not segment.silent]
    if not voiced:
        return []
    borders = [
        0,
        *(
            at
            for at, (one, two) in enumerate(pairwise(voiced), 1)
            if one.emotion is not two.emotion
        ),
        len(voiced),
    ]
    return [
        _Stretch(voiced[first].start_s, voiced[last - 1].end_s, voiced[first].emotion)
        for first, last in pairwise(borders)
    ]


def _percent(share: float) -> int:
    return round(100 * share)


def _capital(sentence: str) -> str:
    """Return a sentence with a capital, behind a quotation mark too."""
    at = 1 if sentence.startswith("“") else 0
    return sentence[:at] + sentence[at : at + 1].upper() + sentence[at + 1 :]
