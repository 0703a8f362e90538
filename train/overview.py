"""The clip as a whole: statistics of its pictures, and small experts that judge by them.

Everything is a mean over the clip's own frames, so padding changes nothing. The statistics need no
training, which makes them cheap to learn from: they are computed once per clip and variant.
Experts learn from whole clips; in the shipped model they judge the window around every moment.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from network import LAGS, MELS
from together import TOGETHER, Together, Voice

LAG_FRAMES = (2, 6, 16, 40)  # 20 to 400 ms: from consonants to syllables
LOUDNESS_STEPS = 8
ROWS = MELS + LAGS
TENTH = 10  # short frames in a tenth of a second
STATISTICS = ROWS * (4 + len(LAG_FRAMES)) + LAGS + LOUDNESS_STEPS + 4 + TOGETHER


class Overview(nn.Module):
    """Pictures to statistics, of the whole clip or of a window that moves along it.

    Nothing here is trained. With `window_s` the answer is `(B, ⌈S / 10⌉, STATISTICS)`: a window
    around every tenth of a second. Without it `(B, 1, STATISTICS)`.
    """

    pitches: Tensor
    steps: Tensor

    def __init__(self, window_s: float | None = None) -> None:
        super().__init__()
        self.reach = None if window_s is None else round(window_s * 5)  # tenths, each side
        self.register_buffer("pitches", torch.linspace(1.0, -1.0, LAGS), persistent=False)
        steps = torch.linspace(-1.2, 1.2, LOUDNESS_STEPS)
        self.register_buffer("steps", steps, persistent=False)
        self.together = Together(self._total)

    def _total(self, x: Tensor) -> Tensor:
        """Sums over the window: `(B, S, R)` to `(B, ⌈S / 10⌉, R)` or `(B, 1, R)`."""
        if self.reach is None:
            return x.sum(dim=1, keepdim=True)
        padded = functional.pad(x.transpose(1, 2), (0, TENTH - 1))
        tenths = functional.avg_pool1d(padded, TENTH)  # the last one is filled up with zeros
        width = 2 * self.reach + 1
        means = functional.avg_pool1d(tenths, width, stride=1, padding=self.reach)
        return means.transpose(1, 2) * (TENTH * width)

    def _moments(self, rows: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Weighted mean and spread over the window, twice `(B, ·, R)`."""
        total = self._total(weight) + 1e-6
        mean = self._total(rows * weight) / total
        square = self._total(rows * rows * weight) / total
        return mean, torch.sqrt(functional.relu(square - mean * mean) + 1e-4)

    def forward(self, mel: Tensor, pitch: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """`mel` `(B, 2, S, M)`, `pitch` `(B, S, LAGS)`, `mask` `(B, S, 1)`.

        Returns the statistics and how loud each short frame is, `(B, S, 1)` from 0 to 1.
        """
        rows = torch.cat([mel[:, 0], pitch], dim=2)  # (B, S, ROWS), already masked
        frames = self._total(mask).clamp(min=1.0)
        mean, spread = self._moments(rows, mask)

        # Loud frames tell most: the same again, weighted by loudness above the clip's middle.
        loudness = mel[:, 0].mean(dim=2, keepdim=True)  # (B, S, 1)
        middle = loudness.sum(dim=1, keepdim=True) / mask.sum(dim=1, keepdim=True)
        above = loudness - middle
        loud = torch.sigmoid(6.0 * above) * mask
        loud_mean, loud_spread = self._moments(rows, loud)

        parts = [mean, spread, loud_mean, loud_spread]
        for lag in LAG_FRAMES:
            # Zeros beyond the end, so that this works for clips shorter than the lag.
            ahead = functional.pad(rows, (0, 0, 0, lag))[:, lag:]
            both = functional.pad(mask, (0, 0, 0, lag))[:, lag:]
            change = (ahead - rows) * both
            pairs = self._total(both).clamp(min=1.0)
            parts.append(torch.sqrt(functional.relu(self._total(change * change)) / pairs + 1e-4))

        # How often which pitch was heard, by how clearly it was heard.
        share = torch.softmax(12.0 * pitch, dim=2)  # (B, S, LAGS)
        clarity = functional.relu(pitch.amax(dim=2, keepdim=True))
        clear = clarity * loud
        voiced = self._total(clear) + 1e-3
        parts.append(10.0 * self._total(share * clear) / voiced)
        place = (share * self.pitches).sum(dim=2, keepdim=True)  # (B, S, 1), high voice = 1
        place_mean = self._total(place * clear) / voiced
        place_square = self._total(place * place * clear) / voiced
        parts.append(place_mean)
        parts.append(torch.sqrt(functional.relu(place_square - place_mean**2) + 1e-4))
        # Does the voice end higher or lower than it began; do loud moments come early or late?
        time = torch.cumsum(mask, dim=1) * mask * 0.01  # seconds
        time_mean = self._total(time) / frames
        window = frames * 0.01
        rising = self._total(place * time * clear) - time_mean * self._total(place * clear)
        level = self._total(time * clear) - time_mean * self._total(clear)
        parts.append(4.0 * (rising - place_mean * level) / voiced / window)
        total_loud = self._total(loud)
        late = self._total(time * loud) - time_mean * total_loud
        parts.append(4.0 * late / (total_loud + 1e-3) / window)
        near = torch.exp(-8.0 * (above - self.steps) ** 2) * mask
        parts.append(self._total(near) / frames)
        voice = Voice(place, clarity, loudness, above, loud)
        parts.append(self.together(mel[:, 0], voice, mask))
        return torch.cat(parts, dim=2), loud


class Expert(nn.Module):
    """A small perceptron on the statistics; its last hidden layer is part of the embedding."""

    mean: Tensor
    scale: Tensor

    def __init__(self, width: int = 64, hidden: int = 160, classes: int = 9) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(STATISTICS))
        self.register_buffer("scale", torch.ones(STATISTICS))
        self.first = nn.Linear(STATISTICS, hidden)
        self.second = nn.Linear(hidden, width)
        self.head = nn.Linear(width, classes)

    def standardise(self, statistics: np.ndarray) -> None:
        """Take mean and spread of the training statistics `(clips, STATISTICS)`."""
        self.mean.copy_(torch.from_numpy(statistics.mean(axis=0)))
        self.scale.copy_(torch.from_numpy(1.0 / (statistics.std(axis=0) + 1e-3)))

    def embed(self, statistics: Tensor) -> Tensor:
        """Embedding `(B, width)`."""
        x = ((statistics - self.mean) * self.scale).clamp(-5.0, 5.0)
        x = functional.relu(self.first(functional.dropout(x, 0.3, self.training)))
        x = functional.relu(self.second(functional.dropout(x, 0.5, self.training)))
        return functional.dropout(x, 0.2, self.training)

    def forward(self, statistics: Tensor) -> Tensor:
        """Logits `(B, 9)`."""
        return self.head(self.embed(statistics))
