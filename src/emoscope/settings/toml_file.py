"""Reader of ``emoscope.toml``, with the line of what cannot be read."""

from __future__ import annotations

import codecs
import re
import tomllib
from pathlib import Path
from typing import Any

from emoscope.errors import SettingsFileError
from emoscope.messages.reasons import reason


def read_settings_file(path: Path) -> dict[str, Any]:
    """Read the settings file; without one there are no settings in it.

    Raises:
        SettingsFileError: it cannot be read, or is not TOML.
    """

    def refused(line: int, why: str, **data: object) -> SettingsFileError:
        return SettingsFileError(file=path.name, line=line, **reason(why, **data))

    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise refused(1, "as_said", reason=exc.strerror or str(exc)) from exc
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise refused(1, "utf16")
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise refused(line, "not_utf8") from exc
    except tomllib.TOMLDecodeError as exc:
        said = str(exc)
        at = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", said)
        line = int(at[1] or data.count(b"\n") + 1) if at else 1
        said = said[: at.start()] if at else said
        raise refused(line, "not_toml", reason=said) from exc
