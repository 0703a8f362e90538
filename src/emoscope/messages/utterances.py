"""Words about utterances, each recognized alone."""

from __future__ import annotations

from emoscope.messages.languages import Text

UTTERANCES: dict[str, Text] = {
    "title": Text("逐句", "Utterances"),
    "ask": Text("逐句识别", "Each utterance alone"),
    "about": Text(
        "在停顿处切分，每句单独识别；一句的结论不受前后影响。",
        "Cut at pauses, each recognized alone: what comes before or after changes nothing.",
    ),
    "given": Text(
        "给定的时间段，每段单独识别；一句的结论不受前后影响。",
        "The given spans, each recognized alone: what comes before or after changes nothing.",
    ),
    "select": Text(
        "{start} 到 {end}，{name}。播放这一句。", "{start} to {end}, {name}. Play this utterance."
    ),
    "text": Text("内容", "Text"),
    "none": Text(
        "没有找到说话的片段，所以没有可逐句识别的内容。",
        "No stretch of speech was found, so there is no utterance.",
    ),
}
