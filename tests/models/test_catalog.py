from __future__ import annotations

import json
from pathlib import Path

import pytest

from emoscope.errors import ModelUnknownError
from emoscope.models import catalog
from hub_server import fake_convert
from raising import raises_code


def make(folder: Path, name: str = catalog.LARGE) -> catalog.LocalModel:
    """A model folder with a true card."""
    folder.mkdir(parents=True)
    (folder / "model.pt").write_bytes(b"weights")
    return fake_convert(folder, folder, name=name, revision="r1")


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built-in model that does not depend on the trained one."""
    folder = tmp_path / "assets"
    make(folder, catalog.COMPACT)
    (folder / "card.json").rename(folder / "compact.json")
    monkeypatch.setattr(catalog, "ASSETS", folder)
    return folder


def test_a_name_is_found_in_the_cache(cache: Path) -> None:
    made = make(cache / catalog.LARGE)

    found = catalog.find(catalog.LARGE, cache=cache)

    assert (found.card, found.origin) == (made.card, "cache")
    assert found.onnx_path == cache / catalog.LARGE / f"{catalog.LARGE}.onnx"
    found.verify()


def test_auto_is_the_large_model_if_it_is_here(cache: Path, assets: Path) -> None:
    assert catalog.find("auto", cache=cache).card.name == catalog.COMPACT
    assert catalog.find("auto", cache=cache).folder == assets

    make(cache / catalog.LARGE)

    assert catalog.find("auto", cache=cache).card.name == catalog.LARGE


def test_a_known_name_that_is_not_here_says_the_command(cache: Path) -> None:
    with raises_code("model_not_installed", match=f"emoscope models pull {catalog.LARGE}"):
        catalog.find(catalog.LARGE, cache=cache)


def test_an_unknown_name_says_the_known_ones(cache: Path) -> None:
    with pytest.raises(ModelUnknownError) as caught:
        catalog.find("emotion3vec", cache=cache)

    assert all(name in str(caught.value) for name in catalog.names())


def test_any_folder_with_a_card_works(tmp_path: Path, cache: Path) -> None:
    made = make(tmp_path / "mine", "mine")

    assert catalog.find(tmp_path / "mine", cache=cache) == made
    assert catalog.find(str(tmp_path / "mine"), cache=cache) == made


def test_a_folder_without_a_card_is_told(tmp_path: Path, cache: Path) -> None:
    with raises_code("model_file_missing", match=r"card\.json"):
        catalog.find(tmp_path, cache=cache)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"name": "x", "files": 3}'])
def test_a_broken_card_is_told(tmp_path: Path, cache: Path, text: str) -> None:
    (tmp_path / "card.json").write_text(text, "utf-8")

    with raises_code("model_contract"):
        catalog.find(tmp_path, cache=cache)


@pytest.mark.parametrize("path", [None, "../elsewhere.onnx", "/etc/passwd", ""])
def test_a_card_must_name_files_of_its_folder(
    tmp_path: Path, cache: Path, path: str | None
) -> None:
    make(tmp_path / "mine")
    card = tmp_path / "mine" / "card.json"
    data = json.loads(card.read_text("utf-8"))
    files = [] if path is None else [{**data["files"][0], "path": path}]
    card.write_text(json.dumps({**data, "files": files}), "utf-8")

    with raises_code("model_contract"):
        catalog.find(tmp_path / "mine", cache=cache)


def test_a_flipped_byte_and_a_missing_file_are_told(tmp_path: Path) -> None:
    local = make(tmp_path / "mine")
    data = bytearray(local.onnx_path.read_bytes())
    data[3] ^= 1
    local.onnx_path.write_bytes(data)

    with raises_code("model_changed", match=r"\.onnx"):
        local.verify()

    local.onnx_path.unlink()
    with raises_code("model_file_missing", match=r"\.onnx"):
        local.verify()


def test_the_environment_names_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOSCOPE_CACHE", str(tmp_path))
    assert catalog.default_cache() == tmp_path

    monkeypatch.delenv("EMOSCOPE_CACHE")
    assert catalog.default_cache().parts[-2:] == ("emoscope", "models")


def test_the_table_is_sound() -> None:
    for line in catalog.CATALOG:
        assert line.is_built_in == (not line.sources)
        for source in line.sources:
            assert source.url(source.files[0]).startswith("https://")
            for file in source.files:
                assert len(file.sha256) in (0, 64)
                assert bool(file.bytes) == bool(file.sha256)


def test_the_table_knows_what_ships() -> None:
    card = json.loads(
        (Path(catalog.__file__).parents[1] / "assets/compact.json").read_text("utf-8")
    )

    assert catalog.catalog_entry(catalog.COMPACT).dim == card["dim"]


def test_the_large_models_weights_are_the_same_on_both_hubs() -> None:
    pins = [
        (file.bytes, file.sha256)
        for source in catalog.catalog_entry(catalog.LARGE).sources
        for file in source.files
        if file.path == "model.pt"
    ]

    assert len(pins) == 2
    assert len(set(pins)) == 1
    assert pins[0][0] == 1_945_790_254
