"""Sentences around the samples: the finished result that the page opens with, and their cards."""

from __future__ import annotations

from emoscope.messages.languages import Text

DEMO: dict[str, Text] = {
    "title": Text("一句话，四种情绪", "One sentence, four emotions"),
    "told": Text(
        "同一个人把同一句德语说了四遍。点播放，看情绪怎样变化。",
        "One speaker says the same German sentence four times. Press play and watch the emotion "
        "change.",
    ),
    "play": Text("播放示例", "Play the sample"),
    "own": Text("换成你的录音", "Use your own"),
    "source": Text(
        "真人表演的语音：EmoDB（F. Burkhardt 等，2005），CC0 1.0。由内置模型识别。",
        "Real acted speech: EmoDB (F. Burkhardt et al., 2005), CC0 1.0. Analyzed by the "
        "built-in model.",
    ),
    "samples": Text("更多示例，点一下就有结果", "More samples: one click, one answer"),
    "samples_source": Text(
        "真人表演的语音：EmoDB（德语，CC0 1.0）与 CREMA-D（英语，DbCL 1.0）。",
        "Real acted speech: EmoDB (German, CC0 1.0) and CREMA-D (English, DbCL 1.0).",
    ),
}
