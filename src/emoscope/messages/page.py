"""Sentences of the web page."""

from __future__ import annotations

from emoscope.messages.languages import Language, Text

PAGE: dict[str, Text] = {
    "tagline": Text("看见声音里的情绪", "See the emotion in speech"),
    "language": Text("语言", "Language"),
    "views": Text("页面", "Views"),
    "view_one": Text("单条录音", "Single"),
    "view_many": Text("批量识别", "Batch"),
    "view_live": Text("实时", "Live"),
    "view_runs": Text("历史", "History"),
    "view_map": Text("地图", "Map"),
    "footer": Text(
        "录音只发送到运行 Emoscope 的这台服务器，不交给任何第三方。",
        "Recordings go only to the server that runs Emoscope, and to no third party.",
    ),
    "api": Text("接口文档", "API docs"),
}
"""Head and foot of the page."""

LANGUAGE_NAMES: dict[Language, str] = {"zh": "中文", "en": "English"}
"""Each language's own name, the same in both."""

FORM: dict[str, Text] = {
    "sound": Text("录音", "Recording"),
    "drop": Text("把录音拖到这里，或点击选择文件", "Drop a recording here, or click to choose one"),
    "drop_many": Text(
        "把多个录音拖到这里，或点击选择文件", "Drop recordings here, or click to choose them"
    ),
    "formats": Text(
        "{formats}；不超过 {megabytes:g} MB、{minutes:g} 分钟",
        "{formats}; up to {megabytes:g} MB and {minutes:g} minutes",
    ),
    "record": Text("用麦克风录音", "Record"),
    "stop": Text("停止录音", "Stop recording"),
    "remove": Text("移除", "Remove"),
    "clear": Text("清空", "Clear"),
    "sample": Text("📝 加载示例音频", "📝 Load a sample"),
    "samples": Text("更多示例", "More samples"),
    "sample_source": Text(
        "示例是演员的真人录音：EmoDB（CC0）与 CREMA-D（DbCL）。",
        "The samples are real speech by actors: EmoDB (CC0) and CREMA-D (DbCL).",
    ),
    "granularity": Text("想看什么", "What to show"),
    "utterance": Text("一个结论", "One answer"),
    "frame": Text("随时间的变化", "Change over time"),
    "embedding": Text("导出特征向量", "Export the embedding"),
    "embedding_help": Text(
        "另存 embedding.npy，可用于检索、聚类，或训练自己的分类器。",
        "Adds embedding.npy, for search, clustering or your own classifier.",
    ),
    "head": Text("分类头", "Head"),
    "head_none": Text("不用", "none"),
    "start": Text("开始识别", "Analyze"),
    "start_many": Text("全部识别", "Analyze all"),
    "tips": Text("怎样录效果最好？", "How to get the best result"),
}
"""The left side."""

TIPS: tuple[Text, ...] = (
    Text("1–30 秒，最好是 3–10 秒的一句话。", "1–30 s; a sentence of 3–10 s works best."),
    Text("只有一个人说话。", "Only one person speaks."),
    Text(
        "环境安静，没有音乐和噪声；歌曲不适用。",
        "A quiet place, without music or noise; songs do not work.",
    ),
    Text(
        "尽量不用电话录音和低码率音频（如 8 kbit/s AMR）。",
        "Avoid telephone calls and low-bitrate audio (such as 8 kbit/s AMR).",
    ),
)
"""The advice for good recordings, before anything went wrong; that on languages follows the card
of the model (``spoken.py``)."""

QUESTIONS: dict[str, Text] = {
    "title": Text("常见问题", "FAQ"),
    "nothing": Text("点了「开始识别」没有反应？", "Nothing happens after “Analyze”?"),
    "nothing_answer": Text(
        "请看结果区的提示：可能还没选文件、文件太大，或服务已停止。批量识别时，每个文件单独提示。",
        "Look at the message in the result area: no file may be chosen, the file may be too "
        "large, or the service may have stopped. In a batch each file has its own message.",
    ),
    "modes": Text(
        "「随时间的变化」和「一个结论」有什么不同？",
        "How do “Change over time” and “One answer” differ?",
    ),
    "modes_answer": Text(
        "前者画出情绪曲线（每 20 毫秒一点），并自动分段；"
        "后者给整段录音一个情绪和九项得分，适合 30 秒以内的一句话。",
        "The first draws a curve with a point every 20 ms, cut into segments; the second gives one "
        "emotion and nine scores for the whole recording, best for a sentence of up to 30 s.",
    ),
    "slow": Text("第一次为什么慢？", "Why is the first answer slow?"),
    "slow_answer": Text(
        "大模型要花几秒钟载入内存；之后，10 秒的录音通常只要一两秒。",
        "The large model takes a few seconds to load; after that, 10 s of sound usually take "
        "a second or two.",
    ),
    "wrong": Text("结果不准怎么办？", "The answer seems wrong?"),
    "wrong_answer": Text(
        "先看录音检查的建议；再看是哪个模型给出的结果，内置小模型只供体验。"
        "长录音请选「随时间的变化」。还不对，可以手动更正，更正会和结果一起保存。",
        "Read the recording check first, then see which model answered: the built-in one is for a "
        "first try only. For long recordings choose “Change over time”. If it is still wrong, "
        "correct it by hand; corrections are saved with the result.",
    ),
    "languages": Text("支持哪些语言？", "Which languages does it know?"),
    "songs": Text("能识别歌曲吗？", "Does it work for songs?"),
    "songs_answer": Text(
        "不能。伴奏和唱法会掩盖说话的情绪。",
        "No. Music and singing cover the emotion of speech.",
    ),
}
"""What users of the older tool asked, answered where it arises."""

