"""Fit of a fusion rule on labelled recordings, with figures of speakers that it did not see.

The weights minimise the balanced negative log-likelihood, with a penalty on how far the weights of
single emotions are from their mean. How strong the penalty is, is chosen inside each set of
training speakers, so the figures of the speaker left out were chosen by nothing of that speaker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import numpy as np

from emoscope.errors import ListError
from emoscope.evaluate.bootstrap import SpeakerBootstrap
from emoscope.fusion.rule import (
    DEFAULT_RULE,
    DIVERGENCE,
    FusionRule,
    divergence_bits,
    evidence,
    pool,
)
from emoscope.fusion.words import WordScores
from emoscope.labels import COUNT
from emoscope.optional import require
from emoscope.results.scores import Scores, softmax
from emoscope.waveform import Array64, Indices, Mask

FIT_EXTRA = "vectors"
ROWS_MIN, SPEAKERS_MIN, CLASSES_MIN = 30, 3, 2
"""Fewer rows, speakers or emotions are refused."""
FOLDS_MAX = 10
"""Speakers are left out one by one, or in so many groups if there are more."""
_INNER_FOLDS = 3
_PENALTIES = (0.01, 0.1, 1.0)
_TEMPERATURES = (0.2, 5.0)


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """Labelled recording with scores of its voice and of its words."""

    voice: Scores
    words: WordScores
    truth: int
    """Index of the emotion."""
    speaker: str


@dataclass(frozen=True, slots=True)
class Figure:
    """Unweighted average recall of one way to answer, on speakers left out."""

    uar: float
    low: float
    high: float
    """95 % bootstrap interval over speakers."""


@dataclass(frozen=True, slots=True)
class FusionFigures:
    """What voice, words and both are worth on speakers left out."""

    rows: int
    speakers: int
    classes: int
    voice: Figure
    words: Figure
    both: Figure
    disagreements: int
    """Rows in which voice and words disagree."""
    voice_right: float
    words_right: float
    both_right: float
    """Shares of these rows in which each is right; 0 where there is none."""

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON."""
        return asdict(self)


def fit_rule(examples: Sequence[Example]) -> tuple[FusionRule, FusionFigures]:
    """Fit a rule, and measure it by leaving speakers out.

    Raises:
        ListError: there are too few rows, speakers or emotions.
        ExtraMissingError: the extra ``vectors`` is not installed.
    """
    truth = np.array([one.truth for one in examples], dtype=np.intp)
    speakers = np.array([one.speaker for one in examples], dtype=object)
    _check_enough(truth, speakers)
    data = _Data(
        np.stack([evidence(one.voice.values) for one in examples]),
        np.stack([evidence(one.words.values, one.words.known) for one in examples]),
        truth,
    )
    places = np.arange(len(examples))
    logits = np.empty((len(examples), COUNT))
    # Eighteen numbers are no work for threads, which on busy cores wait for each other.
    with require("threadpoolctl", extra=FIT_EXTRA).threadpool_limits(1):
        for train, held in _folds(speakers, places, FOLDS_MAX):
            rule = _chosen(data, train, speakers)
            logits[held] = rule.voice * data.voice[held] + rule.words * data.words[held]
        temperature = _temperature(logits, truth)
        rule = replace(_chosen(data, places, speakers), temperature=temperature)
    answers = logits.argmax(axis=1).astype(np.intp)
    figures = _figures(examples, answers, truth, [str(one) for one in speakers])
    return replace(rule, card=figures.to_dict()), figures


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    """Evidence of voice and words, shapes ``(n, 9)``, and the truth, shape ``(n,)``."""

    voice: Array64
    words: Array64
    truth: Indices


def _check_enough(truth: Indices, speakers: np.ndarray) -> None:
    rows, people, classes = len(truth), len(set(speakers.tolist())), len(np.unique(truth))
    if rows < ROWS_MIN or people < SPEAKERS_MIN or classes < CLASSES_MIN:
        raise ListError(
            "fusion_too_few",
            rows=rows,
            speakers=people,
            classes=classes,
            rows_min=ROWS_MIN,
            speakers_min=SPEAKERS_MIN,
            classes_min=CLASSES_MIN,
        )


