"""``emoscope export`` into a folder: no recording's file replaces that of another."""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from emoscope.cli import main as cli
from emoscope.errors import SettingError, StoreError
from emoscope.export.annotations import FORMATS
from emoscope.labels import by_key
from emoscope.outputs.recordings import Recorded, apart, recorded
from emoscope.outputs.store import RunStore
from emoscope.results.activity import Channel
from emoscope.results.result import Result, SourceRef
from emoscope.results.segments import Segment
from emoscope.results.track import Track
from emoscope.waveform import Waveform
from results import make_result

SOUND = Waveform(np.zeros(16_000, np.float32))
BEGIN = datetime(2026, 1, 4, 22, 30, tzinfo=UTC)


def framed(name: str, score: float = 0.75, **changes: object) -> Result:
    track = Track(np.zeros((210, 9), np.float32))
    segments = (Segment(0.0, 4.2, by_key("happy"), score),)
    return make_result(name, granularity="frame", segments=segments, track=track, **changes)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "outputs")


def save(store: RunStore, *names: str, **changes: object) -> list[str]:
    """Save a run for each name, a second apart; return their paths."""
    return [
        str(store.save(framed(name, created=BEGIN + timedelta(seconds=at), **changes), SOUND).path)
        for at, name in enumerate(names)
    ]


def export(*arguments: str) -> None:
    cli.app(["export", *arguments], standalone_mode=False)


def exported(runs: list[str], out: Path, form: str = "rttm") -> list[str]:
    out.mkdir(exist_ok=True)
    for run in runs:
        export(run, "-f", form, "-o", str(out))
    return sorted(path.name for path in out.iterdir())


@pytest.mark.parametrize("form", [name for name, one in FORMATS.items() if one.segments])
def test_ids_with_dots_are_kept(store, tmp_path, form: str) -> None:
    runs = save(store, "spk1.001", "spk1.002")
    suffix = FORMATS[form].suffix

    assert exported(runs, tmp_path / "out", form) == [f"spk1.001{suffix}", f"spk1.002{suffix}"]


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (("x.wav", "x.mp3"), {"x.wav.srt", "x.mp3.srt"}),
        (("a/x.wav", "b/x.wav"), {"a_x.srt", "b_x.srt"}),
        (("2024/a/x.wav", "2025/a/x.wav"), {"2024_a_x.srt", "2025_a_x.srt"}),
        (("x.wav", "x.wav"), {"x.srt", "x_20260104_223001.srt"}),
        (("X.wav", "x.mp3"), {"X.wav.srt", "x.mp3.srt"}),
        (("X.wav", "x.wav"), {"X.srt", "x_20260104_223001.srt"}),
        (("a/x.wav", "a_x.wav"), {"x.srt", "a_x.wav.srt"}),
        (
            ("a/x.wav", "a_x.wav", "b/x.wav"),
            {"a%2Fx.wav.srt", "a_x.wav.srt", "b_x.srt"},
        ),
        (("é.wav", "e\u0301.flac"), {"é.wav.srt", "e\u0301.flac.srt"}),
        (("CON", "a:b?", "two\nlines"), {"_CON.srt", "a%3Ab%3F.srt", "two%0Alines.srt"}),
        ((os.fsdecode(b"\xff.wav"), os.fsdecode(b"\xfe.wav")), {"%FF.srt", "%FE.srt"}),
        (("..", ""), {"audio.srt", "audio_20260104_223001.srt"}),
    ],
)
def test_equal_names_do_not_overwrite_one_another(store, tmp_path, names, files) -> None:
    """The same sound under all names: the files' content does not tell them apart."""
    runs = save(store, *names)

    for order in permutations(runs):
        out = tmp_path / f"out{order}".replace("/", "_")[-40:]
        assert set(exported(list(order), out, "srt")) == files, "whatever comes first"
        assert set(exported(list(order), out, "srt")) == files, "a second time is no other name"