WAITING: dict[str, Text] = {
    "empty_title": Text("放入一段语音，这里会画出它的情绪", "Add a voice to see its emotions"),
    "step_one": Text("放入一段录音，或加载示例", "Add a recording, or load a sample"),
    "step_two": Text("选择想看什么", "Choose what to show"),
    "step_three": Text("点击「开始识别」", "Press “Analyze”"),
    "classes": Text(
        "可识别：七种情绪，以及「其他」和「未知」", "Seven emotions, plus “other” and “unknown”"
    ),
    "working": Text("正在识别……", "Analyzing…"),
    "left": Text("大约还要", "about this long to go:"),
    "uploading": Text("正在上传……", "Uploading…"),
    "old_one": Text(
        "下面是上一段录音的结果。点击「开始识别」，识别新放入的录音。",
        "Below is the result of the previous recording. Press “Analyze” for the new one.",
    ),
    "old_many": Text(
        "下面是上一批文件的结果。点击「全部识别」，识别新的一批。",
        "Below are the results of the previous batch. Press “Analyze all” for the new one.",
    ),
    "too_large": Text(
        "文件有 {size}，上限是 {megabytes:g} MB。请转成 MP3，或截取一段。",
        "This file is {size}; the limit is {megabytes:g} MB. Convert it to MP3 or trim it.",
    ),
    "too_long": Text(
        "录音超过 {minutes:g} 分钟。请截取一段；更长的文件可以用命令行处理。",
        "The recording is longer than {minutes:g} minutes. Trim it, or use the command line.",
    ),
    "no_sound": Text(
        "还没有录音。请先放入一段，或加载示例音频。",
        "Nothing to analyze yet. Add a recording, or load a sample.",
    ),
    "no_answer": Text(
        "服务没有响应，可能正忙。请稍后再试，文件仍然选着。",
        "The service does not respond; it may be busy. Try again in a moment: the file is still "
        "chosen.",
    ),
    "no_server": Text(
        "连不上服务。请确认它仍在运行，再试一次，文件仍然选着。",
        "The service cannot be reached. Check that it is running and try again: the file is "
        "still chosen.",
    ),
}
"""What stands on the right before there is a result, or instead of one."""

