"""Layout and launch of the Gradio app, and what Gradio must not do by itself.

It is for Hugging Face Spaces, ModelScope Studio and notebooks; the web page of ``emoscope serve``
does not use Gradio. What Gradio would do by itself and is prevented here, each with a test:

- It counts its users and looks for newer versions: ``telemetry.py`` says no before it is imported.
- It fetches addresses that a client names instead of a file: the input refuses them.
- It keeps uploads: they lie in a folder of this process, which is removed at the end, and each is
  removed after ``KEEP_FILES_S``.
- It keeps a history of runs in the browser: ``run_history=False``.
- It loads fonts from another host: the theme names the system's.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import signal
import tempfile
import threading
from pathlib import Path
from typing import Any

from emoscope.errors import SettingError
from emoscope.gradio_app.answer import AnswerFunctions, both_texts
from emoscope.labels import EMOTIONS
from emoscope.messages.gradio_app import GRADIO
from emoscope.optional import require
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.samples import samples

KEEP_FILES_S = 3_600
"""Seconds after which an upload or a download is removed."""
_EVERY_S = 600


def build_app(
    recognizer: Recognizer, store: RunStore, *, queue_size: int = 64, at_once: int = 2
) -> Any:
    """Return the ``gradio.Blocks``; start it with ``launch_app``.

    Args:
        recognizer: answers; its limits are those of an upload.
        store: where runs are written.
        queue_size: requests that may wait; more are refused.
        at_once: requests in work at once.

    Raises:
        ExtraMissingError: Gradio is not installed.
        SettingError: there is no folder for temporary files that can be written.
    """
    gr, folder = _gradio()
    page = AnswerFunctions(gr, recognizer, store, folder)
    with gr.Blocks(
        title="Emoscope", analytics_enabled=False, delete_cache=(_EVERY_S, KEEP_FILES_S)
    ) as app:
        gr.Markdown(f"# Emoscope\n{both_texts('tagline')}")
        with gr.Row():
            with gr.Column(scale=4) as asking:
                audio = gr.Audio(
                    label=both_texts("audio"), sources=["upload", "microphone"], type="filepath"
                )
                _refuse_addresses(gr, audio)
                granularity = gr.Radio(
                    [(both_texts(name), name) for name in ("frame", "utterance")],
                    value="frame",
                    label=both_texts("granularity"),
                )
                embedding = gr.Checkbox(label=both_texts("embedding"))
                start = gr.Button(both_texts("start"), variant="primary")
            with gr.Column(scale=6):
                headline = gr.Markdown(label=both_texts("answer"))
                river = gr.HTML(label=both_texts("river"))
                scores = gr.Label(
                    label=both_texts("scores"), num_top_classes=len(EMOTIONS), show_heading=False
                )
                files = gr.File(
                    label=both_texts("files"), file_count="multiple", interactive=False, height=140
                )
        shown_parts = [headline, river, scores, files]
        start.click(
            page.answer,
            inputs=[audio, granularity, embedding],
            outputs=shown_parts,
            api_name="recognize",
        )
        with asking:
            gr.Examples(
                [[str(sample.path)] for sample in samples()],
                inputs=[audio],
                example_labels=[f"{sample.title_zh} · {sample.title_en}" for sample in samples()],
                label=both_texts("samples"),
                fn=page.answer_sample,
                outputs=shown_parts,
                run_on_click=True,
                cache_examples=False,
                api_visibility="private",
            )
    app.queue(max_size=queue_size, default_concurrency_limit=at_once)
    return app


def launch_app(
    app: Any,
    *,
    host: str | None = None,
    port: int | None = None,
    max_bytes: int | None = None,
    blocked: tuple[Path, ...] = (),
) -> None:
    """Serve an app until it is interrupted.

    Args:
        app: what ``build_app`` returned.
        host: address to listen on; None for ``GRADIO_SERVER_NAME``, else this machine only.
        port: port; None for ``GRADIO_SERVER_PORT``, else the first free one from 7860.
        max_bytes: largest upload; None for no limit.
        blocked: folders of which Gradio gives out nothing, whatever else allows it.
    """
    gr, _ = _gradio()
    app.launch(
        server_name=host,
        server_port=port,
        share=False,
        inbrowser=False,
        quiet=True,
        show_error=False,
        max_file_size=max_bytes,
        allowed_paths=[],
        blocked_paths=[str(path.resolve()) for path in blocked],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        footer_links=["api"],
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        prevent_thread_lock=True,
    )
    try:
        _wait_for_signal()
    finally:
        app.close()


def _wait_for_signal() -> None:
    """Wait for SIGINT or SIGTERM.

    Not through ``KeyboardInterrupt``, as Gradio does: raised while a callback of the interpreter
    runs, it is lost, and the program never ends.
    """
    ended = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
    ended.wait()


def _gradio() -> tuple[Any, Path]:
    """Import Gradio with its environment set; return it and the folder of its files.

    Raises:
        ExtraMissingError: it is not installed.
        SettingError: there is no folder for temporary files that can be written.
    """
    folder = _folder()
    return require("gradio", extra="gradio"), folder


@functools.cache
def _folder() -> Path:
    """Make the folder of uploads and downloads, readable by no other user and gone at the end."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="emoscope-gradio-")).resolve()
    except OSError as exc:
        raise SettingError(
            "setting_invalid", setting="TMPDIR", reason=exc.strerror or str(exc)
        ) from exc
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    return folder


def _refuse_addresses(gr: Any, audio: Any) -> None:
    """Make an input refuse addresses, which Gradio would fetch before our function is called."""
    original = audio.async_move_resource_to_block_cache

    async def local_only(path: Any) -> Any:
        if "://" in str(path):
            text = GRADIO["no_address"]
            raise gr.Error(f"{text.zh} {text.en}", title=both_texts("error"), print_exception=False)
        return await original(path)

    audio.async_move_resource_to_block_cache = local_only
