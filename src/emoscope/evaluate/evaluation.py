"""Evaluation: all figures of one system on labelled clips, with intervals over speakers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from emoscope.evaluate import metrics
from emoscope.evaluate.bootstrap import DRAWS, Resampling, SpeakerBootstrap
from emoscope.evaluate.clips import ScoredClips
from emoscope.evaluate.leaks import Leak
from emoscope.evaluate.lists import CORPUS
from emoscope.evaluate.metrics import CalibrationFigures, ClassFigures, RiskCoverage
from emoscope.evaluate.provenance import TrainingOverlap
from emoscope.labels import COUNT, KEYS
from emoscope.results.result import Failure, ModelRef
from emoscope.waveform import Indices

SMALLEST_GROUP = 20
"""A group with fewer clips is shown, but is not called the worst."""
_SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)

Interval = tuple[float, float] | None
"""Low and high; None where a single speaker says nothing about others."""


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
class Measured:
    """Figures of some clips, with their intervals."""

    metrics: ClassFigures
    resampling: Resampling
    ua_interval: Interval
    wa_interval: Interval
    macro_f1_interval: Interval

    def to_dict(self) -> dict[str, Any]:
        """As in the report; an interval is null where there is none."""
        return {
            "clips": self.metrics.clips,
            "speakers": self.resampling.speakers,
            "classes": len(self.metrics.support),
            "ua": self.metrics.ua,
            "ua_ci95": _listed(self.ua_interval),
            "wa": self.metrics.wa,
            "wa_ci95": _listed(self.wa_interval),
            "macro_f1": self.metrics.macro_f1,
            "macro_f1_ci95": _listed(self.macro_f1_interval),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Figures of the clips that share one value of one column."""

    column: str
    value: str
    measured: Measured
    own_classes: Measured | None = None
    """Of a corpus: when only its classes may be answered."""

    @property
    def metrics(self) -> ClassFigures:
        """Figures without intervals."""
        return self.measured.metrics

    def to_dict(self) -> dict[str, Any]:
        """As in the report."""
        found = {"column": self.column, "value": self.value, **self.measured.to_dict()}
        if self.column == CORPUS:
            found |= _own_classes(self.own_classes)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """All figures of a system on a list."""

    clips: ScoredClips
    measured: Measured
    own_classes: Measured | None
    """When only the classes of the list may be answered; None of a system without scores."""
    calibration: CalibrationFigures | None
    risk_coverage: RiskCoverage | None
    groups: tuple[Group, ...]
    model: ModelRef | None = None
    """None for scores from elsewhere."""
    calibrated: CalibrationFigures | None = None
    """After the model's temperature; None for a model that was not calibrated."""
    label_sets: LabelSets | None = None
    failures: tuple[Failure, ...] = ()
    leak: Leak | None = None
    """None when no training list was given."""
    training: TrainingOverlap | None = None
    """What of the list the model was trained on; None for scores from elsewhere."""
    repeats: tuple[str, ...] = ()
    """Rows whose recording stands in the list before; they count again."""

    @property
    def metrics(self) -> ClassFigures:
        """Figures without intervals."""
        return self.measured.metrics

    @property
    def ua_interval(self) -> Interval:
        """Of UA; None of a single speaker."""
        return self.measured.ua_interval

    @property
    def wa_interval(self) -> Interval:
        """Of WA; None of a single speaker."""
        return self.measured.wa_interval

    @property
    def speakers(self) -> int:
        """Speakers that the list names, told apart by corpus as well."""
        return self.measured.resampling.speakers

    @property
    def abstained(self) -> int | None:
        """Clips for which no emotion would have been claimed; they count in all figures."""
        marked = self.clips.abstained
        return None if marked is None else int(marked.sum())

    @property
    def is_flattered(self) -> bool:
        """Whether the model, or the training list, knew recordings or speakers of the list."""
        return any(one is not None and one.found for one in (self.leak, self.training))

    @property
    def worst(self) -> Group | None:
        """The group of at least ``SMALLEST_GROUP`` clips with the lowest UA."""
        large = [group for group in self.groups if group.metrics.clips >= SMALLEST_GROUP]
        return min(large, key=lambda group: group.metrics.ua, default=None)

    def to_dict(self) -> dict[str, Any]:
        """All figures, for JSON."""
        found = self.metrics
        return {
            "model": self.model and self.model.to_dict(),
            "failures": [
                {"name": failure.name, "code": failure.error.code} for failure in self.failures
            ],
            **self.measured.to_dict(),
            **_own_classes(self.own_classes),
            "bootstrap": self.measured.resampling.to_dict(),
            "per_class": {
                key: {
                    "recall": found.recall[key],
                    "precision": found.precision[key],
                    "f1": found.f1[key],
                    "support": found.support[key],
                }
                for key in found.recall
            },
            "confusion": {"keys": list(KEYS), "rows": found.confusion.tolist()},
            "calibration": self._calibration(),
            "label_sets": self.label_sets and asdict(self.label_sets),
            "abstained": self.abstained,
            "risk_coverage": None
            if (curve := self.risk_coverage) is None
            else {
                "area": curve.area,
                "risk": {f"{share:g}": curve.at(share) for share in _SHARES},
            },
            "groups": [group.to_dict() for group in self.groups],
            "repeated": list(self.repeats),
            "leak": self.leak and self.leak.to_dict(),
            "training": self.training and self.training.to_dict(),
            "flattered": self.is_flattered,
        }

    def _calibration(self) -> dict[str, Any] | None:
        if self.calibration is None:
            return None
        return {
            "ece": self.calibration.ece,
            "brier": self.calibration.brier,
            "log_loss": self.calibration.log_loss,
            "bins": [list(one) for one in self.calibration.bins],
            "ece_calibrated": self.calibrated and self.calibrated.ece,
        }


