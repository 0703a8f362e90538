"""Runs as front ends show them: corrected result, curve, exports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from emoscope.errors import RequestError
from emoscope.events import local_now
from emoscope.export.annotations import export
from emoscope.figures import report, svg
from emoscope.figures.pyramid import Curve
from emoscope.messages.figure import FIGURE
from emoscope.messages.languages import LANGUAGES, Language, Text
from emoscope.models import catalog
from emoscope.outputs import history
from emoscope.outputs.recordings import labels, recorded
from emoscope.outputs.store import Run, RunStore
from emoscope.outputs.words import RunWords, WordTools, run_words, set_words
from emoscope.paths.file_names import shown
from emoscope.results.result import Result
from emoscope.waveform import Waveform
from emoscope.web.curves import Curves
from emoscope.web.opened import Opened
from emoscope.web.report_page import page_of
from emoscope.web.words_table import words_table

SEGMENT_FILES = {"segments.TextGrid": "textgrid", "segments.srt": "srt", "segments.csv": "csv"}
UTTERANCE_FILES = {
    "utterances.TextGrid": "textgrid",
    "utterances.srt": "srt",
    "utterances.csv": "csv",
}
EXPORTS = (*SEGMENT_FILES, *UTTERANCE_FILES, "picture.svg", "report.html")
"""Files that are made from a run on demand."""


@dataclass(frozen=True, slots=True)
class RunViewer:
    """Reads runs of a store for the page and the routes.

    Args:
        store: the outputs folder.
        card: card of the loaded model, if it has one.
        curves: cache of curves; an empty one by default.
        tools: how the words of runs are read; without a text model by default.
    """

    store: RunStore
    card: catalog.ModelCard | None
    curves: Curves = field(default_factory=Curves)
    tools: WordTools = field(default_factory=WordTools)

    def seen_in(self, store: RunStore) -> RunViewer:
        """Return a viewer of another view of the same store; curves that were made are shared."""
        return replace(self, store=store)

    def open(self, run: str) -> Opened:
        """Return a run with its segments as they were corrected, a name to show, and its curve.

        Raises:
            RunNotFoundError: there is no such run.
            RunDamagedError: it cannot be read.
        """
        result = self.store.open(run).result
        result = replace(result, source=replace(result.source, name=shown(result.source.name)))
        curve = self.curve(run, result)  # of the model's own answer, whatever people corrected
        made = history.corrections_of(self.store, run)
        own = result
        if made is not None:
            result = made.apply(result)
        is_ours = self.card is not None and self.card.name == result.model.name
        files = tuple(Run(self.store.folder(run), result).files())
        entry = history.run_entry(self.store, run)
        words = run_words(self.store, run)
        return Opened(entry, result, curve, self.card if is_ours else None, files, own, words)

    def curve(self, run: str, result: Result | None = None) -> Curve:
        """Return the curve of a run; ``result`` when it has been read already.

        Raises:
            RunNotFoundError: there is no such run.
            RunDamagedError: it cannot be read.
        """
        return self.curves.of(self.store, run, result)

    def open_all(self, run: str) -> Opened:
        """Return a run like ``open``, with the runs of the other channels of its recording.

        Raises:
            RunNotFoundError: there is no such run.
            RunDamagedError: it cannot be read.
        """
        opened = self.open(run)
        names = history.channel_runs(self.store, opened.result)
        channels = tuple(opened if name == run else self.open(name) for name in names)
        return replace(opened, channels=channels)

    def correct(self, run: str, raw: object) -> Result:
        """Store corrected segments, or remove them with None; return the result with them.

        Raises:
            RequestError: the segments have gaps, overlaps, another length, or a wrong emotion.
            RunNotFoundError, RunDamagedError, StoreError: the run cannot be read or written.
        """
        history.correct(self.store, run, raw, now=local_now)
        return history.corrected_result(self.store, run)

    def set_words(self, run: str, text: str | None) -> RunWords | None:
        """Keep what is said in a run, or remove it with None.

        Raises:
            RequestError, ListError: the text cannot be used.
            ModelInvalidError: the text model failed.
            RunNotFoundError, RunDamagedError, StoreError: the run cannot be read or written.
        """
        return set_words(self.store, run, text, self.tools, now=local_now())

    def export(self, run: str, file: str, language: Language | None) -> tuple[str, str]:
        """Return a file that is made from a run on demand, and its media type.

        Args:
            run: name of the run's directory.
            file: one of ``EXPORTS``.
            language: language of the file's words; None for both, Chinese first.

        Raises:
            RequestError: no such file is made.
            ResultError: it needs a time axis.
            RunNotFoundError, RunDamagedError: the run cannot be read.
        """
        languages = LANGUAGES if language is None else (language,)
        if kind := (SEGMENT_FILES | UTTERANCE_FILES).get(file):
            result = history.corrected_result(self.store, run)
            media_type = "text/csv" if kind == "csv" else "text/plain"
            spoken = file in UTTERANCE_FILES
            made = export((result,), kind, utterances=spoken, languages=languages)
            return made.decode(), f"{media_type}; charset=utf-8"
        makers: dict[str, tuple[Callable[[Opened], str], str]] = {
            "picture.svg": (lambda opened: self._svg(opened, languages), "image/svg+xml"),
            "report.html": (
                lambda opened: self._report(opened, chinese=language != "en"),
                "text/html; charset=utf-8",
            ),
        }
        if file not in makers:
            raise RequestError("route_not_found")
        make, media_type = makers[file]
        return make(self.open(run)), media_type

    def saved_name(self, run: str, file: str) -> str:
        """Return what a file of a run is called where it is saved: ``interview_report.html``."""
        found = recorded(self.store.folder(run))
        return f"{shown(labels(found)[0]) if found else run}_{file}"

    def _svg(self, opened: Opened, languages: tuple[Language, ...]) -> str:
        quiet, doubt = (_words(FIGURE[name]) for name in ("quiet", "doubt"))
        title = opened.entry.shown
        return svg.svg(
            opened.result, opened.curve, title=title, quiet=quiet, doubt=doubt, languages=languages
        )

    def _report(self, opened: Opened, *, chinese: bool) -> str:
        run = opened.entry.name
        page = page_of(opened.result, run=run, title=opened.entry.title, known=opened.card)
        if opened.words is not None:
            page = replace(page, words=words_table(opened.words))
        sound: Waveform | None = None
        if opened.result.duration_s * 32_000 <= report.SOUND_MAX_BYTES:
            sound = history.sound(self.store, run)
        picture = self._svg(opened, ("zh", "en"))
        return report.report_html(opened.result, page, svg=picture, chinese=chinese, sound=sound)


def _words(text: Text) -> svg.Words:
    return {"zh": text.zh, "en": text.en}
