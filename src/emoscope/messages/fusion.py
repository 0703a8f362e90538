"""Sentences of fusion: what the command prints of voice, words and both."""

from __future__ import annotations

from emoscope.messages.languages import Text

FUSION: dict[str, Text] = {
    "voice": Text("声音", "Voice"),
    "words": Text("文字", "Words"),
    "both": Text("合并", "Both"),
    "text": Text("内容", "Text"),
    "disagree": Text(
        "⚠ 声音与文字不一致（{bits:.2f} 比特）", "⚠ voice and words disagree ({bits:.2f} bits)"
    ),
    "not_fitted": Text(
        "未使用拟合的规则，声音与文字各占一半。用 emoscope fuse fit 在标注列表上拟合。",
        "No fitted rule: voice and words count half each. Fit one on a labelled list with "
        "emoscope fuse fit.",
    ),
    "fitted_on": Text(
        "{rows} 条录音，{speakers} 位说话人，{classes} 种情绪；以下为逐位留出说话人的结果，括号内是"
        "对说话人重抽样的 95 % 区间。",
        "{rows} recordings, {speakers} speakers, {classes} emotions. Figures are of speakers left "
        "out; brackets are 95 % bootstrap intervals over speakers.",
    ),
    "uar": Text("UAR（平均召回率）", "UAR (mean recall)"),
    "apart": Text("不一致的 {rows} 条中答对", "right in the {rows} that disagree"),
    "worse": Text(
        "注意：合并并不比较好的单项更好，可以不用。",
        "Note: both are no better than the better part alone; there is no need for the rule.",
    ),
    "written": Text("规则已写入：{path}", "Rule written to: {path}"),
    "skipped": Text("{count} 行未使用", "{count} rows were not used"),
}
