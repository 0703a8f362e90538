"""Trained weights to `compact.onnx`: norms folded, front end inside, metadata filled in."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from evaluate import open_session
from joined import Joined, WholeModel
from network import HOP, WINDOW, Block, Picture

OPSET = 17
LICENCE = "CC-BY-NC-SA-4.0"
AUTHOR = "The Emoscope founders"
LARGE = 1024  # numbers from which a constant is kept in 16 bits
HALF = "_half"  # behind the name of such a constant


def _fold(conv: nn.Conv1d | nn.Conv2d, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
    """Move a batch norm into the convolution before it and leave an identity in its place."""
    running_mean, running_var = norm.running_mean, norm.running_var
    assert running_mean is not None
    assert running_var is not None
    scale = norm.weight / torch.sqrt(running_var + norm.eps)
    with torch.no_grad():
        conv.weight.mul_(scale.reshape(-1, *[1] * (conv.weight.ndim - 1)))
    conv.bias = nn.Parameter(norm.bias - running_mean * scale)


def folded(joined: Joined) -> Joined:
    """A copy without batch norms that answers the same."""
    joined = copy.deepcopy(joined).eval()
    for module in joined.modules():
        if isinstance(module, Picture | Block):
            _fold(module.conv, module.norm)
            module.norm = nn.Identity()  # type: ignore[assignment]
    pairs = (("pitch_conv", "pitch_norm"), ("flat", "flat_norm"), ("last", "last_norm"))
    for network in joined.networks:
        for conv, norm in pairs:
            if hasattr(network, conv):
                _fold(getattr(network, conv), getattr(network, norm))
                setattr(network, norm, nn.Identity())
    return joined


def export(joined: Joined, target: Path, *, version: str) -> None:
    """Write the contract's ONNX file, whole or not at all."""
    model = rounded(WholeModel(folded(joined)).eval())
    waveform = torch.randn(2, 8_000) * 0.1
    lengths = torch.tensor([8_000, 6_000])
    temporary = target.with_name(f".{target.name}.tmp")
    torch.onnx.export(
        model,
        (waveform, lengths),
        str(temporary),
        input_names=["waveform", "lengths"],
        output_names=["frame_logits", "frame_embeddings", "frame_counts"],
        dynamic_axes={
            "waveform": {0: "B", 1: "N"},
            "lengths": {0: "B"},
            "frame_logits": {0: "B", 1: "T"},
            "frame_embeddings": {0: "B", 1: "T"},
            "frame_counts": {0: "B"},
        },
        opset_version=OPSET,
        dynamo=False,
    )
    graph = onnx.load(temporary)
    halve(graph.graph)
    graph.producer_name = "emoscope train/export.py"
    graph.producer_version = version
    graph.doc_string = "Emotion of speech in nine classes; see compact.json and its licence."
    onnx.helper.set_model_props(
        graph, {"author": AUTHOR, "licence": LICENCE, "version": version, "name": "compact"}
    )
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, temporary)
    check(model, temporary)
    temporary.replace(target)


def rounded(model: WholeModel) -> WholeModel:
    """The model with its large constants rounded to what 16 bits can hold, in place."""
    with torch.no_grad():
        for value in (*model.parameters(), *model.buffers()):
            if value.numel() >= LARGE and value.dtype == torch.float32:
                value.copy_(value.half().float())
    return model


def halve(graph: onnx.GraphProto) -> None:
    """Keep constants in 16 bits where that loses nothing: half the file, the same 32-bit numbers.

    A Cast gives them back; a runtime does that once, when it loads the file.
    """
    constants = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constants[node.output[0]] = onnx.numpy_helper.to_array(node.attribute[0].t)
    halves, casts = {}, []
    for name, values in constants.items():
        if values.size < LARGE or values.dtype != np.float32:
            continue
        half = values.astype(np.float16)
        if np.array_equal(half.astype(np.float32), values):
            halves[name] = onnx.numpy_helper.from_array(half, name + HALF)
            to = onnx.TensorProto.FLOAT
            casts.append(onnx.helper.make_node("Cast", [name + HALF], [name], to=to))
    initializers = [one for one in graph.initializer if one.name not in halves]
    nodes = [node for node in graph.node if not set(node.output) & set(halves)]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend([*initializers, *halves.values()])
    graph.node.extend([*casts, *nodes])


def check(model: WholeModel, path: Path) -> float:
    """Refuse a file that does not keep the contract; returns the largest difference seen."""
    session = open_session(path, threads=0)
    random = np.random.default_rng(0)
    lengths = np.array([400, 719, 720, 9_999, 24_000], dtype=np.int64)
    waveform = np.zeros((len(lengths), int(lengths.max())), dtype=np.float32)
    for row, length in enumerate(lengths):
        waveform[row, :length] = random.standard_normal(length) * 10.0 ** -(row % 4)
    together = session.run(None, {"waveform": waveform, "lengths": lengths})
    with torch.inference_mode():
        trained = model(torch.from_numpy(waveform), torch.from_numpy(lengths))
    worst = 0.0
    for row, length in enumerate(lengths):
        frames = (int(length) - WINDOW) // (2 * HOP) + 1
        alone = session.run(
            None, {"waveform": waveform[row : row + 1, :length], "lengths": lengths[row : row + 1]}
        )
        if int(together[2][row]) != frames or alone[0].shape[1] != frames:
            raise ValueError(f"{length} samples: {together[2][row]} frames, expected {frames}")
        for one, many, torch_many in zip(alone[:2], together[:2], trained[:2], strict=True):
            if np.abs(many[row, frames:]).max(initial=0.0) != 0.0:
                raise ValueError(f"{length} samples: rows past the end are not zero")
            for other in (many[row, :frames], torch_many[row, :frames].numpy()):
                worst = max(worst, float(np.abs(one[0] - other).max()))
    if not worst < 1e-4:
        raise ValueError(f"padding, batching or export changes the answer by {worst:.1e}")
    return worst
