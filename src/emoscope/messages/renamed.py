"""Notice that a word was renamed and its old spelling still works."""

from __future__ import annotations

from emoscope.messages.languages import Text

RENAMED_TEXT = Text(
    "“{old}”现在叫“{new}”；旧写法仍然有效。",
    "{old} is now called {new}; the old spelling still works.",
)
