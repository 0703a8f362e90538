"""Train the head on cached statistics of the frozen encoder: minutes instead of hours."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from data import UNKNOWN, Clip
from features import Cached
from model import Head, Shape
from sampling import draw_weights, lessons


@dataclass(frozen=True)
class HeadPlan:
    """How the head is trained."""

    steps: int = 1500
    batch: int = 64
    rows: int = 3
    """Rows, each of two seconds, that are heard of a clip at most in one draw."""
    peak_rate: float = 1.5e-3
    weight_decay: float = 0.05
    smoothing: float = 0.1
    absent_weight: float = 0.1
    """Share with which a class that a corpus does not annotate counts as wrong for its clips."""
    short_cuts: float = 0.3
    """Share of the draws of which only one row, two seconds, is heard."""
    average: float = 0.995
    unknown_offset: float = 0.0
    """Added to the logit of `unknown` when the head is trained: speech unlike all that was heard
    drifts there, while non-speech keeps it by far."""
    seed: int = 1


def rate_share(progress: float) -> float:
    """Learning rate relative to its peak: a short rise, then half a cosine down to nothing."""
    if progress < 0.06:
        return 0.05 + 0.95 * progress / 0.06
    return 0.5 * (1.0 + math.cos(math.pi * (progress - 0.06) / 0.94))


def standardise(head: Head, cached: Cached, places: np.ndarray) -> None:
    """Take the means and scales of the statistics from some clips' rows."""
    chosen = np.concatenate(
        [cached.rows[cached.starts[place] : cached.starts[place + 1]] for place in places[::3]]
    ).astype(np.float32)
    head.statistic_mean.copy_(torch.from_numpy(chosen.mean(axis=0)))
    head.statistic_scale.copy_(torch.from_numpy(chosen.std(axis=0) + 1e-3))
    width = head.layer_mean.shape[1]
    head.layer_mean.copy_(head.statistic_mean[:, :width])


def clip_logits(head: Head, rows: Tensor, counts: Tensor, *, dropout: float = 0.0) -> Tensor:
    """Mean logits `(B, 9)` of rows `(B, R, L, 1024)`, of which a clip has `counts` `(B,)`."""
    mask = (torch.arange(rows.shape[1])[None] < counts[:, None]).float()[..., None]
    mean = (head.embed(rows) * mask).sum(dim=1) / counts[:, None]
    return head.logits(functional.dropout(mean, dropout, dropout > 0))


def fit_head(
    clips: Sequence[Clip],
    cached: Sequence[Cached],
    shape: Shape,
    plan: HeadPlan,
    shares: Mapping[str, float],
) -> Head:
    """Train a head on the train clips.

    Args:
        clips: of the corpora in `shares`; their order is that of every cache.
        cached: statistics of the unaltered clips, then of altered variants.
        shape: of the model.
        plan: how.
        shares: how often each corpus is drawn; corpora that are missing are not heard.
    """
    torch.manual_seed(plan.seed)
    random = np.random.default_rng(plan.seed)
    heard = np.array([place for place, clip in enumerate(clips) if clip.corpus in shares])
    chances = draw_weights([clips[place] for place in heard], shares)
    targets, offsets = lessons([clips[at] for at in heard], plan.smoothing, plan.absent_weight)
    head = Head(shape)
    standardise(head, cached[0], heard)
    averaged = copy.deepcopy(head).requires_grad_(False)
    optimizer = torch.optim.AdamW(
        head.parameters(), lr=plan.peak_rate, weight_decay=plan.weight_decay
    )
    for step in range(plan.steps):
        drawn = random.choice(len(heard), plan.batch, p=chances)
        variant = cached[int(random.integers(len(cached)))]
        most = np.where(random.random(plan.batch) < plan.short_cuts, 1, plan.rows)
        rows, counts = variant.batch(heard[drawn], most, random)
        logits = clip_logits(head, rows, counts, dropout=shape.dropout)
        loss = functional.cross_entropy(logits + offsets[drawn], targets[drawn])
        for group in optimizer.param_groups:
            group["lr"] = plan.peak_rate * rate_share(step / plan.steps)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        average_into(averaged, head, min(plan.average, (step + 1) / (step + 11)))
    averaged.logits.bias[UNKNOWN] += plan.unknown_offset
    return averaged.eval()


def average_into(averaged: torch.nn.Module, trained: torch.nn.Module, keep: float) -> None:
    """Exponential moving average of the weights."""
    with torch.no_grad():
        for mine, theirs in zip(averaged.parameters(), trained.parameters(), strict=True):
            mine.lerp_(theirs, 1.0 - keep)


def answers(head: Head, cached: Cached, places: Sequence[int] | np.ndarray) -> np.ndarray:
    """Logits `(clips, 9)` of some clips by the head alone."""
    with torch.inference_mode():
        found = [
            clip_logits(head, *cached.batch(places[first : first + 256])).numpy()
            for first in range(0, len(places), 256)
        ]
    return np.concatenate(found)
