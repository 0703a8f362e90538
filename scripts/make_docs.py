"""Write the pages of docs/ that are tables of the code: errors and settings.

python scripts/make_docs.py            write them
python scripts/make_docs.py --check    exit 1 when a page differs from the code
"""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic_core import PydanticUndefined

from emoscope.cli.main import exit_code
from emoscope.errors import all_errors
from emoscope.server.http.schemas import http_status
from emoscope.settings import Settings

DOCS = Path(__file__).parent.parent / "docs"


def errors_page() -> str:
    """The table of errors."""
    lines = [
        "# Errors · 错误",
        "",
        "Every error has a stable code and a sentence in both languages.",
        "`POST /predict` answers with problem details (RFC 9457) and the HTTP status below;",
        "the command line prints the sentence and leaves with the exit code below",
        "(1 when some of several recordings failed: each is reported in its place).",
        "In Python each is an exception in `emoscope.errors`, and also the standard one.",
        "",
        "每个错误都有固定的代码和中英文说明。HTTP 状态与退出码见下表。",
        "",
        "| code | HTTP | exit | 中文 | English |",
        "|---|---|---|---|---|",
    ]
    for kind in all_errors():
        blank = kind(**{gap: _Gap(gap) for gap in kind.gaps()})
        status = int(http_status(kind))
        lines.append(
            f"| `{kind.code}` | {status} | {exit_code(blank)} "
            f"| {_cell(blank.detail_zh)} | {_cell(blank.detail_en)} |"
        )
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
        "by default the platform's cache folder.",
    ]
    return "\n".join(lines) + "\n"


def _plain(value: object) -> str:
    return "[]" if value == () else str(value)


PAGES = {"errors.md": errors_page, "settings.md": settings_page}


def main() -> None:
    """Write or check."""
    check = "--check" in sys.argv[1:]
    for name, page in PAGES.items():
        path = DOCS / name
        if check and path.read_text("utf-8") != page():
            sys.exit(f"docs/{name} differs from the code; run python scripts/make_docs.py")
        if not check:
            path.write_text(page(), "utf-8")
            print(f"docs/{name}")


if __name__ == "__main__":
    main()
