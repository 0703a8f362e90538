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
    "classes": Text("类别", "classes"),
    "speakers": Text("说话人", "speakers"),
    "abstained": Text("不下结论", "abstained"),
    "own_classes": Text("自身类别 UA", "UA, own classes"),
    "how": Text("如何重现", "How to reproduce"),
    "created": Text("日期", "date"),
    "versions": Text("版本", "versions"),
    "list": Text("列表", "list"),
    "training_list": Text("训练列表", "training list"),
    "label_map": Text("标签映射", "map of labels"),
    "command": Text("命令", "command"),
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
        "未提供训练列表，也不知道这个模型用什么训练，未检查泄漏。",
        "No training list was given, and what this model was trained on is not known here: "
        "leaks are unknown.",
    ),
    "trained_on": Text(
        "模型的训练数据里有本列表的 {speakers} 个说话人、{files} 个文件：成绩偏高，不可引用。",
        "This model was trained on {speakers} speakers and {files} recordings of this list. "
        "The figures are flattered and must not be quoted.",
    ),
    "head_trained_on": Text(
        "分类头的训练数据里有本列表的 {speakers} 个说话人、{files} 个文件：成绩偏高，不可引用。",
        "This head was trained on {speakers} speakers and {files} recordings of this list. "
        "The figures are flattered and must not be quoted.",
    ),
    "head_training_unknown": Text(
        "这个分类头没有记录它的训练录音，未检查泄漏。",
        "This head does not say which recordings it was trained on: leaks are unknown.",
    ),
    "head_speakers_unknown": Text(
        "列表没有写说话人：不知道分类头是否听过这些人，未检查。",
        "The list names no speakers: whether the head was trained on these people was not checked.",
    ),
    "chosen_on": Text(
        "本列表有 {files} 个文件属于挑选这个模型时用过的文件或说话人。",
        "{files} recordings of this list, or their speakers, served to choose this model among "
        "several.",
    ),
    "corpora_known": Text(
        "模型训练过语料库 {corpora} 的录音：这不是没听过的语料库上的成绩。",
        "This model was trained on recordings of {corpora}: these are not figures for a "
        "corpus that it never heard.",
    ),
    "corpora_may_be_known": Text(
        "Emotion2Vec+ 用 EmoBox 的语料库微调过，其中有 {corpora}；具体用了哪些录音没有公布。",
        "Emotion2Vec+ was fine-tuned on the corpora of EmoBox, {corpora} among them; which "
        "recordings were used is not published.",
    ),
    "training_unknown": Text(
        "Emotion2Vec+ 用哪些录音训练没有公布，未检查泄漏。",
        "Which recordings Emotion2Vec+ was trained on is not published: leaks are unknown.",
    ),
    "training_speakers_unknown": Text(
        "{count} 段录音没有写说话人：不知道模型是否听过这些人，未检查。",
        "{count} recordings name no speaker: whether the model was trained on these people was "
        "not checked.",
    ),
    "not_trained_on": Text(
        "已知的 {recordings_of_training} 个训练文件哈希、{speakers_of_training} 个训练说话人"
        "都不在本列表中。",
        "None of the {recordings_of_training} known file hashes and {speakers_of_training} "
        "speakers of the model's training is in this list.",
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
    "speakers_not_checked": Text(
        "有一个列表没有写说话人：说话人未知，未检查；只比较了文件。",
        "Speakers unknown, not checked: one of the lists names none. Only files were compared.",
    ),
    "some_speakers_not_checked": Text(
        "两个列表里有 {count} 行没有写说话人，未检查。",
        "{count} rows of the two lists name no speaker and were not checked.",
    ),
    "files_not_compared": Text(
        "有 {count} 个文件读不到，未比较内容。",
        "{count} files cannot be read, so their content was not compared.",
    ),
    "one_speaker": Text(
        "只有一个说话人：无法给出置信区间，这些数字不能说明对其他人如何。",
        "One speaker only: there is no interval, and the figures say nothing about other people.",
    ),
    "few_speakers": Text(
        "只有 {speakers} 个说话人：置信区间本身不可靠，而且偏窄。",
        "Only {speakers} speakers: the intervals are unsure themselves, and too narrow.",
    ),
    "brackets": Text(
        "[ , ]：{level:.0f}% 区间，对 {speakers} 个说话人做自助法，{draws} 次抽样，种子 {seed}。",
        "[ , ]: {level:.0f} % intervals, bootstrap over {speakers} speakers, {draws} draws, "
        "seed {seed}.",
    ),
    "brackets_with_nameless": Text(
        "[ , ]：{level:.0f}% 区间，对 {speakers} 个说话人和 {clips} 段没有说话人的录音做自助法，"
        "{draws} 次抽样，种子 {seed}。",
        "[ , ]: {level:.0f} % intervals, bootstrap over {speakers} speakers and {clips} "
        "recordings without one, {draws} draws, seed {seed}.",
    ),
    "brackets_of_clips": Text(
        "[ , ]：{level:.0f}% 区间，说话人未知，对 {clips} 段录音做自助法，"
        "{draws} 次抽样，种子 {seed}；"
        "同一人有多段录音时偏窄。",
        "[ , ]: {level:.0f} % intervals, speakers unknown: bootstrap over {clips} recordings, "
        "{draws} draws, seed {seed}; too narrow where one person speaks in several.",
    ),
    "repeated": Text(
        "有 {count} 行的录音在前面已出现（按路径或内容），会重复计数：{names}。",
        "{count} rows have a recording that stands in the list before (same path or same bytes) "
        "and count again: {names}.",
    ),
    "left_over": Text(
        "有 {count} 段录音只有一方给了答案，不计入。",
        "{count} clips were answered by one side only and are left out.",
    ),
    "without_truth": Text(
        "有 {count} 段录音没有真实标签，不计入。", "{count} clips have no truth and are left out."
    ),
    "other_truth": Text(
        "有 {count} 段录音在两份文件里的真实标签不同，以第一份为准。",
        "{count} clips have another truth in the second file; that of the first counts.",
    ),
    "mcnemar": Text(
        "* 表示区间不含 0（至少五个说话人）。McNemar 检验（精确，双侧）把每段录音当作独立，"
        "同一人的录音并不独立；以区间为准。",
        "* marks an interval without zero, of five speakers at least. McNemar (exact, two-sided) "
        "takes clips as independent, which those of one speaker are not: trust the interval.",
    ),
    "version_differs": Text(
        "版本不同：{name} {reported} → {found}", "Another version: {name} {reported} → {found}"
    ),
    "figure_differs": Text(
        "不同：{place}，报告 {reported}，现在 {found}",
        "Differs: {place}, reported {reported}, now {found}",
    ),
    "reproduced": Text(
        "已重现：{created} 的报告里每个数字都相同。",
        "Reproduced: every figure of the report of {created} is the same.",
    ),
    "not_reproduced": Text(
        "未能重现：{created} 的报告里有 {count} 处不同。",
        "Not reproduced: {count} parts of the report of {created} differ.",
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

COMPARISON: dict[str, Text] = {
    "sides": Text("A：{first}　B：{second}", "A: {first}   B: {second}"),
    "all": Text("全部", "all"),
    "speakers": Text("说话人", "speakers"),
    "clips": Text(
        "{corpus}（{clips} 段，{speakers} 人）", "{corpus} ({clips} clips, {speakers} speakers)"
    ),
    "ua": Text("UA", "UA"),
    "wa": Text("WA", "WA"),
    "macro_f1": Text("Macro-F1", "Macro-F1"),
    "ua_own_classes": Text("自身类别 UA", "UA, own classes"),
    "only_right": Text("只有这一方答对", "only this one right"),
}
"""Words of the comparison of two systems."""

TIMELINE: dict[str, Text] = {
    "eder": Text("EDER（各录音的平均）", "EDER (mean of recordings)"),
    "eder_by_time": Text("EDER（按时间）", "EDER (by time)"),
    "ua": Text("UA（按时间）", "UA (by time)"),
    "wa": Text("WA（按时间）", "WA (by time)"),
}
"""Names of figures over time."""
