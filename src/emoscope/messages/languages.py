"""The two languages, and a sentence in both.

Kept apart from the tables and free of imports: ``import emoscope`` loads it.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Language: TypeAlias = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


class Text(NamedTuple):
    """One sentence, with the same named gaps in both languages."""

    zh: str
    en: str

    def __call__(self, language: Language, **data: object) -> str:
        """Return the sentence with its gaps filled."""
        return (self.zh if language == "zh" else self.en).format(**data)
