"""Advice about spoken languages, from the card of the model that is loaded."""

from __future__ import annotations

from collections.abc import Sequence

from emoscope.messages.languages import Language, Text

SPOKEN: dict[str, Text] = {
    "ar": Text("阿拉伯语", "Arabic"),
    "de": Text("德语", "German"),
    "en": Text("英语", "English"),
    "es": Text("西班牙语", "Spanish"),
    "fr": Text("法语", "French"),
    "hi": Text("印地语", "Hindi"),
    "it": Text("意大利语", "Italian"),
    "ja": Text("日语", "Japanese"),
    "ko": Text("韩语", "Korean"),
    "pl": Text("波兰语", "Polish"),
    "pt": Text("葡萄牙语", "Portuguese"),
    "ru": Text("俄语", "Russian"),
    "zh": Text("中文", "Chinese"),
}
"""Names of languages by their code; a code without a name is shown as it is."""

ADVICE_SPOKEN: dict[str, Text] = {
    "tip": Text(
        "最好说{names}：当前模型学的是{these}。",
        "Best in {names}: the loaded model learned {these}.",
    ),
    "comma": Text("、", ", "),
    "and": Text("和", " and "),
    "or": Text("或", " or "),
    "this": Text("这种语言", "this language"),
    "these": Text("这些语言", "these languages"),
    "answer": Text(
        "当前模型学的是{names}。其他语言可以试，但更容易出错。",
        "The loaded model learned {names}. Other languages can be tried, with more errors.",
    ),
    "not_known": Text(
        "当前模型的说明卡没有写明语言。",
        "The card of the loaded model does not name its languages.",
    ),
}


def language_tip(codes: Sequence[str]) -> Text | None:
    """Return the advice which language to speak; None where the model's are not known."""
    if not codes:
        return None
    text, these = ADVICE_SPOKEN["tip"], ADVICE_SPOKEN["this" if len(codes) == 1 else "these"]
    return Text(
        text("zh", names=_names(codes, "zh", "or"), these=these.zh),
        text("en", names=_names(codes, "en", "or"), these=these.en),
    )


def language_answer(codes: Sequence[str]) -> Text:
    """Return the answer to which languages the loaded model knows."""
    if not codes:
        return ADVICE_SPOKEN["not_known"]
    text = ADVICE_SPOKEN["answer"]
    return Text(
        text("zh", names=_names(codes, "zh", "and")), text("en", names=_names(codes, "en", "and"))
    )


def _names(codes: Sequence[str], language: Language, joint: str) -> str:
    names = [SPOKEN[code](language) if code in SPOKEN else code for code in codes]
    *most, last = names
    return (
        ADVICE_SPOKEN["comma"](language).join(most) + ADVICE_SPOKEN[joint](language) if most else ""
    ) + last
