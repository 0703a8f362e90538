from __future__ import annotations

import ast
import copy
import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from emoscope import errors
from emoscope.errors import EmoscopeError, all_codes, restore
from emoscope.messages import hints
from emoscope.messages.hints import FRONT_ENDS, HINTS
from emoscope.messages.languages import LANGUAGES
from emoscope.messages.reasons import REASONS

SOURCE = Path(errors.__file__).parent
CODES = all_codes()
PASS_A_REASON = {"reason", "_damaged", "_unsupported", "_refused", "malformed", "refused"}
every_code = pytest.mark.parametrize("code", CODES)


def made(code: str) -> EmoscopeError:
    """An error of this code with a number in every gap that formats one and text in the others."""
    row = CODES[code]
    specs = {
        name: spec
        for sentence in (row.zh, row.en)
        for _, name, spec, _ in Formatter().parse(sentence)
        if name
    }
    return row.kind(code, **{name: 3.5 if spec else f"<{name}>" for name, spec in specs.items()})


def every_class() -> set[type[EmoscopeError]]:
    """All classes of the module, also those without a code."""
    found = {errors.EmoscopeError}
    while more := {sub for kind in found for sub in kind.__subclasses__()} - found:
        found |= more
    return {kind for kind in found if kind.__module__ == errors.__name__}


def codes_of(kind: type[EmoscopeError]) -> list[str]:
    return [code for code, row in CODES.items() if row.kind is kind]


def test_codes_are_snake_case() -> None:
    assert len(CODES) > 90
    for code in CODES:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code), code


@every_code
def test_both_sentences_stand_and_name_the_same_values(code: str) -> None:
    def gaps(sentence: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(sentence) if name}

    row = CODES[code]
    assert re.search(r"[\u4e00-\u9fff]", row.zh)
    assert not re.search(r"[\u4e00-\u9fff]", row.en)
    for sentence in (row.zh, row.en):
        assert sentence == sentence.strip()
    zh, en = gaps(row.zh), gaps(row.en)
    # A reason in words has one gap per language; all else is in both sentences.
    assert {name.removesuffix("_zh") for name in zh} == {name.removesuffix("_en") for name in en}
    assert not any(name.endswith("_en") for name in zh)
    assert not any(name.endswith("_zh") for name in en)


@every_code
def test_the_sentences_are_filled_in(code: str) -> None:
    error, row = made(code), CODES[code]

    assert error.code == code
    assert str(error) == error.detail("en") == error.detail_en
    assert error.detail("zh") == error.detail_zh
    for sentence, gaps in ((error.detail_zh, row.zh), (error.detail_en, row.en)):
        assert "{" not in sentence
        for name, value in error.data.items():
            if f"{{{name}}}" in gaps:
                assert str(value) in sentence


@every_code
def test_missing_and_surplus_values_are_type_errors(code: str) -> None:
    kind, data = CODES[code].kind, made(code).data

    with pytest.raises(TypeError, match=kind.__name__):
        kind(code, **data, surplus=1)
    for name in data:
        with pytest.raises(TypeError, match=kind.__name__):
            kind(code, **{key: value for key, value in data.items() if key != name})


@every_code
def test_a_code_belongs_to_one_class(code: str) -> None:
    kind, data = CODES[code].kind, made(code).data

    for other in every_class() - {kind}:
        with pytest.raises(TypeError, match=f"{other.__name__} has no code '{code}'"):
            other(code, **data)


def test_a_code_may_be_left_out_where_there_is_one() -> None:
    for kind in every_class():
        own = codes_of(kind)
        if len(own) == 1:
            assert kind(**made(own[0]).data).code == own[0]
        else:
            with pytest.raises(TypeError, match=f"{kind.__name__} needs one of its codes"):
                kind()


@every_code
def test_it_survives_the_way_between_processes(code: str) -> None:
    error = made(code)

    for other in (
        pickle.loads(pickle.dumps(error)),  # noqa: S301 - our own
        copy.copy(error),
        restore(error.code, error.data),
    ):
        assert type(other) is type(error)
        assert other.code == code
        assert other.data == error.data
        assert (other.detail_zh, other.detail_en) == (error.detail_zh, error.detail_en)
        assert other.args == error.args


@every_code
def test_a_record_that_is_none_of_ours_is_not_restored(code: str) -> None:
    assert restore(code + "x", made(code).data) is None
    assert restore(code, [1]) is None
    assert restore(code, made(code).data | {"surplus": 1}) is None


