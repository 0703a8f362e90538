"""Training of the experts on the clips' statistics: seconds each, so there are several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

import augment
from data import RATE_HZ, UNKNOWN, Clip, Sound
from fit import class_offsets, draw_weights, padded, smoothed_targets
from network import Pictures, fast_spectrum, short_frame_count, short_mask
from overview import STATISTICS, Expert, Overview


@dataclass(frozen=True)
class ExpertPlan:
    """How the experts are trained."""

    variants: int = 8  # of every training clip; the first is the clip itself
    slowest: float = 0.82
    fastest: float = 1.22
    colour: float = 1.5  # as `Plan.colour`
    count: int = 3
    steps: int = 2000
    batch: int = 256
    peak_rate: float = 2e-3
    weight_decay: float = 0.02
    smoothing: float = 0.1
    absent_weight: float = 0.1
    unknown_share: float = 0.03
    seed: int = 0


def statistics_of(
    clips: Sequence[Clip], sound: Sound, variant: int, plan: ExpertPlan, batch: int = 8
) -> np.ndarray:
    """Statistics `(clips, STATISTICS)`; variant 0 is the clip itself, others are altered.

    Even variants are cut to 0.7-2.2 s, so that short recordings are no strangers.
    """
    random = np.random.default_rng(variant)
    torch_random = torch.Generator().manual_seed(variant)
    pictures, overview = Pictures(), Overview()
    result = np.empty((len(clips), STATISTICS), dtype=np.float32)
    order = np.argsort([clip.size for clip in clips], kind="stable")
    for first in range(0, len(clips), batch):
        places = order[first : first + batch]
        waves = []
        for place in places:
            samples = sound.samples(clips[place])
            if variant:
                factor = augment.draw_speed(plan.slowest, plan.fastest, random)
                samples = augment.change_speed(samples, factor, int((len(samples) - 2) / factor))
                share = random.uniform(0.8, 1.0)
                seconds = random.uniform(0.7, 2.2)
                size = int(seconds * RATE_HZ) if variant % 2 == 0 else int(share * len(samples))
                size = min(size, len(samples))
                start = int(random.integers(0, len(samples) - size + 1))
                samples = samples[start : start + size]
            waves.append(samples)
        waveform, lengths = padded(waves)
        with torch.inference_mode():
            power = fast_spectrum(waveform)
            mask = short_mask(power, short_frame_count(lengths))
            if variant:
                power = augment.colour(power, torch_random, plan.colour)
            mel, pitch = pictures(power * mask, mask)
            result[places] = overview(mel, pitch, mask)[0][:, 0].numpy()
    return result


def non_speech_statistics(count: int, seed: int = 9) -> np.ndarray:
    """Statistics `(count, STATISTICS)` of synthetic non-speech."""
    random = np.random.default_rng(seed)
    pictures, overview = Pictures(), Overview()
    rows = []
    with torch.inference_mode():
        for _ in range(count):
            size = int(random.uniform(0.5, 3.0) * RATE_HZ)
            power = fast_spectrum(torch.from_numpy(augment.non_speech(size, random))[None])
            mask = torch.ones(1, power.shape[1], 1)
            rows.append(overview(*pictures(power, mask), mask)[0][0, 0].numpy())
    return np.stack(rows)


def train_expert(
    variants: np.ndarray, nothing: np.ndarray, clips: Sequence[Clip], plan: ExpertPlan, seed: int
) -> Expert:
    """One expert from `(variants, clips, STATISTICS)` and non-speech `(count, STATISTICS)`."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    expert = Expert()
    expert.standardise(variants.reshape(-1, STATISTICS))
    weights = draw_weights(clips)
    offsets = class_offsets(plan.absent_weight)
    offset = torch.stack([offsets[clip.corpus] for clip in clips])
    target = smoothed_targets(clips, plan.smoothing)
    unknown = functional.one_hot(torch.tensor(UNKNOWN), target.shape[1]).float()
    optimizer = torch.optim.AdamW(
        expert.parameters(), lr=plan.peak_rate, weight_decay=plan.weight_decay, fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.peak_rate, plan.steps)
    expert.train()
    order = random.choice(len(clips), size=(plan.steps, plan.batch), p=weights)
    for places in order:
        x = variants[random.integers(0, len(variants), len(places)), places]
        y = target[places]
        noise = random.integers(0, len(nothing), round(plan.unknown_share * plan.batch))
        x = np.concatenate([x, nothing[noise]])
        y = torch.cat([y, unknown.expand(len(noise), -1)])
        added = torch.cat([offset[places], torch.zeros(len(noise), target.shape[1])])
        loss = functional.cross_entropy(expert(torch.from_numpy(x)) + added, y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
    return expert.eval()


def train_experts(clips: Sequence[Clip], sound: Sound, plan: ExpertPlan) -> list[Expert]:
    """All experts: the same statistics, different seeds."""
    variants = np.stack([statistics_of(clips, sound, v, plan) for v in range(plan.variants)])
    nothing = non_speech_statistics(900)
    experts = []
    for number in range(plan.count):
        experts.append(train_expert(variants, nothing, clips, plan, seed=plan.seed + number))
        print(f"expert {number + 1} of {plan.count}", flush=True)
    return experts
