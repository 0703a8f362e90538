"""Weights out of the shipped file, where the cache that training kept is gone.

    python train/recover.py --data FOLDER [--cache FOLDER]

The export folds the norms into their convolutions. Here they come back with the mean and spread
that their inputs have on training clips, so that nothing changes in what the networks answer and
training can go on (`run.py --go-on`) as if they had never been folded. Writes what
`run.py --keep-weights` reads.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

import evaluate
import export
import fit
from balance import EXPERTS_SHARE, fixed_offsets
from data import EMOTIONS, TRAIN_CORPORA, Clip, Sound, choose, load_clips
from experts import ExpertPlan
from joined import Joined, WholeModel
from network import Compact, short_frame_count
from overview import Expert
from run import HOUSE, NETWORKS, assemble

CONVOLUTION_OF = {
    "norm": "conv",
    "pitch_norm": "pitch_conv",
    "flat_norm": "flat",
    "last_norm": "last",
}
BATCHES = 120  # whose statistics the norms get


def main() -> None:
    """Write networks and experts into the cache and check that they answer as the file does."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "emoscope-train")
    options = parser.parse_args()
    path = HOUSE / "src/emoscope/assets/compact.onnx"
    named, loose = constants(path)
    clips = load_clips(options.data, options.cache, TRAIN_CORPORA)
    train, sound = choose(clips, "train", TRAIN_CORPORA), Sound(options.cache)

    # Logits = offsets + mean of the networks' + a share of the mean of the experts': the factor
    # that run.py fits belongs to the heads from here on, and is near one when it fits it again.
    head, bias = loose[-1].T, named["joined.head.bias"]
    if len(loose) % 2 == 0:  # the embedding was narrowed
        head = head @ loose[-2].T
    bias = bias - fixed_offsets()
    at, files = 0, []
    for number, (shape, plan) in enumerate(NETWORKS):
        network = Compact(shape).eval()
        own = head[:, at : at + shape.width] * len(NETWORKS)
        at += shape.width
        fill(network, f"joined.networks.{number}.", named, own, bias)
        unfold(network, list(batches(train, sound, plan)))
        files.append(options.cache / f"network{number + 1}.pt")
        torch.save(network.state_dict(), files[-1])
    experts = []
    for number in range(ExpertPlan.count):
        expert = Expert()
        width = expert.head.in_features
        state = expert.state_dict()
        for name in ("mean", "scale"):  # alike in all, so the file holds them once
            state[name] = named[f"joined.experts.0.{name}"]
        for place, name in enumerate(("first", "second")):
            state[f"{name}.weight"] = loose[2 * number + place].T.contiguous()
            state[f"{name}.bias"] = named[f"joined.experts.{number}.{name}.bias"]
        own = head[:, at : at + width] * (ExpertPlan.count / EXPERTS_SHARE)
        at += width
        state["head.weight"], state["head.bias"] = own, torch.zeros(len(EMOTIONS))
        experts.append(state)
    torch.save(experts, options.cache / "experts.pt")

    worst = difference(assemble(files, options.cache / "experts.pt"), path)
    print(f"{len(files)} networks, {len(experts)} experts; logits differ by {worst:.1e} at most")
    # The file's DFTs and filters are rounded to 16 bits (`export.rounded`), those here are not.
    if not worst < 5e-3:
        raise SystemExit("this is not what the file holds")


def constants(path: Path) -> tuple[dict[str, Tensor], list[Tensor]]:
    """The file's constants by name, and matrices without one `(in, out)`, in the graph's order."""
    named, loose = {}, []
    for one in onnx.load(path).graph.initializer:
        value = torch.from_numpy(numpy_helper.to_array(one).copy())
        name = one.name.removesuffix(export.HALF)
        value = value.float() if name != one.name else value
        if name.startswith("onnx::MatMul"):
            loose.append(value)
        else:
            named[name] = value
    return named, loose


def fill(
    network: Compact, prefix: str, named: dict[str, Tensor], head: Tensor, bias: Tensor
) -> None:
    """Give a network its part of the file; a norm adds what its convolution added there."""
    state = network.state_dict()
    for name, value in state.items():
        if prefix + name in named:
            state[name] = named[prefix + name]
        elif not name.startswith("head") and not name.endswith("num_batches_tracked"):
            stem, _, leaf = name.rpartition(".")
            parent, dot, norm = stem.rpartition(".")
            added = named[f"{prefix}{parent}{dot}{CONVOLUTION_OF[norm]}.bias"]
            state[name] = {
                "weight": torch.ones_like(added),
                "bias": added,
                "running_mean": torch.zeros_like(added),
                "running_var": torch.ones_like(added) - 1e-5,
            }[leaf].reshape(value.shape)
    state["head.weight"], state["head.bias"] = head.contiguous(), bias
    network.load_state_dict(state)


def batches(clips: list[Clip], sound: Sound, plan: fit.Plan) -> Iterator[Tensor]:
    """Waveforms `(B, N)` of a few batches, drawn as in training."""
    random = np.random.default_rng(plan.seed)
    for number, (waveform, _) in enumerate(fit.batches(clips, sound, plan, random)):
        if number == BATCHES:
            return
        yield waveform


def unfold(network: Compact, waveforms: list[Tensor]) -> None:
    """Give the norms the statistics of their inputs, and weights that undo them again."""
    norms = {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and name != "overview_norm"
    }
    seen: dict[str, list[Tensor]] = {name: [] for name in norms}

    def watch(name: str) -> RemovableHandle:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...], __: Tensor) -> None:
            x = inputs[0].transpose(0, 1).flatten(1).double()
            seen[name].append(torch.stack([x.mean(dim=1), (x * x).mean(dim=1)]))

        return norms[name].register_forward_hook(hook)

    handles = [watch(name) for name in norms]
    with torch.inference_mode():
        for waveform in waveforms:
            lengths = torch.full((len(waveform),), waveform.shape[1])
            network.utterance_logits(network.listen(waveform), short_frame_count(lengths))
    for handle in handles:
        handle.remove()
    with torch.no_grad():
        for name, norm in norms.items():
            mean, square = torch.stack(seen[name]).mean(dim=0)
            variance = (square - mean * mean).clamp(min=1e-6)
            assert norm.running_mean is not None
            assert norm.running_var is not None
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            norm.weight.copy_(torch.sqrt(variance + norm.eps))
            norm.bias.add_(mean)


def difference(joined: Joined, path: Path) -> float:
    """Largest difference of frame logits between what was recovered and the file."""
    joined.weigh(1.0, EXPERTS_SHARE, fixed_offsets())
    waveform = np.random.default_rng(0).standard_normal((1, 48_000)).astype(np.float32) * 0.1
    lengths = np.array([48_000])
    told = evaluate.open_session(path).run(
        ["frame_logits"], {"waveform": waveform, "lengths": lengths}
    )
    with torch.inference_mode():
        own, _, _ = WholeModel(joined)(torch.from_numpy(waveform), torch.from_numpy(lengths))
    return float(np.abs(own.numpy() - told[0]).max())


if __name__ == "__main__":
    main()
