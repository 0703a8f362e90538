"""ONNX Runtime backend (the default), on the CPU or an NVIDIA GPU."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from emoscope.backends import cuda
from emoscope.backends.base import (
    INPUTS,
    OUTPUTS,
    Array64i,
    Device,
    Output,
    Tensor,
    check_contract,
)
from emoscope.errors import (
    DeviceUnavailableError,
    ModelInvalidError,
    ModelMissingError,
    ModelRunError,
)
from emoscope.messages.reasons import reason
from emoscope.paths.choices import DeviceChoice
from emoscope.telemetry import load_onnxruntime
from emoscope.waveform import Array32

_SMALL_BYTES = 32 << 20
"""A model of a few megabytes is done before cores have shared the work: two threads take as long as
one for four seconds of sound, and half as much again of the processor (benchmarks/LOG.md)."""


class OnnxBackend:
    """A model file in ONNX Runtime, on the processor or an NVIDIA GPU.

    Args:
        path: the ONNX file.
        threads: threads inside one run; 0 takes all cores, for a small model one.
        device: ``cpu``; ``cuda``, or an error; ``auto``, CUDA where it can be used.

    Raises:
        DeviceUnavailableError: ``cuda``, and it cannot be used.
        ModelMissingError: there is no such file.
        ModelInvalidError: the file is no model, or its inputs and outputs are not the contract's.
    """

    name = "onnxruntime"

    def __init__(self, path: Path, *, threads: int = 0, device: DeviceChoice = "cpu") -> None:
        onnxruntime = load_onnxruntime()
        if not path.is_file():
            raise ModelMissingError("model_file_missing", file=path.name)
        is_small = path.stat().st_size <= _SMALL_BYTES
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or int(is_small)
        # Idle threads must not burn the cores that decode and serve.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self.device: Device = "cpu"
        session = None
        if device != "cpu":
            try:
                session, self.device = cuda.open_session(path, options), "cuda"
            except DeviceUnavailableError:
                if device == "cuda":
                    raise
        self._session = session or _on_cpu(path, options)
        self.runs_at_once = 1
        if self.device == "cpu" and (is_small or threads):
            self.runs_at_once = max(1, (os.cpu_count() or 1) // (1 if is_small else threads))
        self.version: str = onnxruntime.__version__
        self.dim = check_contract(
            _tensors(self._session.get_inputs()), _tensors(self._session.get_outputs())
        )

    def run(self, waveform: Array32, lengths: Array64i) -> Output:
        """Run a batch.

        Args:
            waveform: float32 of shape ``(B, N)``, zero beyond each clip's own length.
            lengths: int64 of shape ``(B,)``, samples of each clip; at least 400, at most N.

        Raises:
            ModelRunError: the library failed.
        """
        feeds = dict(zip(INPUTS, (waveform, lengths), strict=True))
        try:
            return Output(*self._session.run(OUTPUTS, feeds))
        except Exception as exc:  # the library raises its own classes without a common root
            reason = str(exc).partition("\n")[0] or type(exc).__name__
            raise ModelRunError(reason=reason[:200]) from exc


def _on_cpu(path: Path, options: Any) -> Any:
    # A pattern is kept for each length of sound and takes one large piece of memory, which comes
    # from the system anew at each change of length (benchmarks/LOG.md).
    options.enable_mem_pattern = False
    try:
        return load_onnxruntime().InferenceSession(
            str(path), options, providers=[cuda.CPU_PROVIDER]
        )
    except Exception as exc:  # the library raises its own classes without a common root
        raise ModelInvalidError(
            "model_contract",
            **reason("not_onnx"),
        ) from exc


_KINDS = {"tensor(float)": "float32", "tensor(int64)": "int64"}


def _tensors(nodes: list[Any]) -> dict[str, Tensor]:
    return {
        node.name: Tensor(
            _KINDS.get(node.type, node.type),
            tuple(n if isinstance(n, int) else None for n in node.shape),
        )
        for node in nodes
    }
