"""Documents and fragments of the web page as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from markupsafe import Markup

from emoscope.errors import EmoscopeError
from emoscope.labels import Emotion, by_key
from emoscope.limits import ENDINGS, FORMAT_NAMES
from emoscope.models import catalog
from emoscope.models.head_file import Head
from emoscope.outputs.history import Listing
from emoscope.outputs.store import RunStore
from emoscope.outputs.words import RunLine
from emoscope.paths.names import TITLE_MAX
from emoscope.settings import Settings
from emoscope.web import compare, figure, live_rules, render, rows
from emoscope.web.answer import answer_context
from emoscope.web.opened import Opened
from emoscope.web.rendering import render as fill
from emoscope.web.samples import demo_context, sample_cards

VIEWS = ("home", "batch", "live", "history", "compare", "map")
"""Views of the page; each has an address, and all are in one document."""
BATCH_MAX = 100
"""Files in one batch of the page; the command line has no such limit."""
_ACCEPT = ",".join(["audio/*", *(f".{ending}" for ending in ENDINGS)])
_FORMATS = " · ".join(FORMAT_NAMES)


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Limits of an upload, as the form tells and checks them."""

    max_bytes: int
    max_duration_s: float
    max_files: int = BATCH_MAX
    accept: str = _ACCEPT
    formats: str = _FORMATS

    @classmethod
    def of(cls, settings: Settings) -> UploadLimits:
        """Return those of a server."""
        return cls(settings.upload_max_bytes, settings.upload_max_duration_s)


def document(
    scope: Mapping[str, Any],
    view: str,
    limits: UploadLimits,
    card: catalog.ModelCard | None,
    *,
    opened: Opened | None = None,
    error: EmoscopeError | None = None,
    heads: Sequence[Head] = (),
) -> str:
    """Return the whole page.

    Args:
        scope: ASGI scope of the request: prefix of a proxy, language.
        view: one of ``VIEWS``; which of them is shown.
        limits: of an upload.
        card: card of the loaded model, if it has one.
        opened: result that stands in the view ``home``; the demo by default.
        error: what is wrong with the result that was asked for.
        heads: those that the form offers.
    """
    return fill(
        "page",
        heads=heads,
        **frame(scope),
        view=view,
        views=VIEWS,
        limits=limits,
        card=card,
        demo=demo_context(),
        cards=sample_cards(),
        result=None if opened is None else Markup(result(opened)),  # noqa: S704 - a template's
        problem=None if error is None else Markup(render.error_panel(error)),  # noqa: S704 - likewise
        title="" if opened is None else opened.entry.shown,
        live_rules=live_rules.live_rules(),
    )


def result(opened: Opened) -> str:
    """Return the article of one result."""
    result = opened.result
    parts = [_figure(opened)]
    if result.track is not None:
        parts += [figure.shares(result), figure.segments(result, opened.own)]
    made = [Markup(part) for part in parts]  # noqa: S704 - templates'
    context = answer_context(opened)
    return fill(
        "result", opened=opened, figures=made, moment=figure.moment, spoken=_spoken, **context
    )


def _spoken(line: RunLine) -> Emotion | None:
    """Return the emotion of a line's words; None where no text model read them."""
    return None if line.fusion is None else by_key(line.fusion.words_emotion)


def _figure(opened: Opened) -> str:
    """Return the figure, or one for each channel, of which the opened one has all tools."""

    def one(of: Opened) -> str:
        entry, small = of.entry, of.entry.name != opened.entry.name
        return figure.timeline(
            of.result, of.curve, entry.name, title=entry.shown, own=of.own, small=small
        )

    if len(opened.channels) < 2:
        return one(opened)
    pairs = [(of, Markup(one(of))) for of in opened.channels]  # noqa: S704 - a template's
    return fill("channels", channels=pairs, run=opened.entry.name)


def alone(
    scope: Mapping[str, Any], *, opened: Opened | None = None, error: EmoscopeError | None = None
) -> str:
    """Return a document with the picture of one run, to be embedded.

    Args:
        scope: ASGI scope of the request.
        opened: the run.
        error: what is wrong with it, instead.
    """
    body = ""
    if opened is not None:
        entry = opened.entry
        body = figure.timeline(
            opened.result, opened.curve, entry.name, title=entry.shown, own=opened.own
        )
    elif error is not None:
        body = render.error_panel(error)
    title = "" if opened is None else opened.entry.shown
    return fill("alone", **frame(scope), title=title, body=Markup(body))  # noqa: S704 - made safe


def row(store: RunStore, run: str) -> str:
    """Return the row of a run in the table of a batch.

    Raises:
        RunNotFoundError: there is no such run.
        RunDamagedError: it cannot be read.
    """
    return fill("row", row=rows.row_of(store, run))


def listing(store: RunStore, found: Listing, *, first: int, is_filtered: bool) -> str:
    """Return a page of the list of runs.

    Args:
        store: holds them.
        found: the runs of this page.
        first: how many runs the pages before it have.
        is_filtered: whether only some of the runs were asked for.
    """
    following = first + len(found.entries)
    return fill(
        "listing",
        rows=rows.rows_of(store, found.entries),
        total=found.total,
        first=first,
        following=following if found.entries and following < found.total else None,
        is_filtered=is_filtered,
        title_max=TITLE_MAX,
    )


def comparison(pair: Sequence[Opened]) -> str:
    """Return two results one beside the other."""
    return fill("comparison", **compare.comparison_context(pair))


def frame(scope: Mapping[str, Any]) -> dict[str, str]:
    """Return what every document's frame names: prefix and language."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    headers = dict(scope.get("headers", ()))
    spoken = headers.get(b"accept-language", b"").decode("latin-1").lower()
    asked = query.get("lang", [""])[0]
    language = asked if asked in ("zh", "en") else "zh" if spoken.startswith("zh") else "en"
    return {"root": str(scope.get("root_path", "")).rstrip("/"), "language": language}
