"""Words about utterances, each recognized alone."""

from __future__ import annotations

from emoscope.messages.languages import Text

UTTERANCES: dict[str, Text] = {
    "title": Text("逐句", "Utterances"),
    "text": Text("内容", "Text"),
    "none": Text(
        "没有找到说话的片段，所以没有可逐句识别的内容。",
        "No stretch of speech was found, so there is no utterance.",
    ),
}
