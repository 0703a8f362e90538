"""Sentences about indexes, search, clusters and the map."""

from __future__ import annotations

from collections.abc import Mapping

from emoscope.messages.languages import Language, Text

SPACE_NAMES: Mapping[str, Text] = {
    "emotion": Text("情绪相近", "emotion"),
    "sound": Text("声音相近", "sound"),
    "raw": Text("原始向量", "raw vectors"),
}

_ALIKE: tuple[tuple[float, str, Text], ...] = (
    (0.999, "twin", Text("几乎一样", "almost the same")),
    (0.99, "very", Text("非常相似", "very similar")),
    (0.95, "alike", Text("相似", "similar")),
    (0.80, "somewhat", Text("有些相似", "somewhat similar")),
    (0.0, "little", Text("不太相似", "not very similar")),
)
"""Least share of random pairs that are less alike, a word for programs, and the words for it."""

SEARCH: Mapping[str, Text] = {
    "indexed": Text(
        "新增 {added} 条，已有 {known} 条，失败 {failed} 条；索引共有 {total} 条向量。",
        "{added} recordings added, {known} known already, {failed} failed; the index holds {total} "
        "vectors.",
    ),
    "working": Text("正在处理", "Indexing"),
    "nothing": Text("没有找到其他录音。", "No other recordings were found."),
    "near": Text("相近程度", "How near"),
    "cosine": Text("余弦", "Cosine"),
    "where": Text("位置", "Where"),
    "recording": Text("录音", "Recording"),
    "usual": Text(
        "在「{space}」空间里，任意两条录音的余弦一般是 {middle:.2f}；高于 {high:.2f} 的只占 1%。",
        "In the space “{space}” the cosine of two arbitrary recordings is usually {middle:.2f}; "
        "for one pair in a hundred it is above {high:.2f}.",
    ),
    "fitted": Text(
        "这个模型没有随附该空间，它是根据索引里的录音拟合的。",
        "No such space ships with this model; it was fitted to the recordings of the index.",
    ),
    "plain": Text(
        "索引里的录音太少，无法拟合该空间，只做了中心化；请多加一些录音。",
        "The index holds too few recordings to fit this space, so vectors are only centred. Add "
        "more recordings.",
    ),
}


def alike_key(closer_than: float | None) -> str:
    """Return the word for programs for how near a recording is; empty where it is not known."""
    if closer_than is None:
        return ""
    return next(key for least, key, _ in _ALIKE if closer_than >= least)


def alike(closer_than: float | None, language: Language) -> str:
    """Return how near a recording is, in words.

    Args:
        closer_than: share of random pairs that are less alike; None where it is not known.
        language: of the words.
    """
    key = alike_key(closer_than)
    return next((text(language) for _, one, text in _ALIKE if one == key), "")
