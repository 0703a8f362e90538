"""``/timeline?run=…``: the timeline of one run alone, for embedding."""

from __future__ import annotations

from importlib.resources import files

from emoscope.web.markup import esc


def timeline_page(body: str, *, title: str = "") -> str:
    """Return a whole document around HTML that is ready; no Gradio in it."""
    folder = files("emoscope.web") / "static"
    style = folder.joinpath("style.css").read_text("utf-8")
    first = folder.joinpath("first.js").read_text("utf-8")
    name = f"{esc(title)} · Emoscope" if title else "Emoscope"
    return (
        '<!doctype html><html><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}</title><style>{style}</style><script>{first}</script>"
        '<script type="module" src="static/alone.js"></script></head>'
        f'<body><main class="gradio-container emo-alone">{body}</main></body></html>'
    )
