"""Names of mixed emotions, for two emotions that score close together."""

from __future__ import annotations

from emoscope.labels import Emotion
from emoscope.messages.languages import Text
from emoscope.results.scores import Scores

SECOND_MIN = 0.15
"""A second score below this is a trace, not a part."""
TOGETHER_MIN = 0.60
"""Both together must carry most of the answer, or it is spread over many."""

# A neutral voice colours the other emotion differently, depending on which of the two leads.
NUANCES: dict[tuple[str, str], Text] = {
    ("neutral", "angry"): Text("平静中带着不悦", "displeased calm"),
    ("neutral", "disgusted"): Text("平静中带着嫌弃", "disdainful calm"),
    ("neutral", "fearful"): Text("平静中带着不安", "uneasy calm"),
    ("neutral", "happy"): Text("平静中带着愉快", "cheerful calm"),
    ("neutral", "sad"): Text("平静中带着低落", "downcast calm"),
    ("neutral", "surprised"): Text("平静中带着惊讶", "bemused calm"),
    ("angry", "neutral"): Text("克制的愤怒", "restrained anger"),
    ("disgusted", "neutral"): Text("冷淡的厌恶", "cool disdain"),
    ("fearful", "neutral"): Text("隐隐的担忧", "mild worry"),
    ("happy", "neutral"): Text("轻松愉快", "light-hearted ease"),
    ("sad", "neutral"): Text("淡淡的忧伤", "quiet sadness"),
    ("surprised", "neutral"): Text("略感惊讶", "mild surprise"),
}
"""Pairs with neutral, leading emotion first."""

BLENDS: dict[frozenset[str], Text] = {
    frozenset({"happy", "surprised"}): Text("惊喜", "pleasant surprise"),
    frozenset({"happy", "sad"}): Text("悲喜交加", "bittersweet joy"),
    frozenset({"happy", "angry"}): Text("又气又笑", "amused annoyance"),
    frozenset({"happy", "fearful"}): Text("紧张又兴奋", "nervous excitement"),
    frozenset({"happy", "disgusted"}): Text("戏谑嘲弄", "mockery"),
    frozenset({"sad", "angry"}): Text("悲愤", "aggrieved anger"),
    frozenset({"sad", "fearful"}): Text("无助", "helplessness"),
    frozenset({"sad", "disgusted"}): Text("失望又嫌恶", "bitter disappointment"),
    frozenset({"sad", "surprised"}): Text("错愕失落", "dismay"),
    frozenset({"angry", "surprised"}): Text("又惊又怒", "outrage"),
    frozenset({"angry", "disgusted"}): Text("轻蔑反感", "contempt"),
    frozenset({"angry", "fearful"}): Text("又急又怕", "frantic alarm"),
    frozenset({"fearful", "surprised"}): Text("惊吓", "fright"),
    frozenset({"fearful", "disgusted"}): Text("又怕又嫌恶", "horrified revulsion"),
    frozenset({"disgusted", "surprised"}): Text("震惊又嫌恶", "dismayed disgust"),
}
"""Pairs of two felt emotions, whichever leads."""


def leading_two(scores: Scores) -> tuple[Emotion, Emotion]:
    """The two largest, larger first."""
    (first, _), (second, _) = scores.ranked()[:2]
    return first, second


def mixed_emotion(scores: Scores) -> Text | None:
    """Name the mixture of the two leading emotions, or None when one of them stands alone.

    ``other`` and ``unknown`` are no feelings and mix with nothing.
    """
    (first, high), (second, low) = scores.ranked()[:2]
    if low < SECOND_MIN or high + low < TOGETHER_MIN:
        return None
    return NUANCES.get((first.key, second.key)) or BLENDS.get(frozenset({first.key, second.key}))
