"""Mounting of the web page on the server's application, with Gradio's own routes closed.

Four things about Gradio 6 were found by trying and are undone here; each has a test on the real
application. Mounted, it does not check which files a client names, so that anybody could read any
file of the machine: ``has_launched`` switches the check on. It asks two hosts on the internet at
start: the environment says no before it is imported. It keeps the history of runs in the browser:
``run_history=False``. Its page names one address from the root of the host, which is another site's
under the path of a proxy: the template is changed. And ``guard.py`` keeps out what the page does
not need at all.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from contextlib import nullcontext
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emoscope.errors import SettingError
from emoscope.optional import require
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer

if TYPE_CHECKING:
    from fastapi import FastAPI

    from emoscope.web.desk import Permit

_QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}

_APART = ("alone.js", "first.js", "pcm.js")
"""No part of the page: the first is of the picture alone, the second runs beside the sound."""


def mount(
    app: FastAPI,
    recognizer: Recognizer,
    store: RunStore,
    *,
    max_bytes: int,
    queue_size: int,
    permit: Permit = nullcontext,
) -> FastAPI:
    """Mount the page at ``/``; call it last, because Gradio takes every path that is left.

    Args:
        app: an application with ``/outputs/{run}/{file}`` on it, which the page links to.
        recognizer: what answers.
        store: where runs are written.
        max_bytes: largest upload.
        queue_size: questions that may wait.
        permit: gives a permit of the queue that the page shares with the routes.

    Raises:
        ExtraMissingError: Gradio is not installed.
        SettingError: there is no folder for temporary files that can be written.
    """
    uploads = _quiet_uploads()
    gr = require("gradio", extra="webui")
    from emoscope.web.desk import Desk
    from emoscope.web.guard import GradioAllowlist
    from emoscope.web.pages import build
    from emoscope.web.routes import add_routes

    desk = Desk(recognizer, store, uploads=uploads, max_bytes=max_bytes, permit=permit)
    add_routes(app, desk)
    page = build(desk, queue_size=queue_size)
    _make_relative(gr.routes.templates.env)
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        show_error=False,
        max_file_size=max_bytes,
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        head=head(),
        favicon_path=str(files("emoscope.web").joinpath("static", "favicon.png")),
    )
    page.has_launched = True
    gradio_route: Any = app.routes[-1]
    gradio_route.app = GradioAllowlist(gradio_route.app, uploads=uploads, max_bytes=max_bytes)
    return app


@functools.cache
def _make_relative(environment: Any) -> None:
    """Change Gradio's template, as it is loaded, so that every address in it is relative.

    Args:
        environment: Gradio's of Jinja, one for the whole process; it is changed once.
    """
    loader = environment.loader
    original = loader.get_source

    def get_source(env: Any, template: str) -> Any:
        source, name, is_current = original(env, template)
        return source.replace('href="/manifest.json"', 'href="manifest.json"'), name, is_current

    loader.get_source = get_source


@functools.cache
def head() -> str:
    """Style and first script of the page, inline; the modules come from our own address."""
    folder = files("emoscope.web") / "static"
    style = folder.joinpath("style.css").read_text("utf-8")
    first = folder.joinpath("first.js").read_text("utf-8")
    # All at once, or the browser finds out of each only from the one that imports it.
    modules = "".join(
        f'<link rel="modulepreload" href="static/{script.name}">'
        for script in sorted(folder.iterdir(), key=lambda script: script.name)
        if script.name.endswith(".js") and script.name not in _APART
    )
    return (
        f"<style>{style}</style><script>{first}</script>{modules}"
        '<script type="module" src="static/page.js"></script>'
    )


@functools.cache
def _quiet_uploads() -> Path:
    """Set Gradio's environment, once and before it is imported; return the upload folder.

    The folder is this process's own and readable by no other user, and goes when the process ends.

    Raises:
        SettingError: there is no folder for temporary files that can be written.
    """
    os.environ.update(_QUIET)
    try:
        folder = Path(tempfile.mkdtemp(prefix="emoscope-uploads-")).resolve()
    except OSError as exc:
        raise SettingError(
            "setting_invalid", setting="TMPDIR", reason=exc.strerror or str(exc)
        ) from exc
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    return folder