def test_it_is_said_that_a_name_is_shared(store, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("EMOSCOPE_LANGUAGE", "en")
    exported(save(store, "a/x.wav", "b/x.wav", "y.wav"), tmp_path / "out", "srt")

    lines = capsys.readouterr().err.splitlines()

    assert len(lines) == 2
    assert lines[1].startswith("Another recording has the name x.srt too")
    assert lines[1].endswith(str(tmp_path / "out" / "b_x.srt"))


def test_a_file_of_someone_else_is_left_alone(store, tmp_path) -> None:
    (run,) = save(store, "x.wav")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x.csv").write_text("mine")

    export(run, "-f", "csv", "-o", str(tmp_path / "out"))
    export(run, "-f", "csv", "--curve", "-o", str(tmp_path / "out"))
    export(run, "-f", "csv", "-o", str(tmp_path / "out"))

    assert (tmp_path / "out" / "x.csv").read_text() == "mine"
    assert sum(1 for _ in (tmp_path / "out").iterdir()) == 3, "segments and curve beside it"


def test_runs_of_two_stores_do_not_overwrite_one_another(tmp_path) -> None:
    runs = [
        str(RunStore(tmp_path / name).save(framed("x.wav", score, created=BEGIN), SOUND).path)
        for name, score in (("one", 0.5), ("two", 0.6), ("three", 0.7))
    ]

    assert len(exported(runs, tmp_path / "out")) == 3


def test_names_too_long_for_a_file_are_cut(store, tmp_path) -> None:
    runs = save(store, "长" * 120 + "1.wav", "长" * 120 + "2.wav")

    names = exported(runs, tmp_path / "out", "textgrid")

    assert len(names) == 2
    assert all(len(name.encode()) <= 255 and name.startswith("长" * 70) for name in names)


def test_channels_of_a_call_keep_their_number(store, tmp_path) -> None:
    runs = [
        str(
            store.save(
                framed("call.wav", created=BEGIN, channel=Channel(number, 2, 1.0, 0.5)), SOUND
            ).path
        )
        for number in (1, 2)
    ]
    (tmp_path / "out").mkdir()

    export(*runs, "-f", "srt", "-o", str(tmp_path / "out"))

    assert exported(runs, tmp_path / "out", "srt") == ["call.srt", "call_1.srt", "call_2.srt"]


@pytest.mark.parametrize("form", [name for name, one in FORMATS.items() if one.segments])
def test_a_name_that_is_no_utf_8_is_exported(store, tmp_path, form: str) -> None:
    (run,) = save(store, os.fsdecode(b"bad\xff name.wav"))

    assert exported([run], tmp_path / "out", form) == [f"bad%FF name{FORMATS[form].suffix}"]


@pytest.mark.parametrize("out", ["file/x.srt", "file/", "long" * 70 + ".srt"])
def test_where_nothing_can_be_written_is_told(store, tmp_path, monkeypatch, out: str) -> None:
    (run,) = save(store, "x.wav")
    monkeypatch.chdir(tmp_path)
    Path("file").write_bytes(b"")

    with pytest.raises(StoreError) as caught:
        export(run, "-f", "srt", "-o", out)

    assert out.rstrip("/") in caught.value.detail_en


def test_a_run_is_not_overwritten_by_its_own_export(store) -> None:
    (run,) = save(store, "x.wav")
    before = Path(run, "result.json").read_bytes()

    with pytest.raises(SettingError):
        export(run, "-f", "jsonl", "-o", f"{run}/result.json")

    assert Path(run, "result.json").read_bytes() == before


def test_which_recording_a_run_is_of_is_read_without_its_frames(store) -> None:
    name = 'a "quoted"\n name\udcff.wav'
    (run,) = save(store, name)
    channel = store.save(framed("call.wav", channel=Channel(2, 2, 1.0, 0.5)), SOUND).path

    assert recorded(Path(run)) == Recorded(name, None)
    assert recorded(channel) == Recorded("call.wav", 2)
    data = json.loads(Path(run, "result.json").read_bytes())
    for text in (json.dumps(data), json.dumps(data, indent=4), json.dumps({"x": [data], **data})):
        Path(run, "result.json").write_text(text)
        assert recorded(Path(run)) == Recorded(name, None), "laid out anew by another program"
    Path(run, "result.json").write_text("{")
    assert recorded(Path(run)) is None
    assert recorded(Path("nowhere")) is None


def test_other_runs_of_the_recording_do_not_count() -> None:
    one = Recorded("x.wav", None)

    assert apart(one, [one, Recorded("y.wav", None)]) == "x"
    assert apart(Recorded("", 1), []) == "audio_1"
    assert apart(replace(one, channel=2), [one]) == "x_2"


def test_a_source_outside_of_a_store_is_exported(tmp_path) -> None:
    source = SourceRef("spk1.001.wav", None)
    path = tmp_path / "result.json"
    path.write_text(json.dumps(replace(framed("x"), source=source).to_dict()))

    assert exported([str(path)], tmp_path / "out") == ["spk1.001.rttm"]
    assert exported([str(path)], tmp_path / "out") == ["spk1.001.rttm"]


@pytest.mark.parametrize("out", ["no/folder/x.srt", "missing/", "missing/again/"])
def test_folders_that_are_missing_are_made(store, tmp_path, monkeypatch, out: str) -> None:
    (run,) = save(store, "x.wav")
    monkeypatch.chdir(tmp_path)

    export(run, "-f", "srt", "-o", out)

    assert (Path(out) / "x.srt" if out.endswith("/") else Path(out)).stat().st_size


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_many_runs_are_one_table(store, tmp_path, form: str) -> None:
    runs = save(store, "x.wav", "a/y.wav", "x.wav")
    names = [Path(run).name for run in runs]

    export(*runs, "-f", form, "-o", str(tmp_path / "runs.out"))
    export(str(store.root), "-f", form, "-o", str(tmp_path / "folder.out"))

    rows = rows_of(tmp_path / "runs.out", form)
    assert [(row["run"], row["name"]) for row in rows] == list(
        zip(names, ["x.wav", "a/y.wav", "x.wav"], strict=True)
    )
    assert {float(row["score"]) for row in rows} == {0.75}
    assert (tmp_path / "folder.out").read_bytes() == (tmp_path / "runs.out").read_bytes()


def test_many_curves_are_one_table(store, tmp_path) -> None:
    runs = save(store, "x.wav", "y.wav")

    export(*runs, "-f", "csv", "--curve", "-o", str(tmp_path / "curves.csv"))

    rows = rows_of(tmp_path / "curves.csv", "csv")
    assert [row["name"] for row in rows] == ["x.wav"] * 210 + ["y.wav"] * 210


def test_a_call_beside_a_recording_has_its_channels(store, tmp_path) -> None:
    save(store, "x.wav")
    for number in (1, 2):
        channel = Channel(number, 2, 1.0, 0.5)
        store.save(framed("call.wav", created=BEGIN + timedelta(days=1), channel=channel), SOUND)

    export(str(store.root), "-f", "csv", "-o", str(tmp_path / "all.csv"))
    export(str(store.root), "-f", "srt", "-o", str(tmp_path / "subtitles") + "/")

    rows = rows_of(tmp_path / "all.csv", "csv")
    assert [(row["name"], row["channel"]) for row in rows] == [
        ("x.wav", "1"),
        ("call.wav", "1"),
        ("call.wav", "2"),
    ]
    assert sorted(path.name for path in (tmp_path / "subtitles").iterdir()) == [
        "call.srt",
        "x.srt",
    ]


@pytest.mark.parametrize("form", ["eaf", "csv"])
def test_many_runs_are_a_file_each_in_a_folder(store, tmp_path, form: str) -> None:
    runs = save(store, "a/x.wav", "b/x.wav", "y.wav")

    export(*runs, "-f", form, "-o", str(tmp_path / "new") + "/")

    made = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert made == [f"a_x.{form}", f"b_x.{form}", f"y.{form}"]


def test_many_runs_need_a_folder_where_the_format_is_no_table(store, tmp_path) -> None:
    runs = save(store, "x.wav", "y.wav")

    with pytest.raises(SettingError, match="FOLDER"):
        export(*runs, "-f", "srt")
    export(*runs, "-f", "srt", "-o", str(tmp_path / "new"))

    assert (tmp_path / "new").is_dir()


def test_the_sound_of_the_run_is_linked(store, tmp_path) -> None:
    from pympi import Eaf

    (run,) = save(store, "x.wav")
    out = tmp_path / "elan" / "x.eaf"
    export(run, "-f", "eaf", "-o", str(out))

    (file,) = Eaf(str(out)).get_linked_files()
    sound = out.parent / file["RELATIVE_MEDIA_URL"]
    assert sound.samefile(Path(run, "processed_audio.wav"))


def test_what_cannot_be_exported_is_told_and_the_rest_is(store, tmp_path, capsys) -> None:
    runs = save(store, "x.wav", "y.wav", "z.wav")
    plain = store.save(make_result("plain.wav", created=BEGIN + timedelta(days=1)), SOUND).path
    Path(runs[1], "result.json").write_text("{")

    arguments = ["export", str(store.root), "-f", "csv", "-o", str(tmp_path / "a.csv")]
    code = cli.app(arguments, standalone_mode=False)

    assert code == 1
    assert [row["name"] for row in rows_of(tmp_path / "a.csv", "csv")] == ["x.wav", "z.wav"]
    said = capsys.readouterr().err
    assert Path(runs[1]).name in said
    assert "run_damaged" in said
    assert plain.name in said
    assert "segments_missing" in said


def rows_of(path: Path, form: str) -> list[dict[str, object]]:
    data = path.read_bytes()
    if form == "csv":
        return list(csv.DictReader(io.StringIO(data.decode())))
    if form == "jsonl":
        return [json.loads(line) for line in data.splitlines()]
    return parquet.read_table(io.BytesIO(data)).to_pylist()
