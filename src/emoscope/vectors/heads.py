"""Training of a head: nested cross-validation over speakers, figures, and whether it is worth it.

Each clip is answered by a head that heard none of its speaker, and whose regularisation and
temperature were chosen without that speaker. The same clips are answered by what stands there
without a head: the nine emotions, read as the list's labels, or the commonest class. A head is kept
only if its unweighted average recall is higher and the interval of the difference excludes zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from emoscope.evaluate.bootstrap import Estimate, SpeakerBootstrap
from emoscope.labels import COUNT, KEYS
from emoscope.models.head_file import Head, HeadModel
from emoscope.models.head_folder import check_head_name
from emoscope.results.result import ModelRef
from emoscope.vectors.head_figures import HEAD_DRAWS, confusion_counts, expected_error, forecast
from emoscope.vectors.head_fit import Fitted, fit_chosen, fit_maps, speaker_folds
from emoscope.vectors.head_list import HeadData
from emoscope.waveform import Array64, Indices

BaselineName: TypeAlias = Literal["emotions", "mapped", "majority"]
"""What stands there without a head: the emotions of the same names, the nine mapped to the labels
by the training clips, or the commonest class."""
_SHARES = (0.25, 0.5)
"""Shares of the training clips for the learning curve, besides all."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadReport:
    """Cross-validated figures of a head."""

    clips: int
    speakers: int
    is_grouped: bool
    """False: nothing is known of speakers, and the figures are too good."""
    counts: dict[str, int]
    """Clips by label."""
    uar: Estimate
    baseline: BaselineName
    baseline_uar: Estimate
    gain: Estimate
    """UAR over the baseline's, paired."""
    recall: dict[str, float]
    confusion: list[list[int]]
    """Rows are the truth, columns the answer, in the order of ``counts``."""
    ece: float
    """Expected calibration error of the scores."""
    curve: tuple[tuple[float, float], ...]
    """Mean clips trained on, and UAR."""
    doubled: Estimate
    """UAR to expect of twice the data."""
    strength: float
    temperature: float
    repeated: int
    contradicted: int
    failed: int
    licences: tuple[str, ...]

    @property
    def is_better(self) -> bool:
        """Whether the interval of the gain lies above zero."""
        return self.gain.low > 0

    def to_dict(self) -> dict[str, Any]:
        """All figures, for JSON and the head's card."""
        return {
            "clips": self.clips,
            "speakers": self.speakers if self.is_grouped else None,
            "grouped_by_speaker": self.is_grouped,
            "counts": self.counts,
            "uar": self.uar.to_list(),
            "baseline": self.baseline,
            "baseline_uar": self.baseline_uar.to_list(),
            "gain": self.gain.to_list(),
            "better": self.is_better,
            "recall": self.recall,
            "confusion": self.confusion,
            "ece": self.ece,
            "learning_curve": [list(point) for point in self.curve],
            "doubled": self.doubled.to_list(),
            "strength": self.strength,
            "temperature": self.temperature,
            "repeated": self.repeated,
            "contradicted": self.contradicted,
            "failed": self.failed,
            "licences": list(self.licences),
        }


