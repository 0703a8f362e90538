"""Terms of a key as people write them: when it expires, and how many requests a minute it has."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from emoscope.errors import SettingError

_PERIOD = re.compile(r"([1-9]\d{0,4})\s*([dh])", re.ASCII)
_RATE = re.compile(r"([1-9]\d{0,5})\s*(?:/\s*min)?", re.ASCII)
_DATE_ONLY = 10
"""Characters of ``2027-01-31``."""


def parse_expiry(text: str, *, now: datetime) -> str:
    """Return the moment when a key expires, in UTC and ISO format.

    Args:
        text: ``90d``, ``12h``, a date (the key is valid to its end, in UTC), or a date with time.
        now: the present time, with a zone.

    Raises:
        SettingError: it is none of these, or not in the future.
    """
    text = text.strip()
    period = _PERIOD.fullmatch(text)
    try:
        if period:
            unit = timedelta(days=1) if period[2] == "d" else timedelta(hours=1)
            moment = now + int(period[1]) * unit
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            if len(text) == _DATE_ONLY:
                moment += timedelta(days=1)
    except (ValueError, OverflowError) as exc:
        raise _invalid("--expires", text, "90d | 12h | 2027-01-31") from exc
    if moment <= now:
        raise _invalid("--expires", text, f"> {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def parse_rate(text: str) -> int:
    """Return requests a minute, written ``60/min`` or ``60``.

    Raises:
        SettingError: it is neither.
    """
    found = _RATE.fullmatch(text.strip())
    if not found:
        raise _invalid("--rate", text, "60/min")
    return int(found[1])


def _invalid(setting: str, text: str, expected: str) -> SettingError:
    return SettingError("setting_invalid", setting=setting, reason=f"{text[:40]!r}: {expected}")
