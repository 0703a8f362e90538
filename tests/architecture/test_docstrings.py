"""Docstrings of public functions describe their arguments where they stand."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import emoscope

PACKAGE = Path(emoscope.__file__).parent
Function = ast.FunctionDef | ast.AsyncFunctionDef

LEAST = 3
"""Parameters from which on a function needs ``Args:``."""
FRAMEWORKS = ("settings_customise_sources",)
"""Methods whose parameters a framework defines."""
ROUTES = {"command", "callback", "get", "post", "put", "delete", "patch", "websocket"}
"""Decorators whose functions describe their parameters in the help or the OpenAPI document."""
ASGI = ["scope", "receive", "send"]
REFERENCES = re.compile(r"\bas in ``|\bas in `\w|\bas there\b|\bas of ``|\bas for ``|\blikewise\b")


def functions(body: list[ast.stmt], owner: str = "") -> Iterator[tuple[str, Function, str]]:
    """Public functions and methods: name, node and docstring, of ``__init__`` that of its class."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for name, function, doc in functions(node.body, f"{node.name}."):
                is_init = function.name == "__init__"
                yield name, function, f"{ast.get_docstring(node)}\n\n{doc}" if is_init else doc
        elif isinstance(node, Function):
            is_public = not node.name.startswith("_") or node.name in ("__init__", "__call__")
            if is_public and not is_exempt(node):
                yield f"{owner}{node.name}", node, ast.get_docstring(node) or ""


def is_exempt(function: Function) -> bool:
    """Whether a framework defines or documents the parameters."""
    calls = [one.func for one in function.decorator_list if isinstance(one, ast.Call)]
    names = {call.attr for call in calls if isinstance(call, ast.Attribute)}
    is_asgi = function.name == "__call__" and parameters(function, is_method=True) == ASGI
    return bool(names & ROUTES) or is_asgi or function.name in FRAMEWORKS


def parameters(function: Function, *, is_method: bool) -> list[str]:
    """Names of the parameters, without ``self`` and ``cls``."""
    every = function.args
    plain = [one.arg for one in (*every.posonlyargs, *every.args)]
    is_static = any(getattr(one, "id", "") == "staticmethod" for one in function.decorator_list)
    extra = [one.arg for one in (every.vararg, every.kwarg) if one is not None]
    first = 1 if is_method and not is_static else 0
    return [*plain[first:], *(one.arg for one in every.kwonlyargs), *extra]


def is_overload(function: Function) -> bool:
    """Whether it is one signature of several, for type checkers alone."""
    return any(getattr(one, "id", "") == "overload" for one in function.decorator_list)


def described(doc: str) -> set[str]:
    """Names that stand under ``Args:``."""
    section = re.search(r"^Args:\n((?:[ \t]+.*\n?|\n)*)", doc, re.MULTILINE)
    return set(re.findall(r"^    (\w+):", section[1], re.MULTILINE)) if section else set()


def test_functions_of_three_parameters_describe_each() -> None:
    lacking = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for name, function, doc in functions(ast.parse(path.read_text("utf-8")).body):
            if is_overload(function):
                continue  # the implementation below them describes all parameters
            wanted = parameters(function, is_method="." in name)
            missing = set(wanted) - described(doc)
            if len(wanted) >= LEAST and missing:
                lacking.append(f"{path.relative_to(PACKAGE)}: {name}: {sorted(missing)}")
    assert not lacking, "\n".join(lacking)


def test_no_argument_or_error_is_described_by_a_reference() -> None:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, Function | ast.ClassDef):
                doc = ast.get_docstring(node) or ""
                sections = re.split(r"^(?:Args|Raises|Returns|Yields):$", doc, flags=re.MULTILINE)
                found += [
                    f"{path.relative_to(PACKAGE)}: {node.name}"
                    for section in sections[1:]
                    if REFERENCES.search(section)
                ]
    assert not found, "\n".join(found)