@every_code
def test_it_is_also_a_standard_error(code: str) -> None:
    """``except FileNotFoundError`` is right without having read our docs."""
    standard = [
        base
        for base in CODES[code].kind.__mro__
        if base.__module__ == "builtins" and base not in (Exception, BaseException, object)
    ]

    assert standard


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every place of the package that makes an error by the name of its class."""
    names = {kind.__name__ for kind in every_class()}
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
                if name in names:
                    yield f"{path.relative_to(SOURCE)}:{node.lineno}", node
            # ``raise AnError`` calls it, too.
            if isinstance(node, ast.Raise) and getattr(node.exc, "id", None) in names:
                call = ast.Call(node.exc, [], [])
                yield f"{path.relative_to(SOURCE)}:{node.lineno}", call


def is_whole(call: ast.Call) -> bool:
    """Whether an error is made with a code of its class, and with the values of its sentences."""
    own = codes_of(getattr(errors, getattr(call.func, "id", None) or call.func.attr))  # type: ignore[attr-defined]
    first = call.args[0] if call.args else None
    choices = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
    codes = {one.value for one in choices if isinstance(one, ast.Constant)}
    if first is None:
        if len(own) != 1:
            return False
        codes = set(own)
    given = {keyword.arg for keyword in call.keywords}
    # ``**reason(...)`` fills what is not named.
    return all(
        code in own
        and (given == CODES[code].gaps or (None in given and given - {None} < CODES[code].gaps))
        for code in codes
    )


def test_errors_are_made_with_the_code_and_the_values_of_their_table() -> None:
    """Also on paths that no test takes."""
    places = list(calls())

    assert len(places) > 150
    assert [where for where, call in places if not is_whole(call)] == []


def test_reasons_are_made_with_the_values_of_their_table() -> None:
    """Also on paths that no test takes; ``_damaged`` and its like pass a key on."""
    used: set[str] = set()
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and node.value in REASONS:
                used.add(str(node.value))
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
            keys = [
                arg.value
                for arg in node.args
                if isinstance(arg, ast.Constant) and arg.value in REASONS
            ]
            if name not in PASS_A_REASON or not keys:
                continue
            text = REASONS[str(keys[-1])]
            gaps = {gap for _, gap, _, _ in Formatter().parse(text.en) if gap}
            given = {keyword.arg for keyword in node.keywords} - {None}
            assert given == gaps, f"{path.relative_to(SOURCE)}:{node.lineno}"
    assert used == set(REASONS)


def test_every_code_is_used() -> None:
    text = "".join(
        path.read_text("utf-8") for path in SOURCE.rglob("*.py") if "messages" not in path.parts
    )
    for code, row in CODES.items():
        assert f'"{code}"' in text or (
            len(codes_of(row.kind)) == 1 and row.kind.__name__ in text
        ), code


def test_hints_name_codes_and_are_whole() -> None:
    for code, by_end in HINTS.items():
        for end, text in by_end.items():
            assert end in FRONT_ENDS
            assert re.search(r"[\u4e00-\u9fff]", text.zh)
            assert not re.search(r"[\u4e00-\u9fff]", text.en)
            error = made(code)
            for language in LANGUAGES:
                said = hints.sentence(error, language, end)
                assert said.startswith(error.detail(language))
                assert len(said) > len(error.detail(language))
                assert "{" not in said


def test_an_error_without_a_hint_is_told_as_it_is() -> None:
    error = made("audio_damaged")

    assert [hints.sentence(error, "en", end) for end in FRONT_ENDS] == [error.detail_en] * 3


def test_the_docstring_draws_the_real_tree() -> None:
    """Every class once, under its real parent, with the standard errors it is."""
    line = re.compile(r"^( *)[*\-+x] (\w+)(?: \(([\w, ]+)\))?(?: .+)?$")
    drawn: list[type[EmoscopeError]] = []
    path: list[tuple[int, type[EmoscopeError]]] = []
    for text in (errors.__doc__ or "").splitlines():
        if not (found := line.match(text)):
            continue
        indent, name, standard = found.groups()
        kind = getattr(errors, name)
        while path and path[-1][0] >= len(indent):
            path.pop()
        if path:
            assert path[-1][1] in kind.__bases__, f"{name} is drawn under {path[-1][1].__name__}"
        bases = {base.__name__ for base in kind.__bases__ if base.__module__ == "builtins"}
        assert set((standard or "").split(", ")) - {""} == bases - {"Exception"}, name
        path.append((len(indent), kind))
        drawn.append(kind)

    assert len(drawn) == len(set(drawn))
    assert set(drawn) == every_class()
    assert {row.kind for row in CODES.values()} <= set(drawn)
