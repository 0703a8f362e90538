"""Lists as JSON Lines, EmoBox's, and audformat databases."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from emoscope.evaluate.lists import Labelled, read_labelled_list
from emoscope.lists.json_lines import found_above, json_lines
from emoscope.lists.reader import Row, read
from emoscope.results.result import Failure
from raising import raises_code


def test_json_lines_are_read_with_the_words_of_headers(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"sound")
    lines = [
        {"audio_filepath": "a.wav", "Emotion": "sad", "age": 31, "ok": True, "deep": {"x": 1}},
        {"file": "b.wav"},
        ["no object"],
    ]
    path = tmp_path / "list.jsonl"
    path.write_text("\n\n".join(map(json.dumps, lines)) + "\n{", "utf-8")

    rows = list(read(path))

    assert [row.path for row in rows if isinstance(row, Row)] == ["a.wav", "b.wav"]
    assert isinstance(rows[0], Row)
    assert rows[0].others == {"emotion": "sad", "age": "31", "ok": "true", "deep": ""}
    assert [row.error.data["line"] for row in rows if isinstance(row, Failure)] == [5, 6]


def test_an_object_without_a_label_names_the_keys_it_has(tmp_path: Path) -> None:
    (tmp_path / "list.jsonl").write_text('{"path": "a.wav", "feeling": "sad"}\n')
    with raises_code("list_malformed") as caught:
        read_labelled_list(tmp_path / "list.jsonl")
    assert "no emotion (or label" in caught.value.detail_en
    assert "path, feeling" in caught.value.detail_en


def test_lists_of_emobox_find_their_files_from_the_root_of_its_repository(tmp_path: Path) -> None:
    wav = "downloads/emodb/wav/03a01Wa.wav"
    (tmp_path / wav).parent.mkdir(parents=True)
    (tmp_path / wav).write_bytes(b"sound")
    folder = tmp_path / "data" / "emodb" / "fold_1"
    folder.mkdir(parents=True)
    row = {"key": "emodb-03a01Wa", "dataset": "emodb", "wav": wav, "type": "raw", "emo": "anger"}
    gone = {**row, "wav": "downloads/gone.wav", "emo": "boredem"}
    (folder / "test.jsonl").write_text(f"{json.dumps(row)}\n{json.dumps(gone)}\n")

    found = read_labelled_list(folder / "test.jsonl")

    first, second = found.rows
    assert isinstance(first, Labelled)
    assert isinstance(second, Labelled)
    assert first.path == tmp_path / wav
    assert (first.emotion.key, first.corpus) == ("angry", "emodb")
    assert first.others == {"key": "emodb-03a01Wa", "type": "raw"}
    assert second.emotion.key == "other"
    assert second.path == folder / "downloads/gone.wav"
    assert found_above(folder, "nowhere.wav") == "nowhere.wav"


def test_a_tsv_keeps_its_other_columns(tmp_path: Path) -> None:
    (tmp_path / "list.tsv").write_text("file\tlabel\tRater\tspk\na.wav\tang\tR 1\t03\n")
    (row,) = read_labelled_list(tmp_path / "list.tsv").rows
    assert isinstance(row, Labelled)
    assert row.others == {"Rater": "R 1"}
    assert row.speaker == "03"


def test_nested_json_without_end_is_no_object() -> None:
    (line,) = json_lines("[" * 100_000)
    assert line.cells is None


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """An audformat database as audEERING's emodb has it: emotions and speakers in two tables."""
    audformat = pytest.importorskip("audformat")
    pandas = pytest.importorskip("pandas")
    made = audformat.Database("emodb", languages=["de"])
    made.schemes["emotion"] = audformat.Scheme(labels=["anger", "sadness", "boredom"])
    labels = {"03": {"gender": "male"}, "08": {"gender": "female"}}
    made.schemes["speaker"] = audformat.Scheme(labels=labels)
    index = audformat.filewise_index(["wav/a.wav", "wav/b.wav", "wav/c.wav"])
    made["files"] = audformat.Table(index)
    made["files"]["speaker"] = audformat.Column(scheme_id="speaker")
    made["files"]["speaker"].set(["03", "08", "08"])
    made["emotion"] = audformat.Table(index)
    made["emotion"]["emotion"] = audformat.Column(scheme_id="emotion")
    made["emotion"]["emotion"].set(["anger", "boredom", None])
    parts = audformat.segmented_index(["wav/a.wav", "wav/b.wav"], ["0s", "1s"], [pandas.NaT, "2s"])
    made["parts"] = audformat.Table(parts)
    made["parts"]["emotion"] = audformat.Column(scheme_id="emotion")
    made["parts"]["emotion"].set(["sadness", "anger"])
    made.save(str(tmp_path / "db"))
    return tmp_path / "db"


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("header", [False, True])
def test_an_audformat_database_is_a_list(database: Path, header: bool) -> None:
    path = database / "db.yaml" if header else database

    found = read_labelled_list(path, table="emotion")

    first, second, third = found.rows
    assert isinstance(first, Labelled)
    assert isinstance(second, Labelled)
    assert isinstance(third, Failure), "without an emotion"
    assert first.path == database / "wav/a.wav"
    assert (first.emotion.key, first.speaker, first.corpus) == ("angry", "03", "emodb")
    assert first.groups["gender"] == "male"
    assert (second.emotion.key, second.groups["gender"]) == ("other", "female")
    assert len(found.sha256) == 64


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_part_of_a_file_is_told(database: Path) -> None:
    whole, part = read_labelled_list(database, table="parts").rows
    assert isinstance(whole, Labelled)
    assert whole.emotion.key == "sad"
    assert isinstance(part, Failure)
    assert "only whole files" in part.error.detail_en
    with raises_code("list_malformed"):
        read_labelled_list(database, table="nowhere")


def test_without_audformat_the_package_is_named(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "audformat", None)
    with raises_code("package_missing") as caught:
        read_labelled_list(database)
    assert "pip install audformat" in caught.value.detail_en
