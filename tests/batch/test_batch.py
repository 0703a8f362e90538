"""A batch from its input to its tables, in this process and without weights."""

from __future__ import annotations

import errno
import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from batching import FakeSource, InlineExecutor, Told, clips, contents, do_batch, table
from conftest import Speech
from emoscope.backends.fake_backend import FakeBackend
from emoscope.batch.columns import ColumnFinder
from emoscope.batch.items import BatchItem
from emoscope.batch.manifest import MANIFEST
from emoscope.batch.options import BatchOptions
from emoscope.batch.rows import OWN_COLUMNS
from emoscope.batch.run import ShardRange
from emoscope.batch.shards import InputShard, ShardJob
from emoscope.batch.work import run_shard
from emoscope.errors import BatchStoppedError, ListError, SourceNotFoundError, StoreError
from emoscope.export.records import head_columns, to_record
from emoscope.labels import KEYS
from emoscope.models.head_file import Head, HeadModel
from emoscope.recognizer import Recognizer
from emoscope.results.heads import HeadLabel
from emoscope.results.result import ModelRef
from emoscope.results.utterances import UtteranceRules

NAMES = [f"clip{n}.wav" for n in range(7)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, speech: Speech) -> Path:
    return clips(tmp_path_factory.mktemp("sounds"), NAMES, speech)


def test_a_part_has_the_rows_of_recognize_in_the_order_of_the_input(
    folder: Path, tmp_path: Path
) -> None:
    do_batch([folder], tmp_path / "out")
    recognizer = FakeSource().open()
    rows = table(tmp_path / "out")
    assert [row["id"] for row in rows] == NAMES
    assert [row["row"] for row in rows] == list(range(len(NAMES)))
    for row in rows:
        result = recognizer.recognize(Path(row["path"]), embedding=True)
        record = json.loads(json.dumps(to_record(result)))
        assert row["sha256"] == record["source"]["sha256"]
        assert {key: row[key] for key in KEYS} == record["scores"]
        for name in ("emotion", "confidence", "confidence_calibrated", "duration_s", "abstain"):
            assert row[name] == record[name]
        quality = record["quality"]
        assert row["warnings"] == quality.pop("reasons")
        assert {name: row[name] for name in quality} == quality
        assert row["embedding"] == result.utterance_embedding.tolist()


