"""Sentences of the history and the comparison on the web page."""

from __future__ import annotations

from emoscope.messages.languages import Text

HISTORY: dict[str, Text] = {
    "search": Text("搜索标题、文件名或情绪", "Search title, file or emotion"),
    "clear": Text("清除搜索", "Clear the search"),
    "filter": Text("筛选", "Filter"),
    "every": Text("全部", "All"),
    "doubt": Text("说不准", "In doubt"),
    "count": Text("共 {total} 条", "{total} recordings"),
    "none": Text("还没有记录", "Nothing here yet"),
    "none_help": Text(
        "识别过的录音都会存在这里，可以搜索、重命名、对比和下载。",
        "Every recording you analyze is kept here: search, rename, compare and download it.",
    ),
    "begin": Text("识别第一段录音", "Analyze a first recording"),
    "no_match": Text("没有符合的记录。", "Nothing matches."),
    "reset": Text("清除条件", "Clear the filters"),
    "more": Text("加载更多", "Load more"),
    "select": Text("选择", "Select"),
    "selected": Text("已选 {count} 条", "{count} selected"),
    "unselect": Text("取消选择", "Clear selection"),
    "tools": Text("更多操作", "More"),
    "rename": Text("重命名", "Rename"),
    "rename_ask": Text("标题（留空则显示文件名）", "Title (empty shows the file name)"),
    "save": Text("保存", "Save"),
    "keep": Text("取消", "Cancel"),
    "download": Text("下载 ZIP", "Download ZIP"),
    "delete": Text("删除", "Delete"),
    "delete_one": Text(
        "删除这条记录和它的录音？删除后无法恢复。",
        "Delete this recording and its results? This cannot be undone.",
    ),
    "delete_many": Text(
        "删除这 {count} 条记录和它们的录音？删除后无法恢复。",
        "Delete these {count} recordings and their results? This cannot be undone.",
    ),
    "deleted": Text("这条记录已经删除。", "This recording was deleted."),
    "compare": Text("对比", "Compare"),
    "compare_help": Text("选两条可以对比。", "Select two to compare them."),
    "corrected": Text("已更正", "corrected"),
    "damaged": Text("结果文件已损坏", "The result cannot be read"),
    "failed": Text("没有成功：连不上服务。", "Not done: the service cannot be reached."),
}
"""The list of what was recognized before."""

COMPARE: dict[str, Text] = {
    "title": Text("两条录音对比", "Two recordings compared"),
    "back": Text("返回历史", "Back to History"),
    "pick": Text("在「历史」里选两条记录，再点「对比」。", "Select two recordings in History."),
    "difference": Text("差值（百分点）", "Difference (points)"),
    "emotion": Text("情绪", "Emotion"),
    "scores": Text("九类情绪得分", "Scores of the nine emotions"),
    "caveat": Text(
        "「{name}」没有下结论（{reasons}），它的得分只供参考。",
        "“{name}” has no answer ({reasons}); its scores are for reference only.",
    ),
    "same_scale": Text("两条曲线的时间比例相同。", "Both curves have the same time scale."),
    "other_scale": Text(
        "两段录音的长度相差太大，两条曲线的时间比例不同。",
        "The lengths differ too much: the curves have different time scales.",
    ),
}
"""Two results side by side."""
