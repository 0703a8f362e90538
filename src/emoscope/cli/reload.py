"""Reload of a running server on SIGHUP: keys, certificates and the form of the log."""

from __future__ import annotations

import logging
import os
import signal
import ssl
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from emoscope.errors import EmoscopeError, SettingError
from emoscope.observe.logs import fields, log_libraries_too, set_up_logging
from emoscope.settings import Settings

if TYPE_CHECKING:
    import uvicorn

    from emoscope.server.key_ring import KeyRing

_log = logging.getLogger("emoscope.server")
RELOADED = frozenset({"log", "tls_cert", "tls_key"})
"""Settings that a running server takes over; others need a restart."""


class Reload:
    """Reload of a server; what cannot be used is logged, and what was in force stays.

    Connections go on: the next handshake gets the new certificate.

    Args:
        settings: in force.
        read: reads the settings again.
        keys: of the server.
        config: of uvicorn; holds the TLS context.
    """

    def __init__(
        self,
        settings: Settings,
        read: Callable[[], Settings],
        keys: KeyRing,
        config: uvicorn.Config,
    ) -> None:
        self._settings, self._read, self._keys, self._config = settings, read, keys, config
        self._one_at_a_time = threading.Lock()

    def __call__(self) -> None:
        """Reload."""
        with self._one_at_a_time:
            try:
                settings = self._read()
                check_tls(settings)
                self._keys.check()
                self._take_certificate(settings)
            except EmoscopeError as error:
                about = fields(code=error.code, detail=error.detail_en)
                _log.error("not reloaded", extra=about)
                return
            before, self._settings = self._settings, settings
            if settings.log != before.log:
                set_up_logging(settings.log)
                log_libraries_too()
            changed = sorted(name for name, value in settings if value != getattr(before, name))
            about = fields(keys=len(self._keys.keys()), certificate=settings.tls_cert is not None)
            _log.info("reloaded", extra=about)
            left = [name for name in changed if name not in RELOADED]
            if left:
                _log.warning("changed settings that need a restart: %s", ", ".join(left))

    def _take_certificate(self, settings: Settings) -> None:
        if settings.tls_cert is not None and self._config.ssl is not None:
            self._config.ssl.load_cert_chain(settings.tls_cert, settings.tls_key)


def reload_on_hangup(reload: Reload) -> None:
    """Reload on SIGHUP, except in a terminal, where the signal says that the terminal has gone."""
    if not hasattr(signal, "SIGHUP") or os.isatty(0):
        return
    # In a thread: a signal may interrupt one that holds a lock.
    signal.signal(
        signal.SIGHUP, lambda *_signal: threading.Thread(target=reload, daemon=True).start()
    )


def check_tls(settings: Settings) -> None:
    """Load certificate and key before the model: so that their errors come at once.

    Raises:
        SettingError: one of them cannot be read, or they do not belong together.
    """
    if settings.tls_cert is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ValueError) as exc:
        files = " / ".join(str(path) for path in (settings.tls_cert, settings.tls_key) if path)
        reason = getattr(exc, "strerror", None) or str(exc)
        raise SettingError("setting_invalid", setting=files, reason=reason) from exc
