"""Golden logits of the shipped model on the test recordings: writes ``golden.npz`` beside this.

    python tests/assets/make_golden.py

Run it when the model file was replaced, and commit what it wrote together with the model.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx

sys.path.insert(0, str(Path(__file__).parent.parent))

import emoscope
from emoscope.telemetry import load_onnxruntime
from sounds import SAMPLES, sample

MODEL = Path(emoscope.__file__).parent / "assets" / "compact.onnx"
GOLDEN = Path(__file__).with_name("golden.npz")
EVERY = 10
"""Every tenth frame is kept: a fault of the front end or of a layer shows in all of them."""
INTEGER = {"ConvInteger", "DynamicQuantizeLinear", "MatMulInteger", "QLinearConv", "QLinearMatMul"}
FLOAT_TOLERANCE = 1e-3
"""Logits. Processors add float32 in different orders; measured between ONNX Runtime with and
without its optimizations: 1e-5."""
INTEGER_TOLERANCE = 0.25
"""Logits. In 8 bits a difference of the last bit of an activation becomes a whole step, and
processors without VNNI saturate sums of two products."""


def clips() -> list[str]:
    """File names of the test recordings."""
    return sorted(path.name for path in SAMPLES.glob("*.wav"))


def sha256() -> str:
    """Digest of the shipped model file."""
    return hashlib.sha256(MODEL.read_bytes()).hexdigest()


def logits_of(names: list[str]) -> dict[str, np.ndarray]:
    """Frame logits ``(T, 9)`` of each recording, run by itself on the processor."""
    session: Any = load_onnxruntime().InferenceSession(MODEL, providers=["CPUExecutionProvider"])
    found = {}
    for name in names:
        waveform = sample(name)[np.newaxis]  # (1, N)
        lengths = np.array([waveform.shape[1]], np.int64)
        (logits,) = session.run(["frame_logits"], {"waveform": waveform, "lengths": lengths})
        found[name] = logits[0]
    return found


def tolerance() -> float:
    """Largest difference of a logit that another processor explains."""
    kinds = {node.op_type for node in onnx.load(MODEL, load_external_data=False).graph.node}
    return INTEGER_TOLERANCE if kinds & INTEGER else FLOAT_TOLERANCE


def main() -> None:
    """Write the golden file."""
    logits = {name: rows[::EVERY].astype("<f4") for name, rows in logits_of(clips()).items()}
    np.savez_compressed(GOLDEN, sha256=sha256(), tolerance=tolerance(), **logits)
    print(f"{GOLDEN.name}: {len(logits)} recordings, {GOLDEN.stat().st_size} bytes")


if __name__ == "__main__":
    main()
