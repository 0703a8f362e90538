"""Parity with FunASR at full size, run side by side; minutes and gigabytes.

FunASR and torch live in an interpreter of their own, as ``make_golden.py`` sets it up:

    EMOSCOPE_PARITY_PYTHON=parityvenv/bin/python python -m pytest -m slow -s tests/parity
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emoscope.backends.base import Backend
from emoscope.backends.onnx_backend import OnnxBackend
from parity.clips import clip
from parity.compare import MAX_FEATURE_ERROR, MAX_SCORE_ERROR, ask, compare, distance, table
from parity.official_folder import SIZES, write_folder

pytestmark = pytest.mark.slow

SECONDS = ["0.2", "0.5", "1", "2", "4", "8", "10", "15", "30"]

CONVERT = """
import sys
from pathlib import Path
from emoscope.emotion2vec.convert import convert
print(convert(Path(sys.argv[1]), Path(sys.argv[2]), name="model", revision="random").onnx_path)
# Not getrusage: its maximum is inherited from the process that started this one.
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.fixture(scope="module", params=["base", "large"])
def official(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    write_folder(folder, SIZES[request.param], moments=True)
    return folder


@pytest.fixture(scope="module")
def backend(official: Path) -> Backend:
    if not Path("/proc/self/status").exists():
        pytest.skip("peak memory is read from /proc")
    target = official / "ours"
    run = subprocess.run(
        [sys.executable, "-c", CONVERT, official, target],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    path, peak_kib = run.stdout.split()
    written, read = Path(path).stat().st_size, (official / "model.pt").stat().st_size
    print(f"\n{read / 1e6:.0f} MB -> {written / 1e6:.0f} MB, peak {int(peak_kib) / 1024:.0f} MiB")
    assert int(peak_kib) * 1024 < 1.2 * written
    return OnnxBackend(Path(path))


def test_answers_are_those_of_funasr(official: Path, backend: Backend, parity_python: Path) -> None:
    script = Path(__file__).with_name("funasr_answers.py")
    answers = official / "answers.npz"
    subprocess.run(
        [parity_python, script, official, answers, *SECONDS], check=True, capture_output=True
    )

    with np.load(answers) as theirs:
        lines = compare(backend, theirs)

    print(f"\n{table(lines)}")
    assert max(line.features for line in lines) <= MAX_FEATURE_ERROR
    assert max(line.worst_frame for line in lines) <= MAX_FEATURE_ERROR
    assert max(line.scores for line in lines) <= MAX_SCORE_ERROR


def test_a_mixed_batch_answers_as_one_by_one(backend: Backend) -> None:
    sounds = [clip(seconds, seed=i) for i, seconds in enumerate((4.0, 0.2, 10.0, 1.3))]

    together = ask(backend, sounds)

    errors = []
    for sound, answer in zip(sounds, together, strict=True):
        (alone,) = ask(backend, [sound])
        errors.append(distance(answer.features, alone.features))
        assert np.abs(answer.scores - alone.scores).max() <= MAX_SCORE_ERROR
    print(f"\nmixed batch against one by one: {max(errors):.1e}")
    assert max(errors) <= MAX_FEATURE_ERROR
