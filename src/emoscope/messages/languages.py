"""The two languages, and a sentence in both.

Kept apart from the tables and free of heavy imports: ``import emoscope`` loads it.
"""

from __future__ import annotations

from string import Formatter
from typing import Literal, NamedTuple, TypeAlias

from emoscope.messages.units import file_size, time_length

Language: TypeAlias = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


class Text(NamedTuple):
    """One sentence, with the same named gaps in both languages.

    A gap ``{max_bytes:size}`` shows a number of bytes as ``12.5 MB``, and ``{seconds:length}`` a
    number of seconds as ``10 minutes``.
    """

    zh: str
    en: str

    def __call__(self, language: Language, **data: object) -> str:
        """Return the sentence with its gaps filled."""
        return _FILLERS[language].vformat(self.zh if language == "zh" else self.en, (), data)


class _Filler(Formatter):
    """Fills gaps, those with a unit in the words of one language."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def format_field(self, value: object, format_spec: str) -> str:
        if format_spec not in ("size", "length"):
            return format(value, format_spec)
        if not isinstance(value, int | float):
            return str(value)
        return file_size(value) if format_spec == "size" else time_length(value, self._language)


_FILLERS: dict[Language, _Filler] = {language: _Filler(language) for language in LANGUAGES}
