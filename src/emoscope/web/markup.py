"""HTML helpers: escaping, and both languages side by side.

Both languages are always in the page and a style rule shows one of them, so switching is instant
and keeps everything that stands on the page.
"""

from __future__ import annotations

import html
from urllib.parse import quote

from emoscope.messages.languages import Text


def esc(value: object) -> str:
    """Make any value safe as text or inside a quoted attribute.

    Braces and dollars too: Gradio fills what it shows into a template, and a file named
    ``{{x}}`` or ``${x}`` must stay a name.
    """
    safe = html.escape(str(value), quote=True)
    return safe.replace("{", "&#123;").replace("}", "&#125;").replace("$", "&#36;")


def pair(zh: object, en: object) -> str:
    """Return two spans, of which the page shows the one in its language."""
    return f'<span lang="zh">{esc(zh)}</span><span lang="en">{esc(en)}</span>'


def both(text: Text, **data: object) -> str:
    """Return a sentence in both languages, with its gaps filled."""
    return pair(text("zh", **data), text("en", **data))


def card(title: str, body: str, *, kind: str = "") -> str:
    """Return a titled section.

    Args:
        title: HTML of the title; empty for none.
        body: HTML of the content.
        kind: further CSS class; none by default.
    """
    head = f'<h3 class="emo-card-title">{title}</h3>' if title else ""
    return f'<section class="emo-card {kind}">{head}{body}</section>'


def link(run: str, file: str) -> str:
    """Address of one file of a run, relative to the page, so that it works behind a proxy."""
    return esc(f"outputs/{quote(run)}/{quote(file)}")


def export_link(run: str, file: str) -> str:
    """Address of a file that is made from a run when it is asked for."""
    return esc(f"page/export/{quote(run)}/{quote(file)}")
