"""Scores: nine probabilities in the order of the labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from emoscope.labels import COUNT, EMOTIONS, KEYS, Emotion
from emoscope.results.json_type import Converted, Share
from emoscope.waveform import Array64


def softmax(logits: NDArray[np.floating[Any]]) -> Array64:
    """Return scores over the last axis, in float64 so that nine of them sum to 1."""
    shifted = np.asarray(logits, dtype=np.float64)
    shifted = shifted - shifted.max(axis=-1, keepdims=True)
    powers = np.exp(shifted)
    return cast(Array64, powers / powers.sum(axis=-1, keepdims=True))


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Nine probabilities that sum to 1, in the order of ``labels.EMOTIONS``.

    Reads like a mapping from English key to score (``dict(scores)``, ``scores["angry"]``,
    ``scores.items()``) and like an array (``np.asarray(scores)``). ``values`` is the array, as in
    pandas, and no method.
    """

    values: Array64
    """Shape ``(9,)``."""

    def __post_init__(self) -> None:
        if self.values.shape != (COUNT,):
            raise ValueError(f"scores have shape ({COUNT},), not {self.values.shape}")
        if not abs(float(self.values.sum()) - 1.0) <= 1e-6:
            raise ValueError(f"scores sum to 1, not {self.values.sum()}")
        if self.values.min() < 0:
            raise ValueError(f"scores are not negative, as {self.values.min()} is")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scores) and np.array_equal(self.values, other.values)

    __hash__ = None  # type: ignore[assignment]  # holds an array

    def __getitem__(self, emotion: str | Emotion) -> float:
        return self.to_dict()[emotion.key if isinstance(emotion, Emotion) else emotion]

    def __iter__(self) -> Iterator[str]:
        return iter(KEYS)

    def __len__(self) -> int:
        return COUNT

    def __contains__(self, emotion: object) -> bool:
        return (emotion.key if isinstance(emotion, Emotion) else emotion) in KEYS

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        array = self.values if dtype is None else self.values.astype(dtype, copy=False)
        return array.copy() if copy else array

    def __repr__(self) -> str:
        first = ", ".join(f"{one.key} {score:.3f}" for one, score in self.ranked()[:3])
        return f"<Scores {first}, …>"

    def keys(self) -> tuple[str, ...]:
        """The nine English keys, in order."""
        return KEYS

    def items(self) -> list[tuple[str, float]]:
        """Key and score of each, in order."""
        return list(self.to_dict().items())

    def get(self, emotion: str | Emotion, default: float | None = None) -> float | None:
        """The score of an emotion, or ``default`` for a key that is none."""
        key = emotion.key if isinstance(emotion, Emotion) else emotion
        return self.to_dict().get(key, default)

    @classmethod
    def from_logits(cls, logits: NDArray[np.floating[Any]]) -> Scores:
        """Softmax of the logits, shape ``(9,)``."""
        return cls(softmax(logits))

    @property
    def top(self) -> Emotion:
        """The class of the largest score."""
        return EMOTIONS[int(self.values.argmax())]

    @property
    def confidence(self) -> float:
        """The largest score."""
        return float(self.values.max())

    @property
    def margin(self) -> float:
        """By how much the first leads the second."""
        second, first = np.sort(self.values)[-2:]
        return float(first - second)

    def ranked(self) -> list[tuple[Emotion, float]]:
        """All nine, largest first."""
        return [
            (EMOTIONS[i], float(self.values[i])) for i in np.argsort(-self.values, kind="stable")
        ]

    def percentages(self) -> tuple[float, ...]:
        """The nine with one decimal, rounded so that they add up to 100.0.

        Largest remainders: everything is rounded down to a tenth, and the tenths that are missing
        go to the numbers that lost most. The order of two scores is never turned round.
        """
        tenths = self.values / self.values.sum() * 1000
        floors = np.floor(tenths)
        missing = round(1000 - float(floors.sum()))
        # Among equal remainders the larger score comes first, so that ranks are kept.
        order = np.lexsort((-self.values, -(tenths - floors)))
        floors[order[:missing]] += 1
        return tuple(float(tenth) / 10 for tenth in floors)

    def to_dict(self) -> dict[str, float]:
        """Score by English key."""
        return {key: float(value) for key, value in zip(KEYS, self.values, strict=True)}

    @classmethod
    def from_dict(cls, data: dict[str, float]) -> Scores:
        """Read what ``to_dict`` wrote."""
        return cls(np.array([data[key] for key in KEYS], dtype=np.float64))


ScoresByKey: TypeAlias = Annotated[
    Scores, Converted(Scores.to_dict, Scores.from_dict, dict[str, Share])
]
"""Score by English key in JSON."""
