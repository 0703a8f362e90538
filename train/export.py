"""Trained weights to `compact.onnx`: front end inside, weights in 8 bits, metadata filled in."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from evaluate import open_session
from frontend import frame_count
from model import Model, WholeModel

OPSET = 17
LICENCE = "CC-BY-NC-SA-4.0"
AUTHOR = "The Emoscope founders"
LARGE = 1024
"""Numbers from which a constant is kept in fewer bits."""


def rounded(model: Model) -> tuple[WholeModel, dict[str, tuple[np.ndarray, np.ndarray, int]]]:
    """The model with its large constants rounded to what the file holds, in place.

    Matrices of linear layers and convolutions are rounded to 8 bits, one scale for each output;
    other large constants to 16 bits. The file then computes exactly what was checked.

    Returns:
        The whole model, and by content's key what each 8-bit constant is made of: the integers,
        the scales and the axis of the outputs.
    """
    whole = WholeModel(model).eval()
    integers: dict[str, tuple[np.ndarray, np.ndarray, int]] = {}
    exact = {id(whole.model.head.logits.weight)}
    with torch.no_grad():
        for module in whole.modules():
            if not isinstance(module, nn.Linear | nn.Conv1d) or id(module.weight) in exact:
                continue
            weight = module.weight
            rest = tuple(range(1, weight.ndim))
            scale = weight.abs().amax(dim=rest, keepdim=True).clamp(min=1e-12) / 127.0
            whole_numbers = torch.round(weight / scale)
            weight.copy_(whole_numbers * scale)
            parts = (whole_numbers.to(torch.int8).numpy(), scale.numpy())
            integers[_key(weight.numpy())] = (*parts, 0)
            if weight.ndim == 2:  # the graph multiplies with its transpose
                turned = np.ascontiguousarray(weight.numpy().T)
                integers[_key(turned)] = (parts[0].T.copy(), parts[1].T.copy(), 1)
        for value in (*whole.parameters(), *whole.buffers()):
            large = value.numel() >= LARGE and value.dtype == torch.float32
            if large and _key(value.numpy()) not in integers:
                value.copy_(value.half().float())
    return whole, integers


def export(model: Model, target: Path, *, version: str) -> None:
    """Write the contract's ONNX file, whole or not at all."""
    whole, integers = rounded(model)
    temporary = target.with_name(f".{target.name}.tmp")
    torch.onnx.export(
        whole,
        (torch.randn(2, 48_000) * 0.1, torch.tensor([48_000, 40_000])),
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
    shrink(graph.graph, integers)
    graph.producer_name = "emoscope train/export.py"
    graph.producer_version = version
    graph.doc_string = "Emotion of speech in nine classes; see compact.json and its licence."
    onnx.helper.set_model_props(
        graph, {"author": AUTHOR, "licence": LICENCE, "version": version, "name": "compact"}
    )
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, temporary)
    check(whole, temporary)
    temporary.replace(target)


def shrink(graph: onnx.GraphProto, integers: dict[str, tuple[np.ndarray, np.ndarray, int]]) -> None:
    """Keep large constants in 8 or 16 bits where that gives back the same 32-bit numbers.

    A Cast, and for 8 bits a Mul with the scales, give them back; a runtime does that once, when it
    loads the file (`DequantizeLinear` would be computed again in every run).
    """
    constants = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constants[node.output[0]] = onnx.numpy_helper.to_array(node.attribute[0].t)
    small, nodes = [], []
    done = set()
    to = onnx.TensorProto.FLOAT
    for name, values in constants.items():
        if values.size < LARGE or values.dtype != np.float32:
            continue
        half = values.astype(np.float16)
        if (found := integers.get(_key(values))) is not None:
            whole_numbers, scale, _ = found
            small.append(onnx.numpy_helper.from_array(whole_numbers, f"{name}_int8"))
            small.append(onnx.numpy_helper.from_array(scale.astype(np.float32), f"{name}_scale"))
            nodes.append(onnx.helper.make_node("Cast", [f"{name}_int8"], [f"{name}_whole"], to=to))
            factors = [f"{name}_whole", f"{name}_scale"]
            nodes.append(onnx.helper.make_node("Mul", factors, [name]))
        elif np.array_equal(half.astype(np.float32), values):
            small.append(onnx.numpy_helper.from_array(half, f"{name}_half"))
            nodes.append(onnx.helper.make_node("Cast", [f"{name}_half"], [name], to=to))
        else:
            continue
        done.add(name)
    initializers = [one for one in graph.initializer if one.name not in done]
    kept = [node for node in graph.node if not set(node.output) & done]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend([*initializers, *small])
    graph.node.extend([*nodes, *kept])


def _key(values: np.ndarray) -> str:

    content = np.ascontiguousarray(values, np.float32)
    return hashlib.sha256(str(content.shape).encode() + content.tobytes()).hexdigest()


def check(model: WholeModel, path: Path) -> float:
    """Refuse a file that does not keep the contract; returns the largest difference seen."""
    session = open_session(path, threads=0)
    random = np.random.default_rng(0)
    lengths = np.array([400, 719, 720, 9_999, 24_000, 50_000], dtype=np.int64)
    waveform = np.zeros((len(lengths), int(lengths.max())), dtype=np.float32)
    for row, length in enumerate(lengths):
        waveform[row, :length] = random.standard_normal(length) * 10.0 ** -(row % 4)
    together = session.run(None, {"waveform": waveform, "lengths": lengths})
    with torch.inference_mode():
        trained = model(torch.from_numpy(waveform), torch.from_numpy(lengths))
    worst = 0.0
    for row, length in enumerate(lengths):
        frames = frame_count(int(length))
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
