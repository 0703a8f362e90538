from __future__ import annotations

import sys
from pathlib import Path

import pytest

from emoscope.errors import ExtraMissingError
from emoscope.optional import check_installed, require


def test_an_installed_module_is_handed_over() -> None:
    import json.decoder

    assert require("json.decoder", extra="anything") is json.decoder


@pytest.mark.parametrize("module", ["no_such_package", "no_such_package.inner.module"])
def test_a_missing_package_is_told_with_the_line_to_type(module: str) -> None:
    with pytest.raises(ExtraMissingError) as caught:
        require(module, extra="vectors")

    for sentence in (caught.value.detail_zh, caught.value.detail_en, str(caught.value)):
        assert "pip install 'emoscope[vectors]'" in sentence
    assert module in caught.value.detail_en
    assert isinstance(caught.value, ImportError)
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


@pytest.mark.parametrize(
    "bug",
    ["import no_such_dependency", "import half_installed.lost_part", "from . import lost_part"],
    ids=["its dependency", "its own part, absolute", "its own part, relative"],
)
def test_a_bug_inside_an_installed_package_is_not_missing(
    bug: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Telling people to install what they have would send them round in a circle."""
    package = tmp_path / "half_installed"
    package.mkdir()
    (package / "__init__.py").write_text(f"{bug}\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "half_installed", raising=False)

    with pytest.raises(ImportError) as caught:
        require("half_installed", extra="vectors")

    assert not isinstance(caught.value, ExtraMissingError)


def test_what_goes_wrong_while_importing_passes_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "explodes_on_import.py").write_text("1 / 0\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ZeroDivisionError):
        require("explodes_on_import", extra="vectors")


def test_a_package_is_looked_for_without_being_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "explodes_when_imported.py").write_text("1 / 0\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    check_installed("explodes_when_imported", extra="anything")
    with pytest.raises(ExtraMissingError, match="vectors"):
        check_installed("no_such_package", extra="vectors")
