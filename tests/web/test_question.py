from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from emoscope.errors import AudioTooLargeError
from emoscope.web.form import samples
from emoscope.web.question import Asked, fetch, read_question
from raising import raises_code


def upload(folder: Path, data: bytes = b"sound") -> Path:
    """A file where Gradio puts uploads: a folder named after the content."""
    path = folder / "0a1b" / "random"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return path


def test_a_question_as_the_script_sends_it() -> None:
    question = read_question(
        {
            "sources": [{"path": "/up/x", "name": "我的录音.m4a"}],
            "granularity": "frame",
            "embedding": True,
        },
        most=1,
    )

    assert question.asked == (Asked("我的录音.m4a", "/up/x"),)
    assert question.granularity == "frame"
    assert question.embedding is True


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (None, "field_missing"),
        ([], "field_missing"),
        ({"sources": []}, "field_missing"),
        ({"sources": "x"}, "field_missing"),
        ({"sources": [1]}, "field_missing"),
        ({"sources": [{"name": ""}]}, "field_missing"),
        ({"sources": [{"name": 3, "path": "x"}]}, "field_missing"),
        ({"sources": [{"name": "../x.wav", "path": "x"}]}, "name_refused"),
        ({"sources": [{"name": "a\\b", "path": "x"}]}, "name_refused"),
        ({"sources": [{"name": "a\nb", "path": "x"}]}, "name_refused"),
        ({"sources": [{"name": "a"}, {"name": "b"}]}, "too_many_files"),
        ({"sources": [{"name": "a"}], "granularity": "word"}, "granularity_invalid"),
        ({"sources": [{"name": "a"}], "granularity": ["frame"]}, "granularity_invalid"),
        ({"sources": [{"name": "a"}], "embedding": "yes"}, "boolean_invalid"),
    ],
)
def test_anything_else_is_refused(raw: Any, code: str) -> None:
    with raises_code(code):
        read_question(raw, most=1)


def test_one_refused_name_of_several_costs_its_own_line(tmp_path: Path) -> None:
    path = upload(tmp_path)
    sources = [{"name": "会议　一.wav", "path": "x"}, {"name": "a\u202eb", "path": str(path)}]

    question = read_question({"sources": sources}, most=2)

    assert [asked.name for asked in question.asked] == ["会议　一.wav", "a_b"]
    with raises_code("name_refused"):
        fetch(question.asked[1], uploads=tmp_path, max_bytes=100)
    assert not path.exists()


def test_an_upload_is_read_once_and_removed(tmp_path: Path) -> None:
    path = upload(tmp_path)

    assert fetch(Asked("x", str(path)), uploads=tmp_path, max_bytes=100) == b"sound"

    assert list(tmp_path.iterdir()) == []
    with raises_code("source_not_found"):
        fetch(Asked("x", str(path)), uploads=tmp_path, max_bytes=100)


def test_a_file_outside_of_the_uploads_is_neither_read_nor_removed(tmp_path: Path) -> None:
    uploads, canary = tmp_path / "uploads", tmp_path / "canary.wav"
    uploads.mkdir()
    canary.write_bytes(b"secret")
    (uploads / "link").symlink_to(canary)
    (uploads / "here").write_bytes(b"")

    for path in (
        str(canary),
        f"{uploads}/../canary.wav",
        str(uploads / "link"),
        str(uploads),
        os.path.relpath(canary),
        "",
        "\0",
        "http://127.0.0.1/canary.wav",
        f"file://{canary}",
    ):
        with raises_code("source_not_found"):
            fetch(Asked("x", path), uploads=uploads, max_bytes=100)

    assert canary.read_bytes() == b"secret"


def test_size_is_checked_before_reading(tmp_path: Path) -> None:
    path = upload(tmp_path, b"x" * 101)

    with pytest.raises(AudioTooLargeError):
        fetch(Asked("x", str(path)), uploads=tmp_path, max_bytes=100)
    with pytest.raises(AudioTooLargeError):
        fetch(Asked("x", too_large=True), uploads=tmp_path, max_bytes=100)

    assert not path.exists()


def test_samples_come_by_name_from_the_list_alone(tmp_path: Path) -> None:
    for sample in samples():
        asked = Asked("x", sample=sample.file)
        assert fetch(asked, uploads=tmp_path, max_bytes=100)[:4] == b"RIFF"
    for name in ("samples.json", "../compact.json", "LICENSE"):
        with raises_code("source_not_found"):
            fetch(Asked("x", sample=name), uploads=tmp_path, max_bytes=100)
