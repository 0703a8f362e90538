"""Sentences that several front ends share: advice, steps of the log, notices, the terminal.

Errors have tables of their own (``errors.py``, ``reasons.py``, ``hints.py``), as the page has. A
test fails on a missing word and on Chinese outside this package.
"""

from __future__ import annotations

from collections.abc import Sequence

from emoscope.events import Step
from emoscope.messages.languages import Language, Text
from emoscope.paths.choices import Granularity

TIER = Text("情绪", "emotion")
"""Name of the tier with the segments in files for annotation tools."""

CORRECTED = Text("已更正", "corrected")
"""Mark of a segment that a person changed."""

IN_BRACKETS = Text("（{words}）", " ({words})")

MODEL_TITLES: dict[str, Text] = {
    "emotion2vec-plus-large": Text("Emotion2Vec+ 大模型", "Emotion2Vec+ Large"),
    "emotion2vec-plus-base": Text("Emotion2Vec+ 基础模型", "Emotion2Vec+ Base"),
    "emotion2vec-plus-seed": Text("Emotion2Vec+ 种子模型", "Emotion2Vec+ Seed"),
    "compact": Text("内置小模型", "Built-in compact model"),
}
"""Titles of the catalogued models."""

ADVICE: dict[str, Text] = {
    "too_short": Text(
        "录音不到 1 秒，太短了；3–10 秒最好。",
        "Under 1 second is too short. 3–10 s works best.",
    ),
    "too_long": Text(
        "录音较长，一个结论会把变化抹平。请看它随时间的变化。",
        "In a long recording, one answer levels out the changes. Look at the change over time.",
    ),
    "too_quiet": Text(
        "声音很小（{level_dbfs:.0f} dBFS）。请靠近麦克风，或调高录音音量。",
        "The sound is faint ({level_dbfs:.0f} dBFS). Move closer to the microphone, or raise the "
        "recording level.",
    ),
    "clipped": Text(
        "有 {clipped_percent:.1f}% 的声音爆音失真。请调低录音音量，再录一次。",
        "{clipped_percent:.1f}% of the sound is clipped. Lower the level and record again.",
    ),
    "low_snr": Text(
        "背景噪声较大（信噪比约 {snr_db:.0f} dB）。请在安静处录音，并关掉音乐。",
        "The background is noisy (about {snr_db:.0f} dB SNR). Record in a quiet place, without "
        "music.",
    ),
    "band_limited": Text(
        "声音最高只到 {bandwidth_hz:.0f} Hz，像电话录音或低码率音频。"
        "请用 16 kHz 以上的采样率录音，不要用 8 kbit/s AMR。",
        "The sound ends at {bandwidth_hz:.0f} Hz, like a telephone call or low-bitrate audio. "
        "Record at 16 kHz or more, and avoid 8 kbit/s AMR.",
    ),
    "little_speech": Text(
        "大部分时间没有人说话（语音约占 {speech_percent:.0f}%）。"
        "请剪掉空白，只留 3–10 秒有人说话的部分。",
        "Most of the recording is without speech (speech: {speech_percent:.0f}%). "
        "Keep only the 3–10 s with speech.",
    ),
    "no_speech": Text(
        "没有听到说话声，所以不作判断。请检查麦克风；音乐、歌曲和噪声不适用。",
        "No speech found, so there is no answer. Check the microphone; "
        "music, songs and noise do not work.",
    ),
    "dc_offset": Text(
        "整段声音偏离零点 {dc_percent:.0f}%，录音设备可能有故障。请换一个麦克风或声卡。",
        "The sound is offset from zero by {dc_percent:.0f}%, as from a faulty recorder. "
        "Try another microphone or sound card.",
    ),
    "heavy_codec": Text(
        "声音在 {bandwidth_hz:.0f} Hz 处被截断，像经过低码率压缩。"
        "请用更高码率录音，或存成 WAV、FLAC。",
        "The sound is cut off at {bandwidth_hz:.0f} Hz, as by a low bitrate. "
        "Record at a higher bitrate, or as WAV or FLAC.",
    ),
    "broken_off": Text(
        "文件中途断开，只分析了读到的部分。请重新传输或导出。",
        "The file breaks off; only the part that could be read was analyzed. Transfer or export "
        "it again.",
    ),
    "phase_cancelled": Text(
        "各声道相位相反，混在一起会互相抵消，所以只分析了较响的一个声道。"
        "请检查接线，或让每个声道各出一个结果。",
        "The channels have opposite phase and cancel each other when mixed, so only the louder "
        "one was analyzed. Check the wiring, or ask for one result per channel.",
    ),
}
"""One sentence of advice for each reason of the recording check."""

