"""Facts of an index: the model whose vectors it holds, and how they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, TypeAlias

from emoscope.errors import VectorIndexError
from emoscope.results.result import ModelRef

VectorType: TypeAlias = Literal["float32", "float16"]
"""How vectors are kept: as the model gives them, or in half the room."""


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """What holds for a whole index."""

    model: str
    """Name of the model whose vectors it holds."""
    revision: str
    model_sha256: str
    """Of the model file that ran."""
    dim: int
    """Numbers per vector."""
    dtype: str = "float32"

    @classmethod
    def of(cls, model: ModelRef, dim: int, dtype: str = "float32") -> Self:
        """Return the facts of a new index.

        Args:
            model: the model that makes its vectors.
            dim: numbers per vector.
            dtype: ``float32``, or ``float16`` for half the room.
        """
        return cls(model.name, model.revision, model.sha256, dim, dtype)

    def check_model(self, index: str, model: ModelRef) -> None:
        """Refuse vectors of another model.

        Args:
            index: name of the index, for the sentence.
            model: the model that made the vectors.

        Raises:
            VectorIndexError: it is another one; the error names both.
        """
        if model.sha256 != self.model_sha256:
            raise VectorIndexError(
                "index_other_model",
                name=index,
                model=f"{self.model} {self.revision} ({self.model_sha256[:12]})",
                other=f"{model.name} {model.revision} ({model.sha256[:12]})",
            )

    @classmethod
    def read(cls, found: Mapping[str, str], folder: Path) -> Self:
        """Read the facts of an index.

        Args:
            found: value by name.
            folder: of the index, for the sentence.

        Raises:
            VectorIndexError: a fact is missing, or there is one too many.
        """
        try:
            return cls(**{**found, "dim": int(found["dim"])})  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError) as exc:
            raise VectorIndexError("index_damaged", name=folder.name, reason=str(exc)) from exc