def train_head(
    name: str,
    data: HeadData,
    model: ModelRef,
    *,
    is_grouped: bool = True,
    licence: str = "",
    listener: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[Head, HeadReport]:
    """Train a head on clips and measure it on speakers that it did not hear.

    Args:
        name: of the head.
        data: vectors, labels and speakers.
        model: the model that gave the vectors.
        is_grouped: the speakers are known; if not, the report says that the figures are too good.
        licence: of the data, in words.
        listener: called with the number of fits done and the total; does nothing by default.

    Raises:
        HeadError: the name cannot be that of a file.
        ExtraMissingError: scikit-learn is not installed.
    """
    check_head_name(name)
    report, fitted = _measured(data, is_grouped, listener)
    card = report.to_dict() | {"licence": licence or ", ".join(data.licences)}
    head = Head(
        name,
        "classes",
        data.labels,
        fitted.map.weights.astype(np.float32),
        fitted.map.bias.astype(np.float32),
        HeadModel(model.name, model.revision, model.sha256),
        card,
        data.trained_on,
    )
    return head, report


def _measured(
    data: HeadData, is_grouped: bool, listener: Callable[[int, int], None]
) -> tuple[HeadReport, Fitted]:
    vectors, classes = data.vectors.astype(np.float64), len(data.labels)
    folds = list(speaker_folds(data.truth, data.speakers))
    logits = np.zeros((len(data.truth), classes))
    others = {kind: np.zeros(len(data.truth), np.intp) for kind in _baselines(data)}
    curve = [_Point() for _ in range(len(_SHARES) + 1)]
    answers = np.zeros((len(curve), len(data.truth)), np.intp)
    for done, (train, test) in enumerate(folds):
        listener(done, len(folds) + 1)
        speakers = [data.speakers[at] for at in train]
        fitted = fit_chosen(vectors[train], data.truth[train], speakers, classes)
        logits[test] = fitted.map.logits(vectors[test])
        for place, share in enumerate((*_SHARES, 1.0)):
            part = _part(train, data.truth, share)
            curve[place].add(len(part))
            (smaller,) = fit_maps(vectors[part], data.truth[part], classes, [fitted.strength])
            answers[place, test] = smaller.logits(vectors[test]).argmax(axis=1)
        for kind in others:
            others[kind][test] = answers_without_head(kind, data, train, test)
    listener(len(folds), len(folds) + 1)
    fitted = fit_chosen(vectors, data.truth, data.speakers, classes)
    listener(len(folds) + 1, len(folds) + 1)
    bootstrap = SpeakerBootstrap(data.truth, data.speakers, classes, draws=HEAD_DRAWS)
    answer = logits.argmax(axis=1)
    best = max(others, key=lambda kind: bootstrap.uar(others[kind])[0])
    drawn = [bootstrap.uar(row) for row in answers]
    sizes = [point.mean for point in curve]
    confusion = confusion_counts(data.truth, answer, classes)
    keys = [label.key for label in data.labels]
    report = HeadReport(
        clips=len(data.truth),
        speakers=len(set(data.speakers)),
        is_grouped=is_grouped,
        counts={key: sum(row) for key, row in zip(keys, confusion, strict=True)},
        uar=bootstrap.estimate(answer),
        baseline=best,
        baseline_uar=bootstrap.estimate(others[best]),
        gain=bootstrap.difference(answer, others[best]),
        recall={
            key: row[at] / sum(row)
            for at, (key, row) in enumerate(zip(keys, confusion, strict=True))
        },
        confusion=confusion,
        ece=expected_error(data.truth, logits),
        curve=tuple((size, value) for size, (value, _) in zip(sizes, drawn, strict=True)),
        doubled=forecast(sizes, drawn),
        strength=fitted.strength,
        temperature=fitted.temperature,
        repeated=data.repeated,
        contradicted=data.contradicted,
        failed=len(data.failures),
        licences=data.licences,
    )
    return report, fitted


class _Point:
    """A point of the learning curve: clips trained on, over the folds."""

    def __init__(self) -> None:
        self._sizes: list[int] = []

    def add(self, clips: int) -> None:
        self._sizes.append(clips)

    @property
    def mean(self) -> float:
        return sum(self._sizes) / len(self._sizes)


def _part(train: Indices, truth: Indices, share: float) -> Indices:
    """Take a share of the training clips of each class, two at least."""
    order = np.random.default_rng(0).permutation(train)
    found = []
    for at in np.unique(truth[train]):
        own = order[truth[order] == at]
        found.append(own[: max(2, round(share * len(own)))])
    return np.sort(np.concatenate(found))


def _baselines(data: HeadData) -> tuple[BaselineName, ...]:
    same = all(label.key.lower() in KEYS for label in data.labels)
    return (*(("emotions",) if same else ()), "mapped", "majority")


def answers_without_head(
    kind: BaselineName, data: HeadData, train: Indices, test: Indices
) -> Indices:
    """Answer test clips without a head, shape ``(len(test),)``.

    Args:
        kind: what answers.
        data: the scores of the nine, the truth and the labels.
        train: positions from which a mapping, or the commonest class, is learned.
        test: positions to answer.
    """
    classes = len(data.labels)
    if kind == "majority":
        return np.full(len(test), Counter(data.truth[train].tolist()).most_common(1)[0][0])
    if kind == "emotions":
        own = [KEYS.index(label.key.lower()) for label in data.labels]
        answers: Indices = data.scores[test][:, own].argmax(axis=1)
        return answers
    table = _mapping(data.scores[train].argmax(axis=1), data.truth[train], classes)
    mapped: Indices = table[data.scores[test].argmax(axis=1)]
    return mapped


def _mapping(emotions: Indices, truth: Indices, classes: int) -> Indices:
    """Map each of the nine to the label that most of its clips have, labels weighing the same."""
    counts: Array64 = np.zeros((COUNT, classes))
    np.add.at(counts, (emotions, truth), 1.0)
    counts /= np.maximum(counts.sum(axis=0), 1)
    commonest = np.bincount(truth, minlength=classes).argmax()
    return np.where(counts.sum(axis=1) > 0, counts.argmax(axis=1), commonest)
