"""The docs are true: examples run, tables are the code's, links lead somewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emoscope.cli.main import app
from emoscope.errors import all_errors
from sounds import SAMPLES, sample, wav

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def blocks(language: str) -> list[tuple[str, str]]:
    """Code blocks of this language: (where, code)."""
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        for number, match in enumerate(
            re.finditer(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        ):
            found.append((f"{page.relative_to(ROOT)} {number}", match[1]))
    return found


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the examples name."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copy(SAMPLES / "happy_zh.wav", folder / "speech.wav")
    shutil.copy(SAMPLES / "sad_en.wav", folder / "test.wav")
    left, right = (sample(name)[:40_000] for name in ("angry_zh.wav", "neutral_zh.wav"))
    (folder / "call.wav").write_bytes(wav(np.stack([left, right], axis=1)))
    (folder / "recordings").mkdir()
    shutil.copy(SAMPLES / "angry_en.wav", folder / "recordings" / "angry.wav")
    (folder / "wav.scp").write_text("one speech.wav\n")
    np.save(folder / "embedding.npy", np.zeros((10, 4), np.float32))
    return folder


@pytest.mark.process
@pytest.mark.parametrize(("where", "code"), blocks("python"), ids=lambda value: value[:24])
def test_python_examples_run(desk: Path, where: str, code: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=desk,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{where}\n{ran.stderr}"


COMMANDS = sorted(
    {
        line
        for _, code in blocks("bash")
        for line in code.splitlines()
        if line.startswith(("emoscope recognize", "emoscope demo", "emoscope --version"))
    }
)


@pytest.mark.process
@pytest.mark.parametrize("line", COMMANDS)
def test_commands_run(desk: Path, line: str) -> None:
    ran = subprocess.run(
        ["bash", "-c", line],
        cwd=desk,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def test_every_json_example_is_json() -> None:
    for where, code in blocks("json"):
        assert json.loads(code), where


def test_every_test_that_a_page_names_is_there() -> None:
    named = {
        (file, test)
        for page in PAGES
        for file, test in re.findall(r"(tests/[\w/]+\.py)::(\w+)", page.read_text("utf-8"))
    }
    assert len(named) > 100, "the table of what was tried names a test for each case"
    for file, test in named:
        assert re.search(rf"^def {test}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE), test


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_command_and_error_is_documented() -> None:
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    names += [group.name for group in app.registered_groups]
    for name in names:
        assert f"emoscope {name}" in text, name
    for kind in all_errors():
        assert f"`{kind.code}`" in text, kind.code


def test_pages_made_from_the_code_are_fresh() -> None:
    ran = subprocess.run(
        [sys.executable, "scripts/make_docs.py", "--check"],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if not key.startswith("EMOSCOPE_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
