"""Whisper's log-mel picture of a waveform, with a bounded look around and without the level.

Frame m covers samples 160 m to 160 m + 400; Whisper centres its windows, ours begin there, so that
frame k of the encoder is centred on samples 320 k to 320 k + 400, as the frames of every model are.
Whisper's floor (80 dB below the loudest band of the recording) is here measured against the loudest
band within `REACH` frames, and that loudest band is always brought to the same height: how loud a
microphone was set does not enter, and nothing further away than that changes a frame.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

RATE_HZ = 16_000
WINDOW = 400
HOP = 160
BINS = 201
MELS = 80
REACH = 100
"""Frames (10 ms) on each side among which the loudest is looked for."""
UNHEARD = 2
"""So many of the highest bands (7.2 to 8 kHz) repeat the one below: what is there is decided by
resampling and codecs, and moved scores by 0.03 between two lossless formats."""
TOP = 1.5
"""Where the loudest band is put, in Whisper's units (40 dB each)."""


def frame_count(samples: int) -> int:
    """Rows of 20 ms for a clip of so many samples at 16 kHz."""
    return (samples - WINDOW) // (2 * HOP) + 1


def mel_matrix() -> np.ndarray:
    """Slaney mel filters `(201, 80)`, 0 to 8 kHz, each of unit area, as Whisper uses."""

    def to_hz(mel: np.ndarray) -> np.ndarray:
        linear = mel * 200.0 / 3.0
        logarithmic = 1000.0 * np.exp(np.log(6.4) / 27.0 * (mel - 15.0))
        return np.where(mel >= 15.0, logarithmic, linear)

    top_mel = 15.0 + 27.0 * np.log(8000.0 / 1000.0) / np.log(6.4)
    edges_hz = to_hz(np.linspace(0.0, top_mel, MELS + 2))
    bins_hz = np.arange(BINS) * RATE_HZ / WINDOW
    rise = (bins_hz[:, None] - edges_hz[None, :-2]) / np.diff(edges_hz)[None, :-1]
    fall = (edges_hz[None, 2:] - bins_hz[:, None]) / np.diff(edges_hz)[None, 1:]
    filters = np.clip(np.minimum(rise, fall), 0.0, None)
    filters *= 2.0 / (edges_hz[2:] - edges_hz[:-2])[None]
    return filters.astype(np.float32)


def fast_power(waveform: Tensor) -> Tensor:
    """Power spectrum `(B, S, 201)` of `(B, N)` by FFT, for training."""
    window = torch.hann_window(WINDOW, periodic=True)
    frames = waveform.unfold(1, WINDOW, HOP) * window
    spectrum = torch.fft.rfft(frames)
    return spectrum.real**2 + spectrum.imag**2


class Spectrum(nn.Module):
    """Power spectrum by two matrix products, for the exported graph.

    Power does not depend on where time is counted from. Counted from the middle of the window,
    cosines are even and sines odd, so each product sees half the samples.
    """

    cosines: Tensor
    sines: Tensor

    def __init__(self) -> None:
        super().__init__()
        reach = np.arange(WINDOW // 2)  # samples from the middle; the outermost weighs nothing
        weight = np.hanning(WINDOW + 1)[WINDOW // 2 : -1]
        angle = 2.0 * np.pi * reach[:, None] * np.arange(BINS)[None, :] / WINDOW
        cosines = np.cos(angle) * weight[:, None]
        cosines[0] /= 2.0  # the middle is its own mirror image
        sines = np.sin(angle) * weight[:, None]
        self.register_buffer("cosines", torch.from_numpy(cosines.astype(np.float32)), False)
        self.register_buffer("sines", torch.from_numpy(sines.astype(np.float32)), False)

    def forward(self, waveform: Tensor) -> Tensor:
        """`(B, N)` to `(B, S, 201)`."""
        block = 80
        whole = waveform.shape[1] // block
        blocks = waveform[:, : whole * block].reshape(waveform.shape[0], -1, block)
        step, width = HOP // block, WINDOW // block
        last = (whole - width) // step * step
        pieces = [blocks[:, first : first + last + 1 : step] for first in range(width)]
        frames = torch.cat(pieces, dim=2)  # (B, S, WINDOW)
        middle = WINDOW // 2
        after = frames[:, :, middle:]
        before = frames[:, :, 1 : middle + 1].flip(2)
        return ((after + before) @ self.cosines) ** 2 + ((after - before) @ self.sines) ** 2


class LogMel(nn.Module):
    """Power spectrum to Whisper's picture."""

    mel: Tensor

    def __init__(self) -> None:
        super().__init__()
        filters = mel_matrix()
        filters[:, MELS - UNHEARD :] = filters[:, MELS - UNHEARD - 1 : MELS - UNHEARD]
        self.register_buffer("mel", torch.from_numpy(filters), persistent=False)

    def forward(self, power: Tensor, valid: Tensor) -> Tensor:
        """`power` `(B, S, 201)`, `valid` `(B, S)`; returns `(B, S, 80)`, zero past the end."""
        logs = torch.log10((power @ self.mel).clamp(min=1e-10))
        loudest = logs.amax(dim=2) * valid - 20.0 * (1.0 - valid)  # (B, S)
        around = functional.max_pool1d(loudest[:, None], 2 * REACH + 1, 1, REACH)[:, 0, :, None]
        relative = torch.maximum(logs - around, torch.full_like(logs, -8.0))
        return (relative / 4.0 + TOP) * valid[:, :, None]
