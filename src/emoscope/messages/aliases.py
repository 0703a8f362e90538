"""Words that lists of recordings use for the emotions and for their columns."""

from __future__ import annotations

from collections.abc import Mapping

EMOTION_WORDS: Mapping[str, str] = {
    "angry": "anger ang wut ärger rage furious 生气 生氣 愤怒 憤怒",
    "disgusted": "disgust dis ekel 厌恶 厭惡",
    "fearful": "fear fea angst afraid scared anxious anxiety 恐惧 恐懼 害怕",
    "happy": "happiness hap joy joyful freude excited exc elated 开心 開心 快乐 快樂 高兴 高興",
    "neutral": "neu calm 中立 中性 平静 平靜",
    "other": "boredom bored langeweile 其他 其它",
    "sad": "sadness trauer 难过 難過 悲伤 悲傷 伤心 傷心",
    "surprised": "surprise sur ps pleasant_surprise 吃惊 吃驚 惊讶 驚訝 惊奇 驚奇 惊喜 驚喜",
    "unknown": "<unk> unk 未知",
}
"""Words by emotion. A word that a corpus uses for something that is none of the nine (frustration,
say) is not here: guessing would bend the figures."""

PATH_WORDS = ("path", "file", "wav", "audio", "filename", "路径", "文件", "音频", "文件名")
NAME_WORDS = ("name", "id", "名称", "编号")
LABEL_WORDS = ("emotion", "label", "情绪", "标签")
SPEAKER_WORDS = ("speaker", "speaker_id", "actor", "说话人")
LICENCE_WORDS = ("licence", "license", "许可")
"""What a header may call the columns with path, name, emotion and speaker of a recording."""

SPAN_WORDS: Mapping[str, tuple[str, ...]] = {
    "start": ("start", "start_s", "begin", "onset", "from", "起点", "开始"),
    "end": ("end", "end_s", "stop", "offset", "to", "终点", "结束"),
    "text": ("text", "transcript", "sentence", "label", "文本", "文字"),
    "id": ("id", "utt", "utt_id", "utterance", "segment", "编号"),
}
"""What a header may call the columns of a list of spans."""
