"""``CITATION.cff`` is valid, of this version, and tells what the page on citing tells."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from emoscope import __version__

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "citing.md").read_text("utf-8")
NEEDED = {"cff-version", "message", "title", "authors"}
KEYS = {
    *NEEDED,
    *("abstract", "commit", "contact", "date-released", "doi", "identifiers", "keywords"),
    *("license", "license-url", "preferred-citation", "references", "repository"),
    *("repository-artifact", "repository-code", "type", "url", "version"),
}
"""All keys of CFF 1.2.0."""
REFERENCE_KEYS = {
    *("type", "title", "notes", "authors", "year", "collection-title", "identifiers", "url"),
    *("journal", "volume", "issue", "start", "end", "doi"),
}
"""Those that are used here, of the keys of references in CFF 1.2.0."""
TYPES = {"article", "conference-paper", "software", "dataset", "data"}
IDENTIFIERS = {"doi", "other", "swh", "url"}


@pytest.fixture(scope="module")
def citation() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8")))


def test_it_has_the_keys_of_the_format(citation: dict[str, Any]) -> None:
    assert NEEDED <= citation.keys() <= KEYS
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "software"
    assert citation["authors"] == [{"name": "The Emoscope founders"}]
    assert len(citation["keywords"]) == len(set(citation["keywords"]))


def test_version_and_licence_are_those_of_the_package(citation: dict[str, Any]) -> None:
    assert str(citation["version"]) == __version__
    assert f"version = {{{__version__}}}" in PAGE
    assert f'license = "{citation["license"]}"' in (ROOT / "pyproject.toml").read_text("utf-8")
    assert citation["repository-code"] in (ROOT / "pyproject.toml").read_text("utf-8")


def test_references_are_whole(citation: dict[str, Any]) -> None:
    for one in citation["references"]:
        assert {"type", "title", "authors", "year", "notes"} <= one.keys() <= REFERENCE_KEYS
        assert one["type"] in TYPES
        assert all(who.keys() == {"family-names", "given-names"} for who in one["authors"])
        assert all(name["type"] in IDENTIFIERS for name in one.get("identifiers", ()))
        assert one.get("doi") or one.get("identifiers"), one["title"]


def test_the_page_has_the_same_papers(citation: dict[str, Any]) -> None:
    def plain(title: str) -> str:
        return re.sub(r"[{}\s]+", " ", title).replace(" ", "").lower()

    told = {plain(title) for title in re.findall(r"^  title +=\s\{(.+)\},$", PAGE, re.MULTILINE)}
    assert told == {plain(one["title"]) for one in [citation, *citation["references"]]}
    for one in citation["references"]:
        number = one.get("doi") or one["identifiers"][0]["value"]
        assert number in PAGE
        assert f"{one['authors'][0]['family-names']}, " in PAGE
        assert f"= {{{one['year']}}}" in PAGE


def test_all_training_corpora_of_the_shipped_model_are_named() -> None:
    notice = (ROOT / "NOTICE").read_text("utf-8")
    for corpus in ("RAVDESS", "nEMO", "EmoDB", "IndianEmo", "CREMA-D"):
        assert corpus in notice
        assert corpus in PAGE