def measure_clips(clips: ScoredClips, *, draws: int = DRAWS, seed: int = 0) -> Evaluation:
    """Compute the figures of at least one clip, with those of its groups.

    Args:
        clips: answers, and scores where there are some.
        draws: bootstrap samples of the intervals.
        seed: of the drawing, so that a second run gives the same intervals.
    """
    groups = tuple(_groups(clips, draws, seed))
    found = Evaluation(
        clips, _measured(clips, clips.answers, draws, seed), None, None, None, groups
    )
    if clips.scores is None:
        return found
    return replace(
        found,
        own_classes=_own(clips, draws, seed),
        calibration=metrics.calibrate(clips.truth, clips.scores),
        risk_coverage=metrics.risk_coverage(clips.truth, clips.scores),
    )


def _measured(clips: ScoredClips, answers: Indices, draws: int, seed: int) -> Measured:
    bootstrap = SpeakerBootstrap(clips.truth, clips.speaker_keys, COUNT, draws=draws, seed=seed)
    _, drawn = bootstrap.counts(answers)
    return Measured(
        metrics.measure(clips.truth, answers),
        bootstrap.resampling,
        bootstrap.interval(drawn.uar()),
        bootstrap.interval(drawn.accuracy()),
        bootstrap.interval(drawn.macro_f1()),
    )


def _own(clips: ScoredClips, draws: int, seed: int) -> Measured | None:
    if clips.scores is None:
        return None
    return _measured(clips, metrics.restricted(clips.truth, clips.scores), draws, seed)


def _groups(clips: ScoredClips, draws: int, seed: int) -> Iterator[Group]:
    for column, value, places in clips.members():
        here = clips.at(places)
        own = _own(here, draws, seed) if column == CORPUS else None
        yield Group(column, value, _measured(here, here.answers, draws, seed), own)


def _own_classes(measured: Measured | None) -> dict[str, Any]:
    if measured is None:
        return {"ua_own_classes": None, "ua_own_classes_ci95": None}
    return {
        "ua_own_classes": measured.metrics.ua,
        "ua_own_classes_ci95": _listed(measured.ua_interval),
    }


def _listed(interval: Interval) -> list[float] | None:
    return None if interval is None else list(interval)
