"""Sentences of the web page."""

from __future__ import annotations

from emoscope.messages.languages import Language, Text

PAGE: dict[str, Text] = {
    "tagline": Text("让语音情绪看得见", "See the emotion in speech"),
    "language": Text("语言", "Language"),
    "views": Text("页面", "Views"),
    "view_one": Text("单条录音", "Single"),
    "view_many": Text("批量识别", "Batch"),
    "view_live": Text("实时", "Live"),
    "view_runs": Text("历史与对比", "Runs"),
    "footer": Text(
        "录音只在运行本服务的机器上处理，不会上传到互联网。",
        "Recordings are processed on the machine that runs this service and go nowhere else.",
    ),
    "api": Text("接口文档", "API document"),
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
    "samples": Text("换一个示例", "Other samples"),
    "sample_source": Text(
        "示例是演员的真人录音：EmoDB（CC0）与 CREMA-D（DbCL）。",
        "The samples are real speech by actors: EmoDB (CC0) and CREMA-D (DbCL).",
    ),
    "granularity": Text("识别方式", "How to recognize"),
    "utterance": Text("整句", "Whole utterance"),
    "utterance_help": Text(
        "整段录音给出一个情绪和九项得分。适合 30 秒以内的一句话。",
        "One emotion and nine scores for the whole clip. For a sentence of up to 30 s.",
    ),
    "frame": Text("逐帧", "Frame by frame"),
    "frame_help": Text(
        "每 20 毫秒一组得分，画出情绪曲线和分段。适合观察情绪怎样变化。",
        "A row of scores every 20 ms, drawn as a curve with segments. To see how emotion changes.",
    ),
    "embedding": Text("导出特征向量", "Export the embedding"),
    "embedding_help": Text(
        "另存 embedding.npy，可用于检索、聚类或训练自己的分类器。",
        "Adds embedding.npy, for search, clustering or a classifier of your own.",
    ),
    "start": Text("开始识别", "Start"),
    "start_many": Text("全部识别", "Start all"),
    "tips": Text("怎样录效果最好？", "What makes a good recording?"),
}
"""The left side."""

TIPS: tuple[Text, ...] = (
    Text("1–30 秒，最好 3–10 秒的一句话。", "1-30 s; a sentence of 3-10 s is best."),
    Text("只有一个人说话，中文或英文。", "One speaker, in Chinese or English."),
    Text(
        "安静的环境，没有音乐和噪声；歌曲不适用。",
        "A quiet place, no music or noise; songs do not work.",
    ),
    Text("避免电话和 8 kbit/s AMR 等低码率录音。", "No telephone sound, no 8 kbit/s AMR."),
)
"""The advice for good recordings, before anything went wrong."""

QUESTIONS: dict[str, Text] = {
    "title": Text("常见问题", "Questions people ask"),
    "nothing": Text("点了「开始识别」没有反应？", "Nothing happens after “Start”?"),
    "nothing_answer": Text(
        "请看按钮右侧的提示：文件可能过大、还没选，或服务已停止。批量时每个文件单独报告。",
        "Look at the note on the right: the file may be too large or not chosen, or the service "
        "has stopped. In a batch every file reports for itself.",
    ),
    "slow": Text("第一次为什么慢？", "Why is the first answer slow?"),
    "slow_answer": Text(
        "大模型需要几秒钟载入内存；之后一段 10 秒的录音通常只要一两秒。",
        "The large model takes some seconds to load; after that a clip of 10 s usually takes "
        "a second or two.",
    ),
    "wrong": Text("结果不准怎么办？", "The answer seems wrong?"),
    "wrong_answer": Text(
        "先看录音检查的建议；再看是哪个模型回答的，内置小模型准确度有限。"
        "长录音请用逐帧。仍不对时可以更正，更正会随结果保存。",
        "Read the recording check first, then which model answered: the built-in one is limited. "
        "Use frame mode for long recordings. What is still wrong can be corrected and is kept.",
    ),
    "languages": Text("支持哪些语言？", "Which languages?"),
    "languages_answer": Text(
        "Emotion2Vec+ 以中文和英文为主；其他语言可以试，但没有保证。",
        "Emotion2Vec+ is best at Chinese and English; others may be tried, without a promise.",
    ),
    "songs": Text("能识别歌曲吗？", "Does it work for songs?"),
    "songs_answer": Text(
        "不适合。伴奏和演唱方式会掩盖说话的情绪。",
        "No. Music and the way of singing cover the emotion of speech.",
    ),
}
"""What users of the older tool asked, answered where it arises."""

