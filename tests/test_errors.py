from __future__ import annotations

import copy
import pickle
import re
from string import Formatter

import pytest

from emoscope import errors
from emoscope.errors import EmoscopeError, all_errors

KINDS = all_errors()
every_error = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def made(kind: type[EmoscopeError]) -> EmoscopeError:
    """An error of this kind with a number in every gap that formats one and text in the others."""
    specs = {
        name: spec
        for sentence in (kind.zh, kind.en)
        for _, name, spec, _ in Formatter().parse(sentence)
        if name
    }
    return kind(**{name: 3.5 if spec else f"<{name}>" for name, spec in specs.items()})


def every_class() -> set[type[EmoscopeError]]:
    """All classes of the module, also those without a code."""
    found = {errors.EmoscopeError}
    while more := {sub for kind in found for sub in kind.__subclasses__()} - found:
        found |= more
    return {kind for kind in found if kind.__module__ == errors.__name__}


def test_codes_are_unique_and_snake_case() -> None:
    codes = [kind.code for kind in KINDS]

    assert len(set(codes)) == len(codes) > 30
    for code in codes:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code), code


@every_error
def test_both_sentences_stand_and_name_the_same_values(kind: type[EmoscopeError]) -> None:
    def gaps(sentence: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(sentence) if name}

    # A code that is only inherited would give two errors one meaning.
    assert {"code", "zh", "en"} <= vars(kind).keys()
    assert re.search(r"[\u4e00-\u9fff]", kind.zh)
    assert not re.search(r"[\u4e00-\u9fff]", kind.en)
    for sentence in (kind.zh, kind.en):
        assert sentence == sentence.strip()
    zh, en = gaps(kind.zh), gaps(kind.en)
    # A reason in words has one gap per language; all else is in both sentences.
    assert {name.removesuffix("_zh") for name in zh} == {name.removesuffix("_en") for name in en}
    assert not any(name.endswith("_en") for name in zh)
    assert not any(name.endswith("_zh") for name in en)


@every_error
def test_the_sentences_are_filled_in(kind: type[EmoscopeError]) -> None:
    error = made(kind)

    assert str(error) == error.detail_en
    for sentence, gaps in ((error.detail_zh, kind.zh), (error.detail_en, kind.en)):
        assert "{" not in sentence
        for name, value in error.data.items():
            if f"{{{name}}}" in gaps:
                assert str(value) in sentence


@every_error
def test_missing_and_surplus_values_are_type_errors(kind: type[EmoscopeError]) -> None:
    data = made(kind).data

    with pytest.raises(TypeError, match=kind.__name__):
        kind(**data, surplus=1)
    for name in data:
        with pytest.raises(TypeError, match=kind.__name__):
            kind(**{key: value for key, value in data.items() if key != name})
    with pytest.raises(TypeError):
        kind("a finished sentence")  # type: ignore[call-arg]


@every_error
def test_it_survives_the_way_between_processes(kind: type[EmoscopeError]) -> None:
    error = made(kind)

    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own
        assert type(other) is kind
        assert other.data == error.data
        assert (other.detail_zh, other.detail_en) == (error.detail_zh, error.detail_en)
        assert other.args == error.args


@every_error
def test_it_is_also_a_standard_error(kind: type[EmoscopeError]) -> None:
    """``except FileNotFoundError`` is right without having read our docs."""
    standard = [
        base
        for base in kind.__mro__
        if base.__module__ == "builtins" and base not in (Exception, BaseException, object)
    ]

    assert standard


def test_the_docstring_draws_the_real_tree() -> None:
    """Every class once, under its real parent, with its code and the standard errors it is."""
    line = re.compile(r"^( *)[*\-+x] (\w+)(?: \(([\w, ]+)\))?(?: +(.+))?$")
    drawn: list[type[EmoscopeError]] = []
    path: list[tuple[int, type[EmoscopeError]]] = []
    for text in (errors.__doc__ or "").splitlines():
        if not (found := line.match(text)):
            continue
        indent, name, standard, rest = found.groups()
        kind = getattr(errors, name)
        while path and path[-1][0] >= len(indent):
            path.pop()
        if path:
            assert path[-1][1] in kind.__bases__, f"{name} is drawn under {path[-1][1].__name__}"
        bases = {base.__name__ for base in kind.__bases__ if base.__module__ == "builtins"}
        assert set((standard or "").split(", ")) - {""} == bases - {"Exception"}, name
        if kind.code:
            assert rest == kind.code, name
        path.append((len(indent), kind))
        drawn.append(kind)

    assert len(drawn) == len(set(drawn))
    assert set(drawn) == every_class()
    assert {kind for kind in drawn if kind.code} == set(KINDS)
