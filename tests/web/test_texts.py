from __future__ import annotations

import ast
import html
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from emoscope.messages import (
    batch,
    figure,
    findings,
    history,
    live,
    mixed,
    models,
    page,
    reasons,
    recorded,
    texts,
    trust,
)
from emoscope.messages.languages import Text
from emoscope.messages.texts import ADVICE, STEPS
from emoscope.results import abstention
from emoscope.results.quality import QUALITY_REASONS
from emoscope.web import views

SOURCE = Path(texts.__file__).parent.parent
CHINESE = re.compile(r"[\u3400-\u9fff]")
ENGLISH = re.compile(r"[a-z]{2,}", re.IGNORECASE)
TABLES = {
    "messages/texts.py",
    "messages/batch.py",
    "messages/figure.py",
    "messages/history.py",
    "messages/live.py",
    "messages/page.py",
    "messages/recorded.py",
    "messages/trust.py",
    "messages/mixed.py",
    "labels.py",
    "errors.py",
    "models/catalog.py",  # names of models
    "evaluate/words.py",  # what other people call the emotions in their lists
}


def all_texts() -> Iterator[tuple[str, Text]]:
    modules = (texts, live, figure, page, trust, mixed, reasons, findings, models)
    for module in (*modules, batch, history, recorded):
        for name, table in vars(module).items():
            if isinstance(table, dict) and name.isupper():
                texts_of = ((key, text) for key, text in table.items() if isinstance(text, Text))
                yield from ((f"{name} {in_order(key)}", text) for key, text in texts_of)
            elif name == "SHORTCUTS":
                yield from ((f"{name} {key}", does) for key, does in table)
            elif isinstance(table, tuple) and name.isupper():
                yield from ((name, t) for t in table if isinstance(t, Text))


def in_order(key: object) -> object:
    """A key whose name is the same in every process: sets have no order of their own."""
    return " ".join(sorted(map(str, key))) if isinstance(key, frozenset) else key


