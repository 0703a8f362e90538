"""Temperature and label sets of the exported file, fitted on corpora that were left out.

What a stranger's language and microphone do to confidence cannot be seen on dev, whose corpora are
all known to it. So some train corpora are answered by a model that did not hear them, and the
calibration is fitted on those answers: confidence is then honest for strangers, and a little too
low for speech like the training data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import files
from data import CLASSES, EMOTIONS, FOREIGN_CORPORA, INDEX, TRAIN_CORPORA, Clip
from package import Scores, calibration, duration_group, metrics, pictures, softmax

FITTED_ON = (
    "train splits of ravdess, nemo, emodb, indianemo and cremad, each answered by a model of the "
    "same recipe that never heard that corpus; the median over these corpora"
)
PER_CORPUS = 1_000


@dataclass(frozen=True)
class LeftOut:
    """Answers to clips by models that did not hear their corpus."""

    clips: Sequence[Clip]
    logits: np.ndarray
    """`(clips, 9)`."""


def fit(left_out: LeftOut, seed: int = 0) -> calibration.Calibration:
    """Temperature and bar from `PER_CORPUS` draws with replacement of every corpus.

    The temperature is the median of those at which each corpus's mean confidence equals its
    accuracy: in a mean of five, one corpus of which little is understood weighs too much. The bar
    is reached by the truth in nine of ten draws of every corpus. A clip's truth is the class that
    most listeners heard, where they were asked; classes that only the left-out corpus has (`other`
    of emodb) cannot be known and do not count.
    """
    random = np.random.default_rng(seed)
    truth = np.array([int(np.argmax(clip.target)) for clip in left_out.clips])
    corpus = np.array([clip.corpus for clip in left_out.clips])
    scores = softmax(left_out.logits)
    drawn, temperatures = [], []
    for name in sorted(set(corpus)):
        elsewhere = {
            INDEX[known] for other in TRAIN_CORPORA if other != name for known in CLASSES[other]
        }
        own = random.choice(
            np.flatnonzero((corpus == name) & np.isin(truth, sorted(elsewhere))), PER_CORPUS
        )
        drawn.append(own)
        temperatures.append(_honest_temperature(scores[own], truth[own]))
        print(f"left out {name}: temperature {temperatures[-1]:.2f}", flush=True)
    temperature = float(np.median(temperatures))
    after = calibration.tempered(scores, temperature)[np.arange(len(truth)), truth]
    bar = min(float(np.quantile(after[own], 1.0 - calibration.COVERAGE)) for own in drawn)
    return calibration.Calibration(
        temperature, bar, calibration.COVERAGE, sum(map(len, drawn)), FITTED_ON
    )


def _honest_temperature(scores: np.ndarray, truth: np.ndarray) -> float:
    """Temperature at which the mean confidence equals the accuracy, by bisection."""
    accuracy = float((scores.argmax(axis=1) == truth).mean())
    low, high = 0.3, 10.0
    for _ in range(40):
        middle = float(np.sqrt(low * high))
        confidence = float(calibration.tempered(scores, middle).max(axis=1).mean())
        low, high = (middle, high) if confidence > accuracy else (low, middle)
    return float(np.sqrt(low * high))


def figures(
    fitted: calibration.Calibration, logits: np.ndarray, clips: Sequence[Clip]
) -> dict[str, float]:
    """What the calibration is worth on some clips, by their logits `(clips, 9)`."""
    truth = np.array([clip.emotion for clip in clips])
    raw = softmax(logits)
    after = calibration.tempered(raw, fitted.temperature)
    sets = [fitted.apply(Scores(row)).label_set for row in raw]
    held = [EMOTIONS[clip.emotion] in one for clip, one in zip(clips, sets, strict=True)]
    return {
        "clips": len(clips),
        "ece_before": round(metrics.calibrate(truth, raw).ece, 4),
        "ece_after": round(metrics.calibrate(truth, after).ece, 4),
        "set_coverage": round(float(np.mean(held)), 4),
        "set_size": round(float(np.mean([len(one) for one in sets])), 2),
    }


def described(
    fitted: calibration.Calibration,
    test: Mapping[str, Sequence[Clip]],
    logits: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """The card's part: what was fitted, and figures per corpus."""
    return {
        **fitted.to_dict(),
        "figures": {corpus: figures(fitted, logits[corpus], test[corpus]) for corpus in test},
    }


def groups(
    test: Mapping[str, Sequence[Clip]], logits: Mapping[str, np.ndarray]
) -> list[dict[str, Any]]:
    """Figures by language, sex, age and length, trained and foreign corpora apart, worst first.

    Clips of which a column is not known are in no group of it.
    """
    rows: list[dict[str, Any]] = []
    for trained, corpora in ((True, TRAIN_CORPORA), (False, FOREIGN_CORPORA)):
        clips = [clip for corpus in corpora for clip in test[corpus]]
        answer = np.concatenate([logits[corpus] for corpus in corpora]).argmax(axis=1)
        truth = np.array([clip.emotion for clip in clips])
        members: dict[tuple[str, str], list[int]] = {}
        for at, clip in enumerate(clips):
            for column, value in (
                ("language", clip.language),
                ("sex", clip.sex),
                ("age", age_group(clip.age)),
                ("duration", duration_group(clip.duration_s)),
            ):
                if value:
                    members.setdefault((column, value), []).append(at)
        for (column, value), own in members.items():
            found = metrics.measure(truth[own], answer[own])
            rows.append(
                {
                    "trained_on": trained,
                    "column": column,
                    "value": value,
                    "clips": len(own),
                    "uar": round(found.ua, 4),
                    "wa": round(found.wa, 4),
                }
            )
    return sorted(rows, key=lambda row: (not row["trained_on"], row["uar"]))


def age_group(age: int | None) -> str:
    """In which group of ages a speaker is; empty where the age is not known."""
    if age is None:
        return ""
    return "under 30" if age < 30 else "30-49" if age < 50 else "50 and over"


def draw(
    fitted: calibration.Calibration,
    test: Mapping[str, Sequence[Clip]],
    logits: Mapping[str, np.ndarray],
    folder: Path,
) -> None:
    """Reliability, risk and confusion of the trained corpora's test splits, and of the foreign."""
    for name, corpora in (("test", TRAIN_CORPORA), ("foreign", FOREIGN_CORPORA)):
        truth = np.array([clip.emotion for corpus in corpora for clip in test[corpus]])
        raw = softmax(np.concatenate([logits[corpus] for corpus in corpora]))
        after = calibration.tempered(raw, fitted.temperature)
        before = metrics.calibrate(truth, raw)
        drawn = {
            "reliability": pictures.reliability_svg(before, metrics.calibrate(truth, after)),
            "risk": pictures.risk_coverage_svg(metrics.risk_coverage(truth, raw)),
            "confusion": pictures.confusion_svg(metrics.measure(truth, raw.argmax(axis=1))),
        }
        for kind, picture in drawn.items():
            files.write(picture + "\n", folder / f"compact_{kind}_{name}.svg")
