"""One command from the corpora and Whisper's encoder to the shipped model and its cards.

python train/run.py --data FOLDER --encoder FILE            # into the cache folder
python train/run.py --data FOLDER --encoder FILE --ship     # and into the package
python train/run.py --data FOLDER --encoder FILE --toy      # the same path in two minutes
"""

from __future__ import annotations

import argparse
import dataclasses
import platform
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import augment
import card
import cross_validate
import evaluate
import export
import features
from calibrate import LeftOut
from data import (
    FOREIGN_CORPORA,
    INDEX,
    RATE_HZ,
    TRAIN_CORPORA,
    UNKNOWN,
    Clip,
    Sound,
    choose,
    load_clips,
)
from features import Alterations, Cached, altered, clip_statistics, padded_batch, pictures
from finetune import ONLY_UNKNOWN, finetune
from fit_head import answers, fit_head
from model import Model
from package import HOUSE
from recipe import RECIPE, Recipe
from sampling import SYNTHETIC
from whisper_encoder import Tensors, read_encoder


def main() -> None:
    """Parse the arguments and go from data to cards."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder with clips.csv and tars")
    parser.add_argument("--encoder", type=Path, required=True, help="Whisper base's weights")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "emoscope-train")
    parser.add_argument("--recipe", type=Path, default=RECIPE)
    parser.add_argument("--revision", default=time.strftime("%Y-%m-%d") + ".1")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--ship", action="store_true", help="write into the package as well")
    parser.add_argument("--toy", action="store_true", help="next to no training, few clips")
    parser.add_argument("--any-version", action="store_true", help="accept another torch")
    parser.add_argument("--keep-weights", action="store_true", help="train nothing, export again")
    options = parser.parse_args()
    recipe = Recipe.read(options.recipe)
    version = torch.__version__.split("+")[0]
    if version != recipe.versions["torch"] and not options.any_version:
        sys.exit(f"torch is {version}, the recipe wants {recipe.versions['torch']}")
    if options.toy and options.ship:
        sys.exit("a toy run ships nothing")
    torch.set_num_threads(options.threads)
    say = Log()
    say(f"python {platform.python_version()}, torch {torch.__version__}, {options.threads} threads")

    clips = load_clips(options.data, options.cache, TRAIN_CORPORA + FOREIGN_CORPORA)
    if options.toy:
        recipe, clips = recipe.toy(), few(clips)
    work = options.cache / ("toy" if options.toy else "run")
    work.mkdir(parents=True, exist_ok=True)
    say.target = work / "run.log"
    run = Run(recipe, clips, Sound(options.cache), read_encoder(options.encoder), work, say)
    say(f"{len(clips)} clips decoded, encoder read")

    weights = work / "model.pt"
    if not options.keep_weights:
        trained = run.train(())
        temporary = weights.with_suffix(".tmp")
        torch.save(trained.state_dict(), temporary)
        temporary.replace(weights)
    model = Model(recipe.shape)
    model.load_state_dict(torch.load(weights, weights_only=True))

    built = work / "compact.onnx"
    export.export(model.eval(), built, version=options.revision)
    say(f"exported, {built.stat().st_size / 1e6:.1f} MB")
    run.check_dev(built)
    left_out = run.left_out()
    folds = cross_validate.kept_figures(options.cache, recipe)
    about = card.About(options.revision, recipe.shape, () if options.toy else folds)
    written = card.make(built, clips, run.sound, left_out, about, work)
    say("card written")
    if options.ship:
        for path, target in written.items():
            shutil.copyfile(path, HOUSE / target)
        say(f"shipped revision {options.revision}")
        shutil.copyfile(work / "run.log", HOUSE / "train" / "shipped_run.log")


def few(clips: Sequence[Clip]) -> list[Clip]:
    """The first two clips of every corpus, split and class, for a toy run."""
    seen: Counter[tuple[str, str, int]] = Counter()
    chosen = []
    for clip in clips:
        kind = (clip.corpus, clip.split, clip.emotion)
        seen[kind] += 1
        if seen[kind] <= 2:
            chosen.append(clip)
    return chosen


@dataclass(frozen=True)
class Run:
    """Data, encoder and recipe of one run, and its stages."""

    recipe: Recipe
    clips: Sequence[Clip]
    sound: Sound
    encoder: Tensors
    work: Path
    """Folder for what is kept between stages."""
    say: Callable[[str], None]

    def train(self, leave: Sequence[str]) -> Model:
        """Head on the frozen encoder, then both together.

        Args:
            leave: corpora that are not heard.
        """
        shares = {name: share for name, share in self.recipe.shares.items() if name not in leave}
        heard = choose(self.clips, "train", shares)
        without = f" without {', '.join(leave)}" if leave else ""
        model = Model(self.recipe.shape)
        model.encoder.load(self.encoder)
        lessons = [clip for clip, _ in self.non_speech()]
        cached = self.features()
        every = [*choose(self.clips, "train", TRAIN_CORPORA), *lessons]
        steps = self.recipe.left_out_steps if leave else self.recipe.head.steps
        plan = dataclasses.replace(self.recipe.head, steps=steps)
        head = fit_head(every, cached, self.recipe.shape, plan, shares)
        model.head.load_state_dict(head.state_dict())
        self.say(f"head trained{without}")
        if self.recipe.finetune.epochs:
            shares.pop(SYNTHETIC, None)
            model = finetune(
                model, heard, self.sound, self.recipe.finetune, self.recipe.sound, shares,
                lambda epoch, now: self.say(f"epoch {epoch + 1}{without}: {self._on_dev(now)}"),
            )  # fmt: skip
        return model.eval()

    def non_speech(self) -> list[tuple[Clip, np.ndarray]]:
        """Synthetic sounds that are no speech, as clips to learn `unknown` from."""
        random = np.random.default_rng(self.recipe.features_seed)
        made = []
        for number in range(self.recipe.non_speech):
            size = int(random.uniform(0.6, 4.0) * RATE_HZ)
            clip = Clip(
                path=f"{SYNTHETIC}/{number}", corpus=SYNTHETIC, speaker="", sex="", language="",
                emotion=UNKNOWN, split="train", text_id="", target=ONLY_UNKNOWN, start=0, size=size,
            )  # fmt: skip
            made.append((clip, augment.non_speech(size, random)))
        return made

    def features(self) -> list[Cached]:
        """Statistics of every train clip and of the synthetic ones, computed where not kept."""
        train = choose(self.clips, "train", TRAIN_CORPORA)
        synthetic = [samples for _, samples in self.non_speech()]
        found = []
        for variant in range(self.recipe.variants + 1):
            path = self.work / f"features_{variant}.npz"
            if not path.exists():
                seed = self.recipe.features_seed + variant
                how = self.recipe.features if variant else Alterations()
                random = np.random.default_rng(seed)
                waveforms = [altered(clip, self.sound, how, random) for clip in train]
                model = Model(self.recipe.shape)
                model.encoder.load(self.encoder)
                features.write(path, clip_statistics(model, waveforms + synthetic, how, seed))
                self.say(f"features of variant {variant}")
            found.append(features.read(path))
        return found

    def check_dev(self, built: Path) -> None:
        """Leave the program if the file's figure on dev is not the expected one."""
        dev = choose(self.clips, "dev", TRAIN_CORPORA)
        mean, text = _means(evaluate.answers(built, dev, self.sound), dev)
        self.say(f"exported file on dev: {text}")
        low, high = self.recipe.expected_dev
        if not low <= mean <= high:
            sys.exit(f"dev is {mean:.4f}, the recipe expects {low} to {high}: nothing is shipped")

    def left_out(self) -> LeftOut:
        """Answers to train corpora by models that did not hear them; kept in the work folder."""
        found: list[tuple[Clip, np.ndarray]] = []
        for group in self.recipe.leave_out:
            path = self.work / f"left_out_{'_'.join(group)}.npy"
            train = choose(self.clips, "train", TRAIN_CORPORA)
            places = [at for at, clip in enumerate(train) if clip.corpus in group]
            own = [train[at] for at in places]
            if not path.exists():
                model = self.train(group)
                if self.recipe.finetune.epochs:
                    logits = clip_logits_of(model, own, self.sound)
                else:
                    logits = answers(model.head, self.features()[0], places)
                np.save(path, logits)
                self.say(f"left out {', '.join(group)}: {_means(logits, own)[1]}")
            found += list(zip(own, np.load(path), strict=True))
        return LeftOut([clip for clip, _ in found], np.array([row for _, row in found]))

    def _on_dev(self, model: Model) -> str:
        dev = choose(self.clips, "dev", TRAIN_CORPORA)
        return _means(clip_logits_of(model, dev, self.sound), dev)[1]


