from __future__ import annotations

import inspect

import emoscope


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
