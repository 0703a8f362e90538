"""OpenVINO backend for Intel and AMD CPUs (extra ``openvino``)."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from emoscope.backends.base import (
    INPUTS,
    OUTPUTS,
    Array64i,
    Device,
    Output,
    Tensor,
    check_contract,
)
from emoscope.errors import ModelInvalidError, ModelMissingError, ModelRunError
from emoscope.messages.reasons import reason
from emoscope.telemetry import load_openvino
from emoscope.waveform import Array32


class OpenVinoBackend:
    """A model file in OpenVINO on the CPU, in exact float32.

    OpenVINO takes bfloat16 by itself where the processor has it; that is another answer, so the
    precision is stated and never left to the library.

    Args:
        path: the ONNX file.
        threads: threads inside one run; 0 lets the library take all cores.

    Raises:
        ExtraMissingError: OpenVINO is not installed.
        ModelMissingError: there is no such file.
        ModelInvalidError: the file is no model, or its inputs and outputs are not the contract's.
    """

    name = "openvino"
    device: Device = "cpu"
    runs_at_once = 1

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        openvino = load_openvino()
        if not path.is_file():
            raise ModelMissingError("model_file_missing", file=path.name)
        options = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        if threads:
            options["INFERENCE_NUM_THREADS"] = str(threads)
        try:
            model = openvino.Core().compile_model(str(path), "CPU", options)
        except Exception as exc:  # the library raises RuntimeError for everything
            raise ModelInvalidError(
                "model_contract",
                **reason("not_onnx"),
            ) from exc
        self.version: str = openvino.__version__
        self.dim = check_contract(_tensors(model.inputs), _tensors(model.outputs))
        self._model = model
        # A request holds the buffers of one run and is not for two threads at once.
        self._requests = threading.local()

    def run(self, waveform: Array32, lengths: Array64i) -> Output:
        """Run a batch.

        Args:
            waveform: float32 of shape ``(B, N)``, zero beyond each clip's own length.
            lengths: int64 of shape ``(B,)``, samples of each clip; at least 400, at most N.

        Raises:
            ModelRunError: the library failed.
        """
        request = getattr(self._requests, "own", None)
        if request is None:
            request = self._requests.own = self._model.create_infer_request()
        feeds = dict(zip(INPUTS, (waveform, lengths), strict=True))
        try:
            request.infer(feeds)
            # Copied: the request's own buffers are overwritten by its next run.
            return Output(*(request.get_tensor(name).data.copy() for name in OUTPUTS))
        except Exception as exc:  # as above
            reason = str(exc).strip().rpartition("\n")[2] or type(exc).__name__
            raise ModelRunError(reason=reason[:200]) from exc


_KINDS = {"f32": "float32", "i64": "int64"}


def _tensors(ports: list[Any]) -> dict[str, Tensor]:
    found = {}
    for port in ports:
        kind = port.element_type.get_type_name()
        sizes = () if port.partial_shape.rank.is_dynamic else port.partial_shape
        shape = tuple(None if n.is_dynamic else int(n.get_length()) for n in sizes)
        found[port.any_name] = Tensor(_KINDS.get(kind, kind), shape)
    return found