def _folds(speakers: np.ndarray, places: Indices, most: int) -> Iterator[tuple[Indices, Indices]]:
    """Indices to train on and places of the speakers left out, for each fold."""
    names = sorted({str(one) for one in speakers[places]})
    folds = min(most, len(names))
    fold_of = {name: at % folds for at, name in enumerate(names)}
    folded = np.array([fold_of[str(one)] for one in speakers[places]])
    for fold in range(folds):
        yield places[folded != fold], places[folded == fold]


def _chosen(data: _Data, places: Indices, speakers: np.ndarray) -> FusionRule:
    """Rule with the penalty that answers left-out speakers among these places best."""
    losses = np.zeros(len(_PENALTIES))
    for train, held in _folds(speakers, places, _INNER_FOLDS):
        if not len(train):  # one speaker alone: every penalty is as good
            break
        for at, penalty in enumerate(_PENALTIES):
            losses[at] += len(held) * _loss(_fitted(data, train, penalty), data, held)
    return _fitted(data, places, _PENALTIES[int(losses.argmin())])


def _fitted(data: _Data, places: Indices, penalty: float) -> FusionRule:
    """Rule that minimises the penalised loss over some places."""
    optimize = require("scipy.optimize", extra=FIT_EXTRA)
    voice, words, truth = data.voice[places], data.words[places], data.truth[places]
    balance, wanted = _balance(truth)[:, None], np.eye(COUNT)[truth]

    def loss(weights: Array64) -> tuple[float, Array64]:
        own, other = weights[:COUNT], weights[COUNT:]
        scores = softmax(own * voice + other * words)
        of_truth = np.maximum((scores * wanted).sum(axis=1), 1e-300)
        apart = np.concatenate([own - own.mean(), other - other.mean()])
        value = -(balance[:, 0] * np.log(of_truth)).sum() + penalty * (apart @ apart)
        missed = balance * (scores - wanted)
        slope = np.concatenate([(missed * voice).sum(axis=0), (missed * words).sum(axis=0)])
        return float(value), slope + 2 * penalty * apart

    start = np.concatenate([DEFAULT_RULE.voice, DEFAULT_RULE.words])
    found = optimize.minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=[(0.0, 20.0)] * len(start)
    )
    weights = np.clip(found.x, 0.0, None)
    return FusionRule(weights[:COUNT], weights[COUNT:])


def _balance(truth: Indices) -> Array64:
    """Weights with which each emotion counts the same; they sum to 1."""
    counts = np.bincount(truth, minlength=COUNT)[truth].astype(np.float64)
    weights = 1.0 / counts
    return cast(Array64, weights / weights.sum())


def _loss(rule: FusionRule, data: _Data, places: Indices) -> float:
    scores = pool(data.voice[places], data.words[places], rule)
    of_truth = scores[np.arange(len(places)), data.truth[places]]
    return float(-(_balance(data.truth[places]) * np.log(np.maximum(of_truth, 1e-12))).sum())


def _temperature(logits: Array64, truth: Indices) -> float:
    """Temperature at which answers of left-out speakers are likeliest."""
    optimize = require("scipy.optimize", extra=FIT_EXTRA)

    def loss(temperature: float) -> float:
        scores = softmax(logits / temperature)[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(scores, 1e-12)).mean())

    return float(optimize.minimize_scalar(loss, bounds=_TEMPERATURES, method="bounded").x)


def _figures(
    examples: Sequence[Example], both: Indices, truth: Indices, speakers: list[str]
) -> FusionFigures:
    voice = np.array([one.voice.top.index for one in examples], dtype=np.intp)
    words = np.array([one.words.top.index for one in examples], dtype=np.intp)
    apart: Mask = np.array(
        [
            divergence_bits(one.voice.values, one.words.values, one.words.known) >= DIVERGENCE
            for one in examples
        ]
    ) & (voice != words)

    bootstrap = SpeakerBootstrap(truth, speakers, COUNT)

    def figure(answer: Indices) -> Figure:
        return Figure(*bootstrap.estimate(answer).to_list())

    def right(answer: Indices) -> float:
        return float((answer == truth)[apart].mean()) if apart.any() else 0.0

    return FusionFigures(
        rows=len(truth),
        speakers=len(set(speakers)),
        classes=len(np.unique(truth)),
        voice=figure(voice),
        words=figure(words),
        both=figure(both),
        disagreements=int(apart.sum()),
        voice_right=right(voice),
        words_right=right(words),
        both_right=right(both),
    )
