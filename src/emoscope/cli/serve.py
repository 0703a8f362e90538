"""``emoscope serve``: the web page and the REST API."""

from __future__ import annotations

import ipaddress
import logging
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

from emoscope._version import __version__
from emoscope.cli.model import open_model
from emoscope.cli.reload import Reload, check_tls, reload_on_hangup
from emoscope.errors import EmoscopeError, InternalError, SettingError, StoreError
from emoscope.files import check_folder
from emoscope.messages.texts import NOTICES
from emoscope.observe.logs import fields, log_libraries_too, set_up_logging
from emoscope.optional import check_installed, require
from emoscope.outputs.store import RunStore
from emoscope.server.folder_lock import locked_folder
from emoscope.server.keys import KeyFile
from emoscope.server.middleware.audit import AuditLog
from emoscope.settings import Settings, language_of

_log = logging.getLogger("emoscope.server")
_OF_PROXIES = ("allowed_hosts", "root_path")
"""Settings that say that a proxy brings requests of other machines to this one."""
WEBSOCKET_MAX_BYTES = 1 << 20
"""A message holds a moment of microphone sound, never a recording."""


def run_serve(read: Callable[[], Settings], *, page: bool, check: bool = False) -> None:
    """Serve until interrupted; prints the address once it answers.

    Args:
        read: reads the settings, now and on SIGHUP.
        page: serve the web page as well.
        check: only do all that comes before the port answers, and say that the server can start.

    Raises:
        SettingError: the address cannot be listened on, or the certificate, the key file or the
            audit log cannot be used.
        StoreError: the outputs folder cannot be written, or another server works in it.
        ModelError: the model cannot be loaded.
        ExtraMissingError: the extra ``server`` is not installed.
        InternalError: the application could not start.
    """
    _check_extra()
    settings = read()
    set_up_logging(settings.log)
    log_libraries_too()
    is_open = _check_entrance(settings)
    check_tls(settings)
    _check_audit(settings)
    with _outputs(settings):
        listening = listening_socket(settings.host, settings.port)
        try:
            _serve(settings, listening, page=page, is_open=is_open, read=read, check=check)
        finally:
            listening.close()


def _serve(
    settings: Settings,
    listening: socket.socket,
    *,
    page: bool,
    is_open: bool,
    read: Callable[[], Settings],
    check: bool,
) -> None:
    """Load the model and serve on a bound socket.

    Args:
        settings: of the server.
        listening: the socket; it answers from the end of the warm-up.
        page: serve the web page as well.
        is_open: every client that reaches the port may do everything, which is printed.
        read: reads the settings again.
        check: do not serve.

    Raises:
        EmoscopeError: the model cannot be loaded, or the application could not start.
    """
    with ThreadPoolExecutor(1, "emoscope-load") as pool:
        opening = pool.submit(open_model, settings, settings.upload_limits)
        # The model's library lets other threads work while it loads.
        uvicorn = require("uvicorn", extra="server")
        from emoscope.server.app import create_app
        from emoscope.server.http.protocol import ProblemProtocol
        from emoscope.server.shutdown import FLUSH_S, DrainingServer, StartupErrors

        recognizer = opening.result()
    store = RunStore(settings.outputs, keep=settings.store)
    app = create_app(recognizer, store, settings, page=page)
    startup = StartupErrors(app)
    config = uvicorn.Config(
        startup,
        # Not what happens to be installed: httptools, faster by 2 %, bounds no header.
        http=ProblemProtocol,
        # Likewise: uvloop comes with Ray, and one loop is tested.
        loop="asyncio",
        # Not "auto", which serves on without decoders and jobs when the application cannot start.
        lifespan="on",
        # Not its own handlers, which write text where JSON was chosen.
        log_config=None,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=FLUSH_S,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        ws_max_size=WEBSOCKET_MAX_BYTES,
        ws_per_message_deflate=False,
    )
    service = app.state.service
    key_count = len(service.keys.keys())
    if check:
        print(NOTICES["can_start"](language_of(settings.language)))  # noqa: T201 - the answer
        return

    def say_started() -> None:
        language = language_of(settings.language)
        scheme = "https" if settings.tls_cert else "http"
        address = _address(scheme, settings.host, listening.getsockname()[1])
        lines = [NOTICES["address"](language, address=address)]
        if is_open:
            lines.append(NOTICES["open_door"](language, host=settings.host))
        lines.append(NOTICES["keys"](language, path=settings.keys, count=key_count))
        lines.append(NOTICES["stop"](language))
        print("\n".join(lines), flush=True)  # noqa: T201 - promised
        model = recognizer.model
        about = fields(
            version=__version__,
            address=address,
            model=model.name,
            revision=model.revision,
            store=settings.store,
            outputs=str(settings.outputs.absolute()),
            keys=key_count > 0,
            open=is_open,
        )
        _log.info("server started", extra=about)

    def say_stopped() -> None:
        uptime_s = round(time.monotonic() - service.started_s, 1)
        _log.info("server stopped", extra=fields(version=__version__, uptime_s=uptime_s))

    server = DrainingServer(config, service.admission, settings.drain_s, say_started, say_stopped)
    reload_on_hangup(Reload(settings, read, service.keys, config))
    server.run(sockets=[listening])
    if isinstance(startup.error, EmoscopeError):
        raise startup.error
    if startup.error is not None:
        _log.error("the application could not start", exc_info=startup.error)
        raise InternalError from startup.error


