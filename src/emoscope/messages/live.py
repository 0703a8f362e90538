"""Sentences of live recognition and the microphone."""

from __future__ import annotations

from emoscope.messages.languages import Text

MICROPHONE: dict[str, Text] = {
    "microphone_refused": Text(
        "浏览器没有允许使用麦克风。请点地址栏旁的图标，允许麦克风后再试。",
        "The browser does not allow the microphone. Click the icon beside the address, "
        "allow it, and try again.",
    ),
    "microphone_absent": Text(
        "没有找到麦克风。请插上或打开一个，然后再试。",
        "No microphone was found. Plug one in or switch it on, and try again.",
    ),
    "microphone_taken": Text(
        "麦克风打不开：可能正被别的程序占用。请关掉那个程序再试。",
        "The microphone does not open. Another program may hold it; close that and try again.",
    ),
    "microphone_insecure": Text(
        "浏览器只在 https 或本机地址上开放麦克风。"
        "请换成 https 地址，或在运行服务的机器上打开本页。",
        "Browsers offer the microphone only over https or on the machine itself. "
        "Use an https address, or open this page on the machine that runs the service.",
    ),
}
"""Why the microphone cannot be used; the names are those of ``scripts/microphone.js``."""

LIVE: dict[str, Text] = {
    "title": Text("实时识别", "Live"),
    "help": Text(
        "对着麦克风说话，情绪随声音流动。停止后得到完整结果，存入历史。",
        "Speak, and emotion moves with your voice. "
        "Stop for the full result, which is kept among the runs.",
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
    "provisional": Text("暂定，停止后给出结论", "provisional until you stop"),
    "veiled": Text("虚线右侧较浅的部分还会变", "The paler part, right of the dashes, may change"),
    "delay": Text("画面落后声音", "Behind the sound"),
    "picture": Text("实时情绪曲线", "Live emotion curve"),
    "empty_title": Text("情绪会在这里流动起来", "Emotion will move here"),
    "step_one": Text("点击「开始」，允许使用麦克风", "Press “Start” and allow the microphone"),
    "step_two": Text("说话，看着曲线", "Speak, and watch the river"),
    "step_three": Text("停止后得到完整结果", "Stop for the full result"),
    "finishing": Text("正在整理完整结果……", "Putting the full result together…"),
    "line_broken": Text(
        "连接断了，正在重连。声音没有丢，请继续说。",
        "The connection is broken and is being resumed. No sound is lost; go on.",
    ),
    "line_lost": Text(
        "连接断了，没能恢复。服务听到的部分会存入「历史与对比」。",
        "The connection is lost. The sound received so far is kept under “Runs”.",
    ),
}
"""The live view."""