STEPS: dict[str, Text] = {
    "receive": Text("接收音频", "Receive"),
    "decode": Text("解码", "Decode"),
    "mix": Text("混合声道", "Mix channels"),
    "resample": Text("重采样", "Resample"),
    "check": Text("检查录音质量", "Check the recording"),
    "infer": Text("情绪识别", "Analyze"),
    "utterances": Text("逐句识别", "Analyze each utterance"),
    "write": Text("写入结果", "Write results"),
}
"""Name of each step of the processing log."""

STEP_DETAILS: dict[str, Text] = {
    "receive": Text("{bytes:size}", "{bytes:size}"),
    "decode": Text("{container} / {codec}，{rate_hz} Hz", "{container} / {codec}, {rate_hz} Hz"),
    "mix": Text("{channels} 声道 → 单声道", "{channels} channels → mono"),
    "resample": Text("{from_hz} → {to_hz} Hz", "{from_hz} → {to_hz} Hz"),
    "infer": Text("模型 {model}，{frames} 帧", "model {model}, {frames} frames"),
    "utterances": Text("{count} 句", "{count} utterances"),
}

ALREADY_MONO = Text("单声道", "mono")
"""What is said of mixing a single channel."""

STEP_NOTES: dict[str, Text] = {
    "tracks": Text("共 {tracks} 条音轨，取第 {track} 条", "track {track} of {tracks}"),
    "phase_cancelled": Text(
        "相位相反，只取第 {channel} 声道", "opposite phase, only channel {channel} used"
    ),
}
"""What is added to a step that holds this number."""

NOTICES: dict[str, Text] = {
    "compact": Text(
        "这是内置小模型的结果，仅供体验。"
        "要得到更可靠的结果，请在服务器上运行下面的命令，再重启服务：{command}",
        "Answered by the small built-in model: for a first try only. For more reliable results, "
        "run this command on the server and restart the service: {command}",
    ),
    "compact_found": Text(
        "这是内置小模型的结果，仅供体验。"
        "Emotion2Vec+ 大模型的官方文件已在本机（{folder}），"
        "无需下载，运行一次即可转换使用：{command}",
        "Answered by the small built-in model: for a first try only. The official files of "
        "Emotion2Vec+ Large are already on this machine ({folder}); convert them once, without a "
        "download: {command}",
    ),
    "found_copy": Text(
        "{model} 的官方文件已在本机：{folder}。无需下载：{command}",
        "The official files of {model} are already on this machine: {folder}. "
        "No download needed: {command}",
    ),
    "using_copy": Text(
        "官方文件已在 {hub} 的缓存中，不再下载：{folder}",
        "The official files are in the cache of {hub}, nothing is downloaded: {folder}",
    ),
    "converting_folder": Text(
        "正在把官方文件夹 {folder} 转换到缓存，只需一次……",
        "Converting the official folder {folder} into the cache; this is done once ...",
    ),
    "waiting": Text(
        "另一个进程正在处理 {model}（{holder}），等它完成……",
        "Another process is working on {model} ({holder}); waiting for it ...",
    ),
    "abstain": Text("无法判断：{reasons}", "Cannot tell: {reasons}"),
    "address": Text("网页与接口地址：{address}", "Page and API: {address}"),
    "adopted": Text("{count} 个结果现在属于 {name}", "{count} runs belong to {name} now"),
    "key_unlimited": Text("永久有效", "does not expire"),
    "key_expired": Text("{moment}（已过期）", "{moment} (expired)"),
    "key_unused": Text("未使用", "not used"),
    "keys": Text("密钥文件：{path}（{count} 个密钥）", "Key file: {path} ({count} keys)"),
    "can_start": Text("检查完成，服务可以启动", "All checks passed; the server can start"),
    "stop": Text("按 Ctrl+C 停止", "Press Ctrl+C to stop"),
    "no_door": Text(
        "{host} 可被其他机器访问，但还没有密钥。"
        "先运行 emoscope keys create 名称，或加 --open 表示任何人都可以使用",
        "{host} can be reached from other machines, and there is no key yet. "
        "Run emoscope keys create NAME first, or use --open to let everyone in",
    ),
    "no_door_proxy": Text(
        "它表示服务在代理之后，其他机器可以访问，但还没有密钥。"
        "先运行 emoscope keys create 名称，或加 --open 表示任何人都可以使用",
        "it says that a proxy lets other machines in, and there is no key yet. "
        "Run emoscope keys create NAME first, or use --open to let everyone in",
    ),
    "gradio_address": Text("Gradio 应用地址：{address}", "Gradio app: {address}"),
    "no_keys_here": Text(
        "{host} 可被其他机器访问，而 Gradio 应用没有密钥。加 --open 表示任何人都可以使用",
        "{host} can be reached from other machines, and the Gradio app has no keys. "
        "Say --open to let everybody in",
    ),
    "open_door": Text(
        "注意：{host} 可被其他机器访问，而服务没有密码。",
        "Note: {host} can be reached from other machines, and the service has no password.",
    ),
}

