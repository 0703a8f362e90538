"""Headlines and errors as HTML, both languages in one markup."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from emoscope.errors import EmoscopeError, InputError
from emoscope.messages.hints import sentence
from emoscope.messages.page import FAILURE
from emoscope.messages.verdict import Verdict
from emoscope.web.markup import both, pair
from emoscope.web.rendering import environment


def headline(answer: Verdict) -> Markup:
    """Return ``😊 快乐 (Happy) 置信度: 85.3%``, and its English form."""
    macros = environment().get_template("headline.html").make_module({})
    return Markup(macros.headline(answer))  # type: ignore[attr-defined]  # noqa: S704 - a template's


def error_sentence(error: EmoscopeError) -> Markup:
    """Return what is wrong, in both languages, with the hint of the page."""
    return pair(sentence(error, "zh", "web"), sentence(error, "en", "web"))


def error_panel(error: EmoscopeError) -> Markup:
    """Return the red panel: what is wrong, in both languages, and the code to ask about."""
    title = FAILURE["title" if isinstance(error, InputError) else "title_ours"]
    macros: Any = environment().get_template("macros.html").module
    return Markup(macros.problem_panel(both(title), error_sentence(error), error.code))  # noqa: S704 - a template's
