"""Words of heads: their training, their figures, and what the terminal says of them."""

from __future__ import annotations

from emoscope.messages.languages import Text

HEAD_WORDS: dict[str, Text] = {
    "adapted": Text(
        "已按修正调整（{name}）；模型原本：{before}",
        "adapted by corrections ({name}); the model itself: {before}",
    ),
}
"""Sentences of the terminal."""
