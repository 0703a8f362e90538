"""Training: balanced draws, cropped batches without padding, masked loss, averaged weights."""

from __future__ import annotations

import copy
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

import augment
from data import CLASSES, EMOTIONS, INDEX, OTHER, RATE_HZ, UNKNOWN, Clip, Sound
from network import Compact, Shape, short_frame_count


@dataclass(frozen=True)
class Plan:
    """How long and how hard to train."""

    draws_per_epoch: int = 5760
    epochs: int = 10_000
    minutes: float = 8.0
    """Training ends after so many epochs or minutes; the schedule follows whichever is nearer."""
    batch: int = 16
    peak_rate: float = 2e-3
    weight_decay: float = 0.05
    smoothing: float = 0.1
    absent_weight: float = 0.1
    """Share with which a class that a corpus does not annotate counts as wrong for its clips."""
    unknown_share: float = 0.04
    longest_s: float = 2.4
    slowest: float = 0.9
    fastest: float = 1.1
    """Speeds of a clip, drawn evenly on a logarithmic scale."""
    colour: float = 1.0
    """Strength of equaliser and of the noise's colour."""
    shift: int = 0
    """Bands by which a picture is moved at most, either way."""
    average: float = 0.999
    taught_by: int = 0
    """So many of the first networks are teachers, with the experts; none if zero."""
    taught_share: float = 0.4
    """Share of the targets that is the teachers' answer."""
    taught_temperature: float = 1.5
    bfloat16: bool = False
    """Products in 16 bits: half as many clips again where the processor has them, else slower."""
    seed: int = 0


# How often each corpus is drawn: between its share of the clips and equal shares.
CORPUS_SHARES = {"ravdess": 0.30, "nemo": 0.35, "emodb": 0.15, "indianemo": 0.20}


def draw_weights(clips: Sequence[Clip]) -> np.ndarray:
    """Chances `(clips,)`: corpora by share, then classes alike, then speakers more evenly."""
    classes = Counter((clip.corpus, clip.emotion) for clip in clips)
    speakers = Counter((clip.corpus, clip.emotion, clip.speaker) for clip in clips)
    kinds = Counter(corpus for corpus, _ in classes)
    weights = np.empty(len(clips))
    for place, clip in enumerate(clips):
        own = speakers[clip.corpus, clip.emotion, clip.speaker]
        weights[place] = (
            CORPUS_SHARES[clip.corpus]
            / kinds[clip.corpus]
            / classes[clip.corpus, clip.emotion]
            * math.sqrt(classes[clip.corpus, clip.emotion] / own)
        )
    # The square root above shifts mass between classes and corpora: put it back.
    totals: defaultdict[tuple[str, int], float] = defaultdict(float)
    for weight, clip in zip(weights, clips, strict=True):
        totals[clip.corpus, clip.emotion] += weight
    for place, clip in enumerate(clips):
        weights[place] *= (
            CORPUS_SHARES[clip.corpus] / kinds[clip.corpus] / totals[clip.corpus, clip.emotion]
        )
    return weights / weights.sum()


def class_offsets(absent_weight: float) -> dict[str, Tensor]:
    """Per corpus, what is added to the logits `(9,)` in the loss.

    A class the corpus annotates, `other` and `unknown` count fully (a clip acted as one emotion
    is neither); a class it lacks counts with `absent_weight`, so that a corpus without
    `surprised` does not teach that nothing is surprised.
    """
    offsets = {}
    for corpus in CORPUS_SHARES:
        row = torch.full((len(EMOTIONS),), math.log(max(absent_weight, 1e-6)))
        for name in CLASSES[corpus]:
            row[INDEX[name]] = 0.0
        row[OTHER] = row[UNKNOWN] = 0.0
        offsets[corpus] = row
    offsets["synthetic"] = torch.zeros(len(EMOTIONS))
    return offsets


def smoothed_targets(clips: Sequence[Clip], smoothing: float) -> Tensor:
    """Targets `(B, 9)`: the label, softened only towards the classes its corpus knows."""
    targets = torch.zeros(len(clips), len(EMOTIONS))
    for place, clip in enumerate(clips):
        if clip.corpus != "synthetic":
            for name in CLASSES[clip.corpus]:
                targets[place, INDEX[name]] = smoothing / len(CLASSES[clip.corpus])
        targets[place, clip.emotion] += 1.0 - float(targets[place].sum())
    return targets


