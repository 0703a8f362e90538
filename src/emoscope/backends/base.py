"""Backend protocol: the contract between Emoscope and whatever runs a model.

Every model file takes ``waveform (B, N) float32`` at 16 kHz in [-1, 1], zero padded, and
``lengths (B,) int64``, and gives ``frame_logits (B, T, 9)``, ``frame_embeddings (B, T, D)`` and
``frame_counts (B,)``. Front ends, per-clip normalisation and masking are inside the model, so no
Python code needs to know which model it has. Invariant: padding and batching change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emoscope.errors import ModelInvalidError
from emoscope.labels import COUNT
from emoscope.messages.reasons import reason
from emoscope.waveform import Array32

Array64i: TypeAlias = NDArray[np.int64]

Device: TypeAlias = Literal["cpu", "cuda"]
"""Device that runs the model."""

INPUTS = ("waveform", "lengths")
OUTPUTS = ("frame_logits", "frame_embeddings", "frame_counts")


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """Outputs of one run; rows at and past a clip's own frame count mean nothing."""

    frame_logits: Array32
    """Shape ``(B, T, 9)``."""
    frame_embeddings: Array32
    """Shape ``(B, T, D)``."""
    frame_counts: Array64i
    """Shape ``(B,)``."""


class Backend(Protocol):
    """Protocol of a backend with one loaded model. Thread-safe."""

    @property
    def name(self) -> str:
        """Name of the library that runs the model, for the result's ``versions``."""

    @property
    def version(self) -> str:
        """Version of that library."""

    @property
    def device(self) -> Device:
        """Device that runs the model, as found out after loading."""

    @property
    def dim(self) -> int:
        """Numbers per embedding frame, D."""

    @property
    def runs_at_once(self) -> int:
        """Runs that are worth having side by side; 1 where one takes all there is."""

    def run(self, waveform: Array32, lengths: Array64i) -> Output:
        """Run a batch.

        Args:
            waveform: shape ``(B, N)``, zero beyond each clip's own length.
            lengths: shape ``(B,)``, samples of each clip; at least 400, at most N.

        Raises:
            ModelRunError: the library failed.
        """


@dataclass(frozen=True, slots=True)
class Tensor:
    """Input or output declared by a model file."""

    kind: str
    """``float32``, ``int64``, or the library's own word for another type."""
    shape: tuple[int | None, ...]
    """None where any size fits."""

    def __str__(self) -> str:
        return f"{self.kind} ({', '.join('?' if n is None else str(n) for n in self.shape)})"


_CONTRACT = {
    # Clips, samples and frames are free, so that any batch fits.
    "waveform": Tensor("float32", (None, None)),
    "lengths": Tensor("int64", (None,)),
    "frame_logits": Tensor("float32", (None, None, COUNT)),
    "frame_counts": Tensor("int64", (None,)),
}


def check_contract(inputs: Mapping[str, Tensor], outputs: Mapping[str, Tensor]) -> int:
    """Return D of a model that declares these.

    Raises:
        ModelInvalidError: they are not the contract's.
    """
    if inputs.keys() != set(INPUTS) or not set(OUTPUTS) <= outputs.keys():
        found = f"{', '.join(inputs)} -> {', '.join(outputs)}"
        raise ModelInvalidError(
            "model_contract",
            **reason("tensors", found=found),
        )
    declared = {**inputs, **outputs}
    dim = declared["frame_embeddings"].shape[-1:]
    expected = {**_CONTRACT, "frame_embeddings": Tensor("float32", (None, None, *dim))}
    for name, tensor in expected.items():
        if declared[name] != tensor:
            raise ModelInvalidError(
                "model_contract",
                **reason("tensor", name=name, found=declared[name], expected=tensor),
            )
    if not dim or dim[0] is None:
        raise ModelInvalidError(
            "model_contract",
            **reason("embedding_size_open"),
        )
    return dim[0]
