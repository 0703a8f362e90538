"""The backends by name; only the library that is asked for is imported."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from emoscope.backends.base import Backend

BackendName: TypeAlias = Literal["onnxruntime", "openvino"]


def open_backend(name: BackendName, path: Path, threads: int) -> Backend:
    """Load an ONNX file.

    Raises:
        ModelFileMissingError: there is no such file.
        ModelContractError: it does not keep the contract.
        ExtraMissingError: the backend's library is not installed.
    """
    if name == "openvino":
        from emoscope.backends.openvino_backend import OpenVinoBackend

        return OpenVinoBackend(path, threads=threads)
    from emoscope.backends.onnx_backend import OnnxBackend

    return OnnxBackend(path, threads=threads)
