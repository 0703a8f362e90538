"""The docs are true: examples run, tables and the tree are the code's, links lead somewhere.

Every fenced example is run or parsed here. One that cannot be has a comment above it with the
reason, ``<!-- not run: needs a GPU -->``. Each example runs in a fresh folder with the files that
the pages name; addresses with port 7860 reach a server of this test.
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import unicodedata
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from emoscope.cli.main import app
from emoscope.errors import all_codes
from sounds import SAMPLES, sample, wav

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("t*/README.md")])
FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+) -->\n)?```(?P<language>\S*)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
CODE_IN_TEXT = re.compile(
    r"^(?:\S*/)?(?:emoscope|pip|python3?|curl|docker|import|from) ", re.MULTILINE
)


@dataclass(frozen=True)
class Example:
    """A fenced example of a page."""

    where: str
    language: str
    code: str
    reason: str | None
    """Why it is not run; None for one that is."""


def examples() -> list[Example]:
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        assert text.count("\n```") % 2 == 0, page
        for match in FENCE.finditer(text):
            line = text[: match.start("code")].count("\n") + 1
            where = f"{page.relative_to(ROOT)}:{line}"
            found.append(Example(where, match["language"], match["code"], match["reason"]))
    return found


EXAMPLES = examples()


def of(language: str) -> list[object]:
    """Examples in a language that are to be run, each once, as parameters of a test."""
    once = {
        example.code: pytest.param(example, id=example.where)
        for example in EXAMPLES
        if example.language == language and example.reason is None
    }
    return list(once.values())


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the examples name."""
    folder = tmp_path_factory.mktemp("files")
    for name in ("speech.wav", "a.wav"):
        shutil.copy(SAMPLES / "happy_zh.wav", folder / name)
    for name in ("test.wav", "b.wav"):
        shutil.copy(SAMPLES / "sad_en.wav", folder / name)
    left, right = (sample(name)[:40_000] for name in ("angry_zh.wav", "neutral_zh.wav"))
    (folder / "call.wav").write_bytes(wav(np.stack([left, right], axis=1)))
    (folder / "recordings").mkdir()
    shutil.copy(SAMPLES / "angry_en.wav", folder / "recordings" / "angry.wav")
    (folder / "wav.scp").write_text("one speech.wav\n")
    (folder / "list.csv").write_text("path,emotion\nspeech.wav,happy\ntest.wav,sad\n")
    answers = "path,truth,answer\nspeech.wav,happy,{}\ntest.wav,sad,sad\n"
    (folder / "predictions.csv").write_text(answers.format("happy"))
    (folder / "other_tool.csv").write_text(answers.format("angry"))
    (folder / "training_list.csv").write_text("path,emotion\nrecordings/angry.wav,angry\n")
    np.save(folder / "embedding.npy", np.zeros((10, 4), np.float32))
    return folder


@pytest.fixture
def desk(files: Path, tmp_path: Path) -> Path:
    """A fresh folder with the files that the examples name."""
    return Path(shutil.copytree(files, tmp_path / "desk"))


ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of ``emoscope serve`` with the compact model."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["emoscope", "serve", "--no-page", "--model", "compact", "--port", str(port)]
    log = folder / "log"
    with (
        log.open("wb") as out,
        subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=out, stderr=out) as process,
    ):
        try:
            for _ in range(300):
                assert process.poll() is None, log.read_text()
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready").close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.mark.process
@pytest.mark.parametrize("example", of("python"))
def test_python_examples_run(desk: Path, request: pytest.FixtureRequest, example: Example) -> None:
    run(desk, request, example, [sys.executable, "-W", "error", "-c"])


@pytest.mark.process
def test_python_examples_pass_strict_type_checks(tmp_path: Path) -> None:
    """A user whose project is checked with ``mypy --strict`` can copy them."""
    typed = ("README.md", "README.zh.md", "docs/python.md")
    for number, example in enumerate(EXAMPLES):
        if example.language == "python" and example.where.startswith(typed):
            page, line = example.where.split(":")
            name = f"{page.replace('/', '_').replace('.', '_')}_{line}_{number}.py"
            (tmp_path / name).write_text(example.code, "utf-8")
    files = sorted(map(str, tmp_path.iterdir()))
    assert len(files) > len(typed)
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", "pyproject.toml", *files],
        cwd=ROOT,
        env={**ENVIRONMENT, "MYPYPATH": f"src{os.pathsep}."},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout


@pytest.mark.process
@pytest.mark.parametrize("example", of("bash"))
def test_shell_examples_run(desk: Path, request: pytest.FixtureRequest, example: Example) -> None:
    if "curl " in example.code and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    run(desk, request, example, ["bash", "-euo", "pipefail", "-c"])


