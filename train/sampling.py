"""Which clips are drawn how often, and what the loss asks of each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from data import CLASSES, EMOTIONS, INDEX, OTHER, UNKNOWN, Clip

SYNTHETIC = "synthetic"
"""Corpus of sounds made here that are no speech."""


def draw_weights(clips: Sequence[Clip], shares: Mapping[str, float]) -> np.ndarray:
    """Chances `(clips,)`: corpora by share, then classes, then speakers, each more evenly.

    A class's chance within its corpus and a speaker's within the class grow with the square root
    of the number of clips. The class of a clip is its largest target, so votes count.
    """
    labels = [int(np.argmax(clip.target)) for clip in clips]
    classes = Counter((clip.corpus, label) for clip, label in zip(clips, labels, strict=True))
    speakers = Counter(
        (clip.corpus, label, clip.speaker) for clip, label in zip(clips, labels, strict=True)
    )
    total = sum(shares[corpus] for corpus in {clip.corpus for clip in clips})
    of_corpus: Counter[str] = Counter()
    for (corpus, _), count in classes.items():
        of_corpus[corpus] += math.sqrt(count)  # type: ignore[assignment]
    of_class: Counter[tuple[str, int]] = Counter()
    for (corpus, label, _), count in speakers.items():
        of_class[corpus, label] += math.sqrt(count)  # type: ignore[assignment]
    weights = np.empty(len(clips))
    for place, (clip, label) in enumerate(zip(clips, labels, strict=True)):
        corpus, own = clip.corpus, speakers[clip.corpus, label, clip.speaker]
        weights[place] = (
            shares[corpus]
            / total
            * math.sqrt(classes[corpus, label])
            / of_corpus[corpus]
            * math.sqrt(own)
            / of_class[corpus, label]
            / own
        )
    return weights / weights.sum()


def class_offsets(corpus: str, absent_weight: float) -> Tensor:
    """What is added to the logits `(9,)` in the loss, by corpus.

    A class that the corpus annotates, `other` and `unknown` count fully (a clip acted as one
    emotion is neither); a class it lacks counts with `absent_weight`, so that a corpus without
    `surprised` does not teach that nothing is surprised.
    """
    if corpus == SYNTHETIC:
        return torch.zeros(len(EMOTIONS))
    row = torch.full((len(EMOTIONS),), math.log(max(absent_weight, 1e-6)))
    for name in CLASSES[corpus]:
        row[INDEX[name]] = 0.0
    row[OTHER] = row[UNKNOWN] = 0.0
    return row


def smoothed_target(clip: Clip, smoothing: float) -> Tensor:
    """Target `(9,)`: label or votes, softened towards the classes that its corpus annotates."""
    target = torch.tensor(clip.target, dtype=torch.float32)
    if clip.corpus == SYNTHETIC:
        return target
    known = torch.zeros(len(EMOTIONS))
    for name in CLASSES[clip.corpus]:
        known[INDEX[name]] = 1.0
    return (1.0 - smoothing) * target + smoothing * known / known.sum()


def lessons(clips: Sequence[Clip], smoothing: float, absent_weight: float) -> tuple[Tensor, Tensor]:
    """Targets and offsets, both `(clips, 9)`, for a soft cross-entropy of logits + offsets."""
    targets = torch.stack([smoothed_target(clip, smoothing) for clip in clips])
    offsets = torch.stack([class_offsets(clip.corpus, absent_weight) for clip in clips])
    return targets, offsets
