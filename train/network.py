"""The compact network: waveform in, frame logits and frame embeddings out.

Shapes: B clips, N samples, S short frames (10 ms hop), T frames (20 ms hop), M mel bands,
D numbers in an embedding. Every step that mixes neighbouring frames is followed by the mask, so a
clip answers the same alone or inside any zero-padded batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

RATE_HZ = 16_000
WINDOW = 400  # samples, 25 ms
HOP = 160  # samples, 10 ms
POINTS = 512  # DFT length; the window is zero-padded to it
BINS = POINTS // 2 + 1
MELS = 64
LAGS = 48  # rows of the pitch picture, 0.7 semitones apart; see `pitch_matrix`

LONG_WINDOW = 1024  # samples, 64 ms: long enough to tell the harmonics of a voice apart
LONG_BINS = 456  # of the DFT of the same length: up to 7.1 kHz
TONES = 104  # bands of the tone picture; see `tone_matrix`

LEVEL_FLOOR = 1e-9  # mean power per DFT bin below which a clip counts as digital silence
RANGE_FLOOR = 1e-5  # 50 dB below the clip's own level: quieter detail is noise floor or codec

Hide = Callable[[Tensor], Tensor]  # what training may cover on the mel picture


@dataclass(frozen=True)
class Shape:
    """Sizes of the network."""

    channels: tuple[int, int, int] = (16, 24, 32)  # of the pictures with 32, 16 and 8 rows
    width: int = 160  # D, also the width of the 1-D blocks
    dilations: tuple[int, ...] = (1, 2, 4)
    pitch_width: int = 48  # columns made from the pitch picture; 0 leaves it out
    context: bool = True  # squeeze-excite from the clip's masked mean and spread
    overview: int = 128  # numbers that describe the clip as a whole; 0 leaves them out
    tones: bool = False  # look at the tone picture instead of the mel and the pitch picture
    dropout: float = 0.2
    classes: int = 9


def short_frame_count(samples: Tensor) -> Tensor:
    """Whole 25 ms windows at a 10 ms hop in so many samples."""
    return torch.div(samples - WINDOW, HOP, rounding_mode="trunc") + 1


def frame_count(counts10: Tensor) -> Tensor:
    """Frames of 20 ms in so many short frames."""
    return torch.div(counts10 - 1, 2, rounding_mode="trunc") + 1


def short_mask(power: Tensor, counts10: Tensor) -> Tensor:
    """Ones `(B, S, 1)` on a clip's own short frames, zeros on padding."""
    short = torch.arange(power.shape[1], device=power.device)
    return (short[None, :] < counts10[:, None]).to(power.dtype)[:, :, None]


def mel_matrix() -> np.ndarray:
    """Triangular mel filters `(BINS, M)`, each summing to one: a band is a mean power."""

    def to_mel(hz: float) -> float:
        return 2595.0 * math.log10(1.0 + hz / 700.0)

    edges_mel = np.linspace(to_mel(60.0), to_mel(7600.0), MELS + 2)
    edges_hz = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)
    bins_hz = np.arange(BINS) * RATE_HZ / POINTS
    matrix = np.zeros((BINS, MELS))
    for band in range(MELS):
        low, middle, high = edges_hz[band : band + 3]
        # The lowest triangles are narrower than a DFT bin: widen them so that none is empty.
        low, high = min(low, middle - 31.25), max(high, middle + 31.25)
        rise, fall = (bins_hz - low) / (middle - low), (high - bins_hz) / (high - middle)
        matrix[:, band] = np.clip(np.minimum(rise, fall), 0.0, None)
    return (matrix / matrix.sum(axis=0)).astype(np.float32)


def pitch_matrix() -> np.ndarray:
    """Cosines `(BINS, 1 + LAGS)` that turn a compressed power spectrum into autocorrelation.

    Column 0 is lag 0; the others are lags of 500 Hz down to 70 Hz at equal steps of pitch, so a
    change of voice is a shift and a rise of pitch is a slope. Only 0-4 kHz take part.
    """
    bins_hz = np.arange(BINS) * RATE_HZ / POINTS
    weight = np.where((bins_hz >= 50.0) & (bins_hz <= 4000.0), 1.0, 0.0)
    pitches_hz = np.geomspace(500.0, 70.0, LAGS)
    lags_s = np.concatenate([[0.0], 1.0 / pitches_hz])
    matrix = weight[:, None] * np.cos(2.0 * np.pi * bins_hz[:, None] * lags_s[None, :])
    # A 25 ms Hann window makes the autocorrelation fade with the lag: undo it up to 3.5 times.
    window = np.hanning(WINDOW + 1)[:-1]
    fade = np.correlate(window, window, "full")[WINDOW - 1 :]
    fade = np.interp(lags_s * RATE_HZ, np.arange(WINDOW), fade / fade[0])
    matrix /= np.maximum(fade, 0.28)[None, :]
    return (matrix / weight.sum()).astype(np.float32)