def test_nobody_else_can_read_the_output(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    do_batch([folder], out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}
    assert not list(out.glob(".tmp-*"))


def test_the_same_input_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        options = BatchOptions(segments=True, granularity="frame", embedding="frames")
        do_batch([folder], tmp_path / name, options=options)
    assert contents(tmp_path / "one") == contents(tmp_path / "other")


def test_segments_frames_and_utterances_have_their_own_tables(folder: Path, tmp_path: Path) -> None:
    options = BatchOptions("frame", "frames", segments=True, utterances=UtteranceRules())
    do_batch([folder], tmp_path / "out", options=options)
    result = (
        FakeSource()
        .open()
        .recognize(folder / "clip3.wav", granularity="frame", embedding=True, utterances=True)
    )
    frames = [row for row in table(tmp_path / "out", "frames") if row["row"] == 3]
    assert [row["embedding"] for row in frames] == result.embedding.tolist()
    assert len(frames) == len(result.track)
    segments = [row for row in table(tmp_path / "out", "segments") if row["row"] == 3]
    assert [(one["start_s"], one["emotion"], one["score"]) for one in segments] == [
        (one.start_s, one.emotion.key, one.score) for one in result.segments
    ]
    spoken = [row for row in table(tmp_path / "out", "utterances") if row["row"] == 3]
    assert [row["end_s"] for row in spoken] == [one.end_s for one in result.utterances]


def test_what_cannot_be_recognized_is_an_error_row_and_nothing_is_lost(
    folder: Path, tmp_path: Path
) -> None:
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for name in NAMES[:4]:
        (mixed / name).write_bytes((folder / name).read_bytes())
    (mixed / "broken.wav").write_bytes(b"RIFF no sound")
    (mixed / "empty.wav").touch()
    do_batch([mixed, mixed / "absent.wav"], tmp_path / "out")
    errors = table(tmp_path / "out", "errors")
    assert {row["id"]: row["error"] for row in errors} == {
        "broken.wav": "audio_damaged",
        "empty.wav": "audio_empty_file",
        "absent.wav": "source_not_found",
    }
    assert all(row["error_zh"] and row["error_en"] for row in errors)
    rows = [row["row"] for row in errors + table(tmp_path / "out")]
    assert sorted(rows) == list(range(7))


def test_columns_of_lists_are_carried_with_their_types(folder: Path, tmp_path: Path) -> None:
    lines = [
        {"path": str(folder / "clip0.wav"), "id": "a", "speaker": 7, "emotion": "sad", "ok": True},
        {"path": str(folder / "clip1.wav"), "id": "b", "speaker": 8.5, "more": [1, "x"]},
    ]
    jsonl = tmp_path / "list.jsonl"
    jsonl.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    do_batch([jsonl], tmp_path / "out")
    rows = table(tmp_path / "out")
    assert [row["id"] for row in rows] == ["a", "b"]
    assert [row["speaker"] for row in rows] == [7.0, 8.5]
    assert [row["list_emotion"] for row in rows] == ["sad", None]
    assert [row["ok"] for row in rows] == [True, None]
    assert [row["more"] for row in rows] == [None, '[1, "x"]']


def test_the_output_of_a_batch_can_be_the_list_of_another(folder: Path, tmp_path: Path) -> None:
    do_batch([folder], tmp_path / "one", size=10)
    do_batch([tmp_path / "one/part-00000.parquet"], tmp_path / "other", size=10)
    (first, *_), (again, *_) = table(tmp_path / "one"), table(tmp_path / "other")
    assert {name: again[name] for name in first} == first
    assert again["list_angry"] == first["angry"]
    assert json.loads(again["list_embedding"]) == first["embedding"]


def test_answers_of_heads_are_columns(folder: Path, tmp_path: Path) -> None:
    labels = (
        HeadLabel("calm", "静", "calm", "", "#112233"),
        HeadLabel("up", "高", "up", "", "#aabbcc"),
    )
    weights = np.arange(8, dtype=np.float32).reshape(2, 4)
    model = HeadModel("fake", "1", "0" * 64)
    head = Head("mood.v2", "classes", labels, weights, np.zeros(2, np.float32), model)
    recognizer = FakeSource().open().configured(heads=[head])
    items = [BatchItem(0, "a", str(folder / "clip0.wav"), carried={"head.mood.v2": 1})]
    finder = ColumnFinder()
    finder.look(items[0].carried)
    columns = finder.columns(OWN_COLUMNS)
    heads = head_columns(recognizer.heads)
    (tmp_path / "out").mkdir()
    shard = InputShard(0, tuple(items))
    job = ShardJob(shard, BatchOptions(), columns, heads, str(tmp_path / "out"))
    run_shard(job, recognizer, Told(0))
    (row,) = table(tmp_path / "out")
    (answer,) = recognizer.recognize(folder / "clip0.wav").heads
    assert row["head.mood.v2"] == answer.label
    assert row["head.mood.v2.confidence"] == answer.confidence
    assert row["head.mood.v2.up"] == answer.scores["up"]
    assert row["list_head.mood.v2"] == 1


def test_every_kind_of_list_gives_the_same_rows(folder: Path, tmp_path: Path) -> None:
    (folder / "list.csv").write_text(
        "path,name,speaker\n" + "".join(f"{name},{name[:-4]},s1\n" for name in NAMES), "utf-8"
    )
    records = [{"file": name, "id": name[:-4], "speaker": "s1"} for name in NAMES]
    (folder / "list.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records), "utf-8")
    pq.write_table(pa.Table.from_pylist(records), folder / "list.parquet")
    wav_scp = "".join(f"{name[:-4]} {name}\n" for name in NAMES)
    (folder / "wav.scp").write_text(wav_scp, "utf-8")
    for kind in ("list.csv", "list.jsonl", "list.parquet", "wav.scp"):
        do_batch([folder / kind], tmp_path / kind)
    for kind in ("list.jsonl", "list.parquet"):
        assert table(tmp_path / kind) == table(tmp_path / "list.csv")
    without = [
        {name: value for name, value in row.items() if name != "speaker"}
        for row in table(tmp_path / "list.csv")
    ]
    assert table(tmp_path / "wav.scp") == without
    for kind in ("list.csv", "list.jsonl", "list.parquet", "wav.scp"):
        (folder / kind).unlink()


def test_spans_are_recognized_as_recordings_of_their_own(tmp_path: Path, speech: Speech) -> None:
    clips(tmp_path / "in", ["long.wav"], lambda _length, seed: speech(4.0, seed=seed))
    listing = tmp_path / "list.csv"
    listing.write_text(
        "path,id,start,end\nin/long.wav,a,0,1.5\nin/long.wav,b,1.5,\nin/long.wav,c,3,9\n"
        "in/long.wav,d,2,1\nin/long.wav,e,x,1\nin/long.wav,f,,\n",
        "utf-8",
    )
    do_batch([listing], tmp_path / "out", size=100)
    recognizer = FakeSource().open()
    whole = recognizer.decode(tmp_path / "in/long.wav").waveform
    rows = {row["id"]: row for row in table(tmp_path / "out")}
    assert list(rows) == ["a", "b", "f"]
    from emoscope.waveform import Span

    for id_, span in {"a": Span(0, 1.5), "b": Span(1.5, 4.0), "f": Span(0, 4.0)}.items():
        result = recognizer.recognize(whole.cut(span))
        assert {key: rows[id_][key] for key in KEYS} == result.scores.to_dict()
        assert rows[id_]["duration_s"] == span.duration_s
    assert len({row["sha256"] for row in rows.values()}) == 1
    errors = {row["id"]: row["error"] for row in table(tmp_path / "out", "errors")}
    assert errors == {"c": "span_outside", "d": "list_malformed", "e": "list_malformed"}


def test_a_second_run_does_only_what_is_missing(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    do_batch([folder], out)
    before = contents(out)
    (out / "part-00001.parquet").unlink()
    again = do_batch([folder], out)
    assert {event.shard for event in again if hasattr(event, "row")} == {1}
    assert contents(out) == before
    assert do_batch([folder], out) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"options": BatchOptions(segments=True)}, "options.segments"),
        ({"size": 2}, "cut.size"),
        ({}, "input.rows"),
    ],
)
def test_another_input_or_option_is_told_and_needs_a_fresh_start(
    folder: Path, tmp_path: Path, change: dict[str, object], what: str
) -> None:
    out = tmp_path / "out"
    do_batch([folder], out)
    inputs = [folder] if change else [folder, folder]
    with pytest.raises(StoreError, match="come from other inputs") as caught:
        do_batch(inputs, out, **change)
    assert caught.value.code == "batch_out_changed"
    assert what in str(caught.value.data["what"])
    do_batch(inputs, out, fresh=True, **change)
    assert len(table(out)) == len(inputs) * len(NAMES)


