"""Sentences of live recognition and the microphone."""

from __future__ import annotations

from emoscope.messages.languages import Text

MICROPHONE: dict[str, Text] = {
    "microphone_refused": Text(
        "麦克风权限被拒绝。请点地址栏左侧的图标，把麦克风改为「允许」，再试一次。",
        "Access to the microphone was denied. Click the icon left of the address, set the "
        "microphone to “Allow”, and try again.",
    ),
    "microphone_absent": Text(
        "没有找到麦克风。请插上或打开麦克风，再试一次。",
        "No microphone found. Plug one in or switch it on, and try again.",
    ),
    "microphone_taken": Text(
        "麦克风打不开，可能正被别的程序占用。请关掉那个程序，再试一次。",
        "The microphone cannot be opened. Another program may be using it; close that program "
        "and try again.",
    ),
    "microphone_insecure": Text(
        "浏览器只在 https 地址或本机上开放麦克风。"
        "请换成 https 地址，或在运行服务的机器上打开本页。",
        "Browsers allow the microphone only over https or on the machine itself. "
        "Use an https address, or open this page on the machine that runs the service.",
    ),
}
"""Why the microphone cannot be used; the names are those of ``scripts/microphone.js``."""

LIVE: dict[str, Text] = {
    "title": Text("实时识别", "Live"),
    "help": Text(
        "对着麦克风说话，情绪随声音流动。停止后给出完整结果，并存入「历史」。",
        "Speak, and the emotion moves with your voice. "
        "Stop for the full result, which is saved to History.",
    ),
    "start": Text("开始", "Start"),
    "stop": Text("停止，看完整结果", "Stop for the full result"),
    "time": Text("已录", "Recorded"),
    "level": Text("音量", "Level"),
    "faint": Text("声音很小，请靠近麦克风。", "The sound is faint. Move closer."),
    "loud": Text("声音过大，请离远一点。", "The sound is too loud. Move away a little."),
    "now": Text("现在", "Now"),
    "confidence": Text("置信度", "Confidence"),
    "all": Text("到目前为止", "So far"),
    "provisional": Text("实时估计，停止后给出结果", "live estimate"),
    "veiled": Text("虚线右侧还会微调", "Right of the dashed line it may still change"),
    "delay": Text("延迟", "Delay"),
    "picture": Text("实时情绪曲线", "Live emotion curve"),
    "empty_title": Text("对着麦克风说话，情绪会在这里流动", "Speak, and the emotion moves here"),
    "step_one": Text("点击「开始」，允许使用麦克风", "Press “Start” and allow the microphone"),
    "step_two": Text("说话，看曲线变化", "Speak, and watch the curve"),
    "step_three": Text("停止后给出完整结果", "Stop for the full result"),
    "finishing": Text("正在整理完整结果……", "Preparing the full result…"),
    "no_server": Text(
        "连不上服务。请确认它仍在运行，再试一次。",
        "The service cannot be reached. Check that it is running and try again.",
    ),
    "line_broken": Text(
        "连接断开，正在重连。请继续说，声音不会丢。",
        "Connection lost, reconnecting. Keep talking, nothing is lost.",
    ),
    "line_lost": Text(
        "连接断开，未能恢复。已录的声音还在，可以识别已录部分，或下载录音。",
        "Connection lost for good. What was recorded is still here: analyze it, or download it.",
    ),
}
"""The live view."""
