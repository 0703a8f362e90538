"""Label words of common corpora, mapped to the nine emotions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from emoscope.errors import ListError
from emoscope.labels import EMOTIONS, Emotion, by_key
from emoscope.messages.aliases import EMOTION_WORDS

_BY_WORD = {
    word: by_key(key) for key, words in EMOTION_WORDS.items() for word in (key, *words.split())
} | {word: emotion for emotion in EMOTIONS for word in (emotion.zh, emotion.emoji)}

_BETWEEN = re.compile(r"[/|()\[\]·,;:、。]+")
"""What stands between the parts of a label such as ``生气/angry`` or ``快乐 (Happy)``."""


def emotion_of(word: str) -> Emotion:
    """Return the emotion that a label means, in any case and width of letters.

    One word, or several in brackets or parted by a stroke, as in ``生气/angry`` and in our own
    ``😊 快乐 (Happy)``; of several at least one must be known, and no two may differ.

    Raises:
        ListError: no word is in the table, or two of them mean different emotions.
    """
    found = {_BY_WORD[part].key for part in _parts(word) if part in _BY_WORD}
    if len(found) != 1:
        known = ", ".join(emotion.key for emotion in EMOTIONS)
        raise ListError("label_unknown", word=word[:40], known=known)
    return by_key(found.pop())


def _parts(label: str) -> Iterator[str]:
    """Give the whole label and its parts, as they stand in the table."""
    plain = unicodedata.normalize("NFKC", label).casefold()
    visible = "".join(char for char in plain if unicodedata.category(char) != "Cf")
    yield _joined(visible)
    words = "".join(" " if _is_picture(char) else char for char in visible)
    for part in (words, *_BETWEEN.split(words)):
        yield _joined(part)


def _joined(words: str) -> str:
    return "_".join(words.replace("-", " ").replace("_", " ").split())


def _is_picture(char: str) -> bool:
    """Whether it is an emoji, or the sign that asks for its coloured form."""
    return unicodedata.category(char) == "So" or char == "\N{VARIATION SELECTOR-16}"
