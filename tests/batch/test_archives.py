"""Archives in the layout of WebDataset: tar, packed tar and zip, whole and broken off."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from emoscope.batch.archives import MemberReader, is_archive, members
from emoscope.batch.items import BatchItem
from emoscope.errors import AudioTooLargeError, SourceError

FILES = (
    ("a/0001.wav", b"first" * 200),
    ("a/0001.json", json.dumps({"speaker": "ann", "age": 31, "tags": ["x"]}).encode()),
    ("a/0001.txt", "你好\n".encode()),
    ("a/notes.md", b"-"),
    ("a/._0002.wav", b"of macOS"),
    ("a/0002.wav", b"second" * 300),
    ("b/0001.left.flac", b"third" * 100),
    ("b/0001.cls", b"7"),
    ("b/0003.json", b"[1, 2"),
    ("b/0003.mp3", b"fourth"),
)
EXPECTED = [
    ("a/0001.wav", {"speaker": "ann", "age": 31, "tags": '["x"]', "txt": "你好"}),
    ("a/0002.wav", {}),
    ("b/0001.left.flac", {"cls": "7"}),
    ("b/0003.mp3", {"json": "[1, 2"}),
]


def make(path: Path, files: Sequence[tuple[str, bytes]] = FILES) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files:
                archive.writestr(name, data)
        return path
    packing = {".tar": "w", ".tgz": "w:gz", ".gz": "w:gz", ".xz": "w:xz"}[path.suffix]
    with tarfile.open(path, packing) as tar:  # type: ignore[call-overload]
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


def found(path: Path) -> list[BatchItem]:
    return list(members(str(path)))


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz", "x.tgz", "x.tar.xz", "x.zip"])
def test_recordings_are_listed_and_read(tmp_path: Path, name: str) -> None:
    items = found(make(tmp_path / name))

    assert is_archive(f"s3://b/{name.upper()}")
    assert [(one.member, one.carried) for one in items] == EXPECTED
    assert [one.row for one in items] == [0, 1, 2, 3]
    assert items[0].id == f"{name}/a/0001.wav"
    reader = MemberReader()
    whole = dict(FILES)
    for one in (*items, *reversed(items)):
        assert reader.read(one) == whole[one.member]
    reader.close()


def test_a_tar_that_breaks_off_gives_what_lies_before_and_one_error(tmp_path: Path) -> None:
    path = make(tmp_path / "x.tar")
    whole = path.read_bytes()
    second = found(path)[1]
    for cut in (second.offset + 100, second.offset + 1_700, second.offset - 300):
        path.write_bytes(whole[:cut])
        items = found(path)
        assert [one.member for one in items] == ["a/0001.wav", ""]
        assert items[0].carried["speaker"] == "ann"
        assert items[1].error is not None
        assert items[1].error.code == "archive_broken"
        assert items[1].row == 1


def test_a_packed_tar_that_breaks_off(tmp_path: Path) -> None:
    noise = [(f"{n}.wav", bytes((n * k) % 251 for k in range(9_000))) for n in range(1, 20)]
    path = make(tmp_path / "x.tgz", noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    items = found(path)
    assert 0 < len(items) < 20
    assert [one.error is None for one in items] == [True] * (len(items) - 1) + [False]


def test_what_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"no tar" * 200)
    (one,) = found(tmp_path / "x.tar")
    assert one.error is not None
    (tmp_path / "x.tgz").write_bytes(gzip.compress(b"no tar" * 200))
    (one,) = found(tmp_path / "x.tgz")
    assert one.error is not None
    (tmp_path / "x.zip").write_bytes(b"no zip" * 200)
    (one,) = found(tmp_path / "x.zip")
    assert one.error is not None
    with pytest.raises(FileNotFoundError):
        found(tmp_path / "none.tar")


def test_members_that_are_too_large_or_changed(tmp_path: Path) -> None:
    path = make(tmp_path / "x.tar")
    first, second = found(path)[:2]
    reader = MemberReader()
    with pytest.raises(AudioTooLargeError):
        reader.read(first, 100)
    assert reader.read(second, 10_000)
    reader.close()
    path.write_bytes(path.read_bytes()[: first.offset + 10])
    with pytest.raises(SourceError) as broken:
        reader.read(first)
    assert broken.value.code == "archive_broken"
    reader.close()


def test_a_zip_whose_member_is_larger_than_it_says(tmp_path: Path) -> None:
    path = make(tmp_path / "x.zip")
    item = found(path)[0]
    lying = BatchItem(0, item.id, item.path, member=item.member, size=10)
    reader = MemberReader()
    with pytest.raises(SourceError):
        reader.read(lying)
    reader.close()


def test_a_tar_in_object_storage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe_file("/calls/x.tar", make(tmp_path / "x.tar").read_bytes())
    items = list(members("memory://calls/x.tar"))
    assert [(one.member, one.carried) for one in items] == EXPECTED
    reader = MemberReader()
    assert reader.read(items[1]) == dict(FILES)["a/0002.wav"]
    reader.close()
    memory.rm("/calls", recursive=True)
