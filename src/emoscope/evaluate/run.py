"""Evaluation run: recognize a labelled list and compute the metrics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from emoscope.errors import SourceNotFoundError
from emoscope.evaluate import metrics
from emoscope.evaluate.lists import Labelled, Leak, duration_group, usable
from emoscope.evaluate.metrics import CalibrationFigures, ClassFigures, RiskCoverage, ScoreMatrix
from emoscope.labels import KEYS
from emoscope.paths.file_names import readable
from emoscope.recognizer import Recognizer
from emoscope.results.calibration import tempered
from emoscope.results.result import Failure, ModelRef, Result
from emoscope.waveform import Indices

SMALLEST_GROUP = 20
"""A group with fewer clips is shown, but is not called the worst."""


_SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class LabelSets:
    """Coverage and size of conformal label sets on a list."""

    wanted: float
    """Share of cases in which they should hold the truth."""
    coverage: float
    """Share in which they did."""
    size: float
    """Mean number of emotions in one."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Metrics of the clips that share one value of one column."""

    column: str
    value: str
    metrics: ClassFigures


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """All metrics of a model on a list."""

    model: ModelRef
    metrics: ClassFigures
    ua_interval: tuple[float, float]
    wa_interval: tuple[float, float]
    own_classes: ClassFigures
    """Figures when only the classes of the list may be answered."""
    own_classes_interval: tuple[float, float]
    calibration: CalibrationFigures
    calibrated: CalibrationFigures | None
    """After the model's temperature; None for a model that was not calibrated."""
    label_sets: LabelSets | None
    risk_coverage: RiskCoverage
    abstained: int
    """Recordings for which no emotion would have been claimed; they count in all figures."""
    speakers: int
    groups: tuple[Group, ...]
    failures: tuple[Failure, ...]
    leak: Leak | None
    """None when no training list was given, so that nothing is known."""

    @property
    def worst(self) -> Group | None:
        """The group of at least ``SMALLEST_GROUP`` clips with the lowest UA."""
        large = [group for group in self.groups if group.metrics.clips >= SMALLEST_GROUP]
        return min(large, key=lambda group: group.metrics.ua, default=None)

    def to_dict(self) -> dict[str, Any]:
        """All figures, for JSON."""
        return {
            "model": self.model.to_dict(),
            "clips": self.metrics.clips,
            "speakers": self.speakers,
            "failures": [
                {"name": failure.name, "code": failure.error.code} for failure in self.failures
            ],
            "ua": self.metrics.ua,
            "ua_ci95": list(self.ua_interval),
            "wa": self.metrics.wa,
            "wa_ci95": list(self.wa_interval),
            "macro_f1": self.metrics.macro_f1,
            "ua_own_classes": self.own_classes.ua,
            "ua_own_classes_ci95": list(self.own_classes_interval),
            "per_class": {
                key: {
                    "recall": self.metrics.recall[key],
                    "precision": self.metrics.precision[key],
                    "f1": self.metrics.f1[key],
                    "support": self.metrics.support[key],
                }
                for key in self.metrics.recall
            },
            "confusion": {"keys": list(KEYS), "rows": self.metrics.confusion.tolist()},
            "calibration": {
                "ece": self.calibration.ece,
                "brier": self.calibration.brier,
                "log_loss": self.calibration.log_loss,
                "bins": [list(one) for one in self.calibration.bins],
                "ece_calibrated": self.calibrated and self.calibrated.ece,
            },
            "label_sets": self.label_sets and asdict(self.label_sets),
            "abstained": self.abstained,
            "risk_coverage": {
                "area": self.risk_coverage.area,
                "risk": {f"{share:g}": self.risk_coverage.at(share) for share in _SHARES},
            },
            "groups": [
                {
                    "column": group.column,
                    "value": group.value,
                    "clips": group.metrics.clips,
                    "ua": group.metrics.ua,
                    "wa": group.metrics.wa,
                }
                for group in self.groups
            ],
            "leak": None
            if self.leak is None
            else {
                "found": self.leak.found,
                "speakers": list(self.leak.speakers),
                "texts": list(self.leak.texts),
                "files": list(self.leak.files),
            },
        }


def evaluate(
    recognizer: Recognizer,
    items: Iterable[Labelled | Failure],
    *,
    leak: Leak | None = None,
    draws: int = 1_000,
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
    return _measure(recognizer, recognized, failures, leak, draws)


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


def _measure(
    recognizer: Recognizer,
    recognized: list[tuple[Labelled, Result]],
    failures: list[Failure],
    leak: Leak | None,
    draws: int,
) -> Evaluation:
    """Compute the figures of at least one recognized recording."""
    truth = np.array([item.emotion.index for item, _ in recognized])
    scores = np.stack([result.scores.values for _, result in recognized])
    speakers = [item.speaker for item, _ in recognized]
    predicted, own = scores.argmax(axis=1), metrics.restricted(truth, scores)

    def spread(figure: Callable[[Indices], float]) -> tuple[float, float]:
        return metrics.interval(figure, speakers, draws=draws)

    return Evaluation(
        model=recognizer.model,
        metrics=metrics.measure(truth, predicted),
        ua_interval=spread(lambda at: metrics.measure(truth[at], predicted[at]).ua),
        wa_interval=spread(lambda at: float((truth[at] == predicted[at]).mean())),
        own_classes=metrics.measure(truth, own),
        own_classes_interval=spread(lambda at: metrics.measure(truth[at], own[at]).ua),
        calibration=metrics.calibrate(truth, scores),
        calibrated=_calibrated(recognizer, truth, scores),
        label_sets=_label_sets(recognized),
        risk_coverage=metrics.risk_coverage(truth, scores),
        abstained=sum(bool(result.abstain) for _, result in recognized),
        speakers=len({name for name in speakers if name}),
        groups=tuple(_groups(recognized, truth, scores)),
        failures=tuple(failures),
        leak=leak,
    )


def _calibrated(
    recognizer: Recognizer, truth: Indices, scores: ScoreMatrix
) -> CalibrationFigures | None:
    fitted = None if recognizer.card is None else recognizer.card.calibration
    if fitted is None:
        return None
    return metrics.calibrate(truth, tempered(scores, fitted.temperature))


def _label_sets(recognized: list[tuple[Labelled, Result]]) -> LabelSets | None:
    sure = [(item, result.calibrated) for item, result in recognized if result.calibrated]
    if not sure:
        return None
    return LabelSets(
        wanted=sure[0][1].coverage,
        coverage=float(np.mean([item.emotion.key in one.label_set for item, one in sure])),
        size=float(np.mean([len(one.label_set) for _, one in sure])),
    )


def _groups(
    recognized: list[tuple[Labelled, Result]], truth: Indices, scores: ScoreMatrix
) -> Iterable[Group]:
    members: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, (item, result) in enumerate(recognized):
        for column, value in item.groups.items():
            members[column, value].append(at)
        members["duration", duration_group(result.duration_s)].append(at)
    for (column, value), clips in sorted(members.items()):
        yield Group(column, value, metrics.measure(truth[clips], scores[clips].argmax(axis=1)))
