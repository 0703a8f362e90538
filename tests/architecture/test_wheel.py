"""The wheel, not the checkout: what users install must be whole."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked."""
    folder = tmp_path_factory.mktemp("unpacked")
    print(f"wheel: {wheel.stat().st_size / 1e6:.2f} MB")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_it_carries_the_model_the_samples_the_page_and_the_licences(unpacked: Path) -> None:
    package = unpacked / "emoscope"
    needed = [
        "assets/compact.onnx",
        "assets/compact.json",
        "assets/compact.spaces.npz",
        "assets/compact.training.npz",
        "assets/silero_vad.onnx",
        "assets/silero_vad.LICENSE",
        "assets/whisper.LICENSE",
        "assets/samples/samples.json",
        "assets/samples/LICENSE",
        "figures/templates/report.html",
        "evaluate/templates/evaluation.html",
        "web/templates/page.html",
        "web/static/timeline.js",
        "web/static/page.js",
        "web/static/style.css",
        "py.typed",
    ]
    assert [name for name in needed if not (package / name).is_file()] == []
    metadata = next(unpacked.glob("*.dist-info"))
    assert {path.name for path in metadata.rglob("*") if path.is_file()} >= {"LICENSE", "NOTICE"}


def test_it_recognizes_a_sample_outside_of_the_checkout(unpacked: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import emoscope, pathlib;"
        "assert pathlib.Path(emoscope.__file__).is_relative_to(sys.argv[1]), emoscope.__file__;"
        "folder = pathlib.Path(emoscope.__file__).parent / 'assets' / 'samples';"
        "print(emoscope.recognize(folder / 'emodb_happy.wav', model='compact').emotion.key)"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-c", code, str(unpacked)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip()