def test_ranges_of_shards_make_one_output(folder: Path, tmp_path: Path) -> None:
    do_batch([folder], tmp_path / "whole")
    for part in (ShardRange(2), ShardRange(0, 2)):
        do_batch([folder], tmp_path / "out", part=part)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_places_that_cannot_be_used_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError) as caught:
        do_batch([folder], tmp_path / "file")
    assert caught.value.code == "store_failed"
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.docx").touch()
    for fresh in (False, True):
        with pytest.raises(StoreError) as caught:
            do_batch([folder], foreign, fresh=fresh)
        assert caught.value.code == "batch_out_foreign"
    assert [path.name for path in foreign.iterdir() if path.name[0] != "."] == ["thesis.docx"]
    out = tmp_path / "out"
    do_batch([folder], out)
    manifest = json.loads((out / MANIFEST).read_text("utf-8"))
    for content, code in (
        ("{", "batch_out_damaged"),
        (json.dumps(manifest | {"format_version": 2}), "batch_out_version"),
    ):
        (out / MANIFEST).write_text(content, "utf-8")
        with pytest.raises(StoreError) as caught:
            do_batch([folder], out)
        assert caught.value.code == code


def test_a_disk_that_fills_up_leaves_whole_parts_and_the_run_goes_on_later(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    do_batch([folder], tmp_path / "whole")
    out, flush, flushes = tmp_path / "out", os.fsync, 0

    def fsync(descriptor: int) -> None:
        nonlocal flushes
        flushes += 1
        if flushes > 4:  # the manifest and its folder, a part and its folder
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(descriptor)

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", fsync)
        with pytest.raises(StoreError) as caught:
            do_batch([folder], out)
    assert caught.value.code == "store_full"
    assert sorted(contents(out)) == ["part-00000.parquet"]
    assert not list(out.glob(".tmp-*"))
    do_batch([folder], out)
    assert contents(out) == contents(tmp_path / "whole")


def test_an_input_without_recordings_is_refused(folder: Path, tmp_path: Path) -> None:
    for name, content, kind, code in (
        ("empty.csv", "", ListError, "list_malformed"),
        ("other.csv", "a,b\n1,2\n", ListError, "list_malformed"),
        ("other.jsonl", '{"a": 1}\n', ListError, "list_malformed"),
        ("empty.jsonl", "\n", ListError, "list_malformed"),
        ("no.parquet", "PAR1", ListError, "list_malformed"),
    ):
        (tmp_path / name).write_text(content, "utf-8")
        with pytest.raises(kind) as caught:
            do_batch([tmp_path / name], tmp_path / "out")
        assert caught.value.code == code, name
    (tmp_path / "bare").mkdir()
    for where in (tmp_path / "bare", tmp_path / "*.wav", tmp_path / "absent.csv"):
        with pytest.raises(SourceNotFoundError):
            do_batch([where], tmp_path / "out")
    assert not (tmp_path / "out" / MANIFEST).exists()


def test_a_line_of_a_list_that_is_no_json_is_an_error_row(folder: Path, tmp_path: Path) -> None:
    good = json.dumps({"path": str(folder / "clip0.wav")})
    (tmp_path / "list.jsonl").write_text(f"{good}\n[1]\n{{\n{{}}\n{good}\n", "utf-8")
    do_batch([tmp_path / "list.jsonl"], tmp_path / "out")
    errors = table(tmp_path / "out", "errors")
    assert [(row["row"], row["error"]) for row in errors] == [
        (n, "list_malformed") for n in (1, 2, 3)
    ]


def test_it_stops_when_too_many_fail(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(250):
        (folder / f"{number:03d}.wav").touch()
    with pytest.raises(BatchStoppedError, match="recordings failed") as caught:
        do_batch([folder], tmp_path / "out", size=1_000, max_failures=0.5)
    assert caught.value.code == "batch_too_many_failures"
    do_batch([folder], tmp_path / "out", size=1_000, max_failures=1.0)  # nothing is to stop
    assert len(table(tmp_path / "out", "errors")) == 250


@dataclass
class Counting:
    """A recognizer without weights that is opened once, and the backend that counts its runs."""

    backend: FakeBackend = field(default_factory=FakeBackend)

    def open(self) -> Recognizer:
        return Recognizer(self.backend, ModelRef("fake", "1", "0" * 64))


@pytest.mark.parametrize("segments", [False, True])
def test_files_of_the_same_bytes_are_recognized_once_where_asked_for(
    folder: Path, tmp_path: Path, *, segments: bool
) -> None:
    twice = tmp_path / "in"
    twice.mkdir()
    for name in ("a.wav", "b.wav", "c.wav", "d.wav", "e.wav"):
        (twice / name).write_bytes((folder / "clip0.wav").read_bytes())
    runs = {}
    for dedupe in (False, True):
        source = Counting()
        options = BatchOptions(dedupe=dedupe, segments=segments)
        do_batch([twice], tmp_path / str(dedupe), InlineExecutor(source), options=options, size=2)
        runs[dedupe] = len(source.backend.batches)
    assert runs == {False: 5, True: 1}
    assert contents(tmp_path / "True") == contents(tmp_path / "False")