WAITING: dict[str, Text] = {
    "empty_title": Text("结果会显示在这里", "The result appears here"),
    "empty_many": Text("识别后，每个文件占一行", "Each file gets a line here"),
    "step_one": Text("放入一段录音，或加载示例", "Add a recording, or load a sample"),
    "step_two": Text("选择整句或逐帧", "Choose utterance or frame mode"),
    "step_three": Text("点击「开始识别」", "Press “Start”"),
    "classes": Text("能分辨的九类", "The nine classes"),
    "working": Text("正在识别……", "Recognizing…"),
    "left": Text("剩余约", "about left:"),
    "first": Text(
        "第一次会慢一些：模型要先载入内存。",
        "The first time takes longer: the model is being loaded.",
    ),
    "uploading": Text("正在上传……", "Uploading…"),
    "old_one": Text(
        "下面是上一段录音的结果。点击「开始识别」，识别新放入的录音。",
        "Below is the result of the previous recording. Press “Start” to recognize the new one.",
    ),
    "old_many": Text(
        "下面是上一批文件的结果。点击「全部识别」，识别新的一批。",
        "Below are the results of the previous batch. Press “Start all” to recognize the new one.",
    ),
    "too_large": Text(
        "文件超过 {megabytes:g} MB。请转成 MP3，或截取一段。",
        "Larger than {megabytes:g} MB. Convert it to MP3, or trim it.",
    ),
    "too_long": Text(
        "录音超过 {minutes:g} 分钟。请截取一段；更长的文件可以用命令行处理。",
        "Longer than {minutes:g} minutes. Trim it, or use the command line.",
    ),
    "no_sound": Text(
        "请先放入一段录音，或加载示例音频。", "Add a recording first, or load a sample."
    ),
    "no_answer": Text(
        "服务没有给出结果：可能正忙，请稍后再试。",
        "The service gave no answer. It may be busy; try again in a moment.",
    ),
    "no_server": Text(
        "连不上服务。请确认它仍在运行，然后重试。",
        "The service cannot be reached. Check that it is still running and try again.",
    ),
}
"""What stands on the right before there is a result, or instead of one."""

