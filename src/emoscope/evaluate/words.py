"""The label words of common corpora, mapped to the nine emotions."""

from __future__ import annotations

from emoscope.errors import LabelUnknownError
from emoscope.labels import EMOTIONS, Emotion, by_key

_WORDS = {
    "angry": "anger ang wut ärger rage furious 生气 愤怒",
    "disgusted": "disgust dis ekel 厌恶",
    "fearful": "fear fea angst afraid scared anxious anxiety 恐惧 害怕",
    "happy": "happiness hap joy joyful freude excited exc elated 开心 快乐 高兴",
    "neutral": "neu calm 中立 中性 平静",
    "other": "boredom bored langeweile 其他",
    "sad": "sadness trauer 难过 悲伤 伤心",
    "surprised": "surprise sur ps pleasant_surprise 吃惊 惊讶",
    "unknown": "<unk> unk 未知",
}
"""Words by emotion. A word that a corpus uses for something that is none of the nine (frustration,
say) is not here: guessing would bend the figures."""

_BY_WORD = {
    word: by_key(key) for key, words in _WORDS.items() for word in (key, *words.split())
} | {emotion.zh: emotion for emotion in EMOTIONS}


def emotion_of(word: str) -> Emotion:
    """Return the emotion that a label word means; ``生气/angry`` and ``Pleasant Surprise`` work.

    Raises:
        LabelUnknownError: the word is not in the table.
    """
    plain = word.strip().lower().replace(" ", "_").replace("-", "_")
    for part in (plain, *plain.split("/")):
        if part in _BY_WORD:
            return _BY_WORD[part]
    raise LabelUnknownError(word=word[:40], known=", ".join(emotion.key for emotion in EMOTIONS))
