"""Sentences stand in ``messages``, and the core knows the words of no front end."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import emoscope
from emoscope.cli.main import app
from emoscope.settings import Settings

SOURCE = Path(emoscope.__file__).parent
MODULES = {path.relative_to(SOURCE).as_posix(): path for path in SOURCE.rglob("*.py")}
CHINESE = re.compile(r"[\u3400-\u9fff]")

MAY_SPEAK_CHINESE = ("messages/", "labels.py")
HELP_PAGES = ("cli/", "server/app.py")
"""Help of commands and the title of the API say both languages in one line: ``模型 · model``."""

FRONT_ENDS = ("cli/", "server/", "web/", "messages/", "settings/", "gradio_app/")
CLIENT = "client.py"
"""Speaks to a server, so it knows its routes and headers."""
ENVIRONMENT = {"EMOSCOPE_CACHE", "EMOSCOPE_DATA", "EMOSCOPE_MODELSCOPE_ENDPOINT"}
"""Where models are kept and fetched from holds for every process, as ``HF_HOME`` does."""


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Strings of a module that are no docstrings, the parts of f-strings included."""
    tree = ast.parse(path.read_text("utf-8"))
    docs = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


@pytest.mark.parametrize("name", sorted(MODULES))
def test_chinese_stands_in_messages(name: str) -> None:
    if name.startswith(MAY_SPEAK_CHINESE):
        return
    found = [(line, text) for line, text in literals(MODULES[name]) if CHINESE.search(text)]
    if name.startswith(HELP_PAGES):
        found = [(line, text) for line, text in found if " · " not in text]
    assert found == []


def flags() -> set[str]:
    """Every option of every command."""
    found: set[str] = set()
    commands = [typer.main.get_command(app)]
    while commands:
        command = commands.pop()
        found |= {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
        commands += getattr(command, "commands", {}).values()
    return {name for name in found if name.startswith("--")}


def words_of_front_ends() -> re.Pattern[str]:
    """Flags, headers, routes and settings, as they would stand in a sentence."""
    settings = "|".join(f"EMOSCOPE_{name.upper()}" for name in Settings.model_fields)
    return re.compile(
        rf"(?<![\w-])(?:{'|'.join(sorted(flags()))})\b|EMOSCOPE_[A-Z_]+|{settings}"
        r"|X-API-Key|Idempotency-Key|Authorization: |WWW-Authenticate"
        r"|(?<!api)/v1/|/predict\b|emoscope\.toml"
    )


FORBIDDEN = words_of_front_ends()


@pytest.mark.parametrize("name", sorted(MODULES))
def test_the_core_names_no_flag_header_route_or_setting(name: str) -> None:
    if name.startswith((*FRONT_ENDS, CLIENT)):
        return
    found = [
        (line, word)
        for line, text in literals(MODULES[name])
        for word in FORBIDDEN.findall(text)
        if word not in ENVIRONMENT
    ]
    assert found == []


def test_the_search_finds_what_it_should() -> None:
    told = "use --device cpu, EMOSCOPE_PORT, X-API-Key, /v1/jobs or emoscope.toml"

    assert FORBIDDEN.findall(told) == [
        "--device",
        "EMOSCOPE_PORT",
        "X-API-Key",
        "/v1/",
        "emoscope.toml",
    ]
    assert {"--device", "--channels", "--hub", "--keys"} <= flags()
    assert not FORBIDDEN.search("color:var(--ink)")


def test_sentences_of_errors_name_nothing_of_a_front_end() -> None:
    from emoscope.errors import all_codes

    for code, row in all_codes().items():
        assert not FORBIDDEN.search(row.zh + row.en), code
