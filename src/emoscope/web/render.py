"""Headlines, advice and errors as HTML, both languages in one markup."""

from __future__ import annotations

from markupsafe import Markup

from emoscope.errors import EmoscopeError, InputError
from emoscope.messages.hints import sentence
from emoscope.messages.page import FAILURE
from emoscope.messages.verdict import Verdict
from emoscope.results.result import Result
from emoscope.web.answer import check_advice, mixed_parts
from emoscope.web.markup import both, esc, hue, pair
from emoscope.web.rendering import environment


def headline(answer: Verdict) -> Markup:
    """Return ``😊 快乐 (Happy) 置信度: 85.3%``, and its English form."""
    macros = environment().get_template("headline.html").make_module({})
    return Markup(macros.headline(answer))  # type: ignore[attr-defined]  # noqa: S704 - a template's


def mixed_sentence(result: Result) -> Markup:
    """Return the sentence on mixed emotions, or nothing."""
    found = mixed_parts(result)
    if found is None:
        return Markup()
    name, parts, first, second = found
    return Markup(
        '<p class="emo-mixed" style="--c:{};--d:{}"><strong>{}</strong> <small>{}</small></p>'
    ).format(hue(first), hue(second), pair(name.zh, name.en), pair(parts.zh, parts.en))


def warnings(result: Result) -> list[Markup]:
    """Return the advice of the recording check, in both languages."""
    return [pair(text.zh, text.en) for text in check_advice(result)]


def error_sentence(error: EmoscopeError) -> Markup:
    """Return what is wrong, in both languages, with the hint of the page."""
    return pair(sentence(error, "zh", "web"), sentence(error, "en", "web"))


def error_panel(error: EmoscopeError) -> Markup:
    """Return the red panel: what is wrong, in both languages, and the code to ask about."""
    title = FAILURE["title" if isinstance(error, InputError) else "title_ours"]
    return Markup(  # noqa: S704 - made of parts that are safe
        f'<div class="emo-result" data-error="{esc(error.code)}"><section role="alert" '
        f'class="emo-card emo-error"><h2 class="emo-card-title">{both(title)}</h2>'
        f"<p>{error_sentence(error)}</p>"
        f"<p><small>{both(FAILURE['code'], code=error.code)}</small></p></section></div>"
    )