def clip_logits_of(
    model: Model, clips: Sequence[Clip], sound: Sound, batch: int = 16
) -> np.ndarray:
    """Logits `(clips, 9)` of whole clips, in 16-bit arithmetic, for a look while training."""
    order = np.argsort([clip.size for clip in clips], kind="stable")
    logits = np.empty((len(clips), len(INDEX)))
    model.eval()
    with torch.inference_mode():
        for first in range(0, len(order), batch):
            places = order[first : first + batch]
            waveform, lengths = padded_batch([sound.samples(clips[at]) for at in places], batch)
            mel, valid = pictures(model, waveform, lengths)
            with torch.autocast("cpu", torch.bfloat16):
                outputs = model.encoder(mel, valid)
            rows = model.head.logits(model.clip_embedding(outputs, valid[:, ::2])).numpy()
            logits[places] = rows[: len(places)]
    return logits


def _means(logits: np.ndarray, clips: Sequence[Clip]) -> tuple[float, str]:
    """Mean UAR over corpora with their own classes, and a line with all figures."""
    own = evaluate.recalls(logits, clips, own=True)
    nine = evaluate.recalls(logits, clips, own=False)
    mean = float(np.mean(list(own.values())))
    each = " ".join(f"{corpus} {value:.3f}" for corpus, value in own.items())
    return mean, f"own {mean:.4f} nine {np.mean(list(nine.values())):.4f} ({each})"


class Log:
    """Prints what happens and when, and keeps it in the run's log once there is a folder."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.target: Path | None = None
        self.lines: list[str] = []

    def __call__(self, what: str) -> None:
        """Add a line."""
        line = f"[{(time.monotonic() - self.began) / 60.0:5.1f} min] {what}"
        print(line, flush=True)
        self.lines.append(line)
        if self.target is not None:
            self.target.write_text("\n".join(self.lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
