"""Evaluation run: recognize a labelled list and compute the figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from emoscope.errors import SourceNotFoundError
from emoscope.evaluate import metrics
from emoscope.evaluate.bootstrap import DRAWS
from emoscope.evaluate.clips import DURATION, ScoredClips, repeated
from emoscope.evaluate.evaluation import Evaluation, LabelSets, measure_clips
from emoscope.evaluate.leaks import Leak
from emoscope.evaluate.lists import Labelled, duration_group, usable
from emoscope.evaluate.metrics import CalibrationFigures, ScoreMatrix
from emoscope.evaluate.provenance import TrainingOverlap, training_overlap, training_record
from emoscope.paths.file_names import readable
from emoscope.recognizer import Recognizer
from emoscope.results.calibration import tempered
from emoscope.results.result import Failure, Result
from emoscope.waveform import Indices


def evaluate(
    recognizer: Recognizer,
    items: Iterable[Labelled | Failure],
    *,
    leak: Leak | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    listener: Callable[[int], None] = lambda _done: None,
    failed: Callable[[Failure], None] = lambda _failure: None,
) -> Evaluation:
    """Recognize every recording of a list and compute the figures.

    A recording or a row that cannot be read is listed among the failures and counts in no figure.

    Args:
        recognizer: runs the model.
        items: the recordings of the list, and failures for rows that could not be read.
        leak: what the list shares with the training list, for the report.
        draws: bootstrap samples of the intervals.
        seed: of the drawing, so that a second run gives the same intervals.
        listener: called with the number of recordings done; does nothing by default.
        failed: called at once with each recording that could not be recognized, named by its path;
            does nothing by default.

    Raises:
        SourceNotFoundError: not one recording could be recognized.
    """
    items = list(items)
    recognized: list[tuple[Labelled, Result]] = []
    failures: list[Failure] = []
    for done, (item, answer) in enumerate(_answers(recognizer, items), start=1):
        if isinstance(answer, Failure):
            failures.append(answer)
            failed(answer)
        elif isinstance(item, Labelled):
            recognized.append((item, answer))
        listener(done)
    if not recognized:
        raise SourceNotFoundError("nothing_recognized", count=len(items))
    found = measure_clips(_clips(recognized), draws=draws, seed=seed)
    digests = [result.source.sha256 or "" for _, result in recognized]
    return replace(
        found,
        model=recognizer.model,
        calibrated=_calibrated(recognizer, found.clips.truth, found.clips.scores),
        label_sets=_label_sets(recognized),
        failures=tuple(failures),
        leak=leak,
        training=_training(recognizer, [item for item, _ in recognized], digests),
        repeats=repeated(found.clips.names, digests),
    )


def _answers(
    recognizer: Recognizer, items: Sequence[Labelled | Failure]
) -> Iterator[tuple[Labelled | Failure, Result | Failure]]:
    """Recognize the recordings of a list; a row that could not be read is its own answer."""
    answers = recognizer.recognize_many(item.path for item in usable(items, least=0))
    for item in items:
        if isinstance(item, Failure):
            yield item, item
            continue
        answer = next(answers)
        if isinstance(answer, Failure):
            answer = replace(answer, name=readable(str(item.path)))
        yield item, answer


def _clips(recognized: Sequence[tuple[Labelled, Result]]) -> ScoredClips:
    scores = np.stack([result.scores.values for _, result in recognized])
    return ScoredClips(
        names=tuple(item.listed or str(item.path) for item, _ in recognized),
        truth=np.array([item.emotion.index for item, _ in recognized], np.intp),
        answers=scores.argmax(axis=1),
        scores=scores,
        speakers=tuple(item.speaker for item, _ in recognized),
        groups=tuple(
            {**item.groups, DURATION: duration_group(result.duration_s)}
            for item, result in recognized
        ),
        abstained=np.array([bool(result.abstain) for _, result in recognized]),
        others=tuple(item.others for item, _ in recognized),
    )


def _training(
    recognizer: Recognizer, items: Sequence[Labelled], digests: Sequence[str]
) -> TrainingOverlap:
    files = () if recognizer.card is None else recognizer.card.files
    record = training_record({recognizer.model.sha256, *(file.sha256 for file in files)})
    found = training_overlap(recognizer.model.name, record, items, digests)
    return replace(
        found,
        files=tuple(dict.fromkeys((*found.files, *_heard_files(recognizer, items, digests)))),
        speakers=tuple(sorted({*found.speakers, *_heard_speakers(recognizer, items)})),
    )


def _heard_files(
    recognizer: Recognizer, items: Sequence[Labelled], digests: Sequence[str]
) -> Iterator[str]:
    """Recordings that the recognizer's heads were trained on."""
    for head in recognizer.heads:
        for item, digest in zip(items, digests, strict=True):
            if head.trained_on is not None and head.trained_on.has_file(digest):
                yield item.listed or str(item.path)


def _heard_speakers(recognizer: Recognizer, items: Sequence[Labelled]) -> Iterator[str]:
    """Speakers that the recognizer's heads were trained on."""
    for head in recognizer.heads:
        for item in items:
            if head.trained_on is not None and head.trained_on.has_speaker(
                item.speaker, item.corpus
            ):
                yield f"{item.corpus}/{item.speaker}" if item.corpus else item.speaker


def _calibrated(
    recognizer: Recognizer, truth: Indices, scores: ScoreMatrix | None
) -> CalibrationFigures | None:
    fitted = None if recognizer.card is None else recognizer.card.calibration
    if fitted is None or scores is None:
        return None
    return metrics.calibrate(truth, tempered(scores, fitted.temperature))


def _label_sets(recognized: Sequence[tuple[Labelled, Result]]) -> LabelSets | None:
    sure = [(item, result.calibrated) for item, result in recognized if result.calibrated]
    if not sure:
        return None
    return LabelSets(
        wanted=sure[0][1].coverage,
        coverage=float(np.mean([item.emotion.key in one.label_set for item, one in sure])),
        size=float(np.mean([len(one.label_set) for _, one in sure])),
    )