RESULT: dict[str, Text] = {
    "confidence": Text("置信度: {percent:.1f}%", "Confidence: {percent:.1f}%"),
    "cannot_tell": Text("无法判断", "Cannot tell"),
    "cannot_tell_help": Text(
        "下面的得分仅供参考，不应当作结论。",
        "The scores below are for reference only and are no conclusion.",
    ),
    "scores": Text("九类情绪得分", "Scores of the nine emotions"),
    "mixed": Text("混合情绪：{name}", "Mixed emotion: {name}"),
    "mixed_parts": Text(
        "{first} {first_percent:.1f}% + {second} {second_percent:.1f}%",
        "{first} {first_percent:.1f}% + {second} {second_percent:.1f}%",
    ),
    "timeline": Text("情绪时间轴", "Emotion over time"),
    "sound": Text("听一听", "Listen"),
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
    "bandwidth": Text("频带上限", "Bandwidth"),
    "speech": Text("说话比例", "Speech share"),
    "clipping": Text("削波", "Clipping"),
    "model": Text("识别模型", "Model"),
    "log": Text("处理日志", "Processing log"),
    "total": Text("共 {milliseconds:.0f} 毫秒", "{milliseconds:.0f} ms in all"),
    "milliseconds": Text("{milliseconds:.1f} 毫秒", "{milliseconds:.1f} ms"),
    "downloads": Text("下载", "Downloads"),
    "segments_cut": Text(
        "这里列出前 {shown} 段；全部在导出的文件里。",
        "The first {shown} are listed; the exported files hold all of them.",
    ),
    "corrected": Text("分段经人工更正", "segments corrected by hand"),
    "model_more": Text("它的局限", "What it is not good for"),
    "model_known": Text(
        "在 {count} 个没有训练过的测试集上，各类情绪平均认对 {least:.0f}%–{most:.0f}%。",
        "On {count} test sets that it was not trained on it recognized "
        "{least:.0f}-{most:.0f} % of each emotion on average.",
    ),
    "processed_audio.wav": Text("处理后的音频（16 kHz 单声道）", "Processed audio (16 kHz mono)"),
    "result.json": Text("完整结果（JSON）", "Full result (JSON)"),
    "embedding.npy": Text("特征向量（NumPy）", "Embedding (NumPy)"),
    "corrections.json": Text("人工更正（JSON）", "Corrections by hand (JSON)"),
    "report.html": Text("报告（单个网页，可离线打开）", "Report (one page, opens offline)"),
    "picture.svg": Text("图（矢量 SVG）", "Picture (SVG)"),
    "picture.png": Text("图（当前视图 PNG）", "Picture (PNG, what is in view)"),
    "segments.TextGrid": Text("分段（Praat）", "Segments (Praat)"),
    "segments.srt": Text("分段（字幕）", "Segments (subtitles)"),
    "segments.csv": Text("分段（表格）", "Segments (spreadsheet)"),
    "saved": Text("已保存到 {run}", "Saved as {run}"),
}
"""The right side."""

PICTURE: dict[str, Text] = {
    "play": Text("播放", "Play"),
    "pause": Text("暂停", "Pause"),
    "closer": Text("放大", "Zoom in"),
    "wider": Text("缩小", "Zoom out"),
    "fit": Text("全部", "Fit"),
    "play_selection": Text("播放选区", "Play selection"),
    "clear_selection": Text("取消选区", "Clear selection"),
    "quiet": Text("静音", "Silence"),
    "doubt": Text("难以判断", "Uncertain"),
    "abstained": Text(
        "整段画斜线，不下结论：{reasons}", "Hatched throughout, no conclusion: {reasons}"
    ),
    "help": Text(
        "点击跳转，拖动选取一段；空格播放，方向键移动，＋－缩放。"
        "点中图后滚轮缩放，手机上双指缩放。曲线按 0.3 秒平滑，逐帧原值在 result.json 里。",
        "Click to seek, drag to select; space plays, arrows move, + and - zoom. "
        "After a click the wheel zooms, on a phone two fingers do. "
        "The curve is smoothed over 0.3 s; result.json has every frame as it was.",
    ),
    "help_sound": Text(
        "点击跳转，拖动选取一段；空格播放，方向键移动，＋－缩放。",
        "Click to seek, drag to select; space plays, arrows move, + and - zoom.",
    ),
    "shares": Text("时间分布", "Share of time"),
    "moments": Text("最能说明结论的时刻", "Key moments"),
}
"""Emotion over time."""

CORRECT: dict[str, Text] = {
    "title": Text("✏️ 更正", "✏️ Correct"),
    "help": Text(
        "选一段（点色带或表格），再点正确的情绪；拖动色带上的边界可移动它。"
        "模型的原始结果不变，更正另存为 corrections.json。",
        "Choose a segment (on the strip or in the table), then the right emotion; "
        "drag a border on the strip to move it. "
        "The model's answer stays; corrections go to corrections.json.",
    ),
    "help_whole": Text(
        "点正确的情绪。模型的原始结果不变，更正另存为 corrections.json。",
        "Click the right emotion. The model's answer stays; corrections go to corrections.json.",
    ),
    "start": Text("开始（秒）", "From (s)"),
    "end": Text("结束（秒）", "To (s)"),
    "split": Text("在播放位置切开", "Split at the cursor"),
    "join": Text("与下一段合并", "Join with the next"),
    "save": Text("保存更正", "Save the correction"),
    "undo": Text("恢复模型结果", "Back to the model's"),
    "kept": Text("已保存。", "Saved."),
    "undone": Text("已恢复为模型的结果。", "These are the model's segments again."),
    "failed": Text("没有保存：连不上服务。", "Not saved: the service cannot be reached."),
    "label": Text("正确的情绪", "The right emotion"),
}
"""Corrections by hand."""

