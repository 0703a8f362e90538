"""Figures of scores from elsewhere: any tool's answers, as words or arrays, with speakers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from emoscope.errors import RequestError
from emoscope.evaluate.bootstrap import DRAWS
from emoscope.evaluate.clips import ScoredClips, repeated
from emoscope.evaluate.evaluation import Evaluation, measure_clips
from emoscope.evaluate.lists import CORPUS
from emoscope.evaluate.metrics import ScoreMatrix
from emoscope.evaluate.words import LabelWords
from emoscope.labels import COUNT, EMOTIONS, Emotion
from emoscope.messages.reasons import reason
from emoscope.waveform import Indices

EmotionLike: TypeAlias = str | int | Emotion
"""A word as lists have it, an index from 0 to 8 in the order of ``EMOTIONS``, or an emotion."""
_SUM_TOLERANCE = 0.01


def evaluate_scores(
    truth: Sequence[EmotionLike],
    scores: Any = None,
    *,
    answers: Sequence[EmotionLike] | None = None,
    classes: Sequence[EmotionLike] | None = None,
    speakers: Sequence[str] | None = None,
    corpora: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    names: Sequence[str] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Evaluation:
    """Compute all figures of n clips that any tool answered.

    Args:
        truth: emotion of each clip: words as lists have them, indices, or emotions.
        scores: probabilities, shape ``(n, C)``: an array, nested lists, or a data frame whose
            columns are classes. None for a tool that only answers; then there is no calibration,
            no risk and no figure within the own classes.
        answers: emotion answered for each clip; by default the class of the largest score.
        classes: what the columns of ``scores`` mean; by default the names of a data frame's
            columns, else the nine in their order.
        speakers: of each clip, for the intervals; clips without one count as their own.
        corpora: of each clip: figures of each are added, and equal names in two are two speakers.
        groups: further columns with a value for each clip, such as ``language``.
        names: of each clip; by default its number.
        draws: bootstrap samples of the intervals.
        seed: of the drawing, so that a second run gives the same intervals.

    Raises:
        RequestError: lengths differ, or scores are no probabilities.
        ListError: a word means none of the nine emotions.
    """
    clips = scored_clips(
        truth,
        scores,
        answers=answers,
        classes=classes,
        speakers=speakers,
        corpora=corpora,
        groups=groups,
        names=names,
    )
    evaluation = measure_clips(clips, draws=draws, seed=seed)
    if names is None:
        return evaluation
    return replace(evaluation, repeats=repeated(clips.names, [""] * len(clips)))


def scored_clips(
    truth: Sequence[EmotionLike],
    scores: Any = None,
    *,
    answers: Sequence[EmotionLike] | None = None,
    classes: Sequence[EmotionLike] | None = None,
    speakers: Sequence[str] | None = None,
    corpora: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    names: Sequence[str] | None = None,
) -> ScoredClips:
    """Return clips with what a tool answered, checked.

    Args:
        truth: emotion of each clip.
        scores: probabilities, shape ``(n, C)``, or None.
        answers: emotion answered for each clip; by default the class of the largest score.
        classes: what the columns of ``scores`` mean; by default the nine.
        speakers: of each clip; None where they are not known.
        corpora: of each clip; None where they are not known.
        groups: further columns with a value for each clip.
        names: of each clip; by default its number.

    Raises:
        RequestError: lengths differ, or scores are no probabilities.
        ListError: a word means none of the nine emotions.
    """
    right = emotion_indices(truth)
    count = len(right)
    matrix = None if scores is None else score_matrix(scores, classes)
    if answers is not None:
        answered = emotion_indices(answers)
    elif matrix is not None:
        answered = matrix.argmax(axis=1)
    else:
        raise _wrong("scores_missing")
    columns = {**(groups or {})} | ({} if corpora is None else {CORPUS: corpora})
    given = {
        "answers": answered,
        "scores": matrix,
        "speakers": speakers,
        "names": names,
        **columns,
    }
    if not count:
        raise _wrong("scores_none")
    for name, values in given.items():
        if values is not None and len(values) != count:
            raise _wrong("scores_length", name=name, found=len(values), expected=count)
    return ScoredClips(
        names=tuple(map(str, range(count) if names is None else names)),
        truth=right,
        answers=answered,
        scores=matrix,
        speakers=("",) * count if speakers is None else tuple(map(_word, speakers)),
        groups=tuple(
            {name: _word(values[at]) for name, values in columns.items()} for at in range(count)
        ),
    )


def emotion_indices(labels: Sequence[EmotionLike], words: LabelWords | None = None) -> Indices:
    """Return the indices of emotions, shape ``(n,)``.

    Args:
        labels: words as lists have them, indices from 0 to 8, or emotions.
        words: what words mean; by default what the table of words says.

    Raises:
        RequestError: a number is no index of an emotion.
        ListError: a word means none of the nine emotions.
    """
    table = words or LabelWords()
    found: dict[object, int] = {}
    for label in labels:
        if label not in found:
            found[label] = _index(label, table)
    return np.array([found[label] for label in labels], np.intp)


def score_matrix(scores: Any, classes: Sequence[EmotionLike] | None = None) -> ScoreMatrix:
    """Return the scores of the nine emotions, shape ``(n, 9)``; classes not given score 0.

    Args:
        scores: probabilities, shape ``(n, C)``, an array, nested lists or a data frame.
        classes: what the columns mean; by default the names of a data frame's columns, else the
            nine in their order. Columns that mean one emotion are added.

    Raises:
        RequestError: they have another shape, or are no probabilities.
        ListError: a class means none of the nine emotions.
    """
    if classes is None and hasattr(scores, "columns"):
        classes = [str(name) for name in scores.columns]
    columns = np.arange(COUNT) if classes is None else emotion_indices(classes)
    try:
        given = np.asarray(scores, np.float64)
    except (TypeError, ValueError) as exc:
        raise _wrong("as_said", reason=str(exc)) from exc
    if given.ndim != 2 or given.shape[1] != len(columns):
        raise _wrong("scores_shape", shape=given.shape, columns=len(columns))
    if not np.isfinite(given).all():
        raise _wrong("scores_not_finite")
    sums = given.sum(axis=1)
    if given.min(initial=0) < 0 or np.abs(sums - 1).max(initial=0) > _SUM_TOLERANCE:
        raise _wrong("scores_no_probabilities")
    matrix = np.zeros((len(given), COUNT))
    np.add.at(matrix.T, columns, given.T)
    return matrix


def _index(label: object, table: LabelWords) -> int:
    if isinstance(label, Emotion):
        return label.index
    if isinstance(label, str):
        found = table.emotion_of(label)
        if found is None:
            raise _wrong("label_dropped", word=label[:40])
        return found.index
    if isinstance(label, int | np.integer) and 0 <= int(label) < len(EMOTIONS):
        return int(label)
    raise _wrong("no_emotion_index", value=str(label)[:40], last=COUNT - 1)


def _word(value: object) -> str:
    return "" if value is None or value != value else str(value)  # not a number is not itself


def _wrong(why: str, **data: object) -> RequestError:
    return RequestError("scores_invalid", **reason(why, **data))
