"""The whole compact model: front end, cut encoder, statistics around each frame, linear head.

A frame's embedding is made from the mean and the standard deviation of each layer over the frames
within `around` of it, the layers mixed with learned weights. Logits are linear in the embedding,
and a clip's answer is the mean over its frames, so the mean embedding gives the clip's answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from data import EMOTIONS
from frontend import HOP, WINDOW, LogMel, Spectrum
from whisper_encoder import WIDTH, Encoder, EncoderShape


@dataclass(frozen=True)
class Shape:
    """Sizes of the model."""

    encoder: EncoderShape = field(default_factory=EncoderShape)
    around: int = 50
    """Frames (20 ms) on each side from which a frame's statistics are taken."""
    embedding: int = 512
    dropout: float = 0.4


def short_frames(samples: Tensor) -> Tensor:
    """Rows of 10 ms for clips of so many samples `(B,)`; at least one."""
    return torch.div(samples - WINDOW, HOP, rounding_mode="floor").clamp(min=0) + 1


def valid_rows(rows: int | Tensor, counts: Tensor) -> Tensor:
    """Mask `(B, rows)`: 1 for a clip's own rows."""
    every = torch.arange(rows, device=counts.device)  # type: ignore[arg-type] # takes 0-d tensors
    return (every[None] < counts[:, None]).float()


def window_sums(x: Tensor, around: int) -> Tensor:
    """Sums of `(B, T, C)` over the frames at most `around` away, by one cumulative sum."""
    frames = x.shape[1]
    before = torch.zeros_like(x[:, :1]).repeat(1, around + 1, 1)
    after = torch.zeros_like(x[:, :1]).repeat(1, around, 1)
    total = torch.cumsum(torch.cat([before, x, after], dim=1), dim=1)
    return total[:, 2 * around + 1 :] - total[:, :frames]


class Head(nn.Module):
    """Layer outputs to frame embeddings and logits."""

    layer_mean: Tensor
    statistic_mean: Tensor
    statistic_scale: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        layers = shape.encoder.layers
        self.register_buffer("layer_mean", torch.zeros(layers, WIDTH))
        self.register_buffer("statistic_mean", torch.zeros(layers, 2 * WIDTH))
        self.register_buffer("statistic_scale", torch.ones(layers, 2 * WIDTH))
        self.layer_weights = nn.Parameter(torch.zeros(layers))
        self.hidden = nn.Linear(2 * WIDTH, shape.embedding)
        self.logits = nn.Linear(shape.embedding, len(EMOTIONS))

    def statistics(self, outputs: list[Tensor], valid: Tensor) -> Tensor:
        """Mean and standard deviation around every frame of each layer: `(B, T, L, 1024)`."""
        mask = valid[..., None]
        counts = window_sums(mask, self.shape.around).clamp(min=1.0)
        rows = []
        for number, output in enumerate(outputs):
            own = (output.float() - self.layer_mean[number]) * mask
            mean = window_sums(own, self.shape.around) / counts
            square = window_sums(own * own, self.shape.around) / counts
            spread = torch.sqrt((square - mean * mean).clamp(min=0.0) + 1e-4)
            rows.append(torch.cat([mean + self.layer_mean[number], spread], dim=2))
        return torch.stack(rows, dim=2)

    def embed(self, statistics: Tensor) -> Tensor:
        """Statistics `(..., L, 1024)` to embeddings `(..., D)`."""
        weights = torch.softmax(self.layer_weights, 0)[:, None]
        standard = (statistics - self.statistic_mean) / self.statistic_scale
        return functional.gelu(self.hidden((standard * weights).sum(dim=-2)))


class Model(nn.Module):
    """Everything behind the power spectrum."""

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or Shape()
        self.log_mel = LogMel()
        self.encoder = Encoder(shape.encoder)
        self.head = Head(shape)

    def embeddings(self, outputs: list[Tensor], valid: Tensor) -> Tensor:
        """Layer outputs to frame embeddings `(B, T, D)`, zero past the end.

        `valid` `(B, T)` is 1 for a clip's own frames.
        """
        statistics = self.head.statistics(outputs, valid)
        return self.head.embed(statistics) * valid[..., None]

    def clip_embedding(self, outputs: list[Tensor], valid: Tensor) -> Tensor:
        """Mean embedding over a clip's own frames, `(B, D)`."""
        return self.embeddings(outputs, valid).sum(dim=1) / valid.sum(dim=1, keepdim=True)


class WholeModel(nn.Module):
    """The contract: waveform and lengths to frame logits, frame embeddings and frame counts."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.spectrum = Spectrum()
        self.model = model

    def forward(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`waveform` `(B, N)` float32 at 16 kHz, `lengths` `(B,)` int64."""
        inside = torch.arange(waveform.shape[1])[None] < lengths[:, None]
        power = self.spectrum(waveform * inside.float())
        counts = short_frames(lengths)
        mel_valid = (torch.arange(power.shape[1])[None] < counts[:, None]).float()
        mel = self.model.log_mel(power, mel_valid)
        valid = mel_valid[:, ::2]
        frames = self.model.embeddings(self.model.encoder(mel, mel_valid), valid)
        logits = self.model.head.logits(frames) * valid[..., None]
        return logits, frames, torch.div(counts + 1, 2, rounding_mode="floor")
