"""Fine-tune encoder and head on altered, cropped sound, with small rates for the encoder."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

import augment
from data import EMOTIONS, RATE_HZ, UNKNOWN, Clip, Sound
from features import GRID, Alterations, padded_batch, pictures
from fit_head import average_into, rate_share
from model import Model
from sampling import SYNTHETIC, draw_weights, lessons

ONLY_UNKNOWN = tuple(float(place == UNKNOWN) for place in range(len(EMOTIONS)))


@dataclass(frozen=True)
class FinetunePlan:
    """How the whole model is trained."""

    epochs: int = 10
    rate_epochs: int = 15
    """Epochs over which the rate would fall to nothing; training may end before, because the
    weights are averaged anyway."""
    draws_per_epoch: int = 1_280
    batch: int = 16
    head_rate: float = 3e-4
    encoder_rate: float = 5e-5
    """Of the last layer; each layer below has `rate_decay` of the one above."""
    rate_decay: float = 0.6
    frozen_layers: int = 2
    """So many of the first layers, and always the convolutions, stay as they are."""
    weight_decay: float = 0.05
    smoothing: float = 0.1
    absent_weight: float = 0.1
    unknown_share: float = 0.04
    """Share of the draws that is synthetic non-speech."""
    plain_share: float = 0.5
    """Share of the clips whose speed, and of the batches whose spectrum, stays as it is."""
    shortest_s: float = 0.8
    longest_s: float = 2.4
    """Crops."""
    average: float = 0.998
    seed: int = 1


def draws(
    clips: Sequence[Clip],
    sound: Sound,
    plan: FinetunePlan,
    how: Alterations,
    shares: Mapping[str, float],
    random: np.random.Generator,
) -> Iterator[tuple[Tensor, Tensor, list[Clip]]]:
    """Batches of crops for one epoch: waveforms `(B, N)`, lengths `(B,)` and their clips.

    Eight batches are drawn together and sorted by length, so that cropping to the shortest of a
    batch loses little; every batch is then cropped a random bit further.
    """
    weights = draw_weights(clips, shares)
    group = plan.batch * 8
    for _ in range(max(1, plan.draws_per_epoch // group)):
        drawn: list[tuple[int, float, Clip]] = []  # samples to be had, speed, clip
        for place in random.choice(len(clips), size=group, p=weights):
            clip = clips[int(place)]
            factor = augment.draw_speed(how.slowest, how.fastest, random)
            if random.random() < plan.plain_share:
                factor = 1.0
            if random.random() < plan.unknown_share:
                clip = replace(clip, corpus=SYNTHETIC, emotion=UNKNOWN, target=ONLY_UNKNOWN)
                size = int(random.uniform(plan.shortest_s, plan.longest_s) * RATE_HZ)
                drawn.append((size, 1.0, clip))
            else:
                drawn.append((int(clip.size / factor), factor, clip))
        drawn.sort(key=lambda one: one[0])
        for first in random.permutation(np.arange(0, group, plan.batch)):
            chosen = drawn[first : first + plan.batch]
            longest = min(chosen[len(chosen) // 4][0], int(plan.longest_s * RATE_HZ))
            wanted = int(longest * random.uniform(0.65, 1.0)) // GRID * GRID
            size = max(int(plan.shortest_s * RATE_HZ) // GRID * GRID, wanted)
            waveforms = []
            for whole, factor, clip in chosen:
                if clip.corpus == SYNTHETIC:
                    waveforms.append(augment.non_speech(size, random))
                    continue
                start = int(random.integers(0, max(1, whole - size + 1)) * factor)
                samples = sound.samples(clip, start, int(size * factor) + 2)
                length = min(size, max(400, int(len(samples) / factor)))
                waveforms.append(augment.change_speed(samples, factor, length))
            waveform, lengths = padded_batch(waveforms, plan.batch)
            yield waveform, lengths, [clip for _, _, clip in chosen]


def rate_groups(model: Model, plan: FinetunePlan) -> list[dict[str, object]]:
    """Parameters with their own peak rates; what is frozen is in none and needs no gradient."""
    model.requires_grad_(False)
    groups: list[dict[str, object]] = [
        {"params": list(model.head.parameters()), "peak": plan.head_rate}
    ]
    layers = list(model.encoder.layers)
    for depth, layer in enumerate(reversed(layers[plan.frozen_layers :])):
        peak = plan.encoder_rate * plan.rate_decay**depth
        groups.append({"params": list(layer.parameters()), "peak": peak})
    for group in groups:
        for parameter in group["params"]:  # type: ignore[attr-defined]
            parameter.requires_grad_(True)
    return groups


def finetune(
    model: Model,
    clips: Sequence[Clip],
    sound: Sound,
    plan: FinetunePlan,
    how: Alterations,
    shares: Mapping[str, float],
    watch: Callable[[int, Model], None] = lambda _epoch, _model: None,
) -> Model:
    """Train from the model as it is; returns the averaged weights.

    Args:
        model: with a head that was trained on the frozen encoder; it is changed.
        clips: to learn from; those of corpora that `shares` lacks are left out.
        sound: their samples.
        plan: how.
        how: alterations of the sound.
        shares: how often each corpus is drawn.
        watch: called after every epoch with its number, from 0, and the averaged model.
    """
    torch.manual_seed(plan.seed)
    random = np.random.default_rng(plan.seed)
    torch_random = torch.Generator().manual_seed(plan.seed)
    heard = [clip for clip in clips if clip.corpus in shares]
    averaged = copy.deepcopy(model).requires_grad_(False)
    groups = rate_groups(model, plan)
    optimizer = torch.optim.AdamW(groups, lr=0.0, weight_decay=plan.weight_decay, fused=True)
    per_epoch = max(1, plan.draws_per_epoch // (plan.batch * 8)) * 8
    step = 0
    for epoch in range(plan.epochs):
        began, losses = time.monotonic(), []
        for waveform, lengths, chosen in draws(heard, sound, plan, how, shares, random):
            channel = 0.0 if random.random() < plan.plain_share else how.channel
            mel, valid = pictures(model, waveform, lengths, channel, torch_random)
            if channel:
                mel = augment.spec_augment(mel, random)
            offset = int(random.integers(0, how.offset + 1))
            with torch.autocast("cpu", torch.bfloat16):
                outputs = model.encoder(mel, valid, offset)
            mean = model.clip_embedding(outputs, valid[:, ::2])
            dropped = functional.dropout(mean, model.shape.dropout, True)
            targets, offsets = lessons(chosen, plan.smoothing, plan.absent_weight)
            loss = functional.cross_entropy(model.head.logits(dropped) + offsets, targets)
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate_share(step / (per_epoch * plan.rate_epochs))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
            optimizer.step()
            step += 1
            average_into(averaged, model, min(plan.average, step / (step + 10)))
            losses.append(float(loss.detach()))
            if step % 50 == 0:
                print(f"  step {step} loss {np.mean(losses[-50:]):.3f}", flush=True)
        took_s = time.monotonic() - began
        print(f"epoch {epoch + 1} loss {np.mean(losses):.3f} {took_s:.0f} s", flush=True)
        watch(epoch, averaged)
    return averaged.eval()