def _outputs(settings: Settings) -> AbstractContextManager[None]:
    """Return the lock of the outputs folder; none where nothing is kept and none can be made.

    Raises:
        StoreError: runs are to be kept, and the folder cannot be written.
    """
    try:
        check_folder(settings.outputs)
    except StoreError:
        if settings.store == "none":
            return nullcontext()
        raise
    return locked_folder(settings.outputs, settings.outputs_lock_wait_s)


def _check_extra() -> None:
    """Name the extra that is missing before a port is opened or a model loaded.

    Raises:
        ExtraMissingError: ``server`` is not installed, or half of it.
    """
    for package in ("fastapi", "uvicorn", "python_multipart", "prometheus_client", "websockets"):
        check_installed(package, extra="server")


def _check_entrance(settings: Settings) -> bool:
    """Refuse to let the world in by accident; say whether it is let in on purpose.

    Raises:
        SettingError: other machines or a proxy can reach the port, and there are no keys.
        SettingError: the key file is damaged or cannot be read.
    """
    behind_proxy = next((name for name in _OF_PROXIES if getattr(settings, name)), None)
    if KeyFile(settings.keys).keys() or (is_loopback(settings.host) and not behind_proxy):
        return False
    if settings.open:
        return True
    language = language_of(settings.language)
    if not is_loopback(settings.host):
        reason = NOTICES["no_door"](language, host=settings.host)
        raise SettingError("setting_invalid", setting="--host", reason=reason)
    raise SettingError(
        "setting_invalid", setting=behind_proxy, reason=NOTICES["no_door_proxy"](language)
    )


def _check_audit(settings: Settings) -> None:
    """Open the audit log before the port: a server that promised one does not start without.

    Raises:
        SettingError: lines cannot be added to it.
    """
    if settings.audit_log is None:
        return
    try:
        AuditLog(settings.audit_log).check()
    except OSError as exc:
        reason = f"{settings.audit_log}: {exc.strerror or exc}"
        raise SettingError("setting_invalid", setting="audit_log", reason=reason) from exc


def listening_socket(host: str, port: int) -> socket.socket:
    """Open the port before the model loads, so that a taken one is reported at once.

    Raises:
        SettingError: the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends at once (TCP_NODELAY) only where it can tell TCP. Without the protocol's number
    # each body waits until its header is acknowledged, which a client may put off by 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as exc:
        listening.close()
        raise SettingError(
            "setting_invalid",
            setting="--host / --port",
            reason=f"{host}:{port}: {exc.strerror or exc}",
        ) from exc
    return listening


def _address(scheme: str, host: str, port: int) -> str:
    shown = "127.0.0.1" if host in ("0.0.0.0", "") else f"[{host}]" if ":" in host else host  # noqa: S104 - compared, not bound
    return f"{scheme}://{shown}:{port}"


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