class Spectrum(nn.Module):
    """Waveform `(B, N)` to power spectrum `(B, S, bins)`: a windowed DFT by two matrix products.

    Power does not depend on where time is counted from. Counted from the middle of the window,
    cosines are even and sines odd, so each product sees half the samples.
    """

    cosines: Tensor
    sines: Tensor

    def __init__(self, window: int, hop: int, points: int, bins: int) -> None:
        super().__init__()
        self.window, self.hop = window, hop
        self.block = math.gcd(window, hop)
        reach = np.arange(window // 2)  # samples from the middle; the outermost weighs nothing
        weight = np.hanning(window + 1)[window // 2 : -1]
        angle = 2.0 * np.pi * reach[:, None] * np.arange(bins)[None, :] / points
        cosines = np.cos(angle) * weight[:, None]
        cosines[0] /= 2.0  # the middle is its own mirror image
        sines = np.sin(angle) * weight[:, None]
        self.register_buffer("cosines", torch.from_numpy(cosines.astype(np.float32)), False)
        self.register_buffer("sines", torch.from_numpy(sines.astype(np.float32)), False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Power of every bin, unscaled."""
        frames = self.frames(waveform)
        middle = self.window // 2
        after = frames[:, :, middle:]
        before = frames[:, :, 1 : middle + 1].flip(2)
        return ((after + before) @ self.cosines) ** 2 + ((after - before) @ self.sines) ** 2

    def frames(self, waveform: Tensor) -> Tensor:
        """Overlapping windows `(B, S, window)`, put together from blocks that do not overlap."""
        whole = waveform.shape[1] // self.block
        blocks = waveform[:, : whole * self.block].reshape(waveform.shape[0], -1, self.block)
        step, width = self.hop // self.block, self.window // self.block
        last = (whole - width) // step * step
        pieces = [blocks[:, first : first + last + 1 : step] for first in range(width)]
        return torch.cat(pieces, dim=2)


def fast_spectrum(waveform: Tensor) -> Tensor:
    """Power `(B, S, BINS)` by FFT: for training, where no graph has to be exported."""
    window = torch.hann_window(WINDOW, periodic=True)
    frames = waveform.unfold(1, WINDOW, HOP) * window  # (B, S, WINDOW)
    return torch.fft.rfft(frames, n=POINTS).abs() ** 2


class Pictures(nn.Module):
    """Power spectrum to the two pictures the network looks at.

    `mel` `(B, 2, S, M)`: see `relative_to_clip`.
    `pitch` `(B, S, LAGS)`: normalised autocorrelation of the compressed spectrum.
    """

    mel: Tensor
    cosines: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mel", torch.from_numpy(mel_matrix()), persistent=False)
        self.register_buffer("cosines", torch.from_numpy(pitch_matrix()), persistent=False)

    def forward(self, power: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """`power` `(B, S, BINS)`, `mask` `(B, S, 1)` of zeros and ones."""
        mel, level = relative_to_clip((power @ self.mel) * mask, mask)
        compressed = (power / (level + LEVEL_FLOOR) + RANGE_FLOOR) ** 0.3
        correlation = compressed @ self.cosines  # (B, S, 1 + LAGS)
        pitch = correlation[..., 1:] / correlation[..., :1]
        return mel * mask[:, None], pitch * mask


def tone_matrix() -> np.ndarray:
    """Triangular filters `(LONG_BINS, TONES)` from 60 Hz to 7 kHz, each summing to one.

    Equal steps of log(1 + f / 200 Hz): 9 Hz wide below, where harmonics lie, 230 Hz above.
    """
    edges_hz = 200.0 * np.expm1(np.linspace(math.log1p(0.3), math.log1p(35.0), TONES + 2))
    bins_hz = np.arange(LONG_BINS) * RATE_HZ / LONG_WINDOW
    matrix = np.zeros((LONG_BINS, TONES))
    for band in range(TONES):
        low, middle, high = edges_hz[band : band + 3]
        low, high = min(low, middle - 15.7), max(high, middle + 15.7)  # no filter between two bins
        rise, fall = (bins_hz - low) / (middle - low), (high - bins_hz) / (high - middle)
        matrix[:, band] = np.clip(np.minimum(rise, fall), 0.0, None)
    return (matrix / matrix.sum(axis=0)).astype(np.float32)


def around_frames(waveform: Tensor) -> Tensor:
    """Room for long windows around the middle of every frame: zeros before and behind.

    They stand behind a clip in a padded batch, too.
    """
    beside = (LONG_WINDOW - WINDOW) // 2
    return functional.pad(waveform, (beside, beside))


def fast_long_spectrum(waveform: Tensor) -> Tensor:
    """Power `(B, T, LONG_BINS)` of 64 ms around every frame, by FFT."""
    window = torch.hann_window(LONG_WINDOW, periodic=True)
    frames = around_frames(waveform).unfold(1, LONG_WINDOW, 2 * HOP) * window  # (B, T, LONG_WINDOW)
    return torch.fft.rfft(frames).abs()[..., :LONG_BINS] ** 2


class TonePicture(nn.Module):
    """Long power spectrum to `(B, 2, T, TONES)`: as the mel picture, but fine enough for tones."""

    tone: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("tone", torch.from_numpy(tone_matrix()), persistent=False)

    def forward(self, power: Tensor, mask: Tensor) -> Tensor:
        """`power` `(B, T, LONG_BINS)`, `mask` `(B, T, 1)` of zeros and ones."""
        return relative_to_clip((power @ self.tone) * mask, mask)[0] * mask[:, None]


def relative_to_clip(bands: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Masked band powers `(B, S, M)` to two logarithms `(B, 2, S, M)`, and the level `(B, 1, 1)`.

    One is relative to the clip's own level, one to its own mean in each band. The absolute level
    never enters: it says how a microphone was set.
    """
    own_frames = mask.sum(dim=1, keepdim=True)  # (B, 1, 1)
    band_means = bands.sum(dim=1, keepdim=True) / own_frames  # (B, 1, M)
    level = band_means.mean(dim=2, keepdim=True)  # (B, 1, 1), linear: loud frames decide
    bands = bands / (level + LEVEL_FLOOR)
    band_means = band_means / (level + LEVEL_FLOOR)
    absolute = torch.log(bands + RANGE_FLOOR)
    relative = absolute - torch.log(band_means + RANGE_FLOOR)
    return torch.stack([(absolute + 5.0) / 4.0, (relative + 3.0) / 3.0], dim=1), level


def mean_and_spread(x: Tensor, mask: Tensor, own_frames: Tensor) -> Tensor:
    """Mean and standard deviation `(B, 2·C)` over a clip's own frames of masked `x` `(B, C, T)`."""
    mean = x.sum(dim=2) / own_frames
    deviation = (x - mean[:, :, None]) * mask
    spread = torch.sqrt((deviation * deviation).sum(dim=2) / own_frames + 1e-4)
    return torch.cat([mean, spread], dim=1)


class Picture(nn.Module):
    """3×3 (or 5×5) convolution over time and bands, norm, ReLU, mask; a residual where it fits."""

    def __init__(self, c_in: int, c_out: int, size: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, size, stride, size // 2, bias=False)
        self.norm = nn.BatchNorm2d(c_out)
        self.residual = c_in == c_out and stride == (1, 1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """`x` `(B, C, T, rows)`, `mask` `(B, 1, T, 1)` at the output's frame rate."""
        y = self.norm(self.conv(x))
        y = functional.relu(x + y if self.residual else y)
        return y if self.training else y * mask  # training batches are cropped, never padded


class Block(nn.Module):
    """Residual 1-D block: dilated convolution, squeeze-excite from the clip's mean, projection."""

    def __init__(self, width: int, dilation: int, *, context: bool, dropout: float) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.drop = nn.Dropout1d(dropout)  # whole channels of a clip
        self.context = context
        if context:
            self.squeeze = nn.Linear(2 * width, width // 8)
            self.excite = nn.Linear(width // 8, width)

    def forward(self, x: Tensor, mask: Tensor, own_frames: Tensor) -> Tensor:
        """`x` `(B, D, T)`, `mask` `(B, 1, T)`, `own_frames` `(B, 1)`."""
        y = functional.relu(self.norm(self.conv(x)))
        if not self.training:
            y = y * mask
        if self.context:
            squeezed = functional.relu(self.squeeze(mean_and_spread(y, mask, own_frames)))
            gate = torch.sigmoid(self.excite(squeezed))
            y = y * gate[:, :, None]
        return x + self.drop(y)


class Compact(nn.Module):
    """The whole network behind the front end's power spectrum."""

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or Shape()
        c1, c2, c3 = shape.channels
        self.step = 1 if shape.tones else 2  # frames of the picture in 20 ms
        rows = TONES if shape.tones else MELS
        self.pictures = TonePicture() if shape.tones else Pictures()
        self.stem = Picture(2, c1, 5, (self.step, 2))  # half the rows, a frame each 20 ms
        self.stages = nn.ModuleList(
            [
                Picture(c1, c2, 3, (1, 2)),  # a quarter of the rows
                Picture(c2, c2, 3, (1, 1)),
                Picture(c2, c3, 3, (1, 2)),  # an eighth
                Picture(c3, c3, 3, (1, 1)),
            ]
        )
        columns = c3 * rows // 8
        self.has_pitch = bool(shape.pitch_width) and not shape.tones
        if self.has_pitch:
            self.pitch_conv = nn.Conv1d(LAGS, shape.pitch_width, 5, 2, 2, bias=False)
            self.pitch_norm = nn.BatchNorm1d(shape.pitch_width)
            columns += shape.pitch_width
        self.flat = nn.Conv1d(columns, shape.width, 1, bias=False)
        self.flat_norm = nn.BatchNorm1d(shape.width)
        if shape.overview:
            statistics = 2 * (2 * rows + (0 if shape.tones else LAGS))
            self.overview_norm = nn.BatchNorm1d(statistics)
            self.overview_in = nn.Linear(statistics, shape.overview)
            self.overview_out = nn.Linear(shape.overview, shape.width)
        self.blocks = nn.ModuleList(
            Block(shape.width, dilation, context=shape.context, dropout=shape.dropout)
            for dilation in shape.dilations
        )
        self.last = nn.Conv1d(shape.width, shape.width, 1, bias=False)
        self.last_norm = nn.BatchNorm1d(shape.width)
        self.head = nn.Linear(shape.width, shape.classes)

    @property
    def grid(self) -> dict[str, int]:
        """Of the power spectrum: points of its DFT and samples between frames."""
        points = LONG_WINDOW if self.shape.tones else POINTS
        return {"points": points, "hop": 2 * HOP // self.step}

    def listen(self, waveform: Tensor) -> Tensor:
        """Power spectrum of equally long or padded waveforms `(B, N)`, as the network wants it."""
        return fast_long_spectrum(waveform) if self.shape.tones else fast_spectrum(waveform)

    def embed(
        self, power: Tensor, counts10: Tensor, hide: Hide | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Frame embeddings `(B, T, D)`, their mask `(B, T, 1)` and counts `(B,)`.

        `counts10` are short frames of each clip, also where the power has a row each 20 ms.
        """
        pitch: Tensor | None = None
        with torch.autocast("cpu", enabled=False):  # logarithms want all their digits
            if self.shape.tones:
                seen = short_mask(power, frame_count(counts10))
                mel = self.pictures(power, seen)
            else:
                seen = short_mask(power, counts10)
                mel, pitch = self.pictures(power, seen)
        if hide is not None:
            mel = hide(mel)
        return self.look(mel, pitch, seen, counts10)

    def look(
        self, mel: Tensor, pitch: Tensor | None, seen: Tensor, counts10: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The same from one picture or two and their mask, which several networks can share."""
        mask = seen[:, :: self.step, 0][:, None, :]  # (B, 1, T)
        counts = frame_count(counts10)
        own_frames = counts.to(mel.dtype)[:, None]  # (B, 1)
        x = self.stem(mel, mask[..., None])
        for stage in self.stages:
            x = stage(x, mask[..., None])
        x = x.transpose(2, 3).flatten(1, 2)  # (B, C·rows, T)
        if pitch is not None and self.has_pitch:
            p = functional.relu(self.pitch_norm(self.pitch_conv(pitch.transpose(1, 2))))
            x = torch.cat([x, p], dim=1)
        x = functional.relu(self.flat_norm(self.flat(x))) * mask
        for block in self.blocks:
            x = block(x, mask, own_frames)
        if self.shape.overview:
            rows = mel.transpose(2, 3).flatten(1, 2)
            if pitch is not None:
                rows = torch.cat([rows, pitch.transpose(1, 2)], dim=1)
            frames = (counts if self.shape.tones else counts10).to(mel.dtype)[:, None]
            clip = self.overview_norm(mean_and_spread(rows, seen.transpose(1, 2), frames))
            clip = functional.dropout(
                functional.relu(self.overview_in(clip)), self.shape.dropout, self.training
            )
            x = x + self.overview_out(clip)[:, :, None]  # `last` masks again
        x = functional.relu(self.last_norm(self.last(x))) * mask
        return x.transpose(1, 2), mask.transpose(1, 2), counts

    def forward(self, power: Tensor, counts10: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Frame logits `(B, T, 9)`, frame embeddings `(B, T, D)`, frame counts `(B,)`."""
        embeddings, mask, counts = self.embed(power, counts10)
        return self.head(embeddings) * mask, embeddings, counts

    def utterance_logits(self, power: Tensor, counts10: Tensor, hide: Hide | None = None) -> Tensor:
        """Mean of the frame logits `(B, 9)`; the head is linear, so the mean embedding serves."""
        embeddings, _, counts = self.embed(power, counts10, hide)
        mean = embeddings.sum(dim=1) / counts.to(power.dtype)[:, None]
        return self.head(functional.dropout(mean, self.shape.dropout, self.training))
