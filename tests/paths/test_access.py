"""Files of a folder, and what the system refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emoscope.paths.access import files_below, is_file, is_folder, opened
from raising import raises_code

WAV = frozenset((".wav",))


def made(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"sound")
    return folder


def found(folder: Path) -> list[str]:
    return [below.name for below in files_below(folder, WAV)]


def test_folders_below_and_any_case_sorted_by_path(tmp_path: Path) -> None:
    made(tmp_path, "b.wav", "a.WAV", "deep/c.wav", "deep.er/d.wav", "notes.txt", "dir.wav/e.wav")

    names = ["a.WAV", "b.wav", "deep/c.wav", "deep.er/d.wav", "dir.wav/e.wav"]
    assert found(tmp_path) == [str(Path(name)) for name in names]


def test_what_macos_writes_beside_files_is_passed_over(tmp_path: Path) -> None:
    made(tmp_path, "a.wav", "._a.wav", ".DS_Store", "__MACOSX/._a.wav", ".hidden.wav")

    assert found(tmp_path) == [".hidden.wav", "a.wav"]


def test_linked_folders_and_files_are_read(tmp_path: Path) -> None:
    made(tmp_path / "far", "x.wav", "y/z.wav")
    made(tmp_path / "here", "a.wav")
    (tmp_path / "here" / "linked").symlink_to(tmp_path / "far")
    (tmp_path / "here" / "b.wav").symlink_to(tmp_path / "far" / "x.wav")

    names = ["a.wav", "b.wav", "linked/x.wav", "linked/y/z.wav"]
    assert found(tmp_path / "here") == [str(Path(name)) for name in names]


def test_circles_of_links_end(tmp_path: Path) -> None:
    made(tmp_path, "a/x.wav", "b/y.wav")
    (tmp_path / "all").symlink_to(tmp_path)
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "b").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "a").symlink_to(tmp_path / "a")
    (tmp_path / "self").symlink_to("self")

    names = found(tmp_path)

    assert names == ["a/b/y.wav", "a/x.wav", "b/a/x.wav", "b/y.wav"]


def test_a_web_of_links_does_not_explode(tmp_path: Path) -> None:
    """Twelve folders that link to each other: along every path it would be a billion files."""
    letters = "abcdefghijkl"
    for one in letters:
        made(tmp_path, f"{one}/{one}.wav")
        for other in letters:
            (tmp_path / one / f"to_{other}").symlink_to(tmp_path / other)

    assert len(found(tmp_path)) == 12 + 12 * 11


def test_a_link_that_leads_nowhere_is_given_so_that_reading_it_tells(tmp_path: Path) -> None:
    (tmp_path / "lost.wav").symlink_to(tmp_path / "moved.wav")
    (tmp_path / "lost.txt").symlink_to(tmp_path / "moved.txt")

    (below,) = files_below(tmp_path, WAV)

    assert below.error is None
    with raises_code("source_not_found"), opened(below.path):
        pass


def test_a_folder_that_cannot_be_entered_is_told_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, "a.wav", "shut/b.wav", "z.wav")
    scandir = os.scandir

    def refusing(path):
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)

    first, second, third = files_below(tmp_path, WAV)

    assert (first.name, second.name, third.name) == ("a.wav", "shut", "z.wav")
    assert second.error.code == "source_unreadable"
    assert second.error.data == {"name": "shut", "reason": "Permission denied"}
    with raises_code("source_unreadable"):
        files_below(tmp_path / "shut", WAV)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "source_not_found"),
        ("no such file", "source_not_found"),
        ("a\0b", "source_not_found"),
        ("half \ud83d", "source_not_found"),
        ("x" * 5_000, "source_unreadable"),
        (".", "source_unreadable"),
    ],
)
def test_what_cannot_be_opened_is_an_error_of_ours(name: str, code: str) -> None:
    assert not is_file(name)
    assert is_folder(name) is (name == ".")
    with raises_code(code), opened(name):
        pass


def test_a_refusal_while_reading_is_one_too(tmp_path: Path) -> None:
    path = made(tmp_path, "a.wav") / "a.wav"

    with raises_code("source_unreadable", match="Input/output"), opened(path):
        raise OSError(5, "Input/output error")


def test_errors_of_what_is_done_meanwhile_stay_what_they_are(tmp_path: Path) -> None:
    path = made(tmp_path, "a.wav") / "a.wav"

    with pytest.raises(ValueError, match="ours"), opened(path):
        raise ValueError("ours")
