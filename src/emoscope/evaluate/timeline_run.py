"""Evaluation over time: recordings with annotations, recognized and compared.

A list has columns of the recording and of its annotation (TextGrid, EAF, or another file of spans
whose texts are emotions); of a folder each recording is taken beside which such a file stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from emoscope.errors import EmoscopeError, ListError, SourceNotFoundError
from emoscope.evaluate.bootstrap import DRAWS
from emoscope.evaluate.lists import CORPUS, UnknownLabel
from emoscope.evaluate.timeline import (
    NEUTRAL,
    EmotionSpan,
    RecordingTimes,
    TimelineEvaluation,
    measure_timelines,
    recording_times,
)
from emoscope.evaluate.words import LabelWords
from emoscope.labels import KEYS, SILENCE
from emoscope.limits import COMMAND_LINE
from emoscope.lists import reader
from emoscope.lists.reader import PATH
from emoscope.lists.spans import read_spans
from emoscope.messages.aliases import CORPUS_WORDS, SPEAKER_WORDS
from emoscope.paths.access import files_below, is_file, is_folder
from emoscope.paths.file_names import readable
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure, Result
from emoscope.results.segments import Segment

_ANNOTATION, _SPEAKER = "annotation", "speaker"
_COLUMNS = {
    PATH: reader.COLUMNS[PATH],
    _ANNOTATION: (_ANNOTATION, "annotations", "textgrid", "eaf", "spans"),
    _SPEAKER: SPEAKER_WORDS,
    CORPUS: CORPUS_WORDS,
}
_BESIDE = (".TextGrid", ".textgrid", ".eaf")


@dataclass(frozen=True, slots=True)
class AnnotatedRecording:
    """Recording with the emotions that people annotated in it."""

    path: Path
    name: str
    spans: tuple[EmotionSpan, ...]
    speaker: str = ""


def read_annotated(
    path: Path, words: LabelWords | None = None, tier: str | None = None
) -> list[AnnotatedRecording | Failure]:
    """Read recordings and their annotations.

    Args:
        path: a list with columns of the recording and of its annotation, or a folder.
        words: what labels mean; by default what the table of words says. Spans with labels that
            the user's map leaves out count as not annotated.
        tier: of TextGrid and EAF; by default the first with intervals.

    Returns:
        A recording whose annotation cannot be read is a failure.

    Raises:
        SourceNotFoundError: there is no such list, or nothing in the folder is annotated.
        SourceError: the system refuses to read it.
        ListError: the list cannot be read, or labels are unknown: all of them are named.
    """
    table = words or LabelWords()
    unknown: dict[str, list[int]] = {}
    found: list[AnnotatedRecording | Failure] = []
    for one in _pairs(path):
        if isinstance(one, Failure):
            found.append(one)
            continue
        audio, annotation, speaker = one
        try:
            rows = read_spans(annotation, tier).rows
        except EmoscopeError as error:
            found.append(Failure(str(annotation), error))
            continue
        spans = []
        for row in rows:
            emotion = _emotion(row.span.text, table, unknown, row.line)
            if emotion is not None:
                spans.append((row.span.start_s, row.span.end_s, emotion))
        found.append(AnnotatedRecording(audio, str(audio), tuple(spans), speaker))
    if unknown:
        told = "; ".join(str(UnknownLabel(word, tuple(at))) for word, at in unknown.items())
        raise ListError("labels_unknown", name=path.name, known=", ".join(KEYS), found=told)
    if not found:
        raise SourceNotFoundError("source_nothing_found", name=str(path))
    return found


def evaluate_timelines(
    recognizer: Recognizer,
    items: Sequence[AnnotatedRecording | Failure],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    listener: Callable[[int], None] = lambda _done: None,
) -> TimelineEvaluation:
    """Recognize annotated recordings by frame and compare their segments with the annotation.

    Segments of silence count as neutral, as time without an annotation does.

    Args:
        recognizer: runs the model.
        items: what ``read_annotated`` returned.
        draws: bootstrap samples of the intervals.
        seed: of the drawing, so that a second run gives the same intervals.
        listener: called with the number of recordings done; does nothing by default.

    Raises:
        SourceNotFoundError: not one recording could be recognized.
    """
    good = [item for item in items if isinstance(item, AnnotatedRecording)]
    failures = [item for item in items if isinstance(item, Failure)]
    answers = recognizer.recognize_many([item.path for item in good], granularity="frame")
    times: list[RecordingTimes] = []
    for done, (item, answer) in enumerate(zip(good, answers, strict=True), start=1):
        if isinstance(answer, Failure):
            failures.append(Failure(readable(item.name), answer.error))
        else:
            times.append(_times(item, answer))
        listener(done)
    if not times:
        raise SourceNotFoundError("nothing_recognized", count=len(items))
    return measure_timelines(times, failures=failures, draws=draws, seed=seed)


def _times(item: AnnotatedRecording, result: Result) -> RecordingTimes:
    spans = [_answered(segment) for segment in result.segments]
    return recording_times(item.name, item.spans, spans, result.duration_s, item.speaker)


def _answered(segment: Segment) -> EmotionSpan:
    emotion = NEUTRAL if segment.emotion is SILENCE else segment.emotion.index
    return segment.start_s, segment.end_s, emotion


def _emotion(label: str, words: LabelWords, unknown: dict[str, list[int]], line: int) -> int | None:
    """Index of an emotion; None for a label that is left out or unknown, which is kept in mind."""
    try:
        found = words.emotion_of(label)
    except ListError:
        unknown.setdefault(label, []).append(line)
        return None
    return None if found is None else found.index


def _pairs(path: Path) -> Iterator[tuple[Path, Path, str] | Failure]:
    """Recordings with their annotations and speakers."""
    if is_folder(path):
        for below in files_below(path, COMMAND_LINE.endings):
            beside = [below.path.with_suffix(ending) for ending in _BESIDE]
            annotation = next((one for one in beside if is_file(one)), None)
            if annotation is not None:
                yield below.path, annotation, ""
        return
    for row in reader.read(path, _COLUMNS, (PATH, _ANNOTATION)):
        if isinstance(row, Failure):
            yield row
            continue
        speaker, corpus = row.cells.get(_SPEAKER, ""), row.cells.get(CORPUS, "")
        key = f"{corpus}/{speaker}" if speaker and corpus else speaker
        yield path.parent / row.path, path.parent / row.cells[_ANNOTATION], key
