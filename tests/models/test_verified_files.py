"""A start reads a file of the cache in full once, and again after anything was done to it."""

from __future__ import annotations

import json
import mmap
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from emoscope.models import catalog, verified_files
from emoscope.models.catalog import LocalModel, ModelCard, ModelFile, Origin, file_sha256
from raising import raises_code

HOUR_S = 3600


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files that were read in full."""
    read: list[Path] = []

    def counted(path: Path) -> str:
        read.append(path)
        return file_sha256(path)

    monkeypatch.setattr(catalog, "file_sha256", counted)
    return read


def model(folder: Path, origin: Origin = "cache") -> tuple[LocalModel, ModelFile]:
    """A model of one file."""
    path = folder / "model.onnx"
    path.write_bytes(b"weights" * 100)
    file = ModelFile(path.name, path.stat().st_size, file_sha256(path))
    card = ModelCard("m", "r", (file,), 4, "none", "模型", "model")
    return LocalModel(folder, card, origin), file


def later() -> int:
    """An hour from now: what was just written has settled."""
    return time.time_ns() + HOUR_S * 10**9


def test_the_second_start_does_not_read_it_again(tmp_path: Path, reads: list[Path]) -> None:
    local, file = model(tmp_path)
    verified_files.verify_file(local, file, now_ns=later)
    assert len(reads) == 1

    verified_files.verify_file(local, file, now_ns=later)
    assert len(reads) == 1
    local.verify()  # what `models verify` asks
    assert len(reads) == 2


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[5] ^= 1
    path.write_bytes(data)


def _flip_and_set_the_time_back(path: Path) -> None:
    before = path.stat()
    _flip(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _flip_in_memory(path: Path) -> None:
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[5] ^= 1
        memory.flush()


def _put_another_in_its_place(path: Path) -> None:
    other = path.with_name("other")
    data = bytearray(path.read_bytes())
    data[5] ^= 1
    other.write_bytes(data)
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)


def _shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


CHANGES = [
    _flip,
    _flip_and_set_the_time_back,
    _flip_in_memory,
    _put_another_in_its_place,
    _shorten,
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_is_found_at_the_next_start(
    change: Callable[[Path], None], tmp_path: Path
) -> None:
    local, file = model(tmp_path)
    verified_files.verify_file(local, file, now_ns=later)
    time.sleep(0.02)  # a tick of the file system's clock; the real wait is SETTLED_S
    change(local.onnx_path)

    with raises_code("model_changed"):
        verified_files.verify_file(local, file, now_ns=later)


def test_another_card_is_another_question(tmp_path: Path) -> None:
    local, file = model(tmp_path)
    verified_files.verify_file(local, file, now_ns=later)

    with raises_code("model_changed"):
        verified_files.verify_file(local, ModelFile(file.path, file.bytes, "0" * 64), now_ns=later)


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    local, file = model(tmp_path)
    verified_files.verify_file(local, file, now_ns=later)
    local.onnx_path.unlink()

    with raises_code("model_file_missing"):
        verified_files.verify_file(local, file, now_ns=later)


def test_a_file_that_was_just_written_is_not_noted(tmp_path: Path, reads: list[Path]) -> None:
    """The next write could bear the same time."""
    local, file = model(tmp_path)
    verified_files.verify_file(local, file)
    verified_files.verify_file(local, file)

    assert len(reads) == 2
    assert not (tmp_path / verified_files.NOTES_FILE).exists()


@pytest.mark.parametrize("origin", ["folder", "package"])
def test_in_other_folders_nothing_is_noted(
    origin: Origin, tmp_path: Path, reads: list[Path]
) -> None:
    local, file = model(tmp_path, origin)
    for _ in range(2):
        verified_files.verify_file(local, file, now_ns=later)

    assert len(reads) == 2
    assert [path.name for path in tmp_path.iterdir()] == [file.path]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"model.onnx": 3}', '{"model.onnx": {}}'])
def test_notes_that_say_nothing_are_no_notes(text: str, tmp_path: Path, reads: list[Path]) -> None:
    local, file = model(tmp_path)
    (tmp_path / verified_files.NOTES_FILE).write_text(text, "utf-8")
    for _ in range(2):
        verified_files.verify_file(local, file, now_ns=later)

    assert len(reads) == 1
    assert (
        json.loads((tmp_path / verified_files.NOTES_FILE).read_text("utf-8"))[file.path]["bytes"]
        == 700
    )


def test_a_cache_that_may_only_be_read_is_checked_each_time(
    tmp_path: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(verified_files, "atomic_write_json", refuse)
    local, file = model(tmp_path)
    for _ in range(2):
        verified_files.verify_file(local, file, now_ns=later)

    assert len(reads) == 2
