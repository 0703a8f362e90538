"""Write ``assets/tiny.onnx``: the smallest model that really keeps the contract.

Its front end measures each clip against its own level, so a model that mistook the padding of a
batch for sound would give other numbers; its head is linear. Run it to write the file again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FILE = Path(__file__).parent / "assets" / "tiny.onnx"
DIM = 4


def build() -> bytes:
    """Return the file, the same bytes each time."""
    rng = np.random.default_rng(7)
    head = rng.integers(-8, 9, (DIM, 9)).astype(np.float32) / 4
    constants = {
        "hop": np.array([320], np.int64),
        "frame": np.array([400], np.int64),
        "axis_1": np.array([1], np.int64),
        "axis_2": np.array([2], np.int64),
        "zero": np.array(0, np.int64),
        "one": np.array(1, np.int64),
        "floor": np.array(1e-6, np.float32),
        "head": head,
        "bias": rng.integers(-4, 5, 9).astype(np.float32) / 4,
    }
    frames = {"kernel_shape": [400], "strides": [320]}
    nodes = [
        # T of each clip: floor((length - 400) / 320) + 1
        ("Sub", ["lengths", "frame"], "room", {}),
        ("Div", ["room", "hop"], "whole", {}),
        ("Add", ["whole", "one"], "frame_counts", {}),
        # the clip's own level: power over its own length, not over the padded one
        ("Mul", ["waveform", "waveform"], "power", {}),
        ("ReduceSum", ["power", "axis_1"], "energy", {"keepdims": 0}),
        ("Cast", ["lengths"], "lengths_f", {"to": TensorProto.FLOAT}),
        ("Div", ["energy", "lengths_f"], "mean_power", {}),
        ("Sqrt", ["mean_power"], "level", {}),
        ("Max", ["level", "floor"], "safe_level", {}),
        ("Unsqueeze", ["safe_level", "axis_1"], "column", {}),
        ("Div", ["waveform", "column"], "even", {}),  # (B, N)
        # four means per frame, (B, 4, T)
        ("Abs", ["even"], "size", {}),
        ("Mul", ["even", "even"], "square", {}),
        ("Mul", ["size", "square"], "cube", {}),
        *(("Unsqueeze", [x, "axis_1"], f"{x}_1", {}) for x in ("even", "size", "square", "cube")),
        ("Concat", ["even_1", "size_1", "square_1", "cube_1"], "channels", {"axis": 1}),
        ("AveragePool", ["channels"], "means", frames),
        ("Transpose", ["means"], "rows", {"perm": [0, 2, 1]}),  # (B, T, 4)
        # rows past the clip's own end are zero
        ("Shape", ["rows"], "count", {"start": 1, "end": 2}),
        ("Squeeze", ["count"], "T", {}),
        ("Range", ["zero", "T", "one"], "numbers", {}),
        ("Unsqueeze", ["frame_counts", "axis_1"], "ends", {}),
        ("Less", ["numbers", "ends"], "inside", {}),  # (B, T)
        ("Cast", ["inside"], "inside_f", {"to": TensorProto.FLOAT}),
        ("Unsqueeze", ["inside_f", "axis_2"], "mask", {}),
        ("Mul", ["rows", "mask"], "frame_embeddings", {}),
        ("MatMul", ["frame_embeddings", "head"], "evidence", {}),
        ("Add", ["evidence", "bias"], "frame_logits", {}),
    ]
    graph = helper.make_graph(
        [helper.make_node(kind, feeds, [out], **more) for kind, feeds, out, more in nodes],
        "tiny",
        [
            helper.make_tensor_value_info("waveform", TensorProto.FLOAT, ["B", "N"]),
            helper.make_tensor_value_info("lengths", TensorProto.INT64, ["B"]),
        ],
        [
            helper.make_tensor_value_info("frame_logits", TensorProto.FLOAT, ["B", "T", 9]),
            helper.make_tensor_value_info("frame_embeddings", TensorProto.FLOAT, ["B", "T", DIM]),
            helper.make_tensor_value_info("frame_counts", TensorProto.INT64, ["B"]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="emoscope"
    )
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


if __name__ == "__main__":
    FILE.write_bytes(build())
