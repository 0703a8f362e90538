"""What is said in a run: lines with times, coloured by the voice, fused with a text model.

``words.json`` lies beside ``result.json``. Whose voice it is in a line is told by the utterance of
the same span, else by the mean of the curve over it, else by the answer for the whole recording.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from emoscope.errors import RequestError
from emoscope.fusion.recording import WordReader
from emoscope.fusion.rule import DEFAULT_RULE, Fusion, FusionRule, fuse
from emoscope.lists.spans import parse_spans
from emoscope.outputs.beside import read_beside
from emoscope.outputs.store import WORDS, RunStore
from emoscope.results.json_type import EmotionByKey, JsonType, Share
from emoscope.results.result import Result
from emoscope.results.scores import Scores
from emoscope.results.utterances import SPAN_TOLERANCE_S, GivenSpan, check_inside
from emoscope.waveform import Span

WORDS_SCHEMA = 1
TEXT_MAX = 1_000_000
"""Characters of one text."""
_TIMED = ("-->", "ooTextFile", "ANNOTATION_DOCUMENT")
"""What a text with times holds: subtitles, a TextGrid, an EAF."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine(JsonType, Span):
    """Line of what is said, and what the voice says there."""

    text: str
    emotion: EmotionByKey
    """Of the voice."""
    confidence: Share
    """Of the voice."""
    fusion: Fusion | None = field(
        default=None, metadata={"description": "with the words; null without a text model"}
    )

    @property
    def disagree(self) -> bool:
        """Whether voice and words disagree."""
        return self.fusion is not None and self.fusion.disagree


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWords(JsonType):
    """``words.json``: what is said in a run."""

    schema_version: int = WORDS_SCHEMA
    saved_utc: str
    text_model: str | None
    """Name of the text model's folder; None where no model read the words."""
    lines: tuple[RunLine, ...]


@dataclass(frozen=True, slots=True)
class WordTools:
    """How the words of runs are read: a text model and a rule; without a model only coloured."""

    reader: WordReader | None = None
    name: str | None = None
    """Of the text model."""
    rule: FusionRule = DEFAULT_RULE


def set_words(
    store: RunStore, run: str, text: str | None, tools: WordTools, *, now: datetime
) -> RunWords | None:
    """Keep what is said beside a run, or remove it.

    Args:
        store: holds the run.
        run: name of its directory.
        text: subtitles, a TextGrid or an EAF, or plain text of the whole; None removes it.
        tools: text model and rule.
        now: time, with a zone.

    Raises:
        RequestError: it is empty or too long, a line is outside the recording, or two overlap.
        ListError: a text with times cannot be read.
        ModelInvalidError: the text model failed.
        RunNotFoundError, RunDamagedError, StoreError: the run cannot be read or written.
    """
    result = store.open(run).result
    if text is None:
        store.write_beside(run, WORDS, None)
        return None
    spans = _spans(text, result.duration_s)
    made = RunWords(
        saved_utc=now.astimezone(UTC).isoformat(timespec="seconds"),
        text_model=tools.name,
        lines=tuple(_line(span, voice, tools) for span, voice in _voices(result, spans)),
    )
    store.write_beside(run, WORDS, made.to_dict())
    return made


def run_words(store: RunStore, run: str) -> RunWords | None:
    """Return what is said in a run, or None where it was not given.

    Raises:
        RunNotFoundError: there is no such run.
        RunDamagedError: ``words.json`` cannot be read.
    """
    return read_beside(store, run, WORDS, RunWords.from_dict)


def _spans(text: str, duration_s: float) -> Sequence[GivenSpan]:
    if not text.strip():
        raise RequestError("text_empty")
    if len(text) > TEXT_MAX:
        raise RequestError("text_too_long", characters=len(text))
    if not any(sign in text for sign in _TIMED):
        return [GivenSpan(0.0, duration_s, " ".join(text.split()))]
    rows = parse_spans("text", text.encode("utf-8", "replace")).rows
    spans = [row.span for row in rows if row.span.text.strip()]
    for span in spans:
        check_inside(span, span.duration_s, duration_s, 0.0)
    return sorted(spans, key=lambda span: span.start_s)


def _voices(result: Result, spans: Sequence[GivenSpan]) -> list[tuple[GivenSpan, Scores]]:
    """Scores of the voice in each span."""
    rows = None if result.track is None else result.track.mean_scores(spans)
    found = []
    for at, span in enumerate(spans):
        scores = result.scores
        if rows is not None and rows[at].sum() > 0:
            scores = Scores(np.asarray(rows[at] / rows[at].sum()))
        for one in result.utterances or ():
            if _same(one.span, span):
                scores = one.scores
        found.append((span, scores))
    return found


def _same(one: Span, other: Span) -> bool:
    return (
        abs(one.start_s - other.start_s) <= SPAN_TOLERANCE_S
        and abs(one.end_s - other.end_s) <= SPAN_TOLERANCE_S
    )


def _line(span: GivenSpan, voice: Scores, tools: WordTools) -> RunLine:
    fused = None
    if tools.reader is not None:
        fused = fuse(voice, tools.reader.scores(span.text), tools.rule)
    return RunLine(
        start_s=span.start_s,
        end_s=span.end_s,
        text=span.text.strip(),
        emotion=voice.top,
        confidence=voice.confidence,
        fusion=fused,
    )
