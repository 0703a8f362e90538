"""The shipped model says of the test recordings what it said when it was made."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

RENEW = "the model file was replaced: run `python tests/assets/make_golden.py`"


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    """The script that wrote the golden file."""
    path = Path(__file__).with_name("make_golden.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_logits_are_the_golden_ones(maker: ModuleType) -> None:
    golden = np.load(maker.GOLDEN)
    assert str(golden["sha256"]) == maker.sha256(), RENEW
    assert set(golden.files) - {"sha256", "tolerance"} == set(maker.clips()), RENEW
    for name, logits in maker.logits_of(maker.clips()).items():
        kept = logits[:: maker.EVERY]
        assert kept.shape == golden[name].shape, name
        difference = float(np.abs(kept - golden[name]).max())
        assert difference <= float(golden["tolerance"]), f"{name}: {difference}"


def test_a_damaged_weight_would_be_seen(maker: ModuleType) -> None:
    """The tolerance is far below what tells recordings apart."""
    golden = np.load(maker.GOLDEN)
    one, *others = (golden[name].mean(axis=0) for name in maker.clips())
    least = min(float(np.abs(one - other).max()) for other in others)
    assert float(golden["tolerance"]) < least / 4
