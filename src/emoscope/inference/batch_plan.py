"""Batch planning: which clips run together, by their lengths."""

from __future__ import annotations

from collections.abc import Sequence

MAX_PADDING_SHARE = 0.1
"""A clip joins a batch only if at most this share of its row would be padding."""


def plan(lengths: Sequence[int], *, max_padded_samples: int) -> list[list[int]]:
    """Group clips of similar length, so that little is padded and memory stays bounded.

    Args:
        lengths: samples of each clip.
        max_padded_samples: a batch of B clips padded to N samples has B · N at most this; one clip
            that is longer goes alone.

    Returns:
        Positions in ``lengths``, each exactly once; longest clips first.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    batches: list[list[int]] = []
    for position in order:
        if batches:
            longest = lengths[batches[-1][0]]
            fits = (len(batches[-1]) + 1) * longest <= max_padded_samples
            alike = lengths[position] >= (1 - MAX_PADDING_SHARE) * longest
            if fits and alike:
                batches[-1].append(position)
                continue
        batches.append([position])
    return batches