def gaps(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


@pytest.mark.parametrize(("where", "text"), list(all_texts()), ids=lambda value: str(value)[:40])
def test_every_text_has_both_languages_with_the_same_gaps(where: str, text: Text) -> None:
    assert text.zh.strip(), where
    assert text.en.strip(), where
    assert gaps(text.zh) == gaps(text.en), where
    assert not CHINESE.search(text.en), where


def test_advice_and_steps_are_complete() -> None:
    assert set(ADVICE) == set(QUALITY_REASONS) == set(batch.CHECK_WORDS)
    assert set(trust.ABSTENTION) == set(abstention.ABSTENTION_REASONS)
    assert {"receive", "decode", "mix", "resample", "check", "infer", "write"} <= set(STEPS)


def strings(node: ast.AST) -> list[str]:
    return [
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]


def siblings(node: ast.AST) -> list[ast.expr]:
    """What stands side by side in a call, a tuple, a dict or a choice."""
    if isinstance(node, ast.Call):
        return [*node.args, *(keyword.value for keyword in node.keywords)]
    if isinstance(node, ast.Tuple):
        return node.elts
    if isinstance(node, ast.Dict):
        return [*(key for key in node.keys if key), *node.values]
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else []


def is_pair(parts: list[ast.expr]) -> bool:
    """Whether one part speaks Chinese and another one does not."""
    spoken = [" ".join(strings(part)) for part in parts]
    chinese = [bool(CHINESE.search(words)) for words in spoken]
    english = [any(letter.isalpha() for letter in words) for words in spoken]
    return any(chinese) and any(e and not c for e, c in zip(english, chinese, strict=True))


def chinese_literals(path: Path) -> Iterator[tuple[int, str]]:
    """Literals with Chinese in them that are neither docstrings nor beside their English."""
    tree = ast.parse(path.read_text("utf-8"))
    excused: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            excused.add(id(node.value))  # docstrings, and those under a constant
        if isinstance(node, ast.JoinedStr) and ENGLISH.search(" ".join(strings(node))):
            excused.update(id(part) for part in node.values)
        if is_pair(parts := siblings(node)):
            excused.update(id(inner) for part in parts for inner in ast.walk(part))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in excused:
            continue
        value = node.value
        # A sentence that says it in both languages at once needs no table.
        if isinstance(value, str) and CHINESE.search(value) and not ENGLISH.search(value):
            yield node.lineno, value


@pytest.mark.parametrize(
    "path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE))
)
def test_no_chinese_sentence_outside_the_tables(path: Path) -> None:
    if path.relative_to(SOURCE).as_posix() not in TABLES:
        assert list(chinese_literals(path)) == []


def test_scripts_and_styles_hold_no_words() -> None:
    for path in (*SOURCE.glob("web/**/*.js"), *SOURCE.glob("web/*.css")):
        assert not CHINESE.search(path.read_text("utf-8")), path.name


MARKUP_TEXT = re.compile(r">([^<>{}]*)(?=<)|(?:title|alt|placeholder|aria-label)=\"([^\"{}<>]*)\"")
SPOKEN_BY_SCRIPT = re.compile(
    r"(?:textContent|innerText|placeholder|title|ariaLabel)\s*=\s*[\"'`]([^\"'`$]*)"
)
NAMES = {"Emoscope", "JSON"}
"""What is called the same in both languages."""


def words_in_markup(path: Path) -> Iterator[str]:
    """Text between tags, and in attributes that are read out, of the HTML that a module writes."""
    tree = ast.parse(path.read_text("utf-8"))
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    inside = {id(part) for node in joined for part in node.values}
    whole = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    pieces = [[part for part in node.values if isinstance(part, ast.Constant)] for node in joined]
    pieces += [[node] for node in whole if id(node) not in inside]
    for parts in pieces:
        markup = "".join(part.value for part in parts if isinstance(part.value, str))
        for found in MARKUP_TEXT.findall(markup):
            yield from re.findall(r"[A-Za-z]{3,}", html.unescape(" ".join(found)))


@pytest.mark.parametrize("path", sorted(SOURCE.glob("web/*.py")), ids=lambda path: str(path.name))
def test_no_english_sentence_outside_the_tables(path: Path) -> None:
    if path.relative_to(SOURCE).as_posix() not in TABLES:
        assert set(words_in_markup(path)) <= NAMES


def test_the_search_for_english_finds_what_it_should(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('x = f\'<p>{y}Press here</p><i title="Close it"></i><b class="word"></b>\'')

    assert list(words_in_markup(module)) == ["Press", "here", "Close"]


def test_scripts_say_nothing_of_their_own() -> None:
    for path in SOURCE.glob("web/**/*.js"):
        for said in SPOKEN_BY_SCRIPT.findall(path.read_text("utf-8")):
            assert not re.search(r"[A-Za-z]{2,}", said), (path.name, said)


def notes_in(markup: str) -> set[str]:
    return set(re.findall(r'data-(?:said|note)="(\w+)"', markup))


def script(name: str) -> str:
    return SOURCE.joinpath("web", "static", f"{name}.js").read_text("utf-8")


LIMITS = views.UploadLimits(1, 1.0)
PAGE_HTML = views.document({"query_string": b"", "headers": []}, "home", LIMITS, None)


def test_every_note_that_a_script_shows_is_in_the_page() -> None:
    for names, markup in (
        (("form", "page", "compare"), PAGE_HTML),
        (("live", "wire", "rescue"), PAGE_HTML),
    ):
        asked = {
            name
            for text in map(script, names)
            for name in re.findall(r'(?:\bsay|\.note)\(\s*"(\w+)"|\bnote(?:: | = )"(\w+)"', text)
            for name in name
            if name
        }
        assert asked
        assert asked <= notes_in(markup)


def test_whatever_the_microphone_says_can_be_shown_wherever_it_is_used() -> None:
    said = set(re.findall(r'"(microphone_\w+)"', script("microphone")))

    assert said == set(live.MICROPHONE)
    live_markup = PAGE_HTML[PAGE_HTML.index("<emo-live") : PAGE_HTML.index("</emo-live>")]
    form_markup = PAGE_HTML[PAGE_HTML.index("<emo-form") : PAGE_HTML.index("</emo-form>")]
    assert said <= notes_in(live_markup)
    assert said <= notes_in(form_markup)
