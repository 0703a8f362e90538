from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def parity_python() -> Path:
    """An interpreter that has torch and FunASR."""
    if given := os.environ.get("EMOSCOPE_PARITY_PYTHON"):
        return Path(given)
    if importlib.util.find_spec("funasr") and importlib.util.find_spec("torch"):
        return Path(sys.executable)
    pytest.skip("torch and FunASR are not here; EMOSCOPE_PARITY_PYTHON may name who has them")