TERMINAL: dict[str, Text] = {
    "file": Text("文件", "File"),
    "emotion": Text("情绪", "Emotion"),
    "confidence": Text("置信度", "Confidence"),
    "second": Text("其次", "Second"),
    "duration": Text("时长", "Length"),
    "check": Text("录音检查", "Check"),
    "fine": Text("良好", "fine"),
    "failed": Text("失败", "failed"),
    "saved": Text("已保存：{path}", "Saved: {path}"),
    "named_apart": Text(
        "{name} 不只是这一条录音的名字，已写入：{path}",
        "Another recording has the name {name} too; this one was written to: {path}",
    ),
    "unfinished": Text(
        "已中断。再次运行同一命令，将从中断处继续（进度保留一周）。",
        "Interrupted. Run the same command to continue from here (kept for a week).",
    ),
    "live_answer": Text(
        "整体：{emotion} {percent:.1f}%（{duration_s:.1f} 秒）",
        "Overall: {emotion} {percent:.1f}% ({duration_s:.1f} s)",
    ),
    "talk": Text(
        "说话 {talk:.1f}%，重叠 {overlap:.1f}%", "speaks {talk:.1f}%, overlaps {overlap:.1f}%"
    ),
    "summary": Text("{done} 个成功，{failed} 个失败", "{done} done, {failed} failed"),
    "frame": Text("（--granularity frame）", " (--granularity frame)"),
    "separate": Text("（--channels separate）", " (--channels separate)"),
    "working": Text("识别中", "Analyzing"),
    "time": Text("时间", "Time"),
    "score": Text("得分", "Score"),
    "own_classes": Text("UA（只答本列表的类别）", "UA (own classes only)"),
    "demo": Text(
        "内置示例（演员的真人录音）",
        "Built-in samples (real speech by actors)",
    ),
}


def advised(reasons: Sequence[str], granularity: Granularity) -> tuple[str, ...]:
    """Return the reasons that call for a sentence.

    Who has the curve is not sent to the curve, and of a recording that is too short nothing is
    said about speech.

    Args:
        reasons: ``quality.reasons`` or ``abstain`` of a result.
        granularity: how it was made.
    """
    needless = {"too_long"} if granularity == "frame" else set()
    if "too_short" in reasons:
        needless.add("no_speech")
    return tuple(code for code in reasons if code not in needless)


def advice(code: str, language: Language, quality: dict[str, object]) -> str:
    """Return the sentence of advice for a reason, with the numbers of the check in it.

    Args:
        code: a reason of ``quality.reasons`` or ``abstain``.
        language: ``zh`` or ``en``.
        quality: the recording check by key, as ``result.json`` has it.
    """
    clipped, speech = quality.get("clipped_share"), quality.get("speech_share")
    offset = quality.get("dc_offset")
    percent = {
        "clipped_percent": 100 * clipped if isinstance(clipped, float) else 0.0,
        "speech_percent": 100 * speech if isinstance(speech, float) else 0.0,
        "dc_percent": 100 * offset if isinstance(offset, float) else 0.0,
    }
    return ADVICE[code](language, **{**quality, **percent})


def step_line(step: Step, language: Language) -> str:
    """Return one line of the processing log, without its milliseconds."""
    title = STEPS[step.name](language)
    detail = STEP_DETAILS.get(step.name)
    if detail is None or not step.data:
        return title
    colon, comma = ("：", "，") if language == "zh" else (": ", ", ")
    if step.name == "mix" and step.data.get("channels") == 1:
        detail = ALREADY_MONO
    notes = [note(language, **step.data) for key, note in STEP_NOTES.items() if key in step.data]
    return f"{title}{colon}{comma.join([detail(language, **step.data), *notes])}"