def run(desk: Path, request: pytest.FixtureRequest, example: Example, command: list[str]) -> None:
    """Run an example; ``curl`` fails on error replies."""
    code = example.code
    if ":7860" in code:
        address = request.getfixturevalue("server")
        code = re.sub(r"(?:127\.0\.0\.1|localhost):7860", address, code)
    code = code.replace("curl ", "curl --fail-with-body -sS ")
    ran = subprocess.run(
        [*command, code], cwd=desk, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, f"{example.where}\n{ran.stdout[-2000:]}\n{ran.stderr}"


@pytest.mark.parametrize("example", of("js"))
def test_javascript_examples_parse(tmp_path: Path, example: Example) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    script = tmp_path / "example.mjs"
    script.write_text(example.code, "utf-8")
    ran = subprocess.run([node, "--check", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{example.where}\n{ran.stderr}"


def test_data_examples_parse() -> None:
    for example in EXAMPLES:
        if example.language == "json":
            assert json.loads(example.code), example.where
        if example.language == "toml":
            assert tomllib.loads(example.code), example.where


def test_every_example_is_run_or_says_why_not() -> None:
    for example in EXAMPLES:
        languages = {"python", "bash", "json", "toml", "js", "text"}
        assert example.reason or example.language in languages, example.where
        if example.language == "text" and example.reason is None:  # trees and output
            assert not CODE_IN_TEXT.search(example.code), example.where
        if example.reason is None:
            assert "<!-- not run" not in example.code, example.where
    comments = sum(page.read_text("utf-8").count("\n<!-- not run") for page in PAGES)
    assert comments == sum(example.reason is not None for example in EXAMPLES)


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        text = without_code(page.read_text("utf-8"))
        for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", text):
            if "://" in target:
                continue
            linked = (page.parent / target).resolve() if target else page
            assert linked.exists(), f"{page.name}: {target}"
            if anchor:
                assert anchor in anchors(linked), f"{page.name}: {target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """Anchors of a page as GitHub makes them: of its headings, and those written out."""
    text = page.read_text("utf-8")
    found = set(re.findall(r'<a id="([^"]+)">', text))
    for heading in re.findall(r"^#+ (.+)$", without_code(text), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        kept = (c for c in plain if c in " -_" or unicodedata.category(c)[0] in "LNM")
        slug = "".join(kept).replace(" ", "-")
        count = sum(other == slug or other.startswith(f"{slug}-") for other in found)
        found.add(f"{slug}-{count}" if slug in found else slug)
    return found


def without_code(text: str) -> str:
    """A page without its fenced examples."""
    return FENCE.sub("", text)


def test_the_index_names_every_page() -> None:
    index = (DOCS / "README.md").read_text("utf-8")
    named = re.findall(r"^\| \[([^\]]+)\]\(\1\) \| \S", index, re.MULTILINE)
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")} - {"README.md"}
    assert sorted(named) == sorted(pages)


def test_both_readmes_have_the_same_parts() -> None:
    english, chinese = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh.md"))
    assert len(re.findall("^## ", english, re.MULTILINE)) == len(
        re.findall("^## ", chinese, re.MULTILINE)
    )
    languages = [
        [example.language for example in EXAMPLES if example.where.startswith(f"{name}:")]
        for name in ("README.md", "README.zh.md")
    ]
    assert [kind for kind in languages[0] if kind != "text"] == languages[1]


def test_files_and_modules_that_the_docs_name_exist() -> None:
    for page in PAGES:
        text = without_code(page.read_text("utf-8"))
        for path, name in re.findall(r"((?:\w+/)+\w+\.py)\b(?:::(\w+))?", text):
            places = [ROOT / path, ROOT / "src" / "emoscope" / path]
            found = next((place for place in places if place.is_file()), None)
            assert found, f"{page.name}: {path}"
            assert name in found.read_text("utf-8"), f"{page.name}: {path}::{name}"
        if page.name == "CHANGELOG.md":  # names of then
            continue
        for dotted in set(re.findall(r"\bemoscope((?:\.[A-Za-z_]\w*)+)", text)):
            if dotted not in {".toml", ".service"}:
                assert is_importable(dotted), f"{page.name}: emoscope{dotted}"


def is_importable(dotted: str) -> bool:
    """Whether ``emoscope`` + ``dotted`` is a module, or an attribute of one."""
    parts = f"emoscope{dotted}".split(".")
    for end in range(len(parts), 0, -1):
        try:
            thing: object = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for name in parts[end:]:
            if not hasattr(thing, name):
                return False
            thing = getattr(thing, name)
        return True
    return False


def test_every_command_and_error_is_documented() -> None:
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    names += [group.name for group in app.registered_groups]
    for name in names:
        assert f"emoscope {name}" in text, name
    for code in all_codes():
        assert f"`{code}`" in text, code


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


PRIVATE = re.compile(
    r"(?<!Hugging )\b(?:faces?|laws?|house|hearing|doorkeeper|somebody|whoever|nobody)\b",
    re.IGNORECASE,
)
"""Words that the code once had of its own: front end, invariant, architecture, inference, ..."""


def test_docstrings_say_what_a_thing_is_in_words_of_the_field() -> None:
    for path in sorted((ROOT / "src" / "emoscope").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        first = (ast.get_docstring(tree) or "").split("\n")[0]
        assert first.endswith("."), f"{path}: the first line says what the module is, in a sentence"
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found = PRIVATE.search(ast.get_docstring(node) or "")
                assert found is None, f"{path}: {found}"
