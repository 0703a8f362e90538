from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import emoscope

PACKAGE = Path(emoscope.__file__).parent


def test_all_names_exist_and_are_sorted() -> None:
    assert emoscope.__all__ == sorted(emoscope.__all__, key=_as_ruff_sorts)
    for name in emoscope.__all__:
        assert getattr(emoscope, name) is not None


def _as_ruff_sorts(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest (ruff's isort-style order of ``__all__``)."""
    kind = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return kind, name


def test_every_public_name_says_what_it_is() -> None:
    for name in emoscope.__all__:
        thing = getattr(emoscope, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing), name


def test_the_lazy_table_and_the_public_names_agree() -> None:
    assert {*emoscope._HOMES, "__version__"} == set(emoscope.__all__)
    assert dir(emoscope) == sorted(emoscope.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(emoscope, "predict")


def test_no_name_of_a_package_hides_its_submodule() -> None:
    """As ``from __future__ import annotations`` in a package hides its module ``annotations``."""
    for init in sorted(PACKAGE.rglob("__init__.py")):
        submodules = {path.stem for path in init.parent.glob("*.py")} - {"__init__"}
        submodules |= {path.parent.name for path in init.parent.glob("*/__init__.py")}
        bound = set()
        for node in ast.parse(init.read_text("utf-8")).body:
            own = f"emoscope.{init.parent.relative_to(PACKAGE)}".replace("/", ".").rstrip(".")
            if isinstance(node, ast.ImportFrom) and node.module == own:
                continue  # that is the submodule
            if isinstance(node, ast.Import | ast.ImportFrom):
                bound |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ClassDef | ast.FunctionDef):
                bound.add(node.name)
        assert not bound & submodules, init
    assert "_Feature" not in {type(value).__name__ for value in vars(emoscope).values()}


@pytest.mark.parametrize("name", sorted(emoscope._MODULES))
def test_modules_are_there_after_importing_the_package_alone(name: str) -> None:
    code = f"import emoscope; from emoscope import {name} as found; print(found.__name__)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == f"emoscope.{emoscope._MODULES[name]}"


def test_annotations_are_the_module_that_exports_them() -> None:
    from emoscope import annotations

    assert annotations is importlib.import_module("emoscope.export.annotations")
    assert callable(annotations.export)
