"""The shipped model: the views that several networks have of every frame, under one head.

A frame's embedding is the numbers of all networks, one after another. The head is the mean of their
heads, and linear like them, so the mean embedding of a clip still gives its mean logits.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from network import Compact, Pictures, Spectrum, short_frame_count, short_mask


class Joined(nn.Module):
    """Power spectrum to frames."""

    def __init__(self, networks: Sequence[Compact]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.pictures = Pictures()  # the same for all of them
        self.width = sum(network.head.in_features for network in networks)
        self.head = nn.Linear(self.width, networks[0].shape.classes)
        self.weigh(1.0, torch.zeros(networks[0].shape.classes))

    def weigh(self, factor: float, offset: Tensor) -> None:
        """Set the head: by what the mean logits are multiplied, and what is added `(9,)`."""
        share = factor / len(self.networks)
        heads = [network.head for network in self.networks if isinstance(network, Compact)]
        with torch.no_grad():
            self.head.weight.copy_(share * torch.cat([head.weight for head in heads], dim=1))
            self.head.bias.copy_(offset + share * sum(head.bias for head in heads))

    def forward(self, power: Tensor, counts10: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Frame logits `(B, T, 9)`, frame embeddings `(B, T, D)`, frame counts `(B,)`."""
        mask10 = short_mask(power, counts10)
        mel, pitch = self.pictures(power, mask10)
        looks = [
            network.look(mel, pitch, mask10, counts10)
            for network in self.networks
            if isinstance(network, Compact)
        ]
        embeddings = torch.cat([look[0] for look in looks], dim=2)
        _, mask, counts = looks[0]
        return self.head(embeddings) * mask, embeddings, counts


class WholeModel(nn.Module):
    """The file's contract: `waveform (B, N)`, `lengths (B,)` in, frames out."""

    def __init__(self, joined: Joined) -> None:
        super().__init__()
        self.spectrum = Spectrum()
        self.joined = joined

    def forward(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Frame logits `(B, T, 9)`, frame embeddings `(B, T, D)`, frame counts `(B,)`."""
        return self.joined(self.spectrum(waveform), short_frame_count(lengths))


def parameter_count(joined: Joined) -> int:
    """Trained numbers, each once: the networks' heads live on in the joined head."""
    inside = sum(p.numel() for network in joined.networks for p in network.parameters())
    heads = sum(p.numel() for network in joined.networks for p in network.head.parameters())
    return inside - heads + sum(p.numel() for p in joined.head.parameters())
