"""Spaces: what cosine is measured in. Raw vectors, ``sound`` and ``emotion``.

Raw vectors of this kind of model all point the same way: the cosine of two recordings of different
emotions is above 0.9. ``sound`` is centred and whitened, so that no direction counts for more than
its share: near means that voice, room, words and emotion are alike. ``emotion`` keeps only the
directions in which emotions differ more than voices do, and what the model's classifier says. Each
space knows how large the cosine of two arbitrary recordings usually is, so that one number can be
told from another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Literal, TypeAlias, cast, get_args

import numpy as np
from numpy.typing import NDArray

from emoscope.paths.choices import SpaceName
from emoscope.results.scores import softmax
from emoscope.waveform import Array32, Array64

SPACES: tuple[SpaceName, ...] = get_args(SpaceName)
SpaceOrigin: TypeAlias = Literal["shipped", "fitted", "plain"]
"""Shipped with the model, fitted on the index itself, or nothing that could be fitted."""
LEVELS = np.array([*(n / 200 for n in range(200)), 0.999, 0.9999, 1.0])
"""Shares of random pairs whose cosine is kept."""
HEAD_WEIGHT = np.float32(2.0)
"""How much what the model says counts beside the directions; chosen on the dev speakers."""
_PARTS = ("mean", "matrix", "axes", "head", "usual")
_SHOWN = (0.05, 0.5, 0.95, 0.99, 0.999)
PAIRS = 50_000
"""Random pairs that the usual cosine is measured on."""


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Space: a map of the model's vectors, in which cosine is measured."""

    name: SpaceName
    origin: SpaceOrigin = "plain"
    mean: Array32 | None = None
    """What is taken away first, shape ``(D,)``; None in the raw space."""
    matrix: Array32 | None = None
    """Directions, shape ``(D, d)``; None leaves them as they are, or out where there is a head."""
    axes: Array32 | None = None
    """Further directions, shape ``(D, a)``, used only with a head: those that vary most."""
    head: Array32 | None = None
    """Shape ``(D + 1, 9)``: the model's classifier on vectors without ``mean``, its last row the
    bias. Then a vector is also what it says of the emotions: the roots of the nine scores, whose
    cosine is the overlap of two answers (Bhattacharyya)."""
    usual: Array64 | None = None
    """Cosine of random pairs at each of ``LEVELS``; None where it is not known."""

    @property
    def dim(self) -> int | None:
        """Numbers per mapped vector; None where they are as many as those of the model."""
        parts = (self.matrix, self.axes, self.head)
        return sum(part.shape[1] for part in parts if part is not None) or None

    def apply(self, vectors: Array32) -> Array32:
        """Map vectors ``(n, D)`` to length 1 in this space, ``(n, d)``; zeros stay zeros."""
        centred = vectors if self.mean is None else vectors - self.mean
        if self.head is None:
            return _unit(centred if self.matrix is None else centred @ self.matrix)
        shares = np.sqrt(softmax(centred @ self.head[:-1] + self.head[-1])).astype(np.float32)
        others = (_unit(centred @ part) for part in (self.axes, self.matrix) if part is not None)
        return _unit(np.hstack([*others, HEAD_WEIGHT * shares]))

    def measured(self, vectors: Array32, groups: NDArray[Any] | None = None) -> Space:
        """Return this space with the usual cosine of random pairs of some vectors.

        Args:
            vectors: of the model, ``(n, D)``.
            groups: pairs of the same group do not count, shape ``(n,)``; such as speakers or
                files. Every pair counts by default.
        """
        if len(vectors) < 2:
            return self
        rng, mapped = np.random.default_rng(0), self.apply(vectors)
        first, second = rng.integers(0, len(vectors), (2, PAIRS))
        other = first != second if groups is None else groups[first] != groups[second]
        if not other.any():
            return self
        first, second = first[other], second[other]
        cosines = np.concatenate(
            [
                np.einsum("nd,nd->n", mapped[first[at]], mapped[second[at]])
                for at in np.array_split(np.arange(len(first)), 20)
            ]
        )
        return replace(self, usual=np.quantile(cosines.astype(np.float64), LEVELS))

    def is_same_map(self, other: Space) -> bool:
        """Whether vectors that were mapped by the one are mapped for the other."""
        return all(getattr(self, part) is getattr(other, part) for part in _PARTS[:-1])

    def closer_than(self, cosine: float) -> float | None:
        """Share of random pairs that are less alike than ``cosine``, 0 to 1; None if unknown."""
        if self.usual is None:
            return None
        at = int(np.searchsorted(self.usual, cosine, side="right"))
        return float(LEVELS[at - 1]) if at else 0.0

    def usual_cosines(self) -> dict[str, float]:
        """Cosine that so many of the random pairs do not exceed, by share; empty if unknown."""
        if self.usual is None:
            return {}
        values = np.interp(_SHOWN, LEVELS, self.usual)
        return {
            f"{100 * level:g}%": round(float(v), 4) for level, v in zip(_SHOWN, values, strict=True)
        }


def _unit(rows: NDArray[np.floating[Any]]) -> Array32:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return cast(Array32, (rows / np.maximum(length, 1e-12)).astype(np.float32))


RAW = Space("raw")


def write_spaces(file: BinaryIO, model_sha256: str, spaces: Mapping[str, Space]) -> None:
    """Write the spaces of a model as ``.npz``, without anything that would have to be unpickled.

    Args:
        file: where.
        model_sha256: of the model file that the vectors come from.
        spaces: by name.
    """
    arrays: dict[str, NDArray[Any]] = {"model_sha256": np.array(model_sha256)}
    for name, space in spaces.items():
        for part in _PARTS:
            value = getattr(space, part)
            if value is not None:
                kind = np.float16 if name == "sound" or part == "axes" else np.float32
                arrays[f"{name}.{part}"] = value.astype(kind)
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # names are not allow_pickle


def read_spaces(file: BinaryIO) -> tuple[str, dict[str, Space]]:
    """Read what ``write_spaces`` wrote: the model's sha256, and the spaces by name.

    Raises:
        ValueError: it is no such file.
    """
    with np.load(file, allow_pickle=False) as data:
        if "model_sha256" not in data:
            raise ValueError("model_sha256 is missing")
        spaces: dict[str, Space] = {}
        for name in SPACES:
            if f"{name}.usual" not in data:
                continue
            given = {part: data.get(f"{name}.{part}") for part in _PARTS[:-1]}
            maps = {part: one.astype(np.float32) for part, one in given.items() if one is not None}
            usual = data[f"{name}.usual"].astype(np.float64)
            spaces[name] = Space(name, "shipped", **maps, usual=usual)
        return str(data["model_sha256"]), spaces
