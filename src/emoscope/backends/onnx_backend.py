"""ONNX Runtime, the default backend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emoscope.backends.base import INPUTS, OUTPUTS, Array32, Array64i, Output
from emoscope.errors import ModelContractError, ModelFileMissingError, ModelRunError
from emoscope.labels import COUNT

_TENSORS = {
    "waveform": ("tensor(float)", 2),
    "lengths": ("tensor(int64)", 1),
    "frame_logits": ("tensor(float)", 3),
    "frame_embeddings": ("tensor(float)", 3),
    "frame_counts": ("tensor(int64)", 1),
}
"""Type and rank of each; clips, samples and frames are free, so that any batch fits."""


class OnnxBackend:
    """A model file in ONNX Runtime on the CPU.

    Args:
        path: the ONNX file.
        threads: threads inside one run; 0 lets the library take all cores.

    Raises:
        ModelFileMissingError: there is no such file.
        ModelContractError: the file is no model, or its inputs and outputs are not the contract's.
    """

    name = "onnxruntime"

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        import onnxruntime

        if not path.is_file():
            raise ModelFileMissingError(file=path.name)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Idle threads must not burn the cores that decode and serve.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as exc:  # the library raises its own classes without a common root
            raise ModelContractError(
                reason_zh="无法作为 ONNX 模型加载", reason_en="it cannot be loaded as an ONNX model"
            ) from exc
        self.version: str = onnxruntime.__version__
        self.dim = _check_contract(self._session)

    def run(self, waveform: Array32, lengths: Array64i) -> Output:
        """Run a batch; see ``Backend.run``."""
        feeds = dict(zip(INPUTS, (waveform, lengths), strict=True))
        try:
            return Output(*self._session.run(OUTPUTS, feeds))
        except Exception as exc:  # as above
            reason = str(exc).partition("\n")[0] or type(exc).__name__
            raise ModelRunError(reason=reason[:200]) from exc


def _check_contract(session: Any) -> int:
    """Return D."""
    inputs = {node.name: node for node in session.get_inputs()}
    outputs = {node.name: node for node in session.get_outputs()}
    if inputs.keys() != set(INPUTS) or not set(OUTPUTS) <= outputs.keys():
        found = f"{', '.join(inputs)} -> {', '.join(outputs)}"
        raise ModelContractError(
            reason_zh=f"输入输出是 {found}", reason_en=f"its inputs and outputs are {found}"
        )
    for name, (kind, rank) in _TENSORS.items():
        node = inputs.get(name) or outputs[name]
        free = node.shape[:2] if rank == 3 else node.shape
        if node.type != kind or len(node.shape) != rank or any(isinstance(n, int) for n in free):
            found = f"{name} {node.type} {node.shape}"
            raise ModelContractError(reason_zh=f"有 {found}", reason_en=f"it has {found}")
    classes, dim = outputs["frame_logits"].shape[-1], outputs["frame_embeddings"].shape[-1]
    if classes != COUNT or not isinstance(dim, int):
        raise ModelContractError(
            reason_zh=f"类别数是 {classes}，嵌入维度是 {dim}",
            reason_en=f"it has {classes} classes and {dim} embedding numbers",
        )
    return dim