def blended(
    targets: Tensor,
    clips: Sequence[Clip],
    offset: Tensor,
    plan: Plan,
    taught: Mapping[str, Tensor],
) -> Tensor:
    """Targets `(B, 9)` moved towards the teachers' softened answers (Hinton et al., 2015).

    Teachers say how a clip also sounds, in classes its corpus never names, which no label does.
    """
    mixed = targets.clone()
    for place, clip in enumerate(clips):
        if clip.corpus != "synthetic":
            said = torch.softmax(taught[clip.path] / plan.taught_temperature + offset[place], 0)
            mixed[place].lerp_(said, plan.taught_share)
    return mixed


def batches(
    clips: Sequence[Clip], sound: Sound, plan: Plan, random: np.random.Generator
) -> Iterator[tuple[Tensor, list[Clip]]]:
    """Batches of equally long waveforms `(B, N)` for one epoch: cropped, never padded.

    Eight batches are drawn together and sorted by length, so that cropping to the shortest of a
    batch loses little; every batch is then cropped a random bit further.
    """
    weights = draw_weights(clips)
    group = plan.batch * 8
    for _ in range(max(1, plan.draws_per_epoch // group)):
        drawn: list[tuple[int, float, Clip]] = []  # samples to be had, speed, clip
        for place in random.choice(len(clips), size=group, p=weights):
            clip = clips[int(place)]
            factor = augment.draw_speed(plan.slowest, plan.fastest, random)
            if random.random() < plan.unknown_share:
                clip = replace(clip, corpus="synthetic", emotion=UNKNOWN)
                drawn.append((int(random.uniform(0.5, 3.0) * RATE_HZ), 1.0, clip))
            else:
                drawn.append((int(clip.size / factor), factor, clip))
        drawn.sort(key=lambda one: one[0])
        for first in random.permutation(np.arange(0, group, plan.batch)):
            chosen = drawn[first : first + plan.batch]
            longest = min(chosen[0][0], int(plan.longest_s * RATE_HZ))
            # Few different sizes: every new one costs the convolutions a fresh set-up.
            size = max(6_400, int(longest * random.uniform(0.7, 1.0)) // 3_200 * 3_200)
            waveform = np.empty((len(chosen), size), dtype=np.float32)
            for row, (whole, factor, clip) in enumerate(chosen):
                if clip.corpus == "synthetic":
                    waveform[row] = augment.non_speech(size, random)
                    continue
                start = int(random.integers(0, max(1, whole - size + 1)) * factor)
                samples = sound.samples(clip, start, int(size * factor) + 2)
                waveform[row] = augment.change_speed(samples, factor, size)
            yield torch.from_numpy(waveform), [clip for _, _, clip in chosen]


def padded(clips: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Clips `(n,)` as one batch `(B, N)` with zeros behind them, and their lengths `(B,)`."""
    lengths = torch.tensor([len(samples) for samples in clips])
    waveform = torch.zeros(len(clips), int(lengths.max()))
    for row, samples in enumerate(clips):
        waveform[row, : len(samples)] = torch.from_numpy(samples)
    return waveform, lengths


def logits_of(network: Compact, clips: Sequence[Clip], sound: Sound, batch: int = 32) -> np.ndarray:
    """Utterance logits `(clips, 9)` of whole clips, padded to the longest of a batch."""
    network.eval()
    order = np.argsort([clip.size for clip in clips])
    answers = np.empty((len(clips), len(EMOTIONS)), dtype=np.float32)
    with torch.inference_mode():
        for first in range(0, len(clips), batch):
            places = order[first : first + batch]
            waveform, lengths = padded([sound.samples(clips[place]) for place in places])
            answers[places] = network.utterance_logits(
                network.listen(waveform), short_frame_count(lengths)
            ).numpy()
    return answers


def recalls(logits: np.ndarray, clips: Sequence[Clip], *, own: bool) -> dict[str, float]:
    """Unweighted average recall per corpus; with `own`, only its own classes may be answered."""
    result = {}
    for corpus in sorted({clip.corpus for clip in clips}):
        places = [place for place, clip in enumerate(clips) if clip.corpus == corpus]
        scores = logits[places].copy()
        known = [INDEX[name] for name in CLASSES[corpus]]
        if own:
            scores[:, [c for c in range(len(EMOTIONS)) if c not in known]] = -np.inf
        answer = scores.argmax(axis=1)
        truth = np.array([clips[place].emotion for place in places])
        result[corpus] = float(np.mean([(answer[truth == c] == c).mean() for c in known]))
    return result


def rate_share(progress: float) -> float:
    """Learning rate relative to its peak: a short rise, then half a cosine down to nothing."""
    if progress < 0.06:
        return 0.05 + 0.95 * progress / 0.06
    return 0.5 * (1.0 + math.cos(math.pi * (progress - 0.06) / 0.94))


def fit(
    clips: Sequence[Clip],
    dev: Sequence[Clip],
    sound: Sound,
    shape: Shape,
    plan: Plan,
    keep: Callable[[Compact], None],
    start: Mapping[str, Tensor] | None = None,
    taught: Mapping[str, Tensor] | None = None,
) -> tuple[Compact, list[str]]:
    """Train one network; returns the averaged weights and the lines of the log.

    `keep` is given the averaged weights after every epoch, so that a long run is never lost;
    `start` are weights to go on from; `taught` are teachers' logits `(9,)` by path.
    """
    torch.manual_seed(plan.seed)
    random = np.random.default_rng(plan.seed)
    torch_random = torch.Generator().manual_seed(plan.seed)
    network = Compact(shape)
    if start is not None:
        network.load_state_dict(start)
    averaged = copy.deepcopy(network).requires_grad_(False)
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": plan.weight_decay}, {"params": plain}],
        lr=plan.peak_rate,
        weight_decay=0.0,
        fused=True,
    )
    steps = plan.epochs * max(1, plan.draws_per_epoch // (plan.batch * 8)) * 8
    offsets = class_offsets(plan.absent_weight)
    lines: list[str] = []
    step, progress = 0, 0.0
    started = time.monotonic()
    for epoch in range(plan.epochs):
        began = time.monotonic()
        network.train()
        losses = []
        for waveform, labels in batches(clips, sound, plan, random):
            counts10 = short_frame_count(torch.full((len(labels),), waveform.shape[1]))
            power = augment.colour(
                network.listen(waveform), torch_random, plan.colour, **network.grid
            )
            targets = smoothed_targets(labels, plan.smoothing)
            offset = torch.stack([offsets[clip.corpus] for clip in labels])
            if taught is not None:
                targets = blended(targets, labels, offset, plan, taught)
            with torch.autocast("cpu", torch.bfloat16, enabled=plan.bfloat16):
                logits = network.utterance_logits(
                    power,
                    counts10,
                    lambda mel: augment.hide(mel, random, 25 * network.step // 2, plan.shift),
                )
            loss = functional.cross_entropy(logits.float() + offset, targets)
            spent = (time.monotonic() - started) / 60.0 / plan.minutes
            progress = max(progress, step / steps, spent)
            for group in optimizer.param_groups:
                group["lr"] = plan.peak_rate * rate_share(min(1.0, progress))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
            optimizer.step()
            step += 1
            _average(averaged, network, min(plan.average, step / (step + 10)))
            losses.append(loss.item())
            if progress >= 1.0:
                break
        took_s = time.monotonic() - began
        line = f"epoch {epoch + 1:2d}  loss {np.mean(losses):.3f}  {took_s:.0f} s"
        finished = progress >= 1.0 or epoch == plan.epochs - 1
        keep(averaged)
        if dev and (epoch % 4 == 3 or finished):
            answers = logits_of(averaged, dev, sound)
            nine, own = recalls(answers, dev, own=False), recalls(answers, dev, own=True)
            line += f"  dev mean {np.mean(list(nine.values())):.3f}"
            line += f" (own classes {np.mean(list(own.values())):.3f}) "
            line += " ".join(f"{corpus} {nine[corpus]:.3f}" for corpus in nine)
        print(line, flush=True)
        lines.append(line)
        if finished:
            break
    return averaged.eval(), lines


def _average(averaged: torch.nn.Module, network: torch.nn.Module, keep: float) -> None:
    """Exponential moving average of weights and of the norms' statistics."""
    with torch.no_grad():
        theirs = network.state_dict()
        for name, mine in averaged.state_dict().items():
            if mine.dtype.is_floating_point:
                mine.lerp_(theirs[name], 1.0 - keep)
            else:
                mine.copy_(theirs[name])
