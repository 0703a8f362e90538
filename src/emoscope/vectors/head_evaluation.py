"""Evaluation of a head on a labelled list that it did not learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from emoscope.errors import HeadError, SourceNotFoundError
from emoscope.evaluate.bootstrap import Estimate, SpeakerBootstrap
from emoscope.models.head_file import Head
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure
from emoscope.vectors.head_figures import HEAD_DRAWS, confusion_counts, expected_error
from emoscope.vectors.head_list import EmbeddedClip, HeadList, mean_embeddings, read_head_list


@dataclass(frozen=True, slots=True)
class HeadTraining:
    """What of a list a head was trained on."""

    files: tuple[str, ...]
    speakers: tuple[str, ...]

    @property
    def found(self) -> bool:
        """Whether the figures are of recordings or speakers that the head learned from."""
        return bool(self.files or self.speakers)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"found": self.found, "files": list(self.files), "speakers": list(self.speakers)}


@dataclass(frozen=True, slots=True, eq=False)
class HeadEvaluation:
    """Figures of a head on a list."""

    clips: int
    speakers: int
    """0 where the list names none."""
    counts: dict[str, int]
    uar: Estimate
    wa: float
    recall: dict[str, float]
    confusion: list[list[int]]
    ece: float
    failures: tuple[Failure, ...]
    units: int = 0
    """Speakers that the intervals are drawn from; clips without one count as their own."""
    training: HeadTraining | None = None
    """None of a head that does not say what it was trained on."""

    def to_dict(self) -> dict[str, Any]:
        """All figures, for JSON."""
        return {
            "clips": self.clips,
            "speakers": self.speakers or None,
            "counts": self.counts,
            "uar": [self.uar.value, None, None] if self.units == 1 else self.uar.to_list(),
            "wa": self.wa,
            "recall": self.recall,
            "confusion": self.confusion,
            "ece": self.ece,
            "failures": [{"name": one.name, "code": one.error.code} for one in self.failures],
            "training": self.training and self.training.to_dict(),
            "flattered": self.training is not None and self.training.found,
        }


def evaluate_head(
    recognizer: Recognizer,
    path: Path,
    head: Head,
    *,
    listener: Callable[[int, int], None] = lambda _done, _total: None,
) -> HeadEvaluation:
    """Recognize a list and compare a head's answers with its labels.

    Args:
        recognizer: runs the model that the head was trained on.
        path: the list; a row with a label that the head lacks is a failure.
        head: with classes of its own.
        listener: called with the number of clips done and the total; does nothing by default.

    Raises:
        HeadError: the head is one of another model.
        ListError: the list cannot be read.
        SourceNotFoundError: no recording could be recognized.
    """
    head.check_model(recognizer.model)
    listed = _known(head, read_head_list(path, needs_speakers=False, least_classes=1))
    total = len(listed.clips)
    rows, failures = mean_embeddings(recognizer, listed, lambda done: listener(done, total))
    if not rows:
        raise SourceNotFoundError("nothing_recognized", count=total)
    places = {label.key: at for at, label in enumerate(head.labels)}
    truth = np.array([places[row.clip.label] for row in rows], np.intp)
    logits = head.logits(np.stack([row.vector for row in rows])).astype(np.float64)
    answers = logits.argmax(axis=1)
    confusion = confusion_counts(truth, answers, len(places))
    bootstrap = SpeakerBootstrap(truth, _keys(rows), len(places), draws=HEAD_DRAWS)
    return HeadEvaluation(
        clips=len(rows),
        speakers=bootstrap.resampling.speakers,
        counts={key: sum(confusion[at]) for key, at in places.items()},
        uar=bootstrap.estimate(answers),
        wa=float((answers == truth).mean()),
        recall={
            key: confusion[at][at] / sum(confusion[at])
            for key, at in places.items()
            if any(confusion[at])
        },
        confusion=confusion,
        ece=expected_error(truth, logits),
        failures=tuple(failures),
        units=bootstrap.resampling.units,
        training=_training(head, rows),
    )


def _keys(rows: Sequence[EmbeddedClip]) -> list[str]:
    """Speaker and corpus of each clip in one; empty where the speaker is not known."""
    clips = (row.clip for row in rows)
    return [f"{clip.corpus}/{clip.speaker}" if clip.speaker else "" for clip in clips]


def _training(head: Head, rows: Sequence[EmbeddedClip]) -> HeadTraining | None:
    known = head.trained_on
    if known is None:
        return None
    heard = [row.clip for row in rows if known.has_speaker(row.clip.speaker, row.clip.corpus)]
    return HeadTraining(
        tuple(str(row.clip.path) for row in rows if known.has_file(row.sha256)),
        tuple(sorted({clip.speaker for clip in heard})),
    )


def _known(head: Head, listed: HeadList) -> HeadList:
    """Turn clips with a label that the head lacks into failures."""
    keys = [label.key for label in head.labels]
    strange = [clip for clip in listed.clips if clip.label not in keys]
    known = ", ".join(keys)
    failures = (
        Failure(str(clip.path), HeadError("head_label_unknown", label=clip.label, known=known))
        for clip in strange
    )
    clips = tuple(clip for clip in listed.clips if clip.label in keys)
    if not clips:
        raise HeadError("head_label_unknown", label=strange[0].label, known=known)
    return replace(listed, clips=clips, failures=(*listed.failures, *failures))
