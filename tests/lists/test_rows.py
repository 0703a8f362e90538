"""Lists as Python holds them: absolute paths, and every column by its own name."""

from __future__ import annotations

from pathlib import Path

import audformat
import pytest

from emoscope.lists.rows import read_list
from raising import raises_code


def test_paths_are_made_absolute_and_all_columns_come_along(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("file;emotion;age\na.wav;happy;30\nsub/b.wav;sad;\n", "utf-8")

    assert read_list(path) == [
        {"path": str(tmp_path / "a.wav"), "emotion": "happy", "age": "30"},
        {"path": str(tmp_path / "sub" / "b.wav"), "emotion": "sad", "age": ""},
    ]


def test_other_lists_are_read_too(tmp_path: Path) -> None:
    scp, lines = tmp_path / "wav.scp", tmp_path / "list.jsonl"
    scp.write_text("one /data/a.wav\n", "utf-8")
    lines.write_text('{"path": "a.wav", "speaker": "03"}\n', "utf-8")

    assert read_list(scp) == [{"path": "/data/a.wav", "name": "one"}]
    assert read_list(str(lines)) == [{"path": str(tmp_path / "a.wav"), "speaker": "03"}]


@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")
@pytest.mark.parametrize("table", [None, "files"])
def test_a_database_of_audformat_is_a_list(tmp_path: Path, table: str | None) -> None:
    database = audformat.Database("corpus")
    database["files"] = audformat.Table(audformat.filewise_index(["a.wav"]))
    database["files"]["emotion"] = audformat.Column()
    database["files"]["emotion"].set(["happy"])
    database.save(str(tmp_path))
    (row,) = read_list(tmp_path, table=table)

    assert row["path"] == str(tmp_path / "a.wav")
    assert row["emotion"] == "happy"


def test_a_row_that_cannot_be_read_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text('path,emotion\na.wav,happy\n"b.wav,sad\n', "utf-8")
    with raises_code("list_malformed", match="Line 3"):
        read_list(path)
    with raises_code("source_not_found"):
        read_list(tmp_path / "none.csv")
