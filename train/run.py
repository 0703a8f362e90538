"""One command from the corpora to the shipped model: decode, train, export, evaluate, cards.

python train/run.py --data FOLDER            # the shipped recipe, under an hour on two cores
python train/run.py --data FOLDER --quick    # the whole path in minutes, into the cache folder
python train/run.py --data FOLDER --go-on --minutes 75 --seed 5    # train on from what it kept
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

import calibrate
import card
import evaluate
import export
from balance import EXPERTS_SHARE, fit_balance
from data import FOREIGN_CORPORA, TRAIN_CORPORA, Clip, Sound, choose, load_clips
from experts import ExpertPlan, train_experts
from fit import Plan, fit, recalls
from joined import WIDEST, Joined, fast_powers, parameter_count
from network import Compact, Shape
from overview import Expert

HOUSE = Path(__file__).resolve().parents[1]
# Networks that are taught differently err differently (LOG.md, 13 and 19): all but the first hear
# stranger rooms and voices, and more of it is hidden; the third and the last hear short cuts only,
# and learn from what those before them and the experts answer, too. The last looks at another
# picture (LOG.md, 20).
STRANGER = Plan(seed=20, slowest=0.84, fastest=1.19, colour=1.5, weight_decay=0.1)
SHORT = dataclasses.replace(STRANGER, longest_s=1.7)
NETWORKS = (
    (Shape(), Plan()),
    (Shape(dropout=0.3), STRANGER),
    (Shape(dropout=0.3), dataclasses.replace(SHORT, seed=50, taught_by=2)),
    (Shape(dropout=0.3), dataclasses.replace(STRANGER, seed=40)),
    (Shape(dropout=0.3, tones=True), dataclasses.replace(SHORT, seed=70, shift=2, taught_by=4)),
)


def main() -> None:
    """Parse the arguments and go from data to cards."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder with clips.csv and tars")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "emoscope-train")
    parser.add_argument("--revision", default=time.strftime("%Y-%m-%d") + ".1")
    parser.add_argument("--quick", action="store_true", help="a short run that ships nothing")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--keep-weights", action="store_true", help="export what the cache holds, train nothing"
    )
    parser.add_argument(
        "--go-on", action="store_true", help="train on from the cache's weights; experts stay"
    )
    parser.add_argument(
        "--only",
        type=int,
        choices=range(1, len(NETWORKS) + 1),
        help="train this network into the cache and stop; --keep-weights exports",
    )
    parser.add_argument("--minutes", type=float, default=Plan.minutes, help="for each network")
    parser.add_argument("--peak-rate", type=float, default=Plan.peak_rate)
    parser.add_argument("--longest-s", type=float, help="crops; each network has its own")
    parser.add_argument(
        "--bfloat16", action="store_true", help="faster where the processor multiplies in it"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    began = time.monotonic()

    assets, page = HOUSE / "src/emoscope/assets", HOUSE / "docs/models/compact.md"
    plans = [
        dataclasses.replace(
            plan,
            seed=plan.seed + options.seed,
            minutes=options.minutes,
            peak_rate=options.peak_rate,
            longest_s=options.longest_s or plan.longest_s,
            bfloat16=options.bfloat16,
        )
        for _, plan in NETWORKS
    ]
    expert_plan = dataclasses.replace(ExpertPlan(), seed=options.seed - 1)
    if options.quick:
        assets, page = options.cache / "quick", options.cache / "quick" / "compact.md"
        plans = [
            dataclasses.replace(plan, epochs=2, draws_per_epoch=1536, average=0.98)
            for plan in plans
        ]
        expert_plan = dataclasses.replace(expert_plan, variants=1, steps=300)
    assets.mkdir(parents=True, exist_ok=True)

    clips = load_clips(options.data, options.cache, TRAIN_CORPORA + FOREIGN_CORPORA)
    sound = Sound(options.cache)
    _say(began, f"decoded {len(clips)} clips")

    train = choose(clips, "train", TRAIN_CORPORA)
    dev = choose(clips, "dev", TRAIN_CORPORA)
    weights = [options.cache / f"network{number + 1}.pt" for number in range(len(NETWORKS))]
    expert_weights = options.cache / "experts.pt"
    if not options.keep_weights and not options.go_on and not options.only:
        specialists = train_experts(train, sound, expert_plan)
        _save([expert.state_dict() for expert in specialists], expert_weights)
        _say(began, f"trained {len(specialists)} experts")
    for number, ((shape, _), plan, target) in enumerate(zip(NETWORKS, plans, weights, strict=True)):
        if options.keep_weights or (options.only and options.only != number + 1):
            continue
        start = torch.load(target, weights_only=True) if options.go_on else None
        keep = partial(_keep, target)
        taught = None
        if plan.taught_by:
            teachers = assemble(weights[: plan.taught_by], expert_weights)
            taught = teach(teachers, train, dev, sound)
        fit(train, dev, sound, shape, plan, keep, start, taught)
        _say(began, f"trained network {number + 1} of {len(NETWORKS)}")
    if options.only:
        return
    joined = join(assemble(weights, expert_weights), dev, sound)

    # Everything is made in the cache and moved at the end, so that file and card always agree.
    model = options.cache / "build" / "compact.onnx"
    model.parent.mkdir(exist_ok=True)
    export.export(joined, model, version=options.revision)
    accuracy, logits, heard = {}, {}, {}
    test = choose(clips, "test", TRAIN_CORPORA + FOREIGN_CORPORA)
    for corpus in TRAIN_CORPORA + FOREIGN_CORPORA:
        own = [clip for clip in test if clip.corpus == corpus]
        if options.quick:
            own = [own[place] for place in np.random.default_rng(0).permutation(len(own))[:150]]
        heard[corpus], logits[corpus] = own, evaluate.answers(model, own, sound)
        accuracy[corpus] = evaluate.figures(logits[corpus], own, corpus)
        low, high = accuracy[corpus]["ci95"]
        uar, own_uar = accuracy[corpus]["uar"], accuracy[corpus]["uar_own_classes"]
        print(f"{corpus:10} UAR {uar:.3f} [{low:.3f}, {high:.3f}]  own {own_uar:.3f}", flush=True)
    described = card.build(
        model,
        clips,
        accuracy,
        revision=options.revision,
        dim=joined.width,
        parameters=parameter_count(joined),
    )
    fitted = calibrate.fit(model, dev, sound)
    described["calibration"] = calibrate.described(fitted, heard, logits)
    described["groups"] = calibrate.groups(heard, logits)
    four_seconds_ms = evaluate.milliseconds(model)
    card.write(model.read_bytes(), assets / "compact.onnx")
    card.write(card.as_json(described), assets / "compact.json")
    text = card.as_markdown(described, accuracy, four_seconds_ms)
    card.write(card.with_trust(text, described), page)
    calibrate.draw(fitted, heard, logits, page.parent)
    _say(began, f"wrote {model.name}, {four_seconds_ms:.0f} ms for 4 s on one core")


def assemble(weights: list[Path], expert_weights: Path) -> Joined:
    """The first networks, as many as there are weights, and the experts; not yet weighed."""
    networks = []
    for (shape, _), path in zip(NETWORKS, weights, strict=False):
        network = Compact(shape)
        network.load_state_dict(torch.load(path, weights_only=True))
        networks.append(network.eval())
    specialists = []
    for state in torch.load(expert_weights, weights_only=True)[: ExpertPlan.count]:
        expert = Expert()
        expert.load_state_dict(state)
        specialists.append(expert.eval())
    return Joined(networks, specialists).eval()


@dataclass(frozen=True)
class View:
    """What the parts say of some clips."""

    of_networks: np.ndarray
    """Mean utterance logits `(clips, 9)`."""
    of_experts: np.ndarray
    """Likewise."""
    embeddings: torch.Tensor
    """Mean embeddings `(clips, D)`."""

    @property
    def joined(self) -> np.ndarray:
        """Logits `(clips, 9)` of all, before the factor."""
        return self.of_networks + EXPERTS_SHARE * self.of_experts


def view(joined: Joined, clips: Sequence[Clip], sound: Sound) -> View:
    """Ask every part about whole clips."""
    means = []
    with torch.inference_mode():
        for clip in clips:
            powers = fast_powers(torch.from_numpy(sound.samples(clip))[None])
            _, embeddings, _ = joined(powers, torch.tensor([powers[0].shape[1]]))
            means.append(embeddings.mean(dim=1))
        whole = torch.cat(means)
        parts = [*joined.networks, *joined.experts]
        columns = whole.split([part.head.in_features for part in parts], dim=1)
        said = [part.head(own).numpy() for part, own in zip(parts, columns, strict=True)]
    networks = len(joined.networks)
    return View(np.mean(said[:networks], axis=0), np.mean(said[networks:], axis=0), whole)


def teach(
    joined: Joined, clips: list[Clip], dev: list[Clip], sound: Sound
) -> dict[str, torch.Tensor]:
    """What a network learns from: logits `(9,)` of the clips by path, as sure as dev allows."""
    factor, _ = fit_balance(view(joined, dev, sound).joined, dev)
    logits = torch.from_numpy(factor * view(joined, clips, sound).joined)
    return {clip.path: row for clip, row in zip(clips, logits, strict=True)}


def join(joined: Joined, dev: list[Clip], sound: Sound) -> Joined:
    """All under one head, whose factor is fitted on dev; the embedding no wider than allowed."""
    seen = view(joined, dev, sound)
    factor, offsets = fit_balance(seen.joined, dev)
    joined.weigh(factor, factor * EXPERTS_SHARE, offsets)
    if joined.width > WIDEST:
        joined.narrow_to(WIDEST, seen.embeddings)
    views = {"networks": seen.of_networks, "experts": seen.of_experts}
    for name, logits in (*views.items(), ("joined", factor * seen.joined + offsets.numpy())):
        nine, own = recalls(logits, dev, own=False), recalls(logits, dev, own=True)
        means = f"{np.mean(list(nine.values())):.3f} own {np.mean(list(own.values())):.3f}"
        print(f"dev {name:8} {means} ", {corpus: round(nine[corpus], 3) for corpus in nine})
    print(f"factor {factor:.2f}, offsets", offsets.numpy().round(2))
    return joined


def _keep(target: Path, network: Compact) -> None:
    _save(network.state_dict(), target)


def _save(state: Any, target: Path) -> None:
    """Keep weights whole or not at all, so that export can be repeated without training."""
    temporary = target.with_name(f".{target.name}.tmp")
    torch.save(state, temporary)
    temporary.replace(target)


def _say(began: float, what: str) -> None:
    print(f"[{(time.monotonic() - began) / 60.0:5.1f} min] {what}", flush=True)


if __name__ == "__main__":
    main()
