"""Sentences of the Gradio app, which shows both languages side by side."""

from __future__ import annotations

from emoscope.messages.languages import Text

GRADIO: dict[str, Text] = {
    "tagline": Text("看见声音里的情绪", "See the emotion in speech"),
    "audio": Text("录音", "Recording"),
    "granularity": Text("想看什么", "What to show"),
    "frame": Text("随时间的变化", "Change over time"),
    "utterance": Text("一个结论", "One answer"),
    "embedding": Text("特征向量（embedding.npy）", "Embedding (embedding.npy)"),
    "start": Text("开始识别", "Analyze"),
    "samples": Text(
        "示例（真实的表演语音，EmoDB 与 CREMA-D）", "Samples (real acted speech: EmoDB, CREMA-D)"
    ),
    "answer": Text("结论", "Answer"),
    "scores": Text("九类情绪得分", "Scores of the nine emotions"),
    "river": Text("情绪随时间的变化", "Emotion over time"),
    "files": Text("下载", "Downloads"),
    "error": Text("没有结果", "No result"),
    "no_audio": Text("请先放入一段录音。", "Add a recording first."),
    "no_address": Text(
        "请上传文件；这里不接受网址。", "Upload a file; addresses are not taken here."
    ),
    "quiet": Text("停顿", "Silence"),
    "doubt": Text("两种情绪接近", "Two emotions close"),
}
