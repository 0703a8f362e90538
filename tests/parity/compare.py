"""Differences of two results, against the tolerances of parity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emoscope.backends.base import Backend
from parity.clips import clip

MAX_FEATURE_ERROR = 1e-4
"""‖a − b‖ / ‖b‖ over all frame features of a clip."""
MAX_SCORE_ERROR = 1e-5
MAX_MEAN_ERROR = 1e-5
"""Mean of the frame logits against the logits of the mean frame."""


@dataclass(frozen=True)
class Answer:
    features: NDArray[np.float32]
    """``(T, D)``."""
    logits: NDArray[np.float32]
    """``(T, 9)``."""

    @property
    def scores(self) -> NDArray[np.float64]:
        """Of the whole clip, ``(9,)``."""
        raised = np.exp(self.logits.mean(axis=0, dtype=np.float64))
        scores: NDArray[np.float64] = raised / raised.sum()
        return scores


def ask(backend: Backend, sounds: Sequence[NDArray[np.float32]]) -> list[Answer]:
    """Run some clips as one padded batch."""
    lengths = np.array([len(sound) for sound in sounds], np.int64)
    waveform = np.zeros((len(sounds), lengths.max()), np.float32)
    for row, sound in zip(waveform, sounds, strict=True):
        row[: len(sound)] = sound
    output = backend.run(waveform, lengths)
    return [
        Answer(output.frame_embeddings[i, :count], output.frame_logits[i, :count])
        for i, count in enumerate(output.frame_counts)
    ]


def distance(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> float:
    """‖ours − theirs‖ / ‖theirs‖."""
    assert ours.shape == theirs.shape
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))


@dataclass(frozen=True)
class Line:
    """One clip, ours against FunASR's."""

    duration_s: float
    frames: int
    features: float
    """Relative error over the clip."""
    worst_frame: float
    """The largest relative error of one frame."""
    scores: float
    """The largest difference of a score."""


def compare(backend: Backend, theirs: Mapping[str, NDArray[np.float32]]) -> list[Line]:
    """Ask about the clips of ``funasr_answers`` and hold the answers against its file."""
    lines = []
    for i, duration_s in enumerate(theirs["seconds"]):
        (ours,) = ask(backend, [clip(float(duration_s), seed=i)])
        features = theirs[f"features_{i}"]
        per_frame = np.linalg.norm(ours.features - features, axis=1)
        lines.append(
            Line(
                float(duration_s),
                len(features),
                distance(ours.features, features),
                float((per_frame / np.linalg.norm(features, axis=1)).max()),
                float(np.abs(ours.scores - theirs[f"scores_{i}"]).max()),
            )
        )
    return lines


def table(lines: Sequence[Line]) -> str:
    """The lines as Markdown."""
    head = "| clip | frames | features, whole clip | features, worst frame | scores |\n"
    return (
        head
        + "|---:|"
        + "---:|" * 4
        + "\n"
        + "\n".join(
            f"| {line.duration_s:g} s | {line.frames} | {line.features:.1e} "
            f"| {line.worst_frame:.1e} | {line.scores:.1e} |"
            for line in lines
        )
    )
