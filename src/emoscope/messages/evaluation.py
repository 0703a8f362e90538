"""Words of the evaluation report, which shows both languages side by side."""

from __future__ import annotations

from emoscope.messages.languages import Text

EVALUATION: dict[str, Text] = {
    "per_class": Text("每类", "Per class"),
    "confusion": Text("混淆矩阵（行：真实，列：回答）", "Confusion (rows: truth, columns: answer)"),
    "reliability": Text("置信度是否可信", "Reliability"),
    "surest": Text("只答最有把握的", "When only the surest are answered"),
    "groups": Text("分组", "Groups"),
    "not_recognized": Text("未能识别", "Not recognized"),
    "model": Text("模型", "model"),
    "clips": Text("录音 / 说话人", "clips / speakers"),
    "ua": Text("UA 未加权平均召回", "unweighted average recall"),
    "wa": Text("WA 准确率", "accuracy"),
    "ua_own": Text("UA（只在本列表的类别中回答）", "UA (own classes only)"),
    "worst": Text("最差", "worst"),
    "confidence": Text("置信度", "confidence"),
    "accuracy": Text("准确率", "accuracy"),
    "coverage": Text("作答比例", "coverage"),
    "risk": Text("错误率", "risk"),
    "percent_of_rows": Text("行：真实，列：回答，%", "rows: truth, columns: answer, %"),
}
"""Headings and names of figures."""

EVALUATION_NOTES: dict[str, Text] = {
    "labels_unknown": Text(
        "这些标签不是九种情绪之一（× 次数，行号）：{found}。"
        "可用 --map 说明它们的意思，或用 --drop-unknown 去掉这些行。",
        "Labels that are none of the nine (× how often, lines): {found}. Say what they mean with "
        "--map, or leave their rows out with --drop-unknown.",
    ),
    "rows_dropped": Text("已去掉 {count} 行。", "{count} rows were left out."),
    "leak_unknown": Text(
        "未提供训练列表，未检查泄漏。", "No training list was given, so leaks are unknown."
    ),
    "no_leak": Text(
        "训练列表与评测列表没有共同的说话人或文件（共同句子 {texts} 条）。",
        "The lists share no speaker and no file ({texts} sentences are shared).",
    ),
    "leak": Text(
        "数据泄漏：训练与评测共有 {speakers} 个说话人、{files} 个文件，成绩偏高，不可引用。",
        "Leak: {speakers} speakers and {files} files stand in both lists. "
        "The figures are flattered and must not be quoted.",
    ),
    "not_calibrated": Text("该模型未校准。", "This model was not calibrated."),
    "label_sets": Text(
        "标签集应在 {wanted:.0f}% 的情况下包含真实情绪，本列表为 {coverage:.1f}%，"
        "平均 {size:.2f} 个。",
        "Label sets should hold the truth in {wanted:.0f} % of cases; here they do in "
        "{coverage:.1f} %, with {size:.2f} emotions on average.",
    ),
    "small_groups": Text(
        "不足 {clips} 条的组不参与「最差」。", "Groups under {clips} clips are never called worst."
    ),
}
"""Sentences."""
