"""Sentences of abstention, calibration and agreement."""

from __future__ import annotations

from collections.abc import Iterable

from emoscope.labels import by_key
from emoscope.messages.languages import Language, Text
from emoscope.results.calibrated import Calibrated

ABSTENTION: dict[str, Text] = {
    "too_short": Text("录音太短", "the recording is too short"),
    "no_speech": Text("没有人说话", "there is no speech"),
    "low_snr": Text("噪声太大", "there is too much noise"),
    "clipped": Text("爆音失真太严重", "too much of it is clipped"),
    "band_limited": Text("声音的频率范围太窄", "its frequency range is too narrow"),
    "low_margin": Text("前两种情绪得分太接近", "the two leading emotions score almost the same"),
}
"""Why no emotion is claimed, as a part of a sentence."""


CALIBRATED: dict[str, Text] = {
    "one": Text("有 {percent:.0f}% 的把握：{names}", "{percent:.0f}% sure it is {names}"),
    "label_set": Text(
        "有 {percent:.0f}% 的把握是其中之一：{names}",
        "{percent:.0f}% sure it is one of: {names}",
    ),
    "held": Text("标签集含真实情绪（应 {percent:.0f}%）", "Truth in the set (aim {percent:.0f}%)"),
    "abstained": Text("不下结论的录音", "Abstained"),
    "short": Text("（校准 {percent:.0f}%）", " ({percent:.0f}% calibrated)"),
}
"""How sure one may be."""


STABILITY: dict[str, Text] = {
    "change": Text("改动", "Change"),
    "difference": Text("得分变化", "Score change"),
    "verdict": Text("结论", "Answer"),
    "as_it_is": Text("原样", "unchanged"),
    "louder": Text("响 6 dB", "6 dB louder"),
    "louder_clipped": Text("响 6 dB，超出部分削平", "6 dB louder, cut off at full scale"),
    "quieter": Text("轻 6 dB", "6 dB quieter"),
    "shifted": Text("晚 10 毫秒", "10 ms later"),
    "mp3": Text("转成 MP3（64 kbit/s）", "as MP3 (64 kbit/s)"),
    "noisy": Text("加噪声（20 dB）", "with noise (20 dB)"),
    "same": Text("不变", "same"),
    "changed": Text("改变", "changed"),
    "changed_by": Text("会因此改变：{changes}", "changed by: {changes}"),
    "stable": Text(
        "稳定：这些小改动都不影响结论。", "Stable: none of these small changes alters the answer."
    ),
    "unstable": Text(
        "不稳定：小改动就会改变结论，请谨慎采用。",
        "Not stable: a small change alters the answer. Do not rely on it.",
    ),
    "no_answer": Text(
        "这段录音没有结论，谈不上稳定与否。", "There is no answer that small changes could alter."
    ),
    "summary": Text(
        "稳定 {stable} 个，不稳定 {unstable} 个，无结论 {no_answer} 个，失败 {failed} 个",
        "{stable} stable, {unstable} not stable, {no_answer} without an answer, {failed} failed",
    ),
}
"""The words of ``emoscope doctor``."""


def label_set(sure: Calibrated, language: Language) -> str:
    """Return the sentence with the emotions that it may be."""
    emotions = [by_key(key) for key in sure.label_set]
    names = ("、" if language == "zh" else ", ").join(
        f"{e.emoji} {e.zh if language == 'zh' else e.en}" for e in emotions
    )
    text = CALIBRATED["one" if len(emotions) == 1 else "label_set"]
    return text(language, percent=100 * sure.coverage, names=names)


def abstention(codes: Iterable[str], language: Language) -> str:
    """Return all reasons, one after another."""
    return ("、" if language == "zh" else "; ").join(ABSTENTION[code](language) for code in codes)
