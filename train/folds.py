"""RAVDESS as EmoBox measures it: eight classes (calm apart from neutral), six folds by actor.

    python train/folds.py --data FOLDER [--cache FOLDER]

No fold's network hears its four actors before the test: it is trained on the other three corpora
first (once), then on those and the twenty other actors. There is no dev split here: length and
rates are fixed beforehand. What is finished is kept in the cache, so that a run can be broken off.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

import fit
from data import CLASSES, INDEX, TRAIN_CORPORA, UNKNOWN, Clip, Sound, choose, load_clips
from evaluate import average_recall, confusion, interval
from network import Compact, Shape

FOLDS = 6
# No recording is `unknown`, so calm can have its place and the network stays as it is.
CALM = UNKNOWN
# Counted in epochs, not minutes: the same on any machine, beside any other work.
BEFORE = fit.Plan(minutes=math.inf, epochs=19, unknown_share=0.0, longest_s=2.8, seed=11)
FOLD = fit.Plan(minutes=math.inf, epochs=12, unknown_share=0.0, longest_s=3.2, seed=12)
SHARES_BEFORE = {"nemo": 0.5, "emodb": 0.2, "indianemo": 0.3}
SHARES = {"ravdess": 0.55, "nemo": 0.2, "emodb": 0.1, "indianemo": 0.15}


def main() -> None:
    """Train what is missing, then print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "emoscope-train")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    CLASSES["ravdess"] = (*CLASSES["ravdess"], "unknown")

    every = load_clips(options.data, options.cache, TRAIN_CORPORA)
    calm = paths_of_calm(options.data)
    acted = [
        dataclasses.replace(clip, emotion=CALM) if clip.path in calm else clip
        for clip in every
        if clip.corpus == "ravdess"
    ]
    others = choose(every, "train", SHARES_BEFORE)
    sound = Sound(options.cache)
    folder = options.cache / "folds"
    folder.mkdir(exist_ok=True)

    first = trained(others, sound, BEFORE, SHARES_BEFORE, folder / "before.pt", None)
    known = [INDEX[name] for name in CLASSES["ravdess"]]
    matrices: dict[str, np.ndarray] = {}
    for fold in range(FOLDS):
        held = [clip for clip in acted if fold_of(clip) == fold]
        rest = [clip for clip in acted if fold_of(clip) != fold]
        network = trained(
            rest + others, sound, FOLD, SHARES, folder / f"fold{fold}.pt", first.state_dict()
        )
        logits = np.full((len(held), len(INDEX)), -np.inf)
        logits[:, known] = fit.logits_of(network, held, sound)[:, known]
        answer = logits.argmax(axis=1)
        own = {}
        for actor in sorted({clip.speaker for clip in held}):
            at = [place for place, clip in enumerate(held) if clip.speaker == actor]
            truth = np.array([held[place].emotion for place in at])
            own[actor] = confusion(truth, answer[at])
        print(f"fold {fold}: UAR {average_recall(sum(own.values())):.3f}", sorted(own), flush=True)
        matrices |= own
    whole = np.stack(list(matrices.values()))
    print(
        json.dumps(
            {
                "uar": round(average_recall(whole.sum(axis=0)), 4),
                "ci95": interval(whole),
                "wa": round(float(np.trace(whole.sum(axis=0)) / whole.sum()), 4),
                "clips": int(whole.sum()),
                "actors": len(whole),
                "recall": {
                    "calm" if c == CALM else name: round(
                        float(whole[:, c, c].sum() / whole[:, c].sum()), 3
                    )
                    for name, c in INDEX.items()
                    if c in known
                },
            }
        )
    )


def paths_of_calm(folder: Path) -> set[str]:
    """Which clips the actors meant calm; the product's classes call them neutral."""
    with (folder / "clips.csv").open(encoding="utf-8", newline="") as lines:
        return {
            row["path"]
            for row in csv.DictReader(lines)
            if row["corpus"] == "ravdess" and row["emotion_original"] == "calm"
        }


def fold_of(clip: Clip) -> int:
    """Four neighbouring actors each, two women and two men."""
    return (int(clip.speaker.rpartition("_")[2]) - 1) // (24 // FOLDS)


def trained(
    clips: Sequence[Clip],
    sound: Sound,
    plan: fit.Plan,
    shares: dict[str, float],
    target: Path,
    start: dict[str, torch.Tensor] | None,
) -> Compact:
    """Return what was trained before under that name, or train it."""
    network = Compact(Shape())
    if not target.exists():
        fit.CORPUS_SHARES.clear()
        fit.CORPUS_SHARES.update(shares)
        done, _ = fit.fit(clips, [], sound, Shape(), plan, lambda _: None, start)
        torch.save(done.state_dict(), target)
    network.load_state_dict(torch.load(target, weights_only=True))
    return network.eval()


if __name__ == "__main__":
    main()