RUNS: dict[str, Text] = {
    "title": Text("识别历史", "Runs"),
    "search": Text("搜索标题、文件名、情绪", "Search title, file, emotion"),
    "none": Text("还没有识别记录。", "There are no runs yet."),
    "no_match": Text("没有符合的记录。", "Nothing matches."),
    "count": Text("共 {total} 条", "{total} runs"),
    "more": Text("再显示一些", "Show more"),
    "open": Text("打开", "Open"),
    "rename": Text("改标题", "Rename"),
    "rename_ask": Text(
        "给这条记录起个标题（留空则去掉）", "A title for this run (empty removes it)"
    ),
    "download": Text("下载", "Download"),
    "delete": Text("删除", "Delete"),
    "delete_ask": Text(
        "删除后无法恢复。确定删除吗？", "A deleted run cannot be brought back. Delete it?"
    ),
    "delete_yes": Text("确定删除", "Delete"),
    "keep": Text("取消", "Cancel"),
    "save": Text("保存", "Save"),
    "compare": Text("对比", "Compare"),
    "compare_help": Text("勾选两条，并排对比。", "Tick two to see them side by side."),
    "compared": Text("两条录音对比", "Two recordings side by side"),
    "difference": Text("相差", "Difference"),
    "pick": Text("从左边打开一条记录", "Open a run on the left"),
    "corrected": Text("已更正", "corrected"),
    "damaged": Text("结果文件已损坏", "The result cannot be read"),
    "failed": Text("没有成功：连不上服务。", "That did not work: the service cannot be reached."),
    "loading": Text("正在读取……", "Loading…"),
    "deleted": Text("这条记录已经删除。", "This run was deleted."),
}
"""What was recognized before."""

REPORT: dict[str, Text] = {
    "value": Text("项目", "Measure"),
    "number": Text("数值", "Value"),
    "step": Text("步骤", "Step"),
    "time": Text("毫秒", "ms"),
    "footer": Text(
        "由 Emoscope {version} 生成，运行记录 {run}。情绪识别只供参考，不能据此对人下结论。",
        "Made by Emoscope {version} from {run}. "
        "Recognized emotion is a hint and no ground for a judgement about a person.",
    ),
}
"""The report."""

FAILURE: dict[str, Text] = {
    "title": Text("这段录音无法识别", "This recording cannot be recognized"),
    "title_ours": Text("没有成功", "That did not work"),
    "code": Text("错误代码 {code}", "Error code {code}"),
}
"""The red panel."""

MANY: dict[str, Text] = {
    "progress": Text("已完成 {done} / {total}", "{done} of {total} done"),
    "cancel": Text("取消", "Cancel"),
    "cancelled": Text(
        "已取消：{done} 个成功，{failed} 个失败，{left} 个未识别",
        "Cancelled: {done} recognized, {failed} failed, {left} not begun",
    ),
    "sort": Text("点列标题可排序。", "Click a column's title to sort."),
    "open": Text("打开", "Open"),
    "summary": Text("{done} 个成功，{failed} 个失败", "{done} recognized, {failed} failed"),
    "file": Text("文件", "File"),
    "second": Text("其次", "Second"),
    "check": Text("录音检查", "Check"),
    "fine": Text("良好", "fine"),
    "result": Text("结果", "Result"),
    "zip": Text("下载全部结果（ZIP）", "Download all results (ZIP)"),
    "too_many": Text("一次最多 {limit} 个文件。", "At most {limit} files at a time."),
}
"""Many files at once."""
