"""Words of heads: their training, their figures, and what the terminal says of them."""

from __future__ import annotations

from emoscope.messages.languages import Text

HEAD_WORDS: dict[str, Text] = {
    "adapted": Text(
        "已按修正调整（{name}）；模型原本：{before}",
        "adapted by corrections ({name}); the model itself: {before}",
    ),
    "embedding": Text("提取向量", "Computing embeddings"),
    "fitting": Text("交叉验证", "Cross-validating"),
    "saved": Text("已保存分类头 {name}：{path}", "Head {name} saved: {path}"),
    "removed": Text("已删除分类头 {name}。", "Head {name} removed."),
    "none": Text("还没有分类头。", "There are no heads yet."),
    "clips": Text("录音 / 说话人", "Clips / speakers"),
    "uar": Text("UAR（没听过的说话人）", "UAR (speakers not heard)"),
    "gain": Text("差值", "Difference"),
    "ece": Text("校准误差 ECE", "Calibration error (ECE)"),
    "curve": Text("学习曲线", "Learning curve"),
    "curve_point": Text("{clips:.0f} 条 {uar:.3f}", "{clips:.0f} clips {uar:.3f}"),
    "doubled": Text("数据加倍，预计", "With twice the data, expect"),
    "label": Text("标签", "Label"),
    "recall": Text("召回率", "Recall"),
    "model": Text("模型", "Model"),
    "licence": Text("数据许可", "Licence of the data"),
    "name": Text("名称", "Name"),
    "classes": Text("类别", "Classes"),
    "corrections": Text("修正", "corrections"),
    "ungrouped": Text(
        "不知道说话人：检验时可能听过同一个人，成绩偏高。",
        "Speakers are not known: the tests may have heard the same voices, and the figures are "
        "too good.",
    ),
    "repeated": Text(
        "同一文件重复出现，已去掉 {count} 条。",
        "The same file stood there again: {count} left out.",
    ),
    "contradicted": Text(
        "同一文件有两种标签，已去掉 {count} 个文件。",
        "The same file has two labels: {count} files left out.",
    ),
    "failed": Text("{count} 条无法使用。", "{count} could not be used."),
    "few_speakers": Text(
        "只有 {count} 位说话人，区间本身也不可靠。",
        "With {count} speakers the intervals are themselves unsure.",
    ),
    "kept_anyway": Text(
        "没有证明它更好，仍按要求保存。", "It is not shown to be better, and is kept as asked."
    ),
    "damaged": Text("无法读取", "cannot be read"),
}
"""Sentences and headings of the terminal."""

HEAD_PAGE: dict[str, Text] = {
    "title": Text("分类头：{name}", "Head: {name}"),
    "measured": Text(
        "在没听过的说话人上 UAR {uar:.0f}%（{low:.0f}–{high:.0f}%），共 {clips} 条录音",
        "UAR on speakers it did not hear: {uar:.0f}% ({low:.0f}–{high:.0f}%), {clips} clips",
    ),
    "segments": Text("随时间", "Over time"),
    "adapted": Text(
        "按修正调整过（{clips} 处修正）。模型原本的回答：",
        "Adapted by {clips} corrections. The model itself says: ",
    ),
}
"""What the page and the report say of heads."""

BASELINES: dict[str, Text] = {
    "emotions": Text("现有：九种情绪中的同名类别", "Without it: the emotions of these names"),
    "mapped": Text("现有：九种情绪对应到标签", "Without it: the nine emotions, mapped"),
    "majority": Text("现有：总答最常见的标签", "Without it: always the commonest label"),
}
"""What stands there without a head."""
