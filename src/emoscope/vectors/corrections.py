"""Head of corrections: an affine change of the nine logits, learned from corrected segments.

``logits' = z + B · (z − mean(z)) + c``, with B and c drawn towards zero, so that few corrections
change little and none change nothing. It is fitted on the segments that a person changed and, at
half their weight, on those that were left as they were in the same recordings: else it would learn
to contradict the model. How strongly B and c are drawn is chosen by cross-validation over
recordings, and the figures come from recordings that the fit did not see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emoscope.errors import HeadError
from emoscope.labels import COUNT
from emoscope.models.head_file import Head, HeadModel, nine_labels
from emoscope.models.training_clips import TrainingClips
from emoscope.results.result import ModelRef
from emoscope.results.scores import softmax
from emoscope.waveform import Array64, Indices, Mask

LEAST_CORRECTIONS = 10
"""Changed segments below which nothing is learned."""
LEAST_RECORDINGS = 3
STAYED_WEIGHT = 0.5
"""Weight of a segment that the person left as it was, against one that was changed."""
PULLS = (10.0, 30.0, 100.0, 300.0)
"""Strengths that draw the change towards none; cross-validation chooses. Weaker ones win on the
corrected recordings and turn answers about others (``benchmarks/LOG.md``)."""
_FOLDS, _STEPS = 5, 30


@dataclass(frozen=True, slots=True)
class TaughtSegment:
    """A segment of a recording that a person corrected."""

    recording: str
    logits: tuple[float, ...]
    """The model's own nine, mean over the segment's speech."""
    emotion: int
    """What the person says it is."""
    is_changed: bool
    """False where the person left it as the model had it."""


@dataclass(frozen=True, slots=True)
class CorrectionReport:
    """Figures of a head of corrections, on recordings that its fits did not see."""

    corrections: int
    """Changed segments."""
    stayed: int
    recordings: int
    changed_right: tuple[int, int]
    """Changed segments whose emotion is right before and after."""
    stayed_right: tuple[int, int]
    """Segments left as they were that are right before and after."""
    pull: float

    @property
    def is_better(self) -> bool:
        """Whether more segments are right after than before."""
        before, after = (self.changed_right[at] + self.stayed_right[at] for at in (0, 1))
        return after > before

    def to_dict(self) -> dict[str, Any]:
        """All figures, for JSON and the head's card."""
        return {
            "clips": self.corrections,
            "stayed": self.stayed,
            "recordings": self.recordings,
            "changed_right": list(self.changed_right),
            "stayed_right": list(self.stayed_right),
            "pull": self.pull,
            "better": self.is_better,
        }


def check_enough(segments: Sequence[TaughtSegment]) -> None:
    """Check that there are enough corrections to learn from.

    Raises:
        HeadError: fewer than ``LEAST_CORRECTIONS``, or in fewer than ``LEAST_RECORDINGS``.
    """
    changed = [one for one in segments if one.is_changed]
    recordings = len({one.recording for one in changed})
    if len(changed) < LEAST_CORRECTIONS or recordings < LEAST_RECORDINGS:
        raise HeadError(
            "corrections_few",
            count=len(changed),
            recordings=recordings,
            least=LEAST_CORRECTIONS,
            least_recordings=LEAST_RECORDINGS,
        )


def check_corrections_help(report: CorrectionReport) -> None:
    """Check that a head of corrections makes more segments right than it makes wrong.

    Raises:
        HeadError: it does not.
    """
    if not report.is_better:
        before, after = (report.changed_right[at] + report.stayed_right[at] for at in (0, 1))
        total = report.corrections + report.stayed
        raise HeadError("corrections_not_better", total=total, before=before, after=after)


