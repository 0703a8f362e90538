"""No import of a library that reports to its makers goes round ``emoscope.telemetry``."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emoscope import telemetry

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ("src", "train", "benchmarks", "scripts", "examples", "tests")
REPORTING = {"onnxruntime", "openvino", "openvino_telemetry"}
IMPORTERS = {"import_module", "__import__", "require", "importorskip"}
"""Functions that import what a string names."""
HOME = ROOT / "src" / "emoscope" / "telemetry.py"


def modules() -> list[Path]:
    return sorted(
        path
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if "__pycache__" not in path.parts
    )


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, by a statement or by a string, and the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or "", node.lineno
        elif isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[0]
            if name in IMPORTERS and isinstance(first, ast.Constant):
                yield str(first.value), node.lineno


def round_the_switch(source: str) -> list[int]:
    """Lines of a file that import a reporting library themselves."""
    return [
        line for name, line in imports(ast.parse(source)) if name.partition(".")[0] in REPORTING
    ]


def test_only_one_module_imports_what_reports() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in modules()
        if path != HOME
        for line in round_the_switch(path.read_text("utf-8"))
    }
    assert found == set()
    assert round_the_switch(HOME.read_text("utf-8")), "the search finds what is there"


@pytest.mark.parametrize(
    "line",
    [
        "import onnxruntime",
        "import numpy, onnxruntime as ort",
        "from onnxruntime import InferenceSession",
        "from onnxruntime.quantization import quantize_dynamic",
        "def f():\n    import onnxruntime.capi",
        'importlib.import_module("onnxruntime")',
        'require("openvino", extra="openvino")',
        '__import__("onnxruntime")',
        'pytest.importorskip("openvino")',
    ],
)
def test_the_search_finds_every_way_to_import(line: str) -> None:
    assert round_the_switch(line)


def first_statements(path: Path) -> list[str]:
    """Modules that a file imports before it does anything else."""
    return [name for name, _ in imports(ast.parse(path.read_text("utf-8")))]


def test_the_package_switches_off_before_it_imports_anything_of_itself() -> None:
    names = first_statements(ROOT / "src" / "emoscope" / "__init__.py")
    ours = [name for name in names if name.startswith("emoscope")]
    assert ours[0] == "emoscope"  # from emoscope import telemetry


def seen_at_import(code: str, **environment: str) -> list[str]:
    """Values of the switches at each import of a library while ``code`` runs."""
    watch = (
        "import os, sys\n"
        "class Watch:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name in ('onnxruntime', 'gradio', 'huggingface_hub'):\n"
        "            print(name, *(os.environ.get(k) for k in "
        f"{list(telemetry.SWITCHES)!r}))\n"
        "sys.meta_path.insert(0, Watch())\n"
    )
    clean = {name: value for name, value in os.environ.items() if name not in telemetry.SWITCHES}
    ran = subprocess.run(
        [sys.executable, "-c", watch + code],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


OFF = " ".join(telemetry.SWITCHES.values())


@pytest.mark.process
@pytest.mark.parametrize(
    "code",
    [
        "import emoscope, onnxruntime",
        "from emoscope.audio import vad; vad._session()",
        "from emoscope.backends import cuda; cuda.is_offered()",
        "from emoscope.backends.choice import gains_by_rounding as g; g('onnxruntime', 'auto')",
        "import emoscope; emoscope.load('compact')",
        "from emoscope.recognizer import load; import os; os.environ.clear(); load('compact')",
        "import emoscope.audio.decoder_worker, onnxruntime",
    ],
)
@pytest.mark.parametrize("given", [{}, {"ORT_DISABLE_TELEMETRY": "0"}], ids=["unset", "zero"])
def test_the_switch_is_in_force_before_the_import(code: str, given: dict[str, str]) -> None:
    assert seen_at_import(code, **given) == [f"onnxruntime {OFF}"]


def test_openvino_is_imported_without_its_telemetry(tmp_path: Path) -> None:
    """The packages are stand-ins: the real ones are tried in tests/end_to_end/test_privacy.py."""
    (tmp_path / "openvino.py").write_text(
        "try:\n    import openvino_telemetry as tm\n    told = True\n"
        "except ImportError:\n    told = False\n"
    )
    (tmp_path / "openvino_telemetry.py").write_text("")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "if sys.argv[2:]: import openvino_telemetry as before\n"
        "from emoscope.telemetry import load_openvino\n"
        "print(load_openvino().told)\n"
        "import openvino_telemetry as after\n"  # somebody else's business
        "print(not sys.argv[2:] or before is after)\n"
    )
    for arguments in ((), ("loaded before",)):
        ran = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path), *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.stdout.split() == ["False", "True"], ran.stderr


def test_a_library_that_came_first_is_told(tmp_path: Path) -> None:
    """Its telemetry has begun; what can be stopped is stopped, and the rest is said."""
    (tmp_path / "onnxruntime.py").write_text(
        "__version__ = '1.29.1'\ndef disable_telemetry_events():\n    print('disabled')\n"
    )
    code = "import sys; sys.path.insert(0, sys.argv[1])\nimport onnxruntime\nimport emoscope\n"
    clean = {name: value for name, value in os.environ.items() if name not in telemetry.SWITCHES}
    for value, told in (("", True), ("0", True), ("1", False), ("TRUE", False)):
        ran = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            env={**clean, "ORT_DISABLE_TELEMETRY": value},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.strip() == ("disabled" if told else "")
        assert ("ORT_DISABLE_TELEMETRY=1" in ran.stderr) is told
