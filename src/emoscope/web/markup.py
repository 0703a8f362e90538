"""HTML helpers: escaping, and both languages side by side."""

from __future__ import annotations

from string import Formatter
from urllib.parse import quote

from markupsafe import Markup, escape

from emoscope.labels import Emotion
from emoscope.messages.languages import Text


def esc(value: object) -> Markup:
    """Make any value safe as text or inside a quoted attribute."""
    return escape(str(value))


def pair(zh: object, en: object) -> Markup:
    """Return two spans, of which the page shows the one in its language."""
    return Markup('<span lang="zh">{}</span><span lang="en">{}</span>').format(zh, en)


def both(text: Text, **data: object) -> Markup:
    """Return a sentence in both languages, with its gaps filled."""
    return pair(text("zh", **data), text("en", **data))


def hue(emotion: Emotion) -> str:
    """Return an emotion's colour as CSS: the style sheet has one for light and one for dark."""
    return f"var(--emo-{emotion.key}, {emotion.colour})"


def gaps(text: Text, **data: object) -> Markup:
    """Return a sentence in both languages whose open gaps a script fills.

    Args:
        text: the sentence.
        data: what stands in some of its gaps already; each other gap is a ``<span data-gap>``.
    """
    names = {name for sentence in text for _, name, _, _ in Formatter().parse(sentence) if name}
    open_ones = {
        name: Markup('<span data-gap="{}"></span>').format(name) for name in names - set(data)
    }
    zh, en = (Markup(escape(sentence)).format(**data, **open_ones) for sentence in text)  # noqa: S704 - escaped
    return pair(zh, en)


def link(run: str, file: str) -> Markup:
    """Address of one file of a run, relative to the page's base."""
    return esc(f"v1/recognitions/{quote(run)}/files/{quote(file)}")