def train_corrections(
    name: str, segments: Sequence[TaughtSegment], model: ModelRef, *, temperature: float = 1.0
) -> tuple[Head, CorrectionReport]:
    """Fit a head of corrections and measure it across recordings.

    Args:
        name: of the head.
        segments: of corrected recordings; the same segments give the same head.
        model: the model whose logits they have.
        temperature: of its calibration, so that scores stay as sure as they were.

    Raises:
        HeadError: too few corrections.
    """
    check_enough(segments)
    segments = sorted(segments, key=lambda one: (one.recording, one.logits, one.emotion))
    logits = np.array([one.logits for one in segments]) / temperature
    truth = np.array([one.emotion for one in segments])
    changed = np.array([one.is_changed for one in segments])
    weights = np.where(changed, 1.0, STAYED_WEIGHT)
    folds = _folds([one.recording for one in segments])
    losses, answers = [], []
    for pull in PULLS:
        after = np.zeros_like(logits)
        for test in folds:
            change = _fit(logits[~test], truth[~test], weights[~test], pull)
            after[test] = _applied(logits[test], change)
        own = np.log(np.maximum(softmax(after)[np.arange(len(truth)), truth], 1e-12))
        losses.append(-float((weights * own).sum()))
        answers.append(after.argmax(axis=1))
    best = int(np.argmin(losses))
    before, after_best = logits.argmax(axis=1) == truth, answers[best] == truth
    report = CorrectionReport(
        corrections=int(changed.sum()),
        stayed=int((~changed).sum()),
        recordings=len({one.recording for one in segments}),
        changed_right=(int(before[changed].sum()), int(after_best[changed].sum())),
        stayed_right=(int(before[~changed].sum()), int(after_best[~changed].sum())),
        pull=PULLS[best],
    )
    change = _fit(logits, truth, weights, PULLS[best])
    centring = np.eye(COUNT) - 1 / COUNT
    head = Head(
        name,
        "corrections",
        nine_labels(),
        (np.eye(COUNT) + change[:, :COUNT] @ centring).astype(np.float32),
        (change[:, COUNT] * temperature).astype(np.float32),
        HeadModel(model.name, model.revision, model.sha256),
        report.to_dict(),
        TrainingClips.of({one.recording for one in segments}),
    )
    return head, report


def _folds(recordings: Sequence[str]) -> list[Mask]:
    """Masks of the tested segments; all of a recording lie in one."""
    owner = np.unique(np.array(recordings), return_inverse=True)[1]
    count = min(_FOLDS, int(owner.max()) + 1)
    return [owner % count == at for at in range(count)]


def _inputs(logits: Array64) -> Array64:
    """Centred logits and a one, shape ``(n, 10)``."""
    centred = logits - logits.mean(axis=1, keepdims=True)
    return np.hstack([centred, np.ones((len(logits), 1))])


def _applied(logits: Array64, change: Array64) -> Array64:
    made: Array64 = logits + _inputs(logits) @ change.T
    return made


def _fit(logits: Array64, truth: Indices, weights: Array64, pull: float) -> Array64:
    """Minimize weighted cross-entropy plus ``pull / 2`` times the squares: Newton, shape (9, 10).

    Centred logits are about ten times as large as the one, so a unit of both costs alike when the
    square of B is weighed by the mean square of its inputs.
    """
    inputs = _inputs(logits)
    scale = np.append(np.full(COUNT, float(np.square(inputs[:, :COUNT]).mean()) + 1e-6), 1.0)
    ridge = np.tile(pull * scale, COUNT)
    target = np.eye(COUNT)[truth]
    change = np.zeros((COUNT, COUNT + 1))
    for _ in range(_STEPS):
        scores = softmax(logits + inputs @ change.T)
        slope = ((scores - target) * weights[:, None]).T @ inputs
        slope = slope.ravel() + ridge * change.ravel()
        if np.abs(slope).max() < 1e-9 * len(truth):
            break
        # Of the softmax: diag(s) − s sᵀ for each segment, with its inputs on both sides.
        inner = np.einsum("nc,cd->ncd", scores, np.eye(COUNT)) - np.einsum(
            "nc,nd->ncd", scores, scores
        )
        hessian = np.einsum("n,ncd,ni,nj->cidj", weights, inner, inputs, inputs, optimize=True)
        size = COUNT * (COUNT + 1)
        step = np.linalg.solve(hessian.reshape(size, size) + np.diag(ridge), slope)
        change = change - step.reshape(change.shape)
    return change
