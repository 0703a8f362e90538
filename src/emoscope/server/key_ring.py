"""Keys of a running server: the last readable content of its key file."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeAlias

from emoscope.errors import ServiceError, SettingError
from emoscope.messages.reasons import reason
from emoscope.observe.logs import fields
from emoscope.server.keys import ApiKey, KeyFile, find_key

KeysChanged: TypeAlias = Callable[[tuple[ApiKey, ...], tuple[ApiKey, ...]], None]
_log = logging.getLogger("emoscope.keys")


class KeyRing:
    """Keys of a running server; a file that becomes unreadable leaves the keys that were read.

    Args:
        file: the key file; read here for the first time.
        changed: called with the keys that were added and those that were taken away while the
            server runs; does nothing by default.

    Raises:
        SettingError: the file is damaged or cannot be read.
    """

    def __init__(self, file: KeyFile, changed: KeysChanged | None = None) -> None:
        self._file, self._changed = file, changed
        self._reading = threading.Lock()
        self._keys = file.keys()
        self._locked = bool(self._keys)
        self._problem = ""

    @property
    def locked(self) -> bool:
        """Whether requests need a key: there is one, or there has been one since the start."""
        self.keys()
        return self._locked

    def keys(self) -> tuple[ApiKey, ...]:
        """Return all keys, those of before while the file cannot be used."""
        with self._reading:
            try:
                keys = self._file.keys()
            except SettingError as error:
                self._report(str(error))
                return self._keys
            self._locked = self._locked or bool(keys)
            if keys != self._keys:
                self._tell_change(keys)
            self._keys = keys
            self._report(f"{self._file.path}: no keys" if self._locked and not keys else "")
            return keys

    def find(self, secret: str) -> ApiKey | None:
        """Return the key of a secret."""
        return find_key(self.keys(), secret)

    @property
    def is_usable(self) -> bool:
        """Whether the file can be used now."""
        self.keys()
        return not self._problem

    def check(self) -> None:
        """Check that the file can be used now.

        Raises:
            ServiceError: it is damaged, cannot be read, or has lost all of its keys.
        """
        if not self.is_usable:
            raise ServiceError("not_ready", **reason("keys_unusable"))

    def _tell_change(self, keys: tuple[ApiKey, ...]) -> None:
        added = tuple(key for key in keys if key not in self._keys)
        gone = tuple(key for key in self._keys if key not in keys)
        names = {"added": [key.name for key in added], "removed": [key.name for key in gone]}
        _log.info("the keys have changed", extra=fields(**names))
        if self._changed is not None:
            self._changed(added, gone)

    def _report(self, problem: str) -> None:
        """Log each change of what is wrong with the file once."""
        if problem == self._problem:
            return
        self._problem = problem
        if problem:
            _log.error("the key file cannot be used, the last keys stay valid: %s", problem)
        else:
            _log.warning("the key file can be used again")
