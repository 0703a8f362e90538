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
    "leak": Text(
        "索引 {index} 有 {recordings} 条录音：其中 {trained_on} 条在训练列表里，"
        "另有 {speaker_recordings} 条来自训练列表里的 {speakers} 位说话人。"
        "在这些录音上，分类头的成绩会偏高。",
        "Index {index} has {recordings} recordings: {trained_on} were trained on, and "
        "{speaker_recordings} more are of {speakers} speakers that were. On these the head's "
        "figures are too good.",
    ),
    "no_leak": Text(
        "索引 {index} 有 {recordings} 条录音：没有一条在训练列表里，说话人也都不在其中。",
        "Index {index} has {recordings} recordings: none was trained on, and no speaker of theirs.",
    ),
    "leak_unknown": Text(
        "这个分类头没有记录它的训练录音，无法与索引比对；重新训练即可。",
        "This head has no record of the recordings that it was trained on, so it cannot be "
        "compared with the index; train it again.",
    ),
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

TEACH: dict[str, Text] = {
    "open": Text("教会它", "Teach it"),
    "title": Text("从修正中学习", "Learn from corrections"),
    "what": Text(
        "按您修正过的片段微调九种情绪的得分。采用之前什么都不会变；采用后只影响之后的识别，可随时撤销。",
        "Adjusts the nine scores by the segments that you corrected. Nothing changes before you "
        "adopt it; then only later answers do, and you can undo it at any time.",
    ),
    "there_are": Text(
        "有 {corrections} 处修正，来自 {recordings} 段录音。",
        "{corrections} corrections in {recordings} recordings.",
    ),
    "other_model": Text(
        "另有 {count} 个结果来自别的模型，未使用。", "{count} more are of another model: not used."
    ),
    "too_few": Text(
        "至少要 {least} 处修正、{least_recordings} 段录音，才能从中学习。",
        "At least {least} corrections in {least_recordings} recordings are needed to learn from "
        "them.",
    ),
    "unseen": Text("在没学过的录音上检验", "On recordings it did not learn from"),
    "before": Text("现在正确", "right now"),
    "after": Text("采用后正确", "right after"),
    "corrected_right": Text("修正过的片段（{count}）", "corrected segments ({count})"),
    "stayed_right": Text("您没有改的片段（{count}）", "segments that you left ({count})"),
    "others": Text(
        "最近 {looked_at} 个没修正过的结果中，{changed} 个的结论会变。",
        "Of the latest {looked_at} results without corrections, {changed} would be answered "
        "otherwise.",
    ),
    "not_better": Text(
        "正确的片段没有变多，因此不能采用。修正更多录音后再试。",
        "It does not make more segments right, so it cannot be adopted. Correct more recordings "
        "and try again.",
    ),
    "in_force": Text(
        "正在使用：学自 {corrections} 处修正。", "In force: learned from {corrections} corrections."
    ),
    "same": Text("没有新的修正。", "No new corrections since."),
    "adopt": Text("采用", "Adopt"),
    "undo": Text("撤销上一次", "Undo the last one"),
    "close": Text("关闭", "Close"),
    "failed": Text("没有成功，请再试一次。", "That did not work. Try again."),
}
"""The dialog of teaching."""

BASELINES: dict[str, Text] = {
    "emotions": Text("现有：九种情绪中的同名类别", "Without it: the emotions of these names"),
    "mapped": Text("现有：九种情绪对应到标签", "Without it: the nine emotions, mapped"),
    "majority": Text("现有：总答最常见的标签", "Without it: always the commonest label"),
}
"""What stands there without a head."""
