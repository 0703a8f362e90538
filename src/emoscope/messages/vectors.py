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
    "mapping": Text("正在建立近似检索的表", "Making tables for approximate search"),
    "approximate_built": Text(
        "近似检索（{space}，{kind}）：{rows} 条向量，每次查看 {partitions} 个分区中的 {probes} 个；"
        "对索引自身的 {queries} 条录音检验，最近 10 条平均能找到 {recall:.1%}（95% 的查询不低于 "
        "{worst:.1%}）。",
        "Approximate search ({space}, {kind}): {rows} vectors, {probes} of {partitions} partitions "
        "a query; asked with {queries} of its own it finds {recall:.1%} of the ten nearest on "
        "average (19 of 20 queries: {worst:.1%} or more).",
    ),
    "approximate_whole": Text(
        "近似检索（{space}，{kind}）：{rows} 条向量，数量少，全部查看，结果是精确的。",
        "Approximate search ({space}, {kind}): {rows} vectors, so few that all are looked at; "
        "answers are exact.",
    ),
    "approximate_answer": Text(
        "近似检索：最近 10 条平均能找到 {recall:.1%}。",
        "Approximate: of the ten nearest {recall:.1%} are found on average.",
    ),
    "clip": Text("整段录音", "whole recordings"),
    "segment": Text("分段", "segments"),
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


def alike_text(closer_than: float | None) -> Text | None:
    """Return how near a recording is in both languages; None where it is not known."""
    key = alike_key(closer_than)
    return next((text for _, one, text in _ALIKE if one == key), None)


def alike(closer_than: float | None, language: Language) -> str:
    """Return how near a recording is, in words.

    Args:
        closer_than: share of random pairs that are less alike; None where it is not known.
        language: of the words.
    """
    text = alike_text(closer_than)
    return text(language) if text else ""


RUN_MAP: Mapping[str, Text] = {
    "title": Text("录音地图", "Map of all runs"),
    "help": Text(
        "每个点是一条录音，靠得近的情绪相近。指针停在点上看是哪一条，点击播放，拖动圈选。",
        "Each dot is a recording; near dots are alike in emotion. Point at one to see which it is, "
        "click to play it, drag around several to list them.",
    ),
    "none": Text("还没有可以画的录音。", "There are no recordings to draw yet."),
    "off": Text(
        "这个服务不保存向量，没有地图。", "This server keeps no vectors, so there is no map."
    ),
    "legend": Text("显示哪些情绪", "Emotions that are shown"),
    "closer": Text("放大", "Zoom in"),
    "wider": Text("缩小", "Zoom out"),
    "fit": Text("显示全部", "Show all"),
    "picked": Text("选中 {count} 条", "{count} recordings"),
    "rest": Text("另有 {rest} 条没有列出。", "{rest} more are not listed."),
    "play": Text("播放", "Play"),
}
"""The view with the map of all runs."""

SIMILAR: Mapping[str, Text] = {
    "title": Text("听起来相似的录音", "Recordings that sound like this"),
    "by": Text("按什么比较", "What near means"),
    "emotion": Text("情绪", "Emotion"),
    "sound": Text("声音", "Voice and sound"),
    "none": Text("还没有可以比较的录音。", "There are no other recordings to compare with yet."),
    "play": Text("播放 {name}", "Play {name}"),
    "cosine": Text("余弦", "cosine"),
}
"""Below a result on the page."""

MAP: Mapping[str, Text] = {
    "title": Text("录音地图：{name}", "Map of recordings: {name}"),
    "cluster_n": Text("第 {number} 组", "Group {number}"),
    "no_cluster": Text("不属于任何一组", "in no group"),
    "colour_by": Text("着色", "Colour by"),
    "by_emotion": Text("情绪", "emotion"),
    "by_cluster": Text("分组", "group"),
    "by_speaker": Text("说话人", "speaker"),
    "by_label": Text("标签", "label"),
    "emotions": Text("主要情绪", "Emotions"),
    "speakers": Text("说话人", "Speakers"),
    "labels": Text("标签", "Label"),
    "stability": Text("稳定性", "Stability"),
    "nearest": Text("最典型", "Most typical"),
    "farthest": Text("最边缘", "Least typical"),
    "recordings": Text("录音", "Recordings"),
    "hint": Text(
        "把指针移到一个点上看是哪段录音，点击播放。",
        "Point at a dot to see which recording it is; click to play it.",
    ),
    "fact_groups": Text(
        "{count} 条录音，用 {method} 分成 {clusters} 组。重抽 80% 录音 20 次，"
        "分组的调整兰德指数平均为 {stability:.2f}。",
        "{count} recordings in {clusters} groups by {method}. Over 20 draws of 80% of the "
        "recordings the adjusted Rand index of the groups is {stability:.2f} on average.",
    ),
    "fact_tried": Text(
        "各组数的轮廓系数：{tried}；取最大者。",
        "Silhouette by number of groups: {tried}; the largest was taken.",
    ),
    "fact_silhouette": Text("轮廓系数：{tried}。", "Silhouette: {tried}."),
    "fact_places": Text(
        "位置由 {placed} 算出：相近的点是相似的录音，坐标轴本身没有含义。",
        "Placed by {placed}: near dots are similar recordings; the axes mean nothing.",
    ),
    "written": Text("已写入：{files}", "Written: {files}"),
}
