"""Backend selection by name; only the chosen library is imported."""

from __future__ import annotations

from pathlib import Path

from emoscope.backends.base import Backend
from emoscope.errors import DeviceUnavailableError
from emoscope.messages.reasons import reason
from emoscope.paths.choices import BackendName, DeviceChoice


def open_backend(
    name: BackendName, path: Path, threads: int, device: DeviceChoice = "cpu"
) -> Backend:
    """Load an ONNX file.

    Args:
        name: library that runs it.
        path: the ONNX file.
        threads: threads of one inference; 0 takes all cores, for a small model one.
        device: ``cpu``; ``cuda``, or an error; ``auto``, an NVIDIA GPU where one can be used.

    Raises:
        ModelMissingError: there is no such file.
        ModelInvalidError: it does not keep the contract.
        ExtraMissingError: the backend's library is not installed.
        DeviceUnavailableError: ``cuda``, and it cannot be used.
    """
    if name == "openvino":
        if device == "cuda":
            raise DeviceUnavailableError(
                device=device,
                **reason("openvino_no_cuda"),
            )
        from emoscope.backends.openvino_backend import OpenVinoBackend

        return OpenVinoBackend(path, threads=threads)
    from emoscope.backends.onnx_backend import OnnxBackend

    return OnnxBackend(path, threads=threads, device=device)


def gains_by_rounding(name: BackendName, device: DeviceChoice) -> bool:
    """Whether an int8 variant can be faster at all.

    OpenVINO takes longer for it than for the exact model. ONNX Runtime has no integer products for
    CUDA and would carry every one of them to the processor and back.
    """
    if name == "openvino" or device == "cuda":
        return False
    if device == "cpu":
        return True
    from emoscope.backends import cuda

    return not cuda.is_offered()
