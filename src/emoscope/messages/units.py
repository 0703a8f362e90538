"""Sizes of files and lengths of time, as people write them: ``12.5 MB``, ``10 minutes``."""

from __future__ import annotations

from typing import Literal

_SIZES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def file_size(count: float) -> str:
    """Return a number of bytes: ``12.5 MB``, ``10 MB``, ``99 B``; the same in both languages."""
    for unit, name in _SIZES:
        if count >= 0.9995 * unit:  # 999,960 bytes are 1 MB and not 1000 kB
            return f"{_short(count / unit)} {name}"
    return f"{count:.0f} B"


def time_length(seconds: float, language: Literal["zh", "en"]) -> str:
    """Return a length of time: ``0.3 s``, ``10 minutes``, ``1 h 30 min``, ``10 分钟``.

    Args:
        seconds: up to a minute with tenths; above rounded to the second, above an hour to the
            minute.
        language: ``zh`` or ``en``.
    """
    if round(seconds, 1) < 60:
        return f"{_short(seconds)} {'秒' if language == 'zh' else 's'}"
    minutes, rest_s = divmod(round(seconds), 60)
    if minutes < 60:
        return _two(minutes, rest_s, language, _MINUTES)
    hours, rest_min = divmod(round(seconds / 60), 60)
    return _two(hours, rest_min, language, _HOURS)


def clock_time(seconds: float) -> str:
    """Return a time of a recording to the second: ``1:05``, ``1:02:05``."""
    minutes, rest_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest_s:02d}" if hours else f"{minutes}:{rest_s:02d}"


def recording_length(seconds: float) -> str:
    """Return the length of a recording: ``4.2 s`` or ``12:05``; the same in both languages."""
    return f"{seconds:.1f} s" if round(seconds, 1) < 60 else clock_time(seconds)


_MINUTES = {"zh": ("分钟", "分", "秒"), "en": ("minute", "min", "s")}
_HOURS = {"zh": ("小时", "小时", "分钟"), "en": ("hour", "h", "min")}
"""A unit alone, the same beside a smaller one, and the smaller one."""


def _two(
    whole: int, rest: int, language: Literal["zh", "en"], names: dict[str, tuple[str, str, str]]
) -> str:
    alone, beside, smaller = names[language]
    if rest:
        return f"{whole} {beside} {rest} {smaller}"
    plural = "s" if language == "en" and whole != 1 else ""
    return f"{whole} {alone}{plural}"


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
