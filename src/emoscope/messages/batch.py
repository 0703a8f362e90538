"""Sentences of the batch view of the web page."""

from __future__ import annotations

from emoscope.messages.languages import Text

BATCH: dict[str, Text] = {
    "empty": Text(
        "一次识别多个文件，结果列成一张表，每个文件一行。",
        "Analyze many files at once. Results appear here, one row per file.",
    ),
    "empty_help": Text(
        "每行有情绪曲线、置信度和录音检查，可以排序、筛选，最后一起下载。",
        "Each row has its curve, confidence and recording check. Sort, filter, download them all.",
    ),
    "chosen": Text("已选 {count} 个文件", "{count} files chosen"),
    "too_many": Text(
        "一次最多 {limit} 个文件：前 {limit} 个已放入，另外 {left} 个没有放入。",
        "At most {limit} files at a time: the first {limit} were taken, {left} were left out.",
    ),
    "progress": Text("已完成 {done} / {total}", "{done} of {total} done"),
    "elapsed": Text("用时 {time}", "{time} elapsed"),
    "remaining": Text("剩余约 {time}", "about {time} left"),
    "cancel": Text("取消", "Cancel"),
    "cancelled": Text(
        "已取消：{done} 个成功，{failed} 个失败，{left} 个未识别",
        "Cancelled: {done} done, {failed} failed, {left} not started",
    ),
    "summary": Text("{done} 个成功，{failed} 个失败", "{done} done, {failed} failed"),
    "lost": Text(
        "连不上服务，已经停下。完成的结果都在，还有 {left} 个没有识别。",
        "The service cannot be reached, so the batch has stopped. Finished rows are kept; "
        "{left} files are not analyzed yet.",
    ),
    "resume": Text("继续识别", "Continue"),
    "zip": Text("下载全部（ZIP）", "Download all (ZIP)"),
    "spread": Text("情绪分布", "Distribution of emotions"),
    "all": Text("全部 {count}", "All {count}"),
    "doubt": Text("说不准 {count}", "In doubt {count}"),
    "failed": Text("失败 {count}", "Failed {count}"),
    "cannot_tell": Text("无法判断", "Cannot tell"),
    "leaning": Text("偏向{name}", "maybe {name}"),
    "file": Text("文件", "File"),
    "curve": Text("曲线", "Curve"),
    "emotion": Text("情绪", "Emotion"),
    "confidence": Text("置信度", "Confidence"),
    "duration": Text("时长", "Length"),
    "check": Text("录音检查", "Check"),
    "fine": Text("良好", "fine"),
    "none_shown": Text("没有符合的文件。", "No file matches."),
    "too_large": Text(
        "文件有 {size}，上限是 {megabytes:g} MB。请转成 MP3，或截取一段。",
        "This file is {size}; the limit is {megabytes:g} MB. Convert it to MP3 or trim it.",
    ),
    "no_answer": Text("服务没有给出结果。", "The service gave no answer."),
}
"""Many files at once."""

CHECK_WORDS: dict[str, Text] = {
    "too_short": Text("太短", "too short"),
    "too_long": Text("较长", "long"),
    "too_quiet": Text("声音小", "faint"),
    "clipped": Text("爆音", "clipped"),
    "low_snr": Text("噪声大", "noisy"),
    "band_limited": Text("频率范围窄", "narrow band"),
    "little_speech": Text("说话少", "little speech"),
    "no_speech": Text("没有说话声", "no speech"),
    "dc_offset": Text("波形偏移", "offset"),
    "heavy_codec": Text("码率低", "low bit rate"),
    "broken_off": Text("文件不完整", "cut off"),
    "phase_cancelled": Text("声道反相", "opposite phase"),
}
"""What the recording check found, in a word or two, for a cell of a table."""
