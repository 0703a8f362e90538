"""Make ``assets/silero_vad.onnx`` from the published network: same weights, three times as fast.

    python scripts/make_vad.py silero_vad_16k_sequence.onnx

The published graph takes 32 ms of sound as one picture of four columns, so each convolution is
hundreds of tiny products. Here a convolution of all steps is one product, and nothing is computed
that is thrown away or multiplied with padding.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from emoscope.telemetry import load_onnxruntime

onnxruntime = load_onnxruntime()

PUBLISHED = "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"
"""Of silero_vad/data/silero_vad_16k_sequence.onnx in the package silero-vad 6.2.3 (MIT)."""
HOUSE = Path(__file__).resolve().parents[1]
TARGET = HOUSE / "src/emoscope/assets/silero_vad.onnx"
ANSWERS = HOUSE / "tests/audio/silero_published.json"
"""What the published network says of our own sentences, for the tests."""
STEP, CONTEXT, WINDOW, HOP, LINES, WIDTH = 512, 64, 256, 128, 129, 128
COLUMNS = 4  # spectra of a step
SAME = 2e-5  # largest difference of a probability that rounding may make


def main() -> None:
    """Check what is given, rewrite it, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("published", type=Path)
    published = parser.parse_args().published.read_bytes()
    if hashlib.sha256(published).hexdigest() != PUBLISHED:
        raise SystemExit("this is not the published file")
    made = rewritten(onnx.load_from_string(published)).SerializeToString()
    apart = difference(published, made)
    print(f"largest difference of a probability: {apart:.1e}")
    if apart > SAME:
        raise SystemExit("the rewritten network answers differently")
    TARGET.write_bytes(made)
    said = {name: answers_to_sample(published, name) for name in ("happy_en", "sad_zh")}
    ANSWERS.write_text(json.dumps(said) + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {len(made)} bytes, sha256 {hashlib.sha256(made).hexdigest()}")


def rewritten(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the same function; ``B`` steps, rows of ``T`` columns with their channels last."""
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    lstm = next(node for node in model.graph.node if node.op_type == "LSTM")
    graph = Graph()

    # Spectra: (B, 576) mirrored at the end to 640 samples, windows of two neighbouring hops.
    graph.add("Pad", ["input", graph.ints([0, 0, 0, WINDOW // 4])], "long", mode="reflect")
    graph.add("Reshape", ["long", graph.ints([-1, COLUMNS + 1, HOP])], "hops")
    windows = graph.neighbours("hops", [0, 1], COLUMNS, 1)
    basis = weights["stft.forward_basis_buffer"][:, 0].T  # (256, real and imaginary parts)
    graph.add("MatMul", [windows, graph.tensor(basis)], "parts")
    graph.add("Mul", ["parts", "parts"], "squares")
    graph.add("Split", ["squares", graph.ints([LINES, LINES])], "real", "imaginary", axis=2)
    graph.add("Add", ["real", "imaginary"], "power")
    graph.add("Sqrt", ["power"], "magnitude")

    # Four convolutions of three taps with a column of zeros on each side: 4, 2, 1 and 1 columns.
    def columns_of(name: str, taps: list[int]) -> np.ndarray:
        kernel = weights[f"{name}.weight"]  # (out, in, 3)
        return np.concatenate([kernel[:, :, tap].T for tap in taps])

    def convolved(name: str, source: str, taps: list[int]) -> str:
        product = f"{name}.product"
        graph.add("MatMul", [source, graph.tensor(columns_of(name, taps))], product)
        graph.add("Add", [product, graph.tensor(weights[f"{name}.bias"])], f"{name}.sum")
        graph.add("Relu", [f"{name}.sum"], name)
        return name

    zeros = graph.ints([0, 1, 0, 0, 1, 0])
    graph.add("Pad", ["magnitude", zeros], "wide.0")
    first = convolved("encoder.0", graph.neighbours("wide.0", [0, 1, 2], 4, 1), [0, 1, 2])
    graph.add("Pad", [first, zeros], "wide.1")
    second = convolved("encoder.1", graph.neighbours("wide.1", [0, 1, 2], 2, 2), [0, 1, 2])
    # Of the column that is left the first tap, then the first and the last, would see zeros.
    graph.add("Reshape", [second, graph.ints([-1, 1, 2 * 64])], "pair")
    third = convolved("encoder.2", "pair", [1, 2])
    fourth = convolved("encoder.3", third, [1])  # (B, 1, 128): the LSTM's sequence

    gates = [graph.tensor(weights[name]) for name in lstm.input[1:4]]
    graph.add("LSTM", [fourth, *gates, "", "h", "c"], "states", "hn", "cn", hidden_size=WIDTH)
    graph.add("Reshape", ["states", graph.ints([-1, WIDTH])], "rows")
    graph.add("Relu", ["rows"], "heard")
    graph.add("MatMul", ["heard", graph.tensor(weights["output.weight"][0])], "weighed")
    graph.add("Add", ["weighed", graph.tensor(weights["output.bias"])], "logits")
    graph.add("Sigmoid", ["logits"], "each")
    graph.add("Reshape", ["each", graph.ints([-1])], "speech_probs")

    state = [1, 1, WIDTH]
    made = helper.make_graph(
        graph.nodes,
        "silero_vad",
        [_float("input", ["steps", CONTEXT + STEP]), _float("h", state), _float("c", state)],
        [_float("speech_probs", ["steps"]), _float("hn", state), _float("cn", state)],
        graph.tensors,
    )
    whole = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", 16)], ir_version=model.ir_version
    )
    onnx.checker.check_model(whole, full_check=True)
    return whole


class Graph:
    """Nodes and constants in the making."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []

    def add(self, kind: str, inputs: list[str], *outputs: str, **attributes: Any) -> None:
        """Put a node at the end."""
        self.nodes.append(helper.make_node(kind, inputs, list(outputs), **attributes))

    def tensor(self, array: np.ndarray) -> str:
        """Return the name of a constant."""
        name = f"constant.{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def ints(self, numbers: list[int]) -> str:
        """Return the name of a constant of whole numbers."""
        return self.tensor(np.array(numbers, np.int64))

    def neighbours(self, source: str, shifts: list[int], columns: int, stride: int) -> str:
        """Columns ``(B, T, C)`` that lie side by side, as rows ``(B, columns, shifts · C)``."""
        parts = []
        for shift in shifts:
            part = f"{source}.from{shift}"
            ends = [shift, shift + (columns - 1) * stride + 1, 1, stride]
            self.add("Slice", [source, *(self.ints([at]) for at in ends)], part)
            parts.append(part)
        self.add("Concat", parts, f"{source}.side", axis=2)
        return f"{source}.side"


def difference(published: bytes, made: bytes) -> float:
    """Largest difference of a probability on noise, tones and pauses at many levels."""
    random = np.random.default_rng(0)
    steps = 2_000
    sound = random.standard_normal((steps, CONTEXT + STEP))
    places = np.arange(sound.size).reshape(sound.shape)
    sound += 3 * np.sin(places * random.uniform(0.01, 1, (steps, 1)))
    sound *= 10.0 ** random.uniform(-5, -0.5, (steps, 1))
    sound[random.random(steps) < 0.1] = 0
    state = np.zeros((1, 1, WIDTH), np.float32)
    feeds = {"input": sound.astype(np.float32), "h": state, "c": state}
    before, after = (
        onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, feeds)[0]
        for model in (published, made)
    )
    return float(np.abs(before - after).max())


def answers_to_sample(published: bytes, name: str) -> list[float]:
    """Probability of each whole step of one of our sentences."""
    with wave.open(str(TARGET.parent / "samples" / f"{name}.wav")) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    sound = np.concatenate([np.zeros(CONTEXT), data / 32_768.0]).astype(np.float32)
    steps = np.lib.stride_tricks.sliding_window_view(sound, CONTEXT + STEP)[::STEP]
    state = np.zeros((1, 1, WIDTH), np.float32)
    session = onnxruntime.InferenceSession(published, providers=["CPUExecutionProvider"])
    said = session.run(None, {"input": steps, "h": state, "c": state})[0]
    return [round(float(one), 6) for one in said]


def _float(name: str, shape: Sequence[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


if __name__ == "__main__":
    main()
