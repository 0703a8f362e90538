"""What this machine can do at most: products of big matrices in ONNX Runtime, float32 and int8.

    python benchmarks/matrix_peak.py [--threads 2]

The best of several runs, per second of wall and of CPU: on a busy machine only the latter means
anything. A product of n × n matrices counts as 2 n³ operations. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from emoscope.telemetry import load_onnxruntime

onnxruntime = load_onnxruntime()

SIZE = 2048
REPEATS = 7


def session(kind: str, threads: int) -> Any:
    """One product with a constant matrix, as a layer has it."""
    random = np.random.default_rng(0)
    if kind == "float32":
        operator, given, made = "MatMul", TensorProto.FLOAT, TensorProto.FLOAT
        matrix = random.standard_normal((SIZE, SIZE)).astype(np.float32)
    else:
        operator, given, made = "MatMulInteger", TensorProto.UINT8, TensorProto.INT32
        matrix = random.integers(-64, 64, (SIZE, SIZE)).astype(np.int8)
    graph = helper.make_graph(
        [helper.make_node(operator, ["x", "matrix"], ["y"])],
        "peak",
        [helper.make_tensor_value_info("x", given, [SIZE, SIZE])],
        [helper.make_tensor_value_info("y", made, [SIZE, SIZE])],
        [numpy_helper.from_array(matrix, "matrix")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def measure(threads: int) -> dict[str, dict[str, float]]:
    """GFLOP (or integer operations) per second, by kind of number."""
    found: dict[str, dict[str, float]] = {}
    for kind in ("float32", "int8"):
        product = session(kind, threads)
        x: Any = np.random.default_rng(1).integers(0, 255, (SIZE, SIZE))
        feed = {"x": x.astype(np.float32 if kind == "float32" else np.uint8)}
        walls, processors = [], []
        for _ in range(REPEATS + 1):
            wall_s, cpu_s = time.perf_counter(), time.process_time()
            product.run(None, feed)
            walls.append(time.perf_counter() - wall_s)
            processors.append(time.process_time() - cpu_s)
        work = 2 * SIZE**3 / 1e9
        found[kind] = {
            "per_wall_s": work / min(walls[1:]),
            "per_cpu_s": work / min(processors[1:]),
        }
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    found = measure(parser.parse_args().threads)
    print("| | GFLOP per wall second | per CPU second |")
    print("|---|---:|---:|")
    for kind, peak in found.items():
        print(f"| {kind} | {peak['per_wall_s']:.0f} | {peak['per_cpu_s']:.0f} |")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
