"""Comparison of two systems on the same clips: differences with paired intervals, and McNemar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emoscope.errors import RequestError
from emoscope.evaluate import metrics
from emoscope.evaluate.bootstrap import DRAWS, DrawnCounts, Resampling, SpeakerBootstrap
from emoscope.evaluate.clips import ScoredClips
from emoscope.evaluate.evaluation import Interval
from emoscope.evaluate.lists import CORPUS
from emoscope.evaluate.scores import EmotionLike, scored_clips
from emoscope.labels import COUNT
from emoscope.waveform import Array64, Indices


@dataclass(frozen=True, slots=True)
class FigureDifference:
    """One figure of two systems on the same clips, and their difference."""

    figure: str
    """``ua``, ``wa``, ``macro_f1`` or ``ua_own_classes``."""
    first: float
    second: float
    interval: Interval
    """Of ``second - first``, from the same draws of speakers; None of a single speaker."""

    @property
    def value(self) -> float:
        """By how much the second lies over the first."""
        return self.second - self.first

    @property
    def is_clear(self) -> bool:
        """Whether the interval excludes zero."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "first": self.first,
            "second": self.second,
            "difference": self.value,
            "difference_ci95": None if self.interval is None else list(self.interval),
        }


@dataclass(frozen=True, slots=True)
class McNemar:
    """Exact McNemar test: which clips only one of two systems gets right."""

    only_first: int
    """Clips that only the first gets right."""
    only_second: int

    @property
    def p(self) -> float:
        """Two-sided p of the binomial test, under which each such clip falls to either by half.

        It takes clips as independent, which clips of one speaker are not: the interval is the
        more careful answer.
        """
        count, fewer = self.only_first + self.only_second, min(self.only_first, self.only_second)
        term = tail = 1
        for at in range(fewer):
            term = term * (count - at) // (at + 1)  # the binomial coefficient of at + 1
            tail += term
        # Whole numbers divided exactly: 2 ** count alone is no float from 1024 clips on.
        return min(1.0, float(2 * tail / 2**count))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "only_first_right": self.only_first,
            "only_second_right": self.only_second,
            "p": self.p,
        }


@dataclass(frozen=True, slots=True)
class PairedFigures:
    """All that two systems differ in on some clips."""

    corpus: str
    """Empty for all clips."""
    clips: int
    resampling: Resampling
    differences: tuple[FigureDifference, ...]
    mcnemar: McNemar

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "corpus": self.corpus or None,
            "clips": self.clips,
            "bootstrap": self.resampling.to_dict(),
            **{one.figure: one.to_dict() for one in self.differences},
            "mcnemar": self.mcnemar.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems on the same clips."""

    first: str
    second: str
    overall: PairedFigures
    corpora: tuple[PairedFigures, ...] = ()
    """Each corpus alone, where there are several or one is named."""
    only_in_first: int = 0
    """Clips that only one of them answered; they count in no figure."""
    only_in_second: int = 0
    without_truth: int = 0
    """Clips of both whose emotion is not known; they count in no figure."""
    contradicted: int = 0
    """Clips of which the two files have another truth; the first one counts."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "first": self.first,
            "second": self.second,
            "only_in_first": self.only_in_first,
            "only_in_second": self.only_in_second,
            "without_truth": self.without_truth,
            "other_truth": self.contradicted,
            "overall": self.overall.to_dict(),
            "corpora": [one.to_dict() for one in self.corpora],
        }


def compare_clips(
    first: ScoredClips,
    second: ScoredClips,
    names: tuple[str, str] = ("A", "B"),
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Comparison:
    """Compare two systems on the same clips in the same order.

    Args:
        first: answers of one system; its truth, speakers and corpora count.
        second: answers of the other.
        names: of both.
        draws: bootstrap samples of the intervals.
        seed: of the drawing, so that a second run gives the same intervals.

    Raises:
        RequestError: they do not have as many clips.
    """
    if len(first) != len(second) or not len(first):
        raise RequestError("predictions_apart", first=names[0], second=names[1])
    corpora = tuple(
        _paired(first.at(places), second.at(places), value, draws, seed)
        for column, value, places in first.members()
        if column == CORPUS
    )
    return Comparison(*names, _paired(first, second, "", draws, seed), corpora)


def compare_scores(
    truth: Sequence[EmotionLike],
    first: Any,
    second: Any,
    *,
    speakers: Sequence[str] | None = None,
    corpora: Sequence[str] | None = None,
    names: tuple[str, str] = ("A", "B"),
    draws: int = DRAWS,
    seed: int = 0,
) -> Comparison:
    """Compare what two tools answered to the same n clips.

    Args:
        truth: emotion of each clip: words as lists have them, indices, or emotions.
        first: answers of one tool: n words or indices, or probabilities of shape ``(n, 9)``, an
            array or a data frame whose columns are classes.
        second: answers of the other.
        speakers: of each clip, for the intervals; clips without one count as their own.
        corpora: of each clip: each is compared alone, too.
        names: of both tools.
        draws: bootstrap samples of the intervals.
        seed: of the drawing, so that a second run gives the same intervals.

    Raises:
        RequestError: lengths differ, or scores are no probabilities.
        ListError: a word means none of the nine emotions.
    """
    both = [
        scored_clips(truth, **_kind_of(given), speakers=speakers, corpora=corpora)
        for given in (first, second)
    ]
    return compare_clips(both[0], both[1], names, draws=draws, seed=seed)


def _kind_of(given: Any) -> dict[str, Any]:
    """Whether these are scores or answers."""
    is_table = hasattr(given, "columns") or np.ndim(given) == 2
    return {"scores": given} if is_table else {"answers": given}


def _paired(
    first: ScoredClips, second: ScoredClips, corpus: str, draws: int, seed: int
) -> PairedFigures:
    truth = first.truth
    bootstrap = SpeakerBootstrap(truth, first.speaker_keys, COUNT, draws=draws, seed=seed)
    right = [clips.answers == truth for clips in (first, second)]
    return PairedFigures(
        corpus,
        len(first),
        bootstrap.resampling,
        tuple(_differences(bootstrap, first, second)),
        McNemar(int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())),
    )


def _differences(
    bootstrap: SpeakerBootstrap, first: ScoredClips, second: ScoredClips
) -> Iterator[FigureDifference]:
    counted = [bootstrap.counts(clips.answers) for clips in (first, second)]
    for name, figure in (
        ("ua", DrawnCounts.uar),
        ("wa", DrawnCounts.accuracy),
        ("macro_f1", DrawnCounts.macro_f1),
    ):
        values = [(float(figure(own)[0]), figure(drawn)) for own, drawn in counted]
        yield _difference(bootstrap, name, values)
    own = [_own_answers(clips, first.truth) for clips in (first, second)]
    if all(answers is not None for answers in own):
        values = [bootstrap.uar(answers) for answers in own if answers is not None]
        yield _difference(bootstrap, "ua_own_classes", values)


def _difference(
    bootstrap: SpeakerBootstrap, name: str, values: Sequence[tuple[float, Array64]]
) -> FigureDifference:
    (one, drawn), (other, other_drawn) = values
    return FigureDifference(name, one, other, bootstrap.interval(other_drawn - drawn))


def _own_answers(clips: ScoredClips, truth: Indices) -> Indices | None:
    return None if clips.scores is None else metrics.restricted(truth, clips.scores)
