"""The one answer of a result: how sure it is, its headline, and what it leaves open.

The calibrated confidence leads where the model has one. Below ``SURE_PERCENT`` the headline says
that it is not sure, or of a recording in which several emotions take turns, which ones these are:
their mean says little. Where a person corrected the segments, their emotion leads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from emoscope.labels import SILENCE, Emotion
from emoscope.messages.languages import Text
from emoscope.results.result import Result
from emoscope.results.segments import Segment
from emoscope.results.summary import emotions_in_turn

SURE_PERCENT = 50.0
"""From here on the headline names the emotion without a reservation."""
NAMED_MAX = 4
"""Emotions that the headline of a changing recording names."""

VerdictKind: TypeAlias = Literal["sure", "leaning", "changing", "abstained", "corrected"]

VERDICT: dict[str, Text] = {
    "sure": Text(
        "{emoji} {title} 置信度: {percent:.1f}%", "{emoji} {en} Confidence: {percent:.1f}%"
    ),
    "leaning": Text(
        "{emoji} 说不准，偏向{zh}（{percent:.1f}%）",
        "{emoji} Not sure, leaning to {en} ({percent:.1f}%)",
    ),
    "leaning_name": Text("说不准，偏向{zh}", "Not sure, leaning to {en}"),
    "abstained": Text("🤷 无法判断", "🤷 Cannot tell"),
    "changing": Text("情绪有变化", "The emotion changes"),
    "mean": Text(
        "按整段平均，没有哪一种情绪占上风（最高的是{zh}，{percent:.1f}%）。",
        "Averaged over the whole recording, no emotion prevails (highest: {en}, {percent:.1f}%).",
    ),
    "corrected": Text("{emoji} {zh}（人工更正）", "{emoji} {en} (corrected by hand)"),
    "by_model": Text("模型的结论：{answer}", "The model's answer: {answer}"),
    "by_time": Text(
        "按时间算，{other_zh}最多（{percent:.0f}%）；结论看的是整段的平均得分，{zh}最高。",
        "By time, {other_en} comes first ({percent:.0f}%); the answer follows the mean score of "
        "the whole recording, where {en} is highest.",
    ),
    "corrected_share": Text(
        "更正后，{zh}占的时间最多（{percent:.0f}%）。",
        "After correction, {en} takes the most time ({percent:.0f}%).",
    ),
}
"""Headlines, and sentences below them."""

NO_FEELING: dict[str, Text] = {
    "other": Text(
        "「其他」：不属于那七种情绪，或混杂说不清的表达。",
        "“Other”: an expression that is none of the seven emotions, or mixed and vague.",
    ),
    "unknown": Text(
        "「未知」：模型没有学过的声音，例如噪声。",
        "“Unknown”: a sound that the model has not learned, such as noise.",
    ),
}
"""What the two classes mean that are no feelings."""

MORE: dict[str, Text] = {
    "title": Text("这个数字是什么意思？", "What does this number mean?"),
    "calibrated": Text(
        "置信度 {percent:.1f}% 经过校准：同样把握的回答，大约每 100 次对 {percent:.0f} 次。",
        "The confidence of {percent:.1f}% is calibrated: of 100 answers as sure as this one, about "
        "{percent:.0f} are right.",
    ),
    "raw": Text("模型原始得分 {percent:.1f}%", "Raw score of the model: {percent:.1f}%"),
    "uncalibrated": Text(
        "这是模型的原始得分，没有经过校准，往往偏高。",
        "This is the model's raw score. It is not calibrated and often too high.",
    ),
    "segments": Text(
        "曲线、分段和得分条用的是原始得分；分段按平滑后的曲线划分，短暂的起伏不另成一段。",
        "Curve, segments and bars show raw scores; segments are cut on a smoothed curve, so that a "
        "brief turn is no segment of its own.",
    ),
}
"""What stands behind the ⓘ beside the headline."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer in one look."""

    kind: VerdictKind
    emotion: Emotion | None
    """None where no emotion is claimed."""
    percent: float | None
    """Confidence, calibrated where the model is, with one decimal; None without one."""
    emotions: tuple[Emotion, ...] = ()
    """Those that take turns, where they do: all in their order, or the commonest of many."""
    is_course: bool = False
    """Whether ``emotions`` are all turns in their order."""

    @property
    def emoji(self) -> str:
        """Return the emoji before the headline."""
        if self.kind == "changing":
            return "".join(emotion.emoji for emotion in self.emotions)
        return self.emotion.emoji if self.emotion else "🤷"

    @property
    def text(self) -> Text:
        """Return the headline with emoji, in both languages."""
        if self.kind == "changing":
            return Text(*(f"{self.emoji} {words}".strip() for words in self.name))
        return _filled(VERDICT[self.kind], self.emotion, self.percent)

    @property
    def name(self) -> Text:
        """Return the headline's words without emoji and number."""
        if self.kind == "changing":
            if not self.emotions:
                return VERDICT["changing"]
            joints = (" → ", " → ") if self.is_course else ("、", ", ")
            zh = joints[0].join(emotion.zh for emotion in self.emotions)
            en = joints[1].join(emotion.key for emotion in self.emotions)
            alone = VERDICT["changing"]
            return Text(f"{alone.zh}：{zh}", f"{alone.en}: {en}")
        if self.emotion is None:
            return Text(VERDICT["abstained"].zh[2:], VERDICT["abstained"].en[2:])
        if self.kind == "leaning":
            return _filled(VERDICT["leaning_name"], self.emotion)
        if self.kind == "corrected":
            text = _filled(VERDICT["corrected"], self.emotion)
            return Text(*(part.removeprefix(f"{self.emotion.emoji} ") for part in text))
        return Text(self.emotion.title, self.emotion.en)


