"""Words of the figure: emotion over time, its tools, corrections, sharing, keys."""

from __future__ import annotations

from emoscope.messages.languages import Text

FIGURE: dict[str, Text] = {
    "title": Text("情绪随时间的变化", "Emotion over time"),
    "title_sound": Text("波形", "Waveform"),
    "now": Text("现在：{told}", "Now: {told}"),
    "play": Text("播放", "Play"),
    "pause": Text("暂停", "Pause"),
    "speed": Text("播放速度", "Speed"),
    "closer": Text("放大", "Zoom in"),
    "wider": Text("缩小", "Zoom out"),
    "fit": Text("全部", "Fit"),
    "keys": Text("快捷键", "Keyboard shortcuts"),
    "selection": Text("选区", "Selection"),
    "zoom_selection": Text("放大选区", "Zoom to selection"),
    "loop_selection": Text("循环", "Loop"),
    "play_selection": Text("播放选区", "Play selection"),
    "save_selection": Text("下载选区", "Download selection"),
    "label_selection": Text("标注选区", "Label selection"),
    "clear_selection": Text("取消选区", "Clear selection"),
    "quiet": Text("停顿", "Silence"),
    "doubt": Text("两种情绪接近", "Two emotions close"),
    "smoothed": Text(
        "平滑后的分段，与逐点的曲线可能不同。单击可更正。",
        "A smoothed segment; the curve may differ. Click to correct.",
    ),
    "abstained": Text(
        "整段画斜线，不作判断：{reasons}", "Hatched throughout, no answer: {reasons}"
    ),
    "help": Text(
        "电脑：单击定位 · 拖动选段 · 空格播放 · Ctrl＋滚轮缩放（按 ? 看全部快捷键）。"
        "手机：轻点定位 · 拖动选段 · 双指缩放。单击上方的分段可更正。",
        "Computer: click to seek · drag to select · space plays · Ctrl+wheel zooms "
        "(press ? for all shortcuts). Phone: tap to seek · drag to select · pinch to zoom. "
        "Click a segment above the curve to correct it.",
    ),
    "help_sound": Text(
        "电脑：单击定位 · 拖动选段 · 空格播放 · Ctrl＋滚轮缩放（按 ? 看全部快捷键）。"
        "手机：轻点定位 · 拖动选段 · 双指缩放。",
        "Computer: click to seek · drag to select · space plays · Ctrl+wheel zooms "
        "(press ? for all shortcuts). Phone: tap to seek · drag to select · pinch to zoom.",
    ),
}
"""The figure and its tools."""

EDIT: dict[str, Text] = {
    "title": Text("更正这一段", "Correct this segment"),
    "start": Text("开始（秒）", "From (s)"),
    "end": Text("结束（秒）", "To (s)"),
    "split": Text("在播放处拆分", "Split at playhead"),
    "join": Text("与下一段合并", "Merge with next"),
    "undo": Text("撤销", "Undo"),
    "redo": Text("重做", "Redo"),
    "restore": Text("恢复为模型结果", "Restore model result"),
    "next": Text("下一段", "Next"),
    "close": Text("关闭", "Close"),
    "saving": Text("正在保存……", "Saving…"),
    "saved": Text("已保存", "Saved"),
    "failed": Text("没有保存", "Not saved"),
    "changed": Text("已更正", "corrected"),
    "retry": Text("重试", "Retry"),
    "marked": Text(
        "已更正的分段带圆点；模型的原始结果会保留。",
        "Corrected segments have a dot; the model's result is kept.",
    ),
}
"""The panel for corrections."""

SHARE: dict[str, Text] = {
    "title": Text("分享", "Share"),
    "link": Text("复制链接", "Copy link"),
    "text": Text("复制文字", "Copy text"),
    "image": Text("复制图片", "Copy image"),
    "png": Text("下载图片 PNG", "Download PNG"),
    "card": Text("分享卡 16:9", "Share card 16:9"),
    "square": Text("分享卡 方形", "Share card square"),
    "done": Text("已复制", "Copied"),
    "refused": Text(
        "浏览器没有允许复制，请改用下载。", "The browser refused to copy; download it instead."
    ),
    "words": Text("{name}（{length}）：{answer}", "{name} ({length}): {answer}"),
    "sure": Text("置信度 {percent:.0f}%", "Confidence {percent:.0f}%"),
}
"""The menu for sharing, and what is shared as text."""

CHANNELS: dict[str, Text] = {
    "ask": Text("左右声道分开（两位说话人）", "Separate channels (two speakers)"),
    "channel": Text("声道 {number}", "Channel {number}"),
    "talk": Text("说话占 {percent:.0f}%", "speaks {percent:.0f}% of the time"),
    "overlap": Text("同时说话占 {percent:.0f}%", "both speak {percent:.0f}%"),
    "open": Text("打开这一声道", "Open this channel"),
}
"""Two speakers on two channels."""

SHORTCUTS: tuple[tuple[str, Text], ...] = (
    ("Space", Text("播放 / 暂停", "Play / pause")),
    ("← →", Text("后退 / 前进", "Back / forward")),
    ("Shift ← →", Text("逐帧移动（20 毫秒）", "One frame (20 ms)")),
    ("Home End", Text("到开头 / 结尾", "To the start / end")),
    ("+ −", Text("放大 / 缩小", "Zoom in / out")),
    ("F", Text("显示全部", "Fit all")),
    ("Z", Text("放大选区", "Zoom to selection")),
    ("L", Text("循环播放选区", "Loop the selection")),
    ("< >", Text("放慢 / 加快", "Slower / faster")),
    ("E", Text("更正播放处的分段", "Correct the segment at the playhead")),
    (
        "1 … 9, 0",
        Text("更正时：九种情绪，0 为停顿", "While correcting: the nine emotions, 0 for silence"),
    ),
    ("Enter", Text("更正时：下一段", "While correcting: next segment")),
    ("S, M", Text("更正时：拆分，与下一段合并", "While correcting: split, merge with next")),
    ("Ctrl Z, Ctrl Y", Text("撤销，重做", "Undo, redo")),
    ("Esc", Text("关闭更正，取消选区", "Close the correction, clear the selection")),
    ("?", Text("显示快捷键", "Show these shortcuts")),
)
"""Keys of the figure, and what they do."""
