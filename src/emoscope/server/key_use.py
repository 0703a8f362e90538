"""Last use of each key, written beside the runs once a minute at most.

It is not in the key file: that is read-only where it is a mounted secret, and belongs to the
operator. A request only notes the time in memory; a thread writes.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from emoscope.files import make_private_folder, replace_file

_log = logging.getLogger("emoscope.keys")
USE_FILE = ".keys-used.json"
"""Name of the file in the outputs folder."""
USE_EVERY_S = 60.0


class KeyUse:
    """Last use of the keys of a running server; its thread runs inside a ``with`` block.

    Args:
        path: the file.
        known: returns the ids of all keys; what others have done is forgotten.
        every_s: shortest time between two writes.
        now: seconds since 1970.
    """

    def __init__(
        self,
        path: Path,
        known: Callable[[], Collection[str]],
        *,
        every_s: float = USE_EVERY_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._path, self._known, self._every_s, self._now = path, known, every_s, now
        self._noted: dict[str, float] = {}
        self._is_failing = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="emoscope.key_use", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Write what was noted last, and end."""
        self._stopping.set()
        self._thread.join(10)
        self.write()

    def note(self, key: str) -> None:
        """Note that a key is used now, by its id."""
        self._noted[key] = self._now()

    def write(self) -> None:
        """Write what was noted since the last time; a failure is logged, and tried again."""
        noted, self._noted = self._noted, {}
        noted = dict(noted)  # a request may still add to the other one
        if not noted:
            return
        known = set(self._known())
        before = read_key_use(self._path)
        times = before | {key: _utc(seconds) for key, seconds in noted.items()}
        data = {"used_utc": {key: times[key] for key in sorted(times) if key in known}}
        text = json.dumps(data, indent=1).encode()
        try:
            make_private_folder(self._path.parent)
            replace_file(self._path, lambda file: file.write(text), mode=0o600)
            self._is_failing = False
        except OSError as exc:
            self._noted = noted | self._noted
            if not self._is_failing:
                _log.warning("the last use of keys cannot be written: %s", exc.strerror)
            self._is_failing = True

    def _work(self) -> None:
        while not self._stopping.wait(self._every_s):
            try:
                self.write()
            except Exception:
                _log.exception("the last use of keys cannot be written")


def read_key_use(path: Path) -> dict[str, str]:
    """Return when keys were used last, by their ids; nothing where the file cannot be read."""
    try:
        used = json.loads(path.read_text("utf-8"))["used_utc"]
        return {str(key): str(moment) for key, moment in used.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
