"""Write what the docs take from the code: the pages of errors and settings, the tree in README.md.

python scripts/make_docs.py            write them
python scripts/make_docs.py --check    exit 1 when a page differs from the code
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from pathlib import Path

from pydantic_core import PydanticUndefined

from emoscope.cli.main import exit_code
from emoscope.errors import all_codes
from emoscope.messages.hints import HINTS
from emoscope.server.http.schemas import http_status
from emoscope.settings import Settings

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "emoscope"
TREE = re.compile(r"(?<=<!-- tree: begin -->\n).*(?=<!-- tree: end -->)", re.DOTALL)
OUTSIDE = {
    "tests/": "Tests, in folders named as the packages; architecture, browser, end_to_end, parity",
    "train/": "Training of the compact model, with its lab book LOG.md",
    "benchmarks/": "Speed, memory and accuracy, with the lab book LOG.md",
    "docs/": "Documentation; README.md is its index",
    "scripts/": "Generators of docs, samples and screenshots; the bill of materials",
    "examples/": "A web page on the REST API; the Gradio app for Spaces and ModelScope",
    "deploy/": "Dockerfile, compose, Kubernetes, systemd unit, nginx, Prometheus, Grafana",
    "requirements/": "Pinned dependencies with hashes",
    "inference.py": "Compatibility module of the older tool: from inference import analyze",
    "run.sh, test.sh": "From a fresh clone to the page; to all checks and tests",
}
"""What lies beside the package."""


def errors_page() -> str:
    """The table of errors."""
    lines = [
        "# Errors · 错误",
        "",
        "Every error has a stable code and a sentence in both languages.",
        "`POST /predict` answers with problem details (RFC 9457) and the HTTP status below;",
        "the command line prints the sentence and leaves with the exit code below",
        "(1 when some of several recordings failed: each is reported in its place).",
        "In Python each is an exception in `emoscope.errors`, and also the standard one;",
        '`error.code` is its code and `error.detail("en")` its sentence.',
        "",
        "每个错误都有固定的代码和中英文说明。HTTP 状态与退出码见下表。",
        "",
        "| code | class | HTTP | exit | 中文 | English |",
        "|---|---|---|---|---|---|",
    ]
    for code, row in all_codes().items():
        blank = row.kind(code, **{gap: _Gap(gap) for gap in row.gaps})
        lines.append(
            f"| `{code}` | `{row.kind.__name__}` | {int(http_status(code))} | {exit_code(blank)} "
            f"| {_cell(blank.detail_zh)} | {_cell(blank.detail_en)} |"
        )
    lines += [
        "",
        "What the front ends add to a sentence · 各界面补充的说明:",
        "",
        "| code | front end | 中文 | English |",
        "|---|---|---|---|",
    ]
    for code, hints in HINTS.items():
        for text in dict.fromkeys(hints.values()):
            ends = ", ".join(end for end, hint in hints.items() if hint == text)
            lines.append(f"| `{code}` | {ends} | {_cell(text.zh)} | {_cell(text.en)} |")
    return "\n".join(lines) + "\n"


class _Gap:
    """Stands for a value in a sentence, whatever the sentence's format asks for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __format__(self, _spec: str) -> str:
        return f"‹{self._name}›"

    __repr__ = __str__ = lambda self: format(self)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def settings_page() -> str:
    """The table of settings."""
    lines = [
        "# Settings · 设置",
        "",
        "Taken in this order: arguments of the command, environment variables `EMOSCOPE_*`,",
        "the file `emoscope.toml` in the current folder, the defaults below.",
        "",
        "优先级：命令行参数 → 环境变量 `EMOSCOPE_*` → 当前文件夹的 `emoscope.toml` → 默认值。",
        "",
        "The file is UTF-8, with or without a byte order mark. What cannot be read is an error",
        "with its line. A path that is empty is an error too; the current folder is a dot.",
        "",
        "| `emoscope.toml` | environment | default | meaning |",
        "|---|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is PydanticUndefined else f"`{_plain(field.default)}`"
        lines.append(f"| `{name}` | `EMOSCOPE_{name.upper()}` | {default} | {field.description} |")
    lines += [
        "",
        "`EMOSCOPE_CACHE` (environment only) is the folder of fetched models;",
        "by default the platform's cache folder. `EMOSCOPE_DATA` is the folder of one's own heads",
        "(`heads/` in it); by default the platform's data folder. `EMOSCOPE_MODELSCOPE_ENDPOINT`",
        "is the address of ModelScope. Every other variable `EMOSCOPE_…` is refused.",
        "`emoscope settings show` lists the settings in force and where each comes from.",
    ]
    return "\n".join(lines) + "\n"


def _plain(value: object) -> str:
    return "[]" if value == () else str(value)


def tree() -> str:
    """The code map: one line per package and module, from the first line of its docstring."""
    lines = ["src/emoscope/", *_folder(PACKAGE, 1)]
    lines += [_line(name, text, 0) for name, text in OUTSIDE.items()]
    return "\n".join(["```text", *lines, "```", ""])


def _folder(folder: Path, depth: int) -> list[str]:
    """Modules of a folder, and then its packages."""
    lines = [
        _line(path.name, first_line(path), depth)
        for path in sorted(folder.glob("*.py"))
        if path.name != "__init__.py"
    ]
    for package in sorted(path.parent for path in folder.glob("*/__init__.py")):
        lines.append(_line(f"{package.name}/", first_line(package / "__init__.py"), depth))
        lines += _folder(package, depth + 1)
    return lines


def first_line(path: Path) -> str:
    """First sentence of a module's docstring, as plain text."""
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return text.split("\n\n")[0].replace("\n", " ").replace("``", "").removesuffix(".")


def _line(name: str, text: str, depth: int) -> str:
    return f"{'  ' * depth + name:<26} {text}"


def readme() -> str:
    """README.md with the tree of today between its marks."""
    return TREE.sub(lambda _found: tree(), (ROOT / "README.md").read_text("utf-8"))


PAGES: dict[str, Callable[[], str]] = {
    "docs/errors.md": errors_page,
    "docs/settings.md": settings_page,
    "README.md": readme,
}


def main() -> None:
    """Write or check."""
    check = "--check" in sys.argv[1:]
    for name, page in PAGES.items():
        path = ROOT / name
        if check and path.read_text("utf-8") != page():
            sys.exit(f"{name} differs from the code; run python scripts/make_docs.py")
        if not check:
            path.write_text(page(), "utf-8")
            print(name)


if __name__ == "__main__":
    main()
