"""The shape of the package: its modules, names, docstrings and the size of its functions."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import emoscope

ROOT = Path(__file__).parent.parent.parent
PACKAGE = Path(emoscope.__file__).parent
DEPRECATED = {"segments.py", "runs.py"}
"""Old import paths that the docs promised; each only warns and leads on."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules() -> dict[str, ast.Module]:
    """Syntax trees of the package by their paths in it."""
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def top_level_names(tree: ast.Module) -> Iterator[str]:
    """Public classes, functions and values that a module defines (not those it imports)."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | Function):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [part.id for part in node.targets if isinstance(part, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        else:
            continue
        yield from (name for name in names if not name.startswith("_"))


def test_no_public_name_is_defined_in_two_modules() -> None:
    homes = defaultdict(set)
    for path, tree in modules().items():
        for name in top_level_names(tree):
            homes[name].add(path)
    assert {name: sorted(found) for name, found in homes.items() if len(found) > 1} == {}


def test_at_most_twelve_modules_stand_beside_the_packages() -> None:
    top = {
        path.name
        for path in PACKAGE.glob("*.py")
        if path.name not in DEPRECATED and not path.name.startswith("_")
    }
    assert len(top) <= 12, sorted(top)


def test_the_first_line_of_every_docstring_is_a_whole_sentence() -> None:
    for path, tree in modules().items():
        first = (ast.get_docstring(tree) or "").partition("\n")[0]
        assert first.endswith("."), f"{path}: {first!r}"
        assert first[:1].isupper() or first.startswith("``"), f"{path}: {first!r}"


@pytest.mark.parametrize(
    ("old", "name", "new"),
    [
        ("emoscope.segments", "Rules", "emoscope.results.segments.SegmentRules"),
        ("emoscope.runs", "list_runs", "emoscope.outputs.history.list_runs"),
        ("emoscope.runs", "entry", "emoscope.outputs.history.run_entry"),
    ],
)
def test_old_import_paths_work_and_warn(old: str, name: str, new: str) -> None:
    module, _, thing = new.rpartition(".")
    code = (
        "import importlib, warnings\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        f"    from {old} import {name} as old\n"
        f"assert old is importlib.import_module({module!r}).{thing}\n"
        "assert {one.category for one in caught} == {DeprecationWarning}, caught\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# -- words

TEXT = {".py", ".md", ".js", ".css", ".sh", ".toml", ".yml", ".yaml", ".html"}
REQUIREMENT = re.compile(r"\bP\d{1,2}\b")


def test_invariants_are_named_and_not_numbered() -> None:
    """No reader outside of this project has the list that a number in its place would point to."""
    for folder in ("src", "tests", "docs", "train", "benchmarks", "scripts", "examples", "."):
        found = (ROOT / folder).glob("*") if folder == "." else (ROOT / folder).rglob("*")
        for path in found:
            if path.suffix in TEXT:
                numbered = REQUIREMENT.findall(path.read_text("utf-8"))
                assert not numbered, f"{path.relative_to(ROOT)}: {numbered}"
