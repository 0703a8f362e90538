"""Telemetry of third-party libraries, switched off before any of them is imported.

ONNX Runtime 1.29 and later writes a device identifier and an event database into the user's cache
as soon as it is imported, and some seconds later looks up a telemetry host. ``import openvino``
writes a client identifier into the home folder and reports the import. Gradio, huggingface_hub and
Ray count their users. ``emoscope/__init__.py`` calls ``disable``, and Python runs that file before
any other module of the package, so no import inside the package comes earlier. What an environment
variable cannot switch off is done by ``load_onnxruntime`` and ``load_openvino``, which are the only
places that import the two (tests/architecture/test_telemetry.py).
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from types import ModuleType

SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""Environment variables, read by the libraries when they are imported. They are set over other
values as well: recognition opens no connection, whatever the shell says."""

_OFF = ("1", "true", "yes", "on")
"""What ONNX Runtime takes for yes, in any case."""
_lock = threading.Lock()


def disable() -> None:
    """Set the switches for this process and those that it starts.

    An ONNX Runtime that was imported earlier has written its identifier already and cannot be
    stopped; that is logged as a warning.
    """
    given = os.environ.get("ORT_DISABLE_TELEMETRY", "")
    if "onnxruntime" in sys.modules and given.lower() not in _OFF:
        _warn_if_too_late(sys.modules["onnxruntime"])
    os.environ.update(SWITCHES)


def load_onnxruntime() -> ModuleType:
    """Import ONNX Runtime without its telemetry."""
    os.environ.update(SWITCHES)  # also when they were unset since
    return importlib.import_module("onnxruntime")


def load_openvino() -> ModuleType:
    """Import OpenVINO without its telemetry.

    It has no switch but a file in the home folder. Where the package openvino-telemetry is not
    installed it uses a stub of its own, so that package is hidden while OpenVINO is imported.

    Raises:
        ExtraMissingError: it is not installed.
    """
    from emoscope.optional import require

    with _lock:
        hidden = {
            name: module
            for name, module in sys.modules.items()
            if name.partition(".")[0] == "openvino_telemetry"
        }
        for name in hidden:
            sys.modules.pop(name, None)
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # "not installed"
        try:
            return require("openvino", extra="openvino")
        finally:
            sys.modules.pop("openvino_telemetry", None)
            sys.modules.update(hidden)


def _warn_if_too_late(onnxruntime: ModuleType) -> None:
    version = getattr(onnxruntime, "__version__", "0").split(".")
    if not hasattr(onnxruntime, "disable_telemetry_events") or tuple(map(int, version[:2])) < (
        1,
        29,
    ):
        return
    import logging

    onnxruntime.disable_telemetry_events()  # at least nothing about models and runs
    logging.getLogger("emoscope").warning(
        "onnxruntime was imported before emoscope, with its telemetry on. Import emoscope first, "
        "or set ORT_DISABLE_TELEMETRY=1 in the environment."
    )
