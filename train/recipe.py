"""Read `recipe.toml` into the plans of the stages."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features import Alterations
from finetune import FinetunePlan
from fit_head import HeadPlan
from model import Shape
from whisper_encoder import EncoderShape

RECIPE = Path(__file__).with_name("recipe.toml")


@dataclass(frozen=True)
class Recipe:
    """All that decides what comes out, apart from the data and the encoder."""

    versions: dict[str, str]
    shape: Shape
    features: Alterations
    variants: int
    """Altered variants of every clip from which the head learns, beside the unaltered one."""
    non_speech: int
    """Synthetic clips from which the head learns `unknown`."""
    features_seed: int
    head: HeadPlan
    shares: dict[str, float]
    finetune: FinetunePlan
    sound: Alterations
    """Alterations while fine-tuning."""
    leave_out: tuple[tuple[str, ...], ...]
    """Groups of corpora that a model of their own does not hear, for the calibration."""
    left_out_steps: int
    """Steps of the heads of those models."""
    expected_dev: tuple[float, float]
    """Interval in which the mean UAR on dev must lie."""

    @classmethod
    def read(cls, path: Path = RECIPE) -> Recipe:
        """Read a recipe file.

        Raises:
            TypeError, KeyError: a stage has a number that it does not know, or lacks one.
        """
        table = tomllib.loads(path.read_text("utf-8"))
        shape, features = dict(table["shape"]), dict(table["features"])
        encoder = EncoderShape(shape.pop("layers"), shape.pop("reach"))
        variants, non_speech = features.pop("variants"), features.pop("non_speech")
        seed = features.pop("seed")
        tuned = dict(table["finetune"])
        sound = Alterations(**tuned.pop("sound"))
        low, high = table["expected"]["dev_own_classes"]
        return cls(
            versions=dict(table["versions"]),
            shape=Shape(encoder=encoder, **shape),
            features=Alterations(**features),
            variants=variants,
            non_speech=non_speech,
            features_seed=seed,
            head=HeadPlan(**table["head"]),
            shares=dict(table["shares"]),
            finetune=FinetunePlan(**tuned),
            sound=sound,
            leave_out=tuple(tuple(group) for group in table["calibration"]["leave_out"]),
            left_out_steps=table["calibration"]["head_steps"],
            expected_dev=(low, high),
        )

    def toy(self) -> Recipe:
        """The same path with next to no work, for a test: what comes out knows nothing."""
        return dataclasses.replace(
            self,
            variants=0,
            non_speech=8,
            leave_out=self.leave_out[:2],
            left_out_steps=20,
            head=dataclasses.replace(self.head, steps=20, batch=16),
            finetune=dataclasses.replace(
                self.finetune, epochs=1, rate_epochs=1, draws_per_epoch=32, batch=4, longest_s=1.6
            ),
            expected_dev=(0.0, 1.0),
        )


def described(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain values, for the log of a run."""
    return dataclasses.asdict(recipe)
