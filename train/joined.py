"""The shipped model: the networks' and the experts' view of every frame under one head.

A frame's embedding is the networks' own numbers followed by the experts', which judge the two
seconds around the frame. Loud frames weigh more in the experts' part: their numbers are scaled by
weights whose mean over a clip is one. So the plain mean of the frames is a weighted mean of what
the experts said, and with one linear head the mean embedding still gives the mean logits.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from network import (
    BINS,
    HOP,
    LONG_BINS,
    LONG_WINDOW,
    POINTS,
    WINDOW,
    Compact,
    Pictures,
    Spectrum,
    TonePicture,
    around_frames,
    fast_long_spectrum,
    fast_spectrum,
    frame_count,
    short_frame_count,
    short_mask,
)
from overview import TENTH, Expert, Overview

WIDEST = 512  # numbers in an embedding
WINDOW_S = 2.0  # what an expert sees around a frame
QUIET_WEIGHT = 0.2  # of a silent frame, where a loud one has 1.2

Powers = tuple[Tensor, Tensor]
"""Power spectra of short windows each 10 ms, and of long ones each 20 ms."""


def fast_powers(waveform: Tensor) -> Powers:
    """Both by FFT, of waveforms `(B, N)`."""
    return fast_spectrum(waveform), fast_long_spectrum(waveform)


class Joined(nn.Module):
    """Power spectra to frames: networks and experts under one head."""

    def __init__(self, networks: Sequence[Compact], experts: Sequence[Expert]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.pictures, self.tones = Pictures(), TonePicture()  # the same for all of them
        self.overview = Overview(WINDOW_S)
        self.experts = nn.ModuleList(experts)
        self.width = sum(part.head.in_features for part in (*networks, *experts))
        self.narrow: nn.Linear | None = None
        self.head = nn.Linear(self.width, networks[0].shape.classes)

    def weigh(self, of_networks: float, of_experts: float, offset: Tensor) -> None:
        """Set the head: by what the mean logits of either are multiplied, what is added `(9,)`."""
        shares = [of_networks / len(self.networks)] * len(self.networks)
        shares += [of_experts / len(self.experts)] * len(self.experts)
        views = [*self.networks, *self.experts]
        heads = [view.head for view in views if isinstance(view, Compact | Expert)]
        with torch.no_grad():
            parts = list(zip(shares, heads, strict=True))
            self.head.weight.copy_(torch.cat([s * head.weight for s, head in parts], dim=1))
            self.head.bias.copy_(offset + sum(s * head.bias for s, head in parts))

    def narrow_to(self, width: int, embeddings: Tensor) -> None:
        """Make embeddings `width` numbers wide; once, after `weigh`, which it fixes.

        What the head reads is kept whole, so no answer changes; the other numbers are the
        directions in which the given embeddings `(clips, D)` differ most (principal components).
        """
        with torch.no_grad():
            read = torch.linalg.qr(self.head.weight.T.double()).Q  # (D, 9)
            rest = (embeddings - embeddings.mean(dim=0)).double()
            rest = rest - rest @ read @ read.T
            found = torch.linalg.svd(rest, full_matrices=False).Vh[: width - read.shape[1]]
            basis = torch.cat([read, found.T], dim=1)  # (D, width), orthonormal
            head = nn.Linear(width, self.head.out_features)
            head.weight.copy_(self.head.weight.double() @ basis)
            head.bias.copy_(self.head.bias)
            self.narrow = nn.Linear(self.width, width, bias=False)
            self.narrow.weight.copy_(basis.T)
        self.head, self.width = head, width

    def forward(self, powers: Powers, counts10: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Frame logits `(B, T, 9)`, frame embeddings `(B, T, D)`, frame counts `(B,)`."""
        short, long = powers
        mask10, mask20 = short_mask(short, counts10), short_mask(long, frame_count(counts10))
        mel, pitch = self.pictures(short, mask10)
        tones = self.tones(long, mask20)
        looks = [
            network.look(tones, None, mask20, counts10)
            if network.shape.tones
            else network.look(mel, pitch, mask10, counts10)
            for network in self.networks
            if isinstance(network, Compact)
        ]
        _, mask, counts = looks[0]
        statistics, loud = self.overview(mel, pitch, mask10)
        said = [expert.embed(statistics) for expert in self.experts if isinstance(expert, Expert)]
        weight = (loud[:, ::2] + QUIET_WEIGHT) * mask  # (B, T, 1)
        weight = weight * mask.sum(dim=1, keepdim=True) / weight.sum(dim=1, keepdim=True)
        of_experts = _each_frame(torch.cat(said, dim=2), weight.shape[1]) * weight
        embeddings = torch.cat([*(look[0] for look in looks), of_experts], dim=2)
        if self.narrow is not None:
            embeddings = self.narrow(embeddings)
        return self.head(embeddings) * mask, embeddings, counts


def _each_frame(tenths: Tensor, frames: int) -> Tensor:
    """Rows of a tenth of a second `(B, ⌈S / 10⌉, R)` to rows of 20 ms `(B, T, R)`."""
    columns = tenths.transpose(1, 2)
    repeated = functional.interpolate(columns, scale_factor=float(TENTH // 2), mode="nearest")
    return repeated.transpose(1, 2)[:, :frames]


class WholeModel(nn.Module):
    """The file's contract: `waveform (B, N)`, `lengths (B,)` in, frames out."""

    def __init__(self, joined: Joined) -> None:
        super().__init__()
        self.spectrum = Spectrum(WINDOW, HOP, POINTS, BINS)
        self.long_spectrum = Spectrum(LONG_WINDOW, 2 * HOP, LONG_WINDOW, LONG_BINS)
        self.joined = joined

    def forward(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Frame logits `(B, T, 9)`, frame embeddings `(B, T, D)`, frame counts `(B,)`."""
        # A long window reaches past the clip's end: whatever stands there is not the clip's.
        place = torch.arange(waveform.shape[1], device=waveform.device)
        waveform = waveform * (place[None, :] < lengths[:, None]).to(waveform.dtype)
        powers = self.spectrum(waveform), self.long_spectrum(around_frames(waveform))
        return self.joined(powers, short_frame_count(lengths))


def parameter_count(joined: Joined) -> int:
    """Trained numbers, each once: the heads of the parts live on in the joined head."""
    parts = [*joined.networks, *joined.experts]
    last = [joined.head] if joined.narrow is None else [joined.narrow, joined.head]
    total = sum(p.numel() for part in [*parts, *last] for p in part.parameters())
    return total - sum(p.numel() for part in parts for p in part.head.parameters())
