"""``emoscope gradio``: the small Gradio app."""

from __future__ import annotations

from emoscope.audio.decoder_pool import DecoderPool
from emoscope.cli.model import open_model
from emoscope.cli.serve import is_loopback, listening_socket
from emoscope.errors import SettingError
from emoscope.files import check_folder
from emoscope.messages.texts import NOTICES
from emoscope.optional import check_installed
from emoscope.outputs.store import RunStore
from emoscope.settings import Settings, language_of


def run_gradio(settings: Settings) -> None:
    """Serve until interrupted; prints the address first.

    Raises:
        SettingError: the address cannot be listened on, or other machines could reach it and
            nothing says that they may.
        StoreError: runs are to be kept, and the folder for them cannot be written.
        ModelError: the model cannot be loaded.
        ExtraMissingError: the extra ``gradio`` is not installed.
    """
    check_installed("gradio", extra="gradio")
    language = language_of(settings.language)
    if not is_loopback(settings.host) and not settings.open:
        reason = NOTICES["no_keys_here"](language, host=settings.host)
        raise SettingError("setting_invalid", setting="--host", reason=reason)
    if settings.store != "none":
        check_folder(settings.outputs)
    # Gradio opens the port itself; a taken one is told before the model is loaded.
    with listening_socket(settings.host, settings.port) as probe:
        port = int(probe.getsockname()[1])
    limits = settings.upload_limits
    recognizer = open_model(settings, limits)
    from emoscope.gradio_app import build_app, launch_app

    decoders = DecoderPool(settings.decoders, deadline_s=settings.decode_deadline_s, limits=limits)
    with decoders:
        app = build_app(
            recognizer.configured(decoder=decoders),
            RunStore(settings.outputs, keep=settings.store),
            queue_size=settings.queue_size,
            at_once=settings.requests_at_once,
        )
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        print(NOTICES["gradio_address"](language, address=f"http://{host}:{port}"), flush=True)  # noqa: T201 - promised
        print(NOTICES["stop"](language), flush=True)  # noqa: T201 - likewise
        launch_app(
            app,
            host=settings.host,
            port=port,
            max_bytes=settings.upload_max_bytes,
            blocked=(settings.outputs, settings.keys),
        )
