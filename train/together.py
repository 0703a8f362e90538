"""How the numbers of a voice move together: covariances, in a clip or in a window along it.

Means and spreads of single bands (`overview.py`) do not know that, say, the voice rises while it
grows brighter. Second-order statistics of cepstra and of their slopes do; they are what classifiers
of speakers and languages were built on before networks. Nothing here is trained.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from network import MELS

CEPSTRA = 20
SLOPE_CEPSTRA = 12  # slopes of the finer ones are noise
SLOPE_FRAMES = (2, 8)  # either side: 40 and 160 ms
ROWS = CEPSTRA + 4  # pitch, clarity, loudness, flux
SLOPES = SLOPE_CEPSTRA + 3
KINDS = 4  # of moments: clearly voiced, unvoiced, loudest, of middling loudness


def _pairs(rows: int) -> int:
    return rows * (rows + 1) // 2


TOGETHER = (
    ROWS
    + _pairs(ROWS)
    + len(SLOPE_FRAMES) * (_pairs(SLOPES) + SLOPES * SLOPES)
    + KINDS * (CEPSTRA + 1)
)


class Voice(NamedTuple):
    """What is known of every short frame, each `(B, S, 1)`."""

    place: Tensor
    """Of the pitch: 1 is a high voice, -1 a low one."""
    clear: Tensor
    """How clearly it was heard, from 0."""
    loudness: Tensor
    above: Tensor
    """Loudness above the clip's middle."""
    loud: Tensor
    """The same from 0 to 1, masked: a weight."""


class Together(nn.Module):
    """Pictures to `TOGETHER` statistics; `total` sums `(B, S, R)` over the window."""

    cosines: Tensor

    def __init__(self, total: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.total = total
        band, order = np.arange(MELS)[:, None] + 0.5, np.arange(CEPSTRA)[None, :]
        cosines = np.cos(np.pi * order * band / MELS) * np.sqrt(2 / MELS)
        self.register_buffer("cosines", torch.from_numpy(cosines.astype(np.float32)), False)
        self.products, self.slope_products = Products(ROWS), Products(SLOPES)

    def forward(self, mel: Tensor, voice: Voice, mask: Tensor) -> Tensor:
        """Masked `mel` `(B, S, M)`, `mask` `(B, S, 1)`."""
        place, clear, loudness, above, loud = voice
        cepstra = mel @ self.cosines
        change = _slope(cepstra, 1) * _inside(mask, 1)
        flux = torch.log(0.01 + (change * change).sum(dim=2, keepdim=True))
        rows = torch.cat([cepstra, place * clear, clear, loudness, flux], dim=2)
        moving = torch.cat([cepstra[..., :SLOPE_CEPSTRA], place * clear, clear, loudness], dim=2)

        weight = self.total(loud) + 1e-6
        parts = [self.total(rows * loud) / weight]
        # Covariances do not depend on where rows count from, and small numbers round less.
        rows, moving = _centred(rows, loud), _centred(moving, loud)
        mean = self.total(rows * loud) / weight
        square = self.total(self.products(rows) * loud) / weight
        parts.append(_root(square - self.products(mean)))
        for reach in SLOPE_FRAMES:
            slope, own = _slope(moving, reach), _inside(mask, reach) * loud
            weight = self.total(own) + 1e-6
            parts.append(_root(self.total(self.slope_products(slope) * own) / weight))
            both = self.total(_outer(moving, slope) * own) / weight
            means = _outer(self.total(moving * own) / weight, self.total(slope * own) / weight)
            parts.append(_root(both - means))

        frames = self.total(mask).clamp(min=1.0)
        for kind in (
            torch.sigmoid(20.0 * (clear - 0.55)) * loud,
            torch.sigmoid(-20.0 * (clear - 0.35)) * loud,
            torch.sigmoid(8.0 * (above - 0.35)) * mask,
            torch.exp(-30.0 * (above + 0.1) ** 2) * mask,
        ):
            weight = self.total(kind)
            parts += [self.total(cepstra * kind) / (weight + 0.01), weight / frames]
        return torch.cat(parts, dim=2)


def _centred(rows: Tensor, loud: Tensor) -> Tensor:
    """Rows `(B, S, R)` less their mean over the loud part of the clip."""
    mean = (rows * loud).sum(dim=1, keepdim=True) / (loud.sum(dim=1, keepdim=True) + 1e-6)
    return rows - mean


def _slope(rows: Tensor, reach: int) -> Tensor:
    """How much rows `(B, S, R)` differ between `reach` frames later and as many earlier."""
    padded = functional.pad(rows, (0, 0, reach, reach))
    return padded[:, 2 * reach :] - padded[:, : -2 * reach]


def _inside(mask: Tensor, reach: int) -> Tensor:
    """Ones `(B, S, 1)` where both ends of a slope lie in the clip."""
    padded = functional.pad(mask, (0, 0, reach, reach))
    return padded[:, 2 * reach :] * padded[:, : -2 * reach]


class Products(nn.Module):
    """Products of all pairs of rows `(B, S, R)`, each pair once: `(B, S, R·(R+1)/2)`."""

    first: Tensor
    second: Tensor

    def __init__(self, rows: int) -> None:
        super().__init__()
        # Picked by matrices of zeros and ones: a Gather along the last axis takes far longer.
        picked = torch.eye(rows)[:, torch.from_numpy(np.stack(np.triu_indices(rows)))]
        self.register_buffer("first", picked[:, 0].contiguous(), persistent=False)
        self.register_buffer("second", picked[:, 1].contiguous(), persistent=False)

    def forward(self, rows: Tensor) -> Tensor:
        """Multiply."""
        return (rows @ self.first) * (rows @ self.second)


def _outer(left: Tensor, right: Tensor) -> Tensor:
    """Products of every row with every row `(B, S, L·R)`."""
    return (left[..., :, None] * right[..., None, :]).flatten(2)


def _root(x: Tensor) -> Tensor:
    """Square root that keeps the sign and is smooth at zero: covariances spread over decades."""
    return x / torch.sqrt(x.abs() + 1e-3)
