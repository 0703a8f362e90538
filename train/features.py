"""Cached statistics of the frozen encoder around every half second, to train the head alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import augment
from data import Clip, Sound
from frontend import WINDOW, fast_power
from model import Model, short_frames, valid_rows
from whisper_encoder import WIDTH

EVERY = 25
"""Frames (20 ms) from one cached row to the next."""
GRID = 6_400
"""Lengths of batches are multiples of this many samples: every new one costs a fresh set-up."""


@dataclass(frozen=True)
class Alterations:
    """How strangely a clip is made to sound."""

    slowest: float = 1.0
    fastest: float = 1.0
    """Speeds, drawn evenly on a logarithmic scale; pitch and formants move along."""
    channel: float = 0.0
    """Strength of the channel augmentation (equaliser, noise); 0 leaves the spectrum alone."""
    offset: int = 0
    """Positions of the encoder that a clip may begin at, drawn evenly below this."""


def padded_batch(waveforms: Sequence[np.ndarray], rows: int) -> tuple[Tensor, Tensor]:
    """Waveforms as `(rows, N)` with zeros behind them, and their lengths `(rows,)`.

    Rows that are not filled count as 400 samples of silence.
    """
    longest = max(len(waveform) for waveform in waveforms)
    batch = torch.zeros(rows, -(-longest // GRID) * GRID)
    lengths = torch.full((rows,), WINDOW)
    for row, waveform in enumerate(waveforms):
        batch[row, : len(waveform)] = torch.from_numpy(waveform)
        lengths[row] = len(waveform)
    return batch, lengths


def pictures(
    model: Model,
    waveform: Tensor,
    lengths: Tensor,
    channel: float = 0.0,
    random: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Log-mel pictures `(B, S, 80)` and their mask `(B, S)`.

    `channel` is the strength of the channel augmentation; 0 for none.
    """
    power = fast_power(waveform)
    valid = valid_rows(power.shape[1], short_frames(lengths))
    if random is not None and channel > 0:
        power = augment.augment_channel(power, random, channel)
    return model.log_mel(power, valid), valid


def altered(clip: Clip, sound: Sound, how: Alterations, random: np.random.Generator) -> np.ndarray:
    """The clip's waveform at another speed."""
    samples = sound.samples(clip)
    if how.fastest <= how.slowest:
        return samples
    factor = augment.draw_speed(how.slowest, how.fastest, random)
    return augment.change_speed(samples, factor, max(WINDOW, int(len(samples) / factor)))


def clip_statistics(
    model: Model, waveforms: Sequence[np.ndarray], how: Alterations, seed: int, batch: int = 16
) -> Iterator[tuple[int, np.ndarray]]:
    """Statistics `(rows, L, 1024)` float16 of every waveform, with its place, in order of length.

    Rows are those of frames 0, `EVERY`, 2 · `EVERY` …, as `model.Head.statistics` has them.
    """
    random, torch_random = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    order = np.argsort([len(waveform) for waveform in waveforms], kind="stable")
    with torch.inference_mode():
        for first in range(0, len(order), batch):
            places = order[first : first + batch]
            waveform, lengths = padded_batch([waveforms[place] for place in places], batch)
            mel, valid = pictures(model, waveform, lengths, how.channel, torch_random)
            offset = int(random.integers(0, how.offset + 1))
            with torch.autocast("cpu", torch.bfloat16):
                outputs = model.encoder(mel, valid, offset)
            rows = _sparse_statistics(outputs, valid[:, ::2], model.head.shape.around)
            counts = valid[:, ::2].sum(dim=1).long()
            for row, place in enumerate(places):
                own = (int(counts[row]) + EVERY - 1) // EVERY
                yield int(place), rows[row, :own].half().numpy()


def _sparse_statistics(outputs: list[Tensor], valid: Tensor, around: int) -> Tensor:
    """`Head.statistics` at every `EVERY`-th frame only."""
    batch, frames = valid.shape
    own = (torch.stack(outputs, 1).float() * valid[:, None, :, None]).transpose(2, 3)
    flat = own.reshape(-1, WIDTH, frames)

    def pool(x: Tensor) -> Tensor:
        return torch.nn.functional.avg_pool1d(x, 2 * around + 1, EVERY, around)

    share = pool(valid[:, None]).clamp(min=1e-3)[:, None]  # (B, 1, 1, rows)
    shape = (batch, len(outputs), WIDTH, -1)
    mean = pool(flat).reshape(shape) / share
    spread = pool(flat * flat).reshape(shape) / share - mean * mean
    joined = torch.cat([mean, torch.sqrt(spread.clamp(min=0.0) + 1e-4)], dim=2)
    return joined.permute(0, 3, 1, 2)


@dataclass(frozen=True)
class Cached:
    """Rows of many clips in one array."""

    rows: np.ndarray
    """`(all rows, L, 1024)` float16."""
    starts: np.ndarray
    """`(clips + 1,)`: where each clip's rows begin."""

    def batch(
        self,
        places: Sequence[int] | np.ndarray,
        most: np.ndarray | None = None,
        random: np.random.Generator | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Rows `(B, R, L, 1024)` of some clips, zero past each one's own, and counts `(B,)`.

        Args:
            places: of the clips.
            most: rows of each clip at most, `(B,)`; a random choice of them is taken.
            random: what chooses.
        """
        chosen = []
        for at, place in enumerate(places):
            own = np.arange(self.starts[place], self.starts[place + 1])
            if most is not None and random is not None and len(own) > most[at]:
                own = random.choice(own, most[at], replace=False)
            chosen.append(own)
        counts = torch.tensor([len(own) for own in chosen])
        rows = torch.zeros(len(chosen), int(counts.max()), *self.rows.shape[1:])
        for row, own in enumerate(chosen):
            rows[row, : len(own)] = torch.from_numpy(self.rows[own]).float()
        return rows, counts


def write(path: Path, rows_by_place: Iterable[tuple[int, np.ndarray]]) -> None:
    """Keep the rows of all clips, by their places, in one file, whole or not at all."""
    found = dict(rows_by_place)
    pieces = [found[place] for place in range(len(found))]
    temporary = path.with_name(f".{path.stem}.tmp.npz")
    starts = np.cumsum([0, *[len(piece) for piece in pieces]])
    np.savez(temporary, rows=np.concatenate(pieces), starts=starts)
    temporary.replace(path)


def read(path: Path) -> Cached:
    """What `write` kept."""
    with np.load(path) as file:
        return Cached(file["rows"], file["starts"])
