"""What the tests of every folder share."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import av
import hypothesis
import numpy as np
import pytest

from emoscope.backends.fake_backend import FakeBackend
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.telemetry import load_onnxruntime
from emoscope.waveform import RATE_HZ, Samples

Speech: TypeAlias = Callable[..., Samples]

# No deadline: the machine may be busy with something else.
# The same cases every time: what fails here fails everywhere. New ones are drawn by
# `--hypothesis-profile explore`.
hypothesis.settings.register_profile("explore", deadline=None, max_examples=400)
hypothesis.settings.register_profile("emoscope", deadline=None, max_examples=40, derandomize=True)
hypothesis.settings.load_profile("emoscope")

# A run in the background of a script ignores Ctrl+C, and so would every program that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> str:
    """Say what the numbers were made with."""
    return (
        f"numpy {np.__version__}, onnxruntime {load_onnxruntime().__version__}, av {av.__version__}"
    )


@pytest.fixture(autouse=True)
def clean_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Settings and cached models of the person who runs the tests stay outside."""
    for name in ("HF_HUB_CACHE", "MODELSCOPE_CACHE"):
        monkeypatch.setenv(name, str(tmp_path_factory.getbasetemp() / "no-cache"))
    for name in os.environ:
        if name.upper().startswith("EMOSCOPE_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A program that a test runs in this process sets up logging for the whole of it."""
    loggers = [logging.getLogger(), *map(logging.getLogger, ("emoscope", "python_multipart"))]
    before = [(one.handlers[:], one.level, one.propagate) for one in loggers]
    hook = threading.excepthook
    yield
    for one, (handlers, level, propagate) in zip(loggers, before, strict=True):
        one.handlers[:], one.level, one.propagate = handlers, level, propagate
    logging.captureWarnings(capture=False)
    threading.excepthook = hook


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's wheel, built once for all tests."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=Path(__file__).parent.parent,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def speech() -> Speech:
    """Maker of a voice-like sound: a buzz with moving pitch and formants, syllables and pauses."""
    return make_speech


def make_speech(
    duration_s: float = 3.0, *, seed: int = 0, level: float = 0.1, noise: float = 1e-4
) -> Samples:
    """Return samples at 16 kHz, shape ``(n,)``.

    Args:
        duration_s: length in seconds.
        seed: another number, another sentence.
        level: root mean square of the syllables' loudest moments, about.
        noise: root mean square of the room behind them.
    """
    rng = np.random.default_rng(seed)
    size = round(duration_s * RATE_HZ)
    time_s = np.arange(size) / RATE_HZ
    pitch_hz = 130 + 30 * np.sin(2 * np.pi * 0.7 * time_s + rng.uniform(0, 6))
    turns = np.cumsum(pitch_hz) / RATE_HZ
    buzz = sum(np.sin(2 * np.pi * n * turns) / n for n in range(1, 40))
    hiss = rng.standard_normal(size)
    beat = 0.5 + 0.5 * np.sin(2 * np.pi * 3.0 * time_s + rng.uniform(0, 6))  # three a second
    words = np.sin(2 * np.pi * 0.8 * time_s + rng.uniform(0, 6)) > -0.4  # and pauses between
    sound = (buzz + 0.05 * hiss) * beat**2 * words * level
    return (sound + noise * rng.standard_normal(size)).astype(np.float32)


@pytest.fixture
def fake_recognizer() -> Recognizer:
    """A recognizer over a model without weights."""
    return Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64))
