"""Scores of what is said: emotions that a text model or the user gives, and which it knows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emoscope.errors import ListError
from emoscope.evaluate.words import emotion_of
from emoscope.labels import COUNT, EMOTIONS, KEYS, Emotion
from emoscope.waveform import Array64, Mask

LabelMap = Mapping[str, Sequence[str] | str | None]
"""Label of a text model to one of the nine, to several that share its score, or to None: left out.
"""


@dataclass(frozen=True, slots=True, eq=False)
class WordScores:
    """Scores of the emotions that the words can tell, and which these are.

    Raises:
        ValueError: the numbers are no scores, or fewer than two emotions are known.
    """

    values: Array64
    """Shape ``(9,)``; they sum to 1, and are 0 where ``known`` is false."""
    known: Mask
    """Shape ``(9,)``: emotions for which the text model has a label."""

    def __post_init__(self) -> None:
        if self.values.shape != (COUNT,) or self.known.shape != (COUNT,):
            raise ValueError(f"scores and mask have shape ({COUNT},)")
        if self.known.sum() < 2:
            raise ValueError("at least two emotions must be known")
        if self.values.min() < 0 or not abs(float(self.values.sum()) - 1.0) <= 1e-6:
            raise ValueError("scores are not negative and sum to 1")
        if self.values[~self.known].any():
            raise ValueError("an emotion that is not known has no score")

    @property
    def top(self) -> Emotion:
        """The emotion of the largest score."""
        return EMOTIONS[int(self.values.argmax())]

    @property
    def confidence(self) -> float:
        """The largest score."""
        return float(self.values.max())

    def to_dict(self) -> dict[str, float]:
        """Score by key, of the known emotions only."""
        pairs = zip(KEYS, self.values, self.known, strict=True)
        return {key: float(value) for key, value, known in pairs if known}

    @classmethod
    def from_dict(cls, given: Mapping[str, float]) -> WordScores:
        """Make scores from a share or weight per emotion; they are brought to the sum of 1.

        Args:
            given: by word for an emotion, as labelled lists may write it.

        Raises:
            ListError: a word means none of the nine, a number is negative or not finite, all are
                zero, or fewer than two emotions are given.
        """
        values, known = np.zeros(COUNT), np.zeros(COUNT, dtype=np.bool_)
        for word, number in given.items():
            at = emotion_of(word).index
            values[at] += _weight(number)
            known[at] = True
        if known.sum() < 2 or values.sum() <= 0:
            raise ListError("text_scores_invalid", reason=", ".join(map(str, given)) or "{}")
        return cls(values / values.sum(), known)


class LabelTable:
    """How the labels of a text model become the nine emotions.

    Args:
        labels: of the text model, in the order of its outputs.
        mapping: by label; labels that it lacks are looked up as words for an emotion.

    Raises:
        ListError: a label has no emotion, the map names one that the model lacks, or fewer than
            two emotions are left.
    """

    def __init__(self, labels: Sequence[str], mapping: LabelMap | None = None) -> None:
        mapping = dict(mapping or {})
        self.labels = tuple(labels)
        strange = [name for name in mapping if name not in self.labels]
        if strange:
            raise _unknown(strange, self.labels)
        self._shares = np.zeros((len(labels), COUNT))
        missing = []
        for row, label in enumerate(labels):
            try:
                emotions = _emotions(label, mapping)
            except ListError:
                missing.append(label)
                continue
            for emotion in emotions:
                self._shares[row, emotion.index] += 1.0 / len(emotions)
        if missing:
            raise _unknown(missing, self.labels)
        self.known: Mask = np.zeros(COUNT, dtype=np.bool_)
        self.known[self._shares.max(axis=0) > 0] = True
        if self.known.sum() < 2:
            raise _unknown(labels, self.labels)

    def scores(self, shares: Array64) -> WordScores:
        """Return the scores of the emotions.

        Args:
            shares: of the labels, shape ``(L,)``, not negative.
        """
        values = shares @ self._shares
        total = float(values.sum())
        # All of it on labels that are left out: the words say nothing.
        even = self.known / self.known.sum()
        return WordScores(values / total if total > 1e-9 else even, self.known)


def _emotions(label: str, mapping: LabelMap) -> tuple[Emotion, ...]:
    if label not in mapping:
        return (emotion_of(label),)
    wanted = mapping[label]
    if wanted is None:
        return ()
    words = [wanted] if isinstance(wanted, str) else list(wanted)
    return tuple(dict.fromkeys(emotion_of(word) for word in words))


def _unknown(found: Sequence[str], labels: Sequence[str]) -> ListError:
    return ListError(
        "text_labels_unknown",
        found=", ".join(found)[:200],
        labels=", ".join(labels)[:400],
    )


def _weight(number: float) -> float:
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ListError("text_scores_invalid", reason=repr(number)[:40])
    if not (math.isfinite(number) and number >= 0):
        raise ListError("text_scores_invalid", reason=repr(number)[:40])
    return float(number)
