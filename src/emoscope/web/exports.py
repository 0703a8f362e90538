"""Exports of a run on demand: page, report, SVG, segments."""

from __future__ import annotations

from dataclasses import replace

from emoscope.errors import RequestError
from emoscope.export.annotations import export
from emoscope.figures import report, svg
from emoscope.messages.languages import Language, Text
from emoscope.messages.page import PICTURE
from emoscope.models import catalog
from emoscope.outputs import history
from emoscope.outputs.store import Run
from emoscope.paths.file_names import shown
from emoscope.waveform import Waveform
from emoscope.web import history_view, render
from emoscope.web.desk import Desk
from emoscope.web.report_page import page_of

_SEGMENTS = {"segments.TextGrid": "textgrid", "segments.srt": "srt", "segments.csv": "csv"}


def exported(desk: Desk, run: str, file: str, language: Language) -> tuple[str, str]:
    """Return a file that is made from a run on demand.

    Args:
        desk: the page's store, recognizer and curves.
        run: name of the run's directory.
        file: name of the file; one of the segments' formats, ``picture.svg`` or ``report.html``.
        language: language of a picture's and report's words.

    Returns:
        Text and media type.

    Raises:
        RequestError: no such file is made.
        ResultError: it needs a time axis.
    """
    if file in _SEGMENTS:
        result = history.corrected_result(desk.store, run)
        kind = _SEGMENTS[file]
        media_type = "text/csv" if kind == "csv" else "text/plain"
        return export((result,), kind).decode(), f"{media_type}; charset=utf-8"
    if file == "picture.svg":
        return _svg(opened_run(desk, run), (language,)), "image/svg+xml"
    if file == "report.html":
        opened = opened_run(desk, run)
        return _report(desk, opened, chinese=language == "zh"), "text/html; charset=utf-8"
    raise RequestError("route_not_found")


def _svg(opened: history_view.Opened, languages: tuple[Language, ...]) -> str:
    quiet, doubt = (_words(PICTURE[name]) for name in ("quiet", "doubt"))
    title = opened.entry.shown
    return svg.svg(
        opened.result, opened.curve, title=title, quiet=quiet, doubt=doubt, languages=languages
    )


def _words(text: Text) -> svg.Words:
    return {"zh": text.zh, "en": text.en}


def _report(desk: Desk, opened: history_view.Opened, *, chinese: bool) -> str:
    run = opened.entry.name
    page = page_of(
        opened.result,
        run=run,
        title=opened.entry.title,
        known=_card(desk, opened.result.model.name),
    )
    sound: Waveform | None = None
    if opened.result.duration_s * 32_000 <= report.SOUND_MAX_BYTES:
        sound = history.sound(desk.store, run)
    svg = _svg(opened, ("zh", "en"))
    return report.report_html(opened.result, page, svg=svg, chinese=chinese, sound=sound)


def opened_run(desk: Desk, run: str) -> history_view.Opened:
    """Return a run with its segments as they were corrected, a name to show, and its curve.

    Raises:
        RunNotFoundError: there is no such run.
        RunDamagedError: it cannot be read.
    """
    result = desk.store.open(run).result
    result = replace(result, source=replace(result.source, name=shown(result.source.name)))
    curve = desk.curves.of(run, result)  # of the model's own answer, whatever people corrected
    made = history.corrections_of(desk.store, run)
    if made is not None:
        result = made.apply(result)
    return history_view.Opened(history.run_entry(desk.store, run), result, curve)


def shown_run(desk: Desk, run: str) -> str:
    """Return a run's right side as HTML; raises as ``opened_run``."""
    opened = opened_run(desk, run)
    return render.page_of_result(
        opened.result,
        run=run,
        files=Run(desk.store.folder(run), opened.result).files(),
        curve=opened.curve,
        card_of_model=_card(desk, opened.result.model.name),
        title=opened.entry.title,
        is_corrected=opened.entry.is_corrected,
    )


def _card(desk: Desk, model: str) -> catalog.ModelCard | None:
    """The card of the loaded model, when it is the one that answered then."""
    card = desk.recognizer.card
    return card if card is not None and card.name == model else None
