"""Inputs of a batch: patterns, spans of a file, and names that are no UTF-8."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from batching import do_batch, table
from emoscope.batch.inputs import batch_items
from emoscope.errors import SettingError, SourceNotFoundError
from emoscope.lists.spans import read_spans


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    for name in ("a.wav", "b/c.wav", "b/d.flac", "b/notes.txt"):
        path = tmp_path / "calls" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path / "calls"


def test_arguments_follow_each_other_and_rows_are_numbered(calls: Path) -> None:
    items = list(batch_items([str(calls), str(calls / "b/notes.txt"), str(calls / "**/*.wav")]))
    assert [item.row for item in items] == list(range(6))
    assert [item.id for item in items] == [
        "a.wav",
        "b/c.wav",
        "b/d.flac",
        "notes.txt",
        "a.wav",
        "c.wav",
    ]
    assert {item.path for item in items} <= {str(path) for path in calls.rglob("*")}


def test_an_argument_that_means_nothing_is_refused(calls: Path) -> None:
    with pytest.raises(SettingError):
        list(batch_items([" "]))
    with pytest.raises(SourceNotFoundError):
        list(batch_items([str(calls / "*.ogg")]))


def test_spans_of_kaldi_make_rows_of_their_own(calls: Path, tmp_path: Path) -> None:
    (tmp_path / "wav.scp").write_text("one calls/a.wav\ntwo calls/b/c.wav\nthree calls/x.wav\n")
    (tmp_path / "segments").write_text(
        "two-1 two 0.5 1.5\none-1 one 0 2\none-2 one 2 3.25\ntwo-2 two 3 4\n"
    )
    spans = read_spans(tmp_path / "segments")
    items = list(batch_items([str(tmp_path / "wav.scp")], spans))
    assert [(item.id, item.start_s, item.end_s) for item in items[:-1]] == [
        ("one-1", 0.0, 2.0),
        ("one-2", 2.0, 3.25),
        ("two-1", 0.5, 1.5),
        ("two-2", 3.0, 4.0),
    ]
    assert [item.carried["recording"] for item in items[:-1]] == ["one", "one", "two", "two"]
    assert items[-1].id == "three"
    assert items[-1].error is not None
    assert items[-1].error.code == "spans_unreadable"


def test_times_of_a_list_may_be_open(calls: Path, tmp_path: Path) -> None:
    rows = [
        {"path": "calls/a.wav", "start": 1, "end": -1},
        {"path": "calls/a.wav", "start": None, "end": 2.5},
        {"path": "calls/a.wav", "start": "nan", "end": 2},
        {"path": "calls/a.wav", "start": 3, "end": 2},
    ]
    listing = tmp_path / "list.jsonl"
    listing.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    items = list(batch_items([str(listing)]))
    assert [(item.start_s, item.end_s) for item in items[:2]] == [(1.0, None), (None, 2.5)]
    assert [item.error.code for item in items[2:] if item.error] == ["list_malformed"] * 2


def test_names_that_are_no_utf_8_can_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    try:
        (Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.wav"))).write_bytes(b"no sound")
    except OSError:
        pytest.skip("this file system has no such names")
    do_batch([folder], tmp_path / "out")
    (row,) = table(tmp_path / "out", "errors")
    assert row["id"] == "caf\\udce9.wav"
    assert row["error"] == "audio_not_recognized"
