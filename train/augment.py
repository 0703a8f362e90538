"""What may happen to a clip before the network sees it in training.

Speed is changed on the waveform, everything else on the power spectrum `(B, S, bins)`, where it
costs almost nothing.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from data import RATE_HZ
from frontend import HOP

POINTS = 400

# Drawing afresh for every batch would cost more than the whole spectrum: read from random places.
_DRAWS = torch.empty(2**23).exponential_(generator=torch.Generator().manual_seed(0))


def draw_speed(slowest: float, fastest: float, random: np.random.Generator) -> float:
    """A factor for `change_speed`, drawn evenly on a logarithmic scale."""
    return math.exp(random.uniform(math.log(slowest), math.log(fastest)))


def change_speed(samples: np.ndarray, factor: float, size: int) -> np.ndarray:
    """Play faster (`factor` > 1) or slower: pitch, formants and tempo move together.

    Returns `(size,)` samples by linear interpolation; zeros follow where the clip has ended.
    """
    places = np.arange(size, dtype=np.float32) * np.float32(factor)
    left = places.astype(np.int32)
    share = places - left
    padded = np.zeros(int(left[-1]) + 2, dtype=np.float32)
    known = min(len(samples), len(padded))
    padded[:known] = samples[:known]
    return padded[left] * (1.0 - share) + padded[left + 1] * share


def non_speech(size: int, random: np.random.Generator) -> np.ndarray:
    """A synthetic clip `(size,)` that is no speech at all: what `unknown` is taught with."""
    time = np.arange(size) / RATE_HZ
    kind = random.integers(7)
    if kind == 0:  # noise of any colour, from brown to blue
        sound = coloured_noise(size, random.uniform(-2.2, 1.0), random)
    elif kind == 1:  # steady tone or sweep
        start, stop = np.exp(random.uniform(math.log(60), math.log(6000), 2))
        hertz = np.full(size, start) if random.random() < 0.5 else np.linspace(start, stop, size)
        sound = np.sin(2 * np.pi * np.cumsum(hertz) / RATE_HZ)
    elif kind == 2:  # chords with decaying notes, a little like music
        sound = np.zeros(size)
        for start in np.arange(0.0, size / RATE_HZ, random.uniform(0.15, 0.8)):
            age = np.clip(time - start, 0.0, None)
            fade = np.where(time >= start, np.exp(-age * random.uniform(1.0, 8.0)), 0.0)
            root = 55.0 * 2.0 ** (random.integers(0, 36) / 12.0)
            for step in (0, random.integers(3, 5), 7, 12):
                sound += fade * np.sin(2 * np.pi * root * 2.0 ** (step / 12.0) * age)
    elif kind == 3:  # clicks and knocks
        sound = np.zeros(size)
        sound[random.integers(0, size, random.integers(1, 40))] = random.uniform(-1, 1)
        kernel = np.exp(-np.arange(400) / random.uniform(2, 100)) * random.standard_normal(400)
        sound = np.convolve(sound, kernel)[:size]
    elif kind == 4:  # mains hum with harmonics
        sound = sum(
            np.sin(2 * np.pi * random.choice([50.0, 60.0]) * n * time) / n**1.2
            for n in range(1, random.integers(2, 20))
        )
    elif kind == 5:  # noise that comes and goes: wind, traffic, rubbing
        slow = np.interp(time, np.linspace(0, time[-1] + 1e-6, 12), random.random(12))
        sound = coloured_noise(size, random.uniform(-2.2, 0.5), random) * slow**2
    else:  # digital silence, or the last bits of a quiet line
        sound = np.round(coloured_noise(size, 0.0, random) * random.choice([0.0, 1.0, 3.0]))
        return (sound / 32768.0).astype(np.float32)
    sound = np.asarray(sound) + 10.0 ** random.uniform(-5, -2) * random.standard_normal(size)
    peak = float(np.abs(sound).max()) + 1e-9
    return (sound / peak * 10.0 ** random.uniform(-2.5, 0.0)).astype(np.float32)


def coloured_noise(size: int, slope: float, random: np.random.Generator) -> np.ndarray:
    """Noise `(size,)` of unit level whose amplitude falls as frequency to the power of `slope`."""
    spectrum = np.fft.rfft(random.standard_normal(size))
    shape = np.maximum(np.arange(len(spectrum)), 1.0) ** slope
    sound = np.fft.irfft(spectrum * shape, n=size)
    return sound / (sound.std() + 1e-12)


def _smooth_gain_db(
    bins_hz: Tensor, batch: int, strength_db: float, random: torch.Generator
) -> Tensor:
    """Random smooth curves `(batch, bins)` in dB: a tilt and two slow waves over a log axis."""
    axis = torch.log1p(bins_hz / 250.0) / math.log1p(RATE_HZ / 2 / 250.0)  # 0..1
    weights = torch.randn(batch, 3, generator=random) * strength_db
    phases = torch.rand(batch, 2, generator=random) * 2 * math.pi
    curve = weights[:, :1] * (axis - 0.5)[None]
    for wave in (1, 2):
        turns = torch.cos(2 * math.pi * wave * axis[None] + phases[:, wave - 1 : wave])
        curve = curve + 0.5 * weights[:, wave : wave + 1] * turns
    return curve


def augment_channel(
    power: Tensor,
    random: torch.Generator,
    strength: float = 1.0,
    *,
    points: int = POINTS,
    hop: int = HOP,
) -> Tensor:
    """Channel augmentation of power spectra `(B, S, bins)`.

    Room, microphone, band limit and noise, each on some clips. `points` is the length of the DFT
    that the power comes from, `hop` the samples between frames.
    """
    batch, frames, bins = power.shape
    bins_hz = torch.arange(bins) * RATE_HZ / points
    tail = 4_800 // hop  # frames in the 0.3 s of a room that are heard

    def some(share: float) -> Tensor:
        return torch.rand(batch, generator=random) < share

    # reverberation: power that decays over the following frames
    rooms = some(0.15)
    if bool(rooms.any()) and frames > tail:
        decay_s = 0.15 + 0.5 * torch.rand(batch, generator=random)
        age_s = torch.arange(tail) * hop / RATE_HZ
        share = 0.3 * hop / HOP
        kernel = share * torch.exp(-13.8 * age_s[None] / decay_s[:, None])  # -60 dB after decay_s
        kernel[:, 0] = 1.0
        chosen = power[rooms].transpose(1, 2)  # (b, bins, S)
        b = chosen.shape[0]
        padded = functional.pad(chosen, (tail - 1, 0)).transpose(0, 1).reshape(bins, b, -1)
        weight = kernel[rooms].flip(1)[:, None, :]
        wet = functional.conv1d(padded, weight, groups=b)  # (bins, b, S)
        power = power.clone()
        power[rooms] = wet.permute(1, 2, 0)

    gain_db = _smooth_gain_db(bins_hz, batch, 3.0 * strength, random) * some(0.7)[:, None]
    limits_hz = 3000.0 + 4500.0 * torch.rand(batch, generator=random)
    beyond = (bins_hz[None] - limits_hz[:, None]).clamp(min=0.0)
    gain_db = gain_db - (0.08 * beyond).clamp(max=60.0) * some(0.25)[:, None]
    power = power * (10.0 ** (gain_db / 10.0))[:, None, :]

    # noise: exponentially distributed power, as the spectrum of Gaussian noise has
    ratio_db = 8.0 + 32.0 * torch.rand(batch, generator=random)
    shape_db = _smooth_gain_db(bins_hz, batch, 10.0 * strength, random) - 20.0 * torch.rand(
        batch, 1, generator=random
    ) * (bins_hz / (RATE_HZ / 2))
    shape = 10.0 ** (shape_db / 10.0)
    shape = shape / shape.mean(dim=1, keepdim=True)
    level = power.mean(dim=(1, 2)) * 10.0 ** (-ratio_db / 10.0) * some(0.5)
    first = int(torch.randint(0, len(_DRAWS) - power.numel(), (), generator=random))
    draws = _DRAWS[first : first + power.numel()].view_as(power)
    return torch.addcmul(power, draws, (shape * level[:, None])[:, None, :])


def spec_augment(mel: Tensor, random: np.random.Generator, longest: int = 30) -> Tensor:
    """SpecAugment on pictures `(B, S, M)`: up to two stripes each of time and band, set to zero.

    Stripes of time are shorter than `longest` frames of 10 ms.
    """
    batch, frames, bands = mel.shape
    keep = torch.ones(batch, frames, bands)
    for clip in range(batch):
        for _ in range(2):
            size = int(random.integers(0, 10))
            first = int(random.integers(0, bands - size))
            keep[clip, :, first : first + size] = 0.0
            size = int(random.integers(0, max(1, min(longest, frames // 6))))
            first = int(random.integers(0, frames - size))
            keep[clip, first : first + size] = 0.0
    return mel * keep
