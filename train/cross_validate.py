"""Published protocols on the frozen encoder: RAVDESS in six folds, EmoDB by left-out speakers.

    python train/cross_validate.py --data FOLDER --encoder FILE [--cache FOLDER]

RAVDESS has eight classes there (calm apart from neutral) and six folds of four actors, as in
EmoBox. For each fold a head is trained on the frozen cut encoder from the other speakers alone; the
plan is the recipe's and was not chosen by these figures. No weights come of it; `run.py` takes the
figures into the card.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

import features
import files
from data import INDEX, UNKNOWN, Clip, Sound, load_clips, original_emotions
from features import Alterations, Cached, altered, clip_statistics
from finetune import ONLY_UNKNOWN
from fit_head import HeadPlan, answers, fit_head
from model import Model
from package import metrics, softmax
from recipe import RECIPE, Recipe
from whisper_encoder import read_encoder

CALM = UNKNOWN
"""No recording is `unknown`, so calm can have its place."""


def main() -> None:
    """Compute what is missing in the cache, then print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "emoscope-train")
    parser.add_argument("--recipe", type=Path, default=RECIPE)
    options = parser.parse_args()
    torch.set_num_threads(1)
    recipe = Recipe.read(options.recipe)
    calm = {
        path for path, told in original_emotions(options.data, "ravdess").items() if told == "calm"
    }
    protocols: dict[str, Callable[[Clip], int]] = {
        "ravdess": lambda clip: (int(clip.speaker.rpartition("_")[2]) - 1) // 4,
        "emodb": lambda clip: int(clip.speaker.rpartition("_")[2]),
    }
    found = []
    for corpus, fold_of in protocols.items():
        clips = [
            dataclasses.replace(clip, emotion=CALM, target=ONLY_UNKNOWN)
            if clip.path in calm
            else clip
            for clip in load_clips(options.data, options.cache, (corpus,))
        ]
        folder = options.cache / "cross_validation"
        folder.mkdir(exist_ok=True)
        cached = []
        for variant in range(recipe.variants + 1):
            path = folder / f"{corpus}_{variant}.npz"
            if not path.exists():
                how = recipe.features if variant else Alterations()
                random = np.random.default_rng(variant)
                sound = Sound(options.cache)
                waveforms = [altered(clip, sound, how, random) for clip in clips]
                model = Model(recipe.shape)
                model.encoder.load(read_encoder(options.encoder))
                features.write(path, clip_statistics(model, waveforms, how, variant))
            cached.append(features.read(path))
        plan = dataclasses.replace(recipe.head, steps=recipe.head.steps // 2)
        found.append(figures(corpus, clips, cached, fold_of, plan, recipe))
        print(json.dumps(found[-1]), flush=True)
    kept = {"recipe": fingerprint(recipe), "protocols": found}
    files.write(json.dumps(kept, indent=2) + "\n", _kept(options.cache))


def fingerprint(recipe: Recipe) -> str:
    """Which shape, altered features and head plan figures belong to, as sha256."""
    parts = repr((recipe.shape, recipe.variants, recipe.features, recipe.head))
    return hashlib.sha256(parts.encode()).hexdigest()


def kept_figures(cache: Path, recipe: Recipe) -> list[dict[str, Any]]:
    """Figures that an earlier run of this command left for this recipe; none if it did not."""
    try:
        kept = json.loads(_kept(cache).read_bytes())
    except FileNotFoundError:
        return []
    return list(kept["protocols"]) if kept["recipe"] == fingerprint(recipe) else []


def _kept(cache: Path) -> Path:
    return cache / "cross_validation" / "figures.json"


def figures(
    corpus: str,
    clips: Sequence[Clip],
    cached: Sequence[Cached],
    fold_of: Callable[[Clip], int],
    plan: HeadPlan,
    recipe: Recipe,
) -> dict[str, object]:
    """Figures over all folds of one corpus, each answered by a head that did not hear it."""
    truth = np.array([clip.emotion for clip in clips])
    answer = np.empty(len(clips), dtype=int)
    folds = np.array([fold_of(clip) for clip in clips])
    for fold in np.unique(folds):
        heard = [
            clip if other != fold else dataclasses.replace(clip, corpus="held out")
            for clip, other in zip(clips, folds, strict=True)
        ]
        head = fit_head(heard, cached, recipe.shape, plan, {corpus: 1.0})
        held = np.flatnonzero(folds == fold)
        answer[held] = metrics.restricted(truth, softmax(answers(head, cached[0], held)))
    speakers = [clip.speaker for clip in clips]
    low, high = metrics.interval(lambda at: metrics.measure(truth[at], answer[at]).ua, speakers)
    found = metrics.measure(truth, answer)
    return {
        "corpus": corpus,
        "folds": len(np.unique(folds)),
        "classes": len(found.recall),
        "uar": round(found.ua, 4),
        "ci95": [round(low, 4), round(high, 4)],
        "wa": round(found.wa, 4),
        "clips": len(clips),
        "speakers": len(set(speakers)),
        "recall": {
            "calm" if corpus == "ravdess" and INDEX[name] == CALM else name: round(value, 3)
            for name, value in found.recall.items()
        },
    }


if __name__ == "__main__":
    main()
