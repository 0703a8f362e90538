"""The nine emotion labels: keys, titles, emoji and colours.

The order is the order of Emotion2Vec+. Model outputs are mapped by index, never by the words
of a model's own token file: those differ between hubs and hide classes in some revisions.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Emotion:
    """One of the nine classes, or ``SILENCE``."""

    index: int
    """Position in every array of scores or logits; −1 for ``SILENCE``, which is in none."""
    key: str
    """Lower-case English word; the key in JSON."""
    zh: str
    en: str
    emoji: str
    colour: str
    """``#rrggbb``: at least 3:1 against white, and distinct also with colour blindness."""

    @property
    def title(self) -> str:
        """Both names, as the page's headline shows them: ``快乐 (Happy)``."""
        return f"{self.zh} ({self.en})"


EMOTIONS: tuple[Emotion, ...] = (
    Emotion(0, "angry", "愤怒", "Angry", "😠", "#e84e3d"),
    Emotion(1, "disgusted", "厌恶", "Disgusted", "🤢", "#656800"),
    Emotion(2, "fearful", "恐惧", "Fearful", "😨", "#764ab9"),
    Emotion(3, "happy", "快乐", "Happy", "😊", "#d07c00"),
    Emotion(4, "neutral", "中性", "Neutral", "😐", "#7e8789"),
    Emotion(5, "other", "其他", "Other", "🤔", "#966957"),
    Emotion(6, "sad", "悲伤", "Sad", "😢", "#4892d7"),
    Emotion(7, "surprised", "惊讶", "Surprised", "😲", "#bb479d"),
    Emotion(8, "unknown", "未知", "Unknown", "❓", "#5a5d6a"),
)

SILENCE = Emotion(-1, "silence", "停顿", "Silence", "🔇", "#8a8f98")
"""Label of a segment without speech. No class of a model and not one of the nine."""

KEYS: tuple[str, ...] = tuple(emotion.key for emotion in EMOTIONS)
COUNT = len(EMOTIONS)

_BY_KEY = {emotion.key: emotion for emotion in EMOTIONS}


def by_key(key: str) -> Emotion:
    """Return the emotion with this English key.

    Raises:
        KeyError: there is no such emotion.
    """
    return _BY_KEY[key]


def emotion_or_silence(key: str) -> Emotion:
    """Return the emotion with this English key, or ``SILENCE``.

    Raises:
        KeyError: it is neither.
    """
    return SILENCE if key == SILENCE.key else _BY_KEY[key]
