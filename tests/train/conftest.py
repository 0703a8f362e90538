"""Reaches the recipe's modules; what needs torch is skipped where it is absent, and says so."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "train"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests of this folder without torch: ./test.sh does not install it."""
    try:
        import torch  # noqa: F401
    except ImportError:
        reason = "torch is not installed (pip install -r train/requirements.txt)"
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=reason))
