"""Sentences about a live recording that the browser still has when its stream is lost."""

from __future__ import annotations

from emoscope.messages.languages import Text

RECORDED: dict[str, Text] = {
    "offer": Text("已录的 {length} 还在浏览器里。", "The {length} recorded so far are kept here."),
    "cut": Text("只保留了前 {minutes} 分钟。", "Only the first {minutes} minutes were kept."),
    "recognize": Text("识别已录部分", "Analyze the recording"),
    "save": Text("下载录音", "Download the recording"),
    "kept": Text("结果已存入「历史」。", "The result is in History."),
    "open": Text("查看", "Open"),
}
"""What is offered after a stream was lost, and what is told in another view."""
