"""Utterance inference: utterances of a recording, each given to the model alone, in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from emoscope.audio.missing import without_gaps
from emoscope.audio.utterance_cutter import CutPiece, UtteranceCutter
from emoscope.events import StepLog
from emoscope.inference.assembly import Assembler
from emoscope.inference.forward import ClipRunner
from emoscope.inference.headed import HeadColumns, RecordingOutput
from emoscope.inference.windowed import WHOLE_S, WindowedInference, run_windows
from emoscope.results.track import Track
from emoscope.results.utterances import (
    NO_SPEECH,
    GivenSpan,
    Utterance,
    UtteranceCut,
    UtteranceRules,
    UtteranceSet,
    check_inside,
)
from emoscope.waveform import FRAME_S, RATE_HZ, Array32, Span, Waveform, release_pages

UtterancePlan: TypeAlias = UtteranceRules | tuple[GivenSpan, ...]
"""Rules by which a recording is cut at pauses, or the spans that the user gave."""
STEP = "utterances"
"""Name of the step of the log, and of its progress."""
_BATCH_S = 30.0
"""Seconds of sound that are collected before the model runs: as much as a recording has that is
given to it whole."""


@dataclass(frozen=True, slots=True, eq=False)
class SpokenSound:
    """Sound of one utterance."""

    span: GivenSpan
    sound: Waveform
    """At 16 kHz, without missing spans."""


class UtteranceInference:
    """Recognition of utterances, a few at a time; not for several threads.

    Args:
        runner: gives rows with these columns; may be shared with other recordings.
        assembler: makes utterances of the model's outputs.
        columns: of the rows; the embedding, if kept, gives the mean of each utterance.
    """

    def __init__(self, runner: ClipRunner, assembler: Assembler, columns: HeadColumns) -> None:
        self._runner, self._assembler, self._columns = runner, assembler, columns
        self._vectors: list[Array32] = []
        self._found: list[Utterance] = []

    def recognize(self, spoken: Sequence[SpokenSound]) -> list[Utterance]:
        """Recognize utterances, each alone; those that the model takes whole go as one batch.

        Raises:
            ModelError: the model failed.
        """
        short = [one for one in spoken if one.sound.duration_s <= WHOLE_S]
        outputs = iter(self._runner.run([one.sound.samples for one in short]))
        answers = []
        for one in spoken:
            if one.sound.duration_s <= WHOLE_S:
                given = next(outputs)
                rows = given.embeddings if self._columns.wanted else None
                output = self._columns.output(Track(given.logits), rows, None)
            else:
                output = self._long(one.sound)
            if output.embedding is not None:
                mean = output.embedding.mean(axis=0, dtype=np.float64)
                self._vectors.append(mean.astype(np.float32))
            heads = self._columns.all_heads
            answers.append(self._assembler.utterance(one.span, one.sound, output, heads))
        self._found += answers
        return answers

    def result(self, plan: UtterancePlan) -> UtteranceSet:
        """Return all utterances so far, with how they were found."""
        rules = plan if isinstance(plan, UtteranceRules) else None
        cut = UtteranceCut(
            by="spans" if rules is None else "pauses",
            rules=rules,
            reason=None if rules is None or self._found else NO_SPEECH,
        )
        vectors = np.stack(self._vectors) if self._vectors else None
        return UtteranceSet(tuple(self._found), cut, vectors)

    def _long(self, sound: Waveform) -> RecordingOutput:
        windows = WindowedInference(
            self._runner, find_speech=False, at_once=self._runner.runs_at_once
        )
        track, rows = run_windows(sound, windows, embedding=self._columns.wanted)
        return self._columns.output(track, rows, None)


def recognize_utterances(
    waveform: Waveform,
    plan: UtterancePlan,
    inference: UtteranceInference,
    log: StepLog,
    *,
    least_s: float = FRAME_S,
) -> UtteranceSet:
    """Recognize the utterances of a whole recording; memory does not grow with its length.

    Args:
        waveform: at 16 kHz, on the medium's time axis, with zeros where it holds no sound.
        plan: rules or spans.
        inference: one that has recognized nothing yet.
        log: gets the step and the progress.
        least_s: shortest span that is recognized, in seconds.

    Raises:
        RequestError: a given span lies outside of the sound, or is too short.
        ModelError: the model failed.
    """
    if isinstance(plan, UtteranceRules):
        portions = _at_pauses(waveform, plan)
    else:
        portions = _given(waveform, plan, least_s)
    waiting: list[SpokenSound] = []
    count, waiting_s = 0, 0.0
    with log.timed(STEP) as numbers:
        for done_s, spoken in portions:
            for one in spoken:
                if waiting and waiting_s + one.sound.duration_s > _BATCH_S:
                    inference.recognize(waiting)
                    waiting, waiting_s = [], 0.0
                waiting.append(one)
                waiting_s += one.sound.duration_s
                count += 1
            log.moved(STEP, done_s, waveform.duration_s)
        inference.recognize(waiting)
        numbers["count"] = count
    return inference.result(plan)


def sounds_of(pieces: Iterable[CutPiece], missing: Sequence[Span]) -> list[SpokenSound]:
    """Return the sound of utterances that were cut at pauses, without missing spans.

    Args:
        pieces: from the cutter.
        missing: where the medium holds no sound, in order.
    """
    found = [_sound_of(piece, missing) for piece in pieces]
    return [one for one in found if one.sound.duration_s >= FRAME_S]


def _sound_of(piece: CutPiece, missing: Sequence[Span]) -> SpokenSound:
    start_s, end_s = piece.first / RATE_HZ, (piece.first + len(piece.samples)) / RATE_HZ
    inside = tuple(
        Span(max(one.start_s, start_s) - start_s, min(one.end_s, end_s) - start_s)
        for one in missing
        if one.start_s < end_s and one.end_s > start_s
    )
    whole = Waveform(piece.samples, RATE_HZ, missing=inside)
    return SpokenSound(GivenSpan(start_s, end_s), without_gaps(whole))


def _at_pauses(
    waveform: Waveform, rules: UtteranceRules
) -> Iterator[tuple[float, list[SpokenSound]]]:
    cutter, done = UtteranceCutter(rules), 0
    for block in waveform.blocks():
        done += len(block)
        yield done / RATE_HZ, sounds_of(cutter.feed(block), waveform.missing)
    yield waveform.duration_s, sounds_of(cutter.finish(), waveform.missing)


def _given(
    waveform: Waveform, spans: Sequence[GivenSpan], least_s: float
) -> Iterator[tuple[float, list[SpokenSound]]]:
    for span in spans:
        end_s = min(span.end_s, waveform.duration_s)
        inside = GivenSpan(min(span.start_s, end_s), end_s, span.text, span.id)
        sound = without_gaps(waveform.cut(inside))
        check_inside(span, sound.duration_s, waveform.duration_s, max(least_s, FRAME_S))
        yield end_s, [SpokenSound(inside, sound)]
        release_pages(waveform.samples)
    yield waveform.duration_s, []
