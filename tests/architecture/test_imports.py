"""Invariants of imports: directions, lazy loading, import time."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

import emoscope

PACKAGE = Path(emoscope.__file__).parent
HEAVY = (
    *("onnxruntime", "av", "sklearn", "lancedb", "ray", "pydantic", "rich.table"),
    *("fastapi", "gradio", "jinja2"),
)


def loaded_after(code: str) -> set[str]:
    """Modules that a fresh interpreter holds after ``code``."""
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stdout.split())


def test_import_emoscope_loads_nothing_heavy() -> None:
    loaded = loaded_after("import emoscope")

    assert not loaded & {*HEAVY, "numpy"}


def test_the_commands_are_known_without_loading_what_they_need() -> None:
    loaded = loaded_after("import emoscope.cli.main")

    assert not loaded & {*HEAVY, "numpy"}


def test_help_answers_without_loading_what_recognizes() -> None:
    code = (
        "import io, sys; from emoscope.cli.main import main\n"
        "sys.argv, sys.stdout = ['emoscope', '--help'], io.StringIO()\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "said, sys.stdout = sys.stdout.getvalue(), sys.__stdout__\n"
        "assert 'recognize' in said"
    )
    loaded = loaded_after(code)

    assert not loaded & ({*HEAVY, "numpy"} - {"rich.table"})  # the help itself is a table


def test_the_core_is_all_that_lies_below_the_front_ends() -> None:
    """The contract of the core names every module from ``outputs`` down that is built."""
    contracts = configparser.ConfigParser()
    contracts.read(PACKAGE.parent.parent / ".importlinter", "utf-8")
    layers = contracts["importlinter:contract:layers"]["layers"].split("\n")
    names = [re.findall(r"\w+", layer) for layer in layers]
    below = {name for layer in names[names.index(["outputs"]) :] for name in layer}
    built = {path.stem for path in PACKAGE.iterdir()}
    core = contracts["importlinter:contract:core"]["source_modules"].split()

    assert core == sorted(core)
    assert {name.removeprefix("emoscope.") for name in core} == below & built


@pytest.mark.parametrize("module", ["recognizer", "outputs.store", "export.records"])
def test_the_core_loads_no_screen_and_no_wire(module: str) -> None:
    loaded = loaded_after(f"import emoscope.{module}")

    assert not loaded & {"fastapi", "starlette", "gradio", "typer", "rich", "uvicorn"}


def test_torch_is_nowhere_in_the_package() -> None:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            roots = {name.split(".")[0] for name in names}
            assert not roots & {"torch", "torchaudio", "funasr"}, path


def test_nothing_unpickles_or_evaluates() -> None:
    """Data is data: no ``eval``, no ``exec``, and unpickling only in the one restricted reader."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec"), path
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names} | {getattr(node, "module", "")}
                if names & {"pickle", "marshal", "shelve", "dill"}:
                    assert path.parent.name == "emotion2vec", path


def test_files_are_the_size_of_an_idea() -> None:
    """A median of 55-150 lines; the tables of errors and words may be long, code may not."""
    lengths = {
        path: len(path.read_text("utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
        if path.name != "__init__.py"
    }
    too_long = {path.name for path, lines in lengths.items() if lines > 400}
    assert too_long <= {"errors.py", "result.py"}, too_long
    median = sorted(lengths.values())[len(lengths) // 2]
    assert median <= 150