def verdict_of(
    emotion: Emotion, confidence: float, calibrated: float | None, abstain: Sequence[str] = ()
) -> Verdict:
    """Return the answer of a model to a whole recording.

    Args:
        emotion: the class of the largest score.
        confidence: the largest score.
        calibrated: calibrated confidence, where the model was calibrated.
        abstain: why no emotion is claimed, where none is.
    """
    if abstain:
        return Verdict("abstained", None, None)
    percent = round(100 * (confidence if calibrated is None else calibrated), 1)
    return Verdict("sure" if percent >= SURE_PERCENT else "leaning", emotion, percent)


def model_verdict(result: Result) -> Verdict:
    """Return what the model answered, whatever people corrected."""
    sure = result.calibrated
    answer = verdict_of(
        result.emotion,
        result.confidence,
        None if sure is None else sure.confidence,
        result.abstain,
    )
    times = _times(result.segments) if result.track is not None else {}
    is_mixed = result.abstain == ("low_margin",) and len(times) > 1
    none_leads = max(times.values(), default=1.0) < SURE_PERCENT / 100 * sum(times.values())
    if is_mixed or (answer.kind == "leaning" and none_leads):
        return _changing(result.segments, times)
    return answer


def _changing(segments: Sequence[Segment], times: dict[Emotion, float]) -> Verdict:
    """Name all turns where they are few, else the emotions of most of the time."""
    turns = emotions_in_turn(segments)
    if len(turns) <= NAMED_MAX:
        return Verdict("changing", None, None, turns, is_course=True)
    named = sorted(times, key=lambda emotion: -times[emotion])[:NAMED_MAX]
    return Verdict("changing", None, None, tuple(named))


def verdict(result: Result) -> Verdict:
    """Return the answer to show: a person's emotion where the segments were corrected to it."""
    answer = model_verdict(result)
    lead = leader_by_time(result.segments)
    if lead is None or not any(segment.corrected for segment in result.segments):
        return answer
    return answer if lead is answer.emotion else Verdict("corrected", lead, None)


def leader_by_time(segments: Sequence[Segment]) -> Emotion | None:
    """Return the emotion of most of the time, or silence where nothing else is; None of none."""
    times = _times(segments)
    return max(times, key=times.__getitem__, default=SILENCE if segments else None)


def _times(segments: Sequence[Segment]) -> dict[Emotion, float]:
    """Return the seconds of each emotion, in order of its first segment; silence is none."""
    times: dict[Emotion, float] = {}
    for segment in segments:
        if not segment.silent:
            times[segment.emotion] = times.get(segment.emotion, 0.0) + segment.duration_s
    return times


def below(result: Result) -> list[Text]:
    """Return the sentences that keep the headline from contradicting what stands below it."""
    answer, model = verdict(result), model_verdict(result)
    said = []
    lead = leader_by_time(result.segments)
    if answer.kind == "corrected" and answer.emotion is not None:
        if result.track is not None:
            share = _share(result, answer.emotion)
            said.append(_filled(VERDICT["corrected_share"], answer.emotion, share))
        zh, en = model.text
        text = VERDICT["by_model"]
        said.append(Text(text("zh", answer=zh), text("en", answer=en)))
    elif answer.kind == "changing":
        said.append(_filled(VERDICT["mean"], result.emotion, 100 * result.confidence))
    elif lead and model.emotion and lead not in (SILENCE, model.emotion):
        text = VERDICT["by_time"]
        words = {"other_zh": lead.zh, "other_en": lead.en, "percent": _share(result, lead)}
        words |= {"zh": model.emotion.zh, "en": model.emotion.en}
        said.append(Text(text("zh", **words), text("en", **words)))
    if answer.emotion is not None and answer.emotion.key in NO_FEELING:
        said.append(NO_FEELING[answer.emotion.key])
    return said


def _share(result: Result, emotion: Emotion) -> float:
    """Percent of the recording's time."""
    whole = sum(one.duration_s for one in result.segments if one.emotion is emotion)
    return 100 * whole / result.duration_s


def _filled(text: Text, emotion: Emotion | None, percent: float | None = None) -> Text:
    words: dict[str, object] = {"percent": percent}
    if emotion is not None:
        words |= {"emoji": emotion.emoji, "zh": emotion.zh, "en": emotion.en}
        words["title"] = emotion.title
    return Text(text("zh", **words), text("en", **words))
