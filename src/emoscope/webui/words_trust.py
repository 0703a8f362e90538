"""The words of trust: why no emotion is claimed. The rest of the words is in ``texts.py``."""

from __future__ import annotations

from collections.abc import Iterable

from emoscope.webui.texts import Language, Text

ABSTENTION: dict[str, Text] = {
    "too_short": Text("录音太短", "the recording is too short"),
    "no_speech": Text("没有人说话", "nobody speaks"),
    "low_snr": Text("噪声太大", "there is too much noise"),
    "clipped": Text("削波失真太严重", "it is clipped too much"),
    "band_limited": Text("频带太窄", "its band is too narrow"),
    "low_margin": Text("前两种情绪得分太接近", "two emotions score too nearly the same"),
}
"""Why no emotion is claimed (P37), as a part of a sentence."""


def abstention(codes: Iterable[str], language: Language) -> str:
    """Return all reasons, one after another."""
    return ("、" if language == "zh" else "; ").join(ABSTENTION[code](language) for code in codes)
