"""The nine emotions, in the one table that every face and every model file shares.

The order is the order of Emotion2Vec+ (P1). Model outputs are mapped by index, never by the words
of a model's own token file: those differ between hubs and hide classes in some revisions.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Emotion:
    """One of the nine classes."""

    index: int
    """Position in every array of scores or logits."""
    key: str
    """Lower-case English word; the key in JSON."""
    zh: str
    en: str
    emoji: str
    colour: str
    """``#rrggbb`` on light ground: at least 3:1 against white, apart for the colour-blind."""

    @property
    def title(self) -> str:
        """Both names, as the page's headline shows them: ``快乐 (Happy)``."""
        return f"{self.zh} ({self.en})"


EMOTIONS: tuple[Emotion, ...] = (
    Emotion(0, "angry", "愤怒", "Angry", "😠", "#d1342f"),
    Emotion(1, "disgusted", "厌恶", "Disgusted", "🤢", "#6b8e23"),
    Emotion(2, "fearful", "恐惧", "Fearful", "😨", "#7b4bb7"),
    Emotion(3, "happy", "快乐", "Happy", "😊", "#d98200"),
    Emotion(4, "neutral", "中性", "Neutral", "😐", "#6e7b8b"),
    Emotion(5, "other", "其他", "Other", "🤔", "#9a6a4f"),
    Emotion(6, "sad", "悲伤", "Sad", "😢", "#2a6fbb"),
    Emotion(7, "surprised", "惊讶", "Surprised", "😲", "#c2408f"),
    Emotion(8, "unknown", "未知", "Unknown", "❓", "#59616b"),
)

KEYS: tuple[str, ...] = tuple(emotion.key for emotion in EMOTIONS)
COUNT = len(EMOTIONS)

_BY_KEY = {emotion.key: emotion for emotion in EMOTIONS}


def by_key(key: str) -> Emotion:
    """Return the emotion with this English key.

    Raises:
        KeyError: there is no such emotion.
    """
    return _BY_KEY[key]
