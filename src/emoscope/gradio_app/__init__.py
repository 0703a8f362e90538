"""Gradio app of native components: upload or record, river, scores, downloads."""

from emoscope.gradio_app.app import build_app, launch_app

__all__ = ["build_app", "launch_app"]
