"""Jinja2 environment of the web page: autoescape, and both languages side by side.

Both languages are always in the page and a style rule shows one of them, so switching is instant
and keeps everything that stands on the page.
"""

from __future__ import annotations

import functools
from typing import Any

import jinja2

from emoscope.labels import EMOTIONS, SILENCE
from emoscope.messages import page as sentences
from emoscope.messages.batch import BATCH, CHECK_WORDS
from emoscope.messages.figure import CHANNELS, FIGURE
from emoscope.messages.heads import HEAD_PAGE, TEACH
from emoscope.messages.history import COMPARE, HISTORY
from emoscope.messages.live import LIVE, MICROPHONE
from emoscope.messages.recorded import RECORDED
from emoscope.messages.spoken import language_answer, language_tip
from emoscope.messages.units import recording_length
from emoscope.messages.utterances import UTTERANCES
from emoscope.messages.vectors import RUN_MAP, SIMILAR
from emoscope.messages.verdict import MORE, NO_FEELING, VERDICT
from emoscope.web.markup import both, gaps, hue, pair


@functools.cache
def environment() -> jinja2.Environment:
    """Return the environment of the package's templates; one for the whole process.

    Every template knows ``both(text, **data)`` and ``pair(zh, en)`` (two spans, of which the page
    shows one), ``hue(emotion)`` (its colour as CSS), the nine ``EMOTIONS``, ``SILENCE``, and the
    tables of sentences by their names.
    """
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("emoscope.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "both": both,
        "pair": pair,
        "hue": hue,
        "gaps": gaps,
        "EMOTIONS": EMOTIONS,
        "SILENCE": SILENCE,
        "CHANNELS": CHANNELS,
        "BATCH": BATCH,
        "CHECK_WORDS": CHECK_WORDS,
        "HEAD_PAGE": HEAD_PAGE,
        "TEACH": TEACH,
        "HISTORY": HISTORY,
        "COMPARE": COMPARE,
        "FIGURE": FIGURE,
        "LIVE": LIVE,
        "RECORDED": RECORDED,
        "MICROPHONE": MICROPHONE,
        "MORE": MORE,
        "NO_FEELING": NO_FEELING,
        "RUN_MAP": RUN_MAP,
        "SIMILAR": SIMILAR,
        "VERDICT": VERDICT,
        "UTTERANCES": UTTERANCES,
        "recording_length": recording_length,
        "language_tip": language_tip,
        "language_answer": language_answer,
    }
    tables = {name: table for name, table in vars(sentences).items() if name.isupper()}
    made.globals |= tables
    return made


def render(template: str, **context: Any) -> str:
    """Return a template of ``web/templates`` filled in.

    Args:
        template: file name without ``.html``.
        context: what it names; an undefined name is an error.
    """
    return environment().get_template(f"{template}.html").render(**context)
