from __future__ import annotations

from pathlib import Path

import pytest

from parity.official_folder import SIZES, write_folder


@pytest.fixture(scope="session")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model in the official layout, with optimizer moments; not to be written to."""
    folder = tmp_path_factory.mktemp("official")
    write_folder(folder, SIZES["tiny"], moments=True)
    return folder


@pytest.fixture
def copied(official: Path, tmp_path: Path) -> Path:
    """The same, for tests that change a file; the large one is linked until it is replaced."""
    folder = tmp_path / "official"
    folder.mkdir()
    for file in official.iterdir():
        (folder / file.name).hardlink_to(file)
    return folder