RESULT: dict[str, Text] = {
    "confidence": Text("置信度: {percent:.1f}%", "Confidence: {percent:.1f}%"),
    "cannot_tell": Text("无法判断", "Cannot tell"),
    "cannot_tell_help": Text(
        "下面的得分只供参考，请不要当作结论。",
        "The scores below are for reference only; please do not take them as an answer.",
    ),
    "scores": Text("九类情绪得分", "Scores of the nine emotions"),
    "mixed": Text("混合情绪：{name}", "Mixed emotion: {name}"),
    "mixed_parts": Text(
        "{first} {first_percent:.1f}% + {second} {second_percent:.1f}%",
        "{first} {first_percent:.1f}% + {second} {second_percent:.1f}%",
    ),
    "timeline": Text("情绪随时间的变化", "Emotion over time"),
    "sound": Text("波形", "Waveform"),
    "segments": Text("分段", "Segments"),
    "from": Text("开始", "From"),
    "to": Text("结束", "To"),
    "length": Text("时长", "Length"),
    "emotion": Text("情绪", "Emotion"),
    "score": Text("平均得分", "Mean score"),
    "quality": Text("录音检查", "Recording check"),
    "quality_fine": Text("录音质量良好。", "The recording is fine."),
    "duration": Text("时长", "Length"),
    "level": Text("音量", "Level"),
    "snr": Text("信噪比", "SNR"),
    "bandwidth": Text("最高频率", "Highest frequency"),
    "speech": Text("语音占比", "Share of speech"),
    "clipping": Text("爆音", "Clipping"),
    "model": Text("识别模型", "Model"),
    "log": Text("处理日志", "Processing log"),
    "total": Text("用时 {seconds} 秒", "{seconds} s total"),
    "seconds": Text("{seconds} 秒", "{seconds} s"),
    "downloads": Text("导出", "Export"),
    "segments_cut": Text(
        "这里列出前 {shown} 段；导出的文件里有全部分段。",
        "The first {shown} are listed; the exported files hold all of them.",
    ),
    "corrected": Text("经人工更正", "corrected by hand"),
    "model_more": Text("这个模型的局限", "Known limits"),
    "model_known": Text(
        "在 {count} 个从未见过的测试集上，平均每类认对 {least:.0f}%–{most:.0f}%。",
        "On {count} unseen test sets it gets {least:.0f}–{most:.0f}% right "
        "(averaged over emotions).",
    ),
    "processed_audio.wav": Text("处理后的音频 WAV", "Processed audio (WAV)"),
    "result.json": Text("完整结果 JSON", "Full result (JSON)"),
    "embedding.npy": Text("特征向量 NumPy", "Embedding (NumPy)"),
    "corrections.json": Text("人工更正 JSON", "Corrections (JSON)"),
    "words.json": Text("文字与声音 JSON", "Words and voice (JSON)"),
    "report.html": Text("报告 HTML（可离线打开）", "Report (HTML, opens offline)"),
    "picture.svg": Text("矢量图 SVG", "Figure (SVG)"),
    "picture.png": Text("当前画面 PNG", "Current view (PNG)"),
    "segments.TextGrid": Text("Praat 标注", "Praat TextGrid"),
    "segments.srt": Text("字幕 SRT", "Subtitles (SRT)"),
    "segments.csv": Text("分段表 CSV", "Segments (CSV)"),
    "utterances.TextGrid": Text("逐句 Praat 标注", "Utterances (TextGrid)"),
    "utterances.srt": Text("逐句字幕 SRT", "Utterances (SRT)"),
    "utterances.csv": Text("逐句表 CSV", "Utterances (CSV)"),
    "utterances.npy": Text("每句的特征向量 NumPy", "Embedding of each utterance (NumPy)"),
    "all.zip": Text("全部文件 ZIP", "All files (ZIP)"),
    "traces": Text("不到 1%：", "Below 1%:"),
    "saved": Text("已存入", "Saved to"),
}
"""The right side."""

PICTURE: dict[str, Text] = {
    "shares": Text("各情绪所占时间", "Time per emotion"),
    "moments": Text("最支持结论的片段", "Moments that decided it"),
}
"""Sections that go with the figure."""

REPORT: dict[str, Text] = {
    "value": Text("项目", "Measure"),
    "number": Text("数值", "Value"),
    "step": Text("步骤", "Step"),
    "time": Text("秒", "Seconds"),
    "footer": Text(
        "由 Emoscope {version} 根据记录 {run} 生成。情绪识别只供参考，请勿据此对任何人作决定。",
        "Made by Emoscope {version} from recording {run}. "
        "Recognized emotion is only a hint; no decision about a person should rest on it.",
    ),
}
"""The report."""

FAILURE: dict[str, Text] = {
    "title": Text("这段录音无法识别", "This recording cannot be analyzed"),
    "title_any": Text("没有得到结果", "No result"),
    "title_ours": Text("出错了", "Something went wrong"),
    "code": Text("错误代码 {code}", "Error code {code}"),
}
"""The red panel."""

API: dict[str, Text] = {
    "title": Text("接口文档", "API"),
    "about": Text(
        "程序用的说明是 openapi.json（OpenAPI 3.1）；这个网页只用其中列出的接口。",
        "For programs there is openapi.json (OpenAPI 3.1). This page uses nothing else.",
    ),
    "required": Text("必填", "required"),
    "body": Text("请求体", "Body"),
    "replies": Text("状态码", "Status codes"),
}
"""The list of the API's operations."""

SAID: dict[str, Text] = {
    "title": Text("说了什么", "What is said"),
    "text": Text("文字", "Text"),
    "voice": Text("声音", "Voice"),
    "words": Text("文字的情绪", "Words"),
    "give": Text(
        "粘贴文字，或带时间的字幕（SRT、WebVTT、TextGrid、EAF）",
        "Paste the text, or subtitles with times (SRT, WebVTT, TextGrid, EAF)",
    ),
    "file": Text("从文件读取", "Read a file"),
    "keep": Text("保存文字", "Keep the text"),
    "remove": Text("移除文字", "Remove the text"),
    "lost": Text(
        "服务无法连接，文字没有保存。", "The service cannot be reached; nothing was kept."
    ),
    "apart": Text("声音与文字不一致，文字像是", "voice and words disagree; the words say"),
    "read_by": Text(
        "颜色是声音的情绪；文字由文本模型 {model} 读取，⚠ 表示声音与文字不一致。",
        "Colours are of the voice; the text model {model} read the words. ⚠ marks where voice and "
        "words disagree.",
    ),
    "not_read": Text(
        "颜色是声音的情绪。服务器没有配置文本模型，因此不比较文字。",
        "Colours are of the voice. This server has no text model, so the words are not compared.",
    ),
    "cut": Text("这里列出前 {shown} 行。", "The first {shown} lines are listed."),
}
