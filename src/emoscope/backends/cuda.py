"""CUDA check: whether ONNX Runtime really runs a session on the GPU.

A provider that is listed may still fail to load its libraries; the session is then made without it
and answers from the processor. So the finished session is inspected. It is tested with a fake
library that behaves as the real one does.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

from emoscope.errors import DeviceUnavailableError
from emoscope.messages.reasons import reason
from emoscope.telemetry import load_onnxruntime

PROVIDER = "CUDAExecutionProvider"
CPU_PROVIDER = "CPUExecutionProvider"

OPTIONS = {
    # TensorFloat-32 keeps ten bits of a number: no longer the exact model.
    "use_tf32": "0",
    # The default tries all algorithms for every new length of sound, which takes seconds.
    "cudnn_conv_algo_search": "HEURISTIC",
}


def is_offered() -> bool:
    """Whether the installed ONNX Runtime was built for CUDA; the machine may lack a GPU still."""
    return PROVIDER in load_onnxruntime().get_available_providers()


def open_session(path: Path, session_options: Any) -> Any:
    """Return a session on the GPU.

    Raises:
        DeviceUnavailableError: it cannot be had.
    """
    onnxruntime = load_onnxruntime()
    if not is_offered():
        raise DeviceUnavailableError(device="cuda", **reason("onnxruntime_no_cuda"))
    if hasattr(onnxruntime, "preload_dlls"):
        # Finds CUDA and cuDNN where pip put them. What it has to say it prints.
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(RuntimeError):
            onnxruntime.preload_dlls()
    try:
        session = onnxruntime.InferenceSession(
            str(path), session_options, providers=[(PROVIDER, OPTIONS), CPU_PROVIDER]
        )
    except Exception as exc:  # a driver too old, no memory left: classes without a common root
        said = str(exc).partition("\n")[0][:200] or type(exc).__name__
        raise DeviceUnavailableError(device="cuda", **reason("as_said", reason=said)) from exc
    if PROVIDER not in session.get_providers():
        raise DeviceUnavailableError(device="cuda", **reason("cuda_missing"))
    # Or it would go on with the processor when a run fails, and say nothing.
    session.disable_fallback()
    return session
