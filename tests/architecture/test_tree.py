"""What must not be in the tree: hosts of registries, machine paths, foreign audio."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BINARY = {".wav", ".onnx", ".png", ".npz", ".npy", ".webp", ".jpg", ".ogg", ".webm", ".mp4", ".mp3"}
# Spelled in pieces, so that this file does not find itself.
REGISTRIES = re.compile(
    "|".join(("py" + r"pi\.org", "python" + "hosted", "regis" + r"try\.npm", "find-" + "links"))
)
MACHINE = re.compile(
    "|".join(("/wo" + "rk/main", "/ro" + "ot/", "/ho" + "me/[a-z]", r"/opt/py" + "pi"))
)


def tracked() -> list[Path]:
    ran = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if ran.returncode != 0:
        pytest.skip("not a git checkout, so there is no list of tracked files")
    return [ROOT / name for name in ran.stdout.decode().split("\0") if name]


def test_no_file_names_a_registry_or_this_machine() -> None:
    for path in tracked():
        if path.suffix in BINARY or not path.is_file() or path.name == "lock.sh":
            continue
        text = path.read_text("utf-8")
        assert not REGISTRIES.search(text), path
        assert not MACHINE.search(text), path


def test_locks_pin_every_package_with_hashes() -> None:
    for name in ("run.txt", "test.txt"):
        text = (ROOT / "requirements" / name).read_text("utf-8")
        pins = re.findall(r"^[a-zA-Z0-9._-]+==", text, re.MULTILINE)
        assert len(pins) > 40
        assert text.count("--hash=sha256:") >= len(pins)
        assert "://" not in text


def test_the_lock_of_the_javascript_tools_pins_with_hashes_and_names_no_place() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    tools = {name: pin for name, pin in lock.items() if name}
    assert len(tools) > 40
    for name, pin in tools.items():
        assert pin["integrity"].startswith("sha512-"), name
        assert "resolved" not in pin, name


def test_the_test_lock_holds_the_run_lock() -> None:
    """./run.sh after ./test.sh must find everything already there."""
    run, test = (
        set(re.findall(r"^\S+==[^ \\]+", (ROOT / "requirements" / name).read_text(), re.MULTILINE))
        for name in ("run.txt", "test.txt")
    )
    assert run <= test


def test_the_only_audio_is_ours_or_free() -> None:
    """Samples of the package, test recordings, and what browsers and telephones made of them."""
    sounds = {".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a", ".webm", ".mp4"}
    homes = {path.parent for path in tracked() if path.suffix in sounds}
    assert homes <= {
        ROOT / "src" / "emoscope" / "assets" / "samples",
        ROOT / "tests" / "assets" / "samples",
        ROOT / "tests" / "assets" / "recorded",
        ROOT / "tests" / "assets" / "telephone",
    }


def test_scripts_are_executable() -> None:
    for name in ("run.sh", "test.sh", ".ci/run"):
        assert (ROOT / name).stat().st_mode & 0o111, name
