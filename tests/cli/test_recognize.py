from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emoscope.backends.fake_backend import FakeBackend
from emoscope.cli import main as cli
from emoscope.cli import recognize as command
from emoscope.errors import all_codes
from emoscope.export.records import CSV_COLUMNS
from emoscope.labels import KEYS
from emoscope.outputs.history import list_runs
from emoscope.outputs.store import RUN_NAME, RunStore, read_wav
from emoscope.paths.assets import SAMPLE_FOLDER
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from ran import Ran, run_here
from sounds import BAD, encode, noise, sample, wav


@pytest.fixture
def emoscope(monkeypatch, capsys, tmp_path):
    """Runs a command in this process over a model without weights."""

    def open_model(_settings, limits):
        return Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=limits)

    monkeypatch.setattr(command, "open_model", open_model)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMOSCOPE_LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> Ran:
        return run_here(cli.main, capsys, *arguments)

    return run


@pytest.fixture
def clip(tmp_path) -> Path:
    path = tmp_path / "happy.wav"
    path.write_bytes(wav(sample("happy_zh.wav")))
    return path


def test_an_interrupted_hour_goes_on(monkeypatch, capsys, tmp_path) -> None:
    class Interrupted(FakeBackend):
        at = 4

        def run(self, *arguments):
            if len(self.batches) == self.at:
                raise KeyboardInterrupt
            return super().run(*arguments)

    backend = Interrupted()

    def open_model(_settings, limits):
        return Recognizer(backend, ModelRef("fake", "1", "0" * 64), limits=limits)

    monkeypatch.setattr(command, "open_model", open_model)
    monkeypatch.setenv("EMOSCOPE_LANGUAGE", "en")
    monkeypatch.setenv("EMOSCOPE_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "long.wav"
    path.write_bytes(wav(noise(130.0)))
    with pytest.raises(SystemExit) as stopped:
        cli.main(["recognize", str(path), "--json"])
    assert stopped.value.code
    assert "Run the same command to continue from here" in capsys.readouterr().err

    backend.batches.clear()
    backend.at = 99
    with contextlib.suppress(SystemExit):
        cli.main(["recognize", str(path), "--json"])

    (record,) = json.loads(capsys.readouterr().out)
    assert record["duration_s"] == 130.0
    assert len(backend.batches) == 9
    assert list((tmp_path / "cache" / command.CHECKPOINTS).iterdir()) == []


def test_a_table_for_people(emoscope, clip) -> None:
    ran = emoscope("recognize", clip)

    assert ran.code == 0
    assert "happy.wav" in ran.out
    assert "%" in ran.out
    assert "Emotion" in ran.out


def test_the_table_speaks_chinese(emoscope, clip) -> None:
    ran = emoscope("recognize", clip, "--lang", "zh")

    assert "情绪" in ran.out
    assert "置信度" in ran.out


def test_json_is_one_list(emoscope, clip) -> None:
    (record,) = json.loads(emoscope("recognize", clip, "--json").out)

    assert record["name"] == "happy.wav"
    assert record["emotion"] in KEYS


def test_columns_of_a_list_come_along_behind_those_of_the_csv(emoscope, clip, tmp_path) -> None:
    path, plain = tmp_path / "list.csv", tmp_path / "more.csv"
    path.write_text("path,speaker,emotion\nhappy.wav,03,happy\nnone.wav,=08,sad\n", "utf-8")
    plain.write_text("path,note\nhappy.wav,loud\n", "utf-8")
    ran = emoscope("recognize", path, clip, plain, "--csv")
    header = ran.out.splitlines()[0].split(",")
    rows = list(csv.DictReader(io.StringIO(ran.out)))

    assert tuple(header[: len(CSV_COLUMNS)]) == CSV_COLUMNS
    assert header[len(CSV_COLUMNS) :] == ["speaker", "list_emotion", "note"]
    assert [row["speaker"] for row in rows] == ["03", "'=08", "", ""]
    assert [row["list_emotion"] for row in rows] == ["happy", "sad", "", ""]
    assert [row["note"] for row in rows] == ["", "", "", "loud"]
    assert rows[1]["error"] == "source_not_found"
    assert rows[0]["emotion"] in KEYS


def test_json_lines_and_csv_have_the_same_numbers(emoscope, clip, tmp_path) -> None:
    other = tmp_path / "angry.mp3"
    other.write_bytes(encode(sample("angry_en.wav"), "mp3"))

    lines = [
        json.loads(line) for line in emoscope("recognize", clip, other, "--jsonl").out.splitlines()
    ]
    rows = list(csv.DictReader(io.StringIO(emoscope("recognize", clip, other, "--csv").out)))

    assert [line["name"] for line in lines] == ["happy.wav", "angry.mp3"]
    for line, row in zip(lines, rows, strict=True):
        assert {key: float(row[key]) for key in KEYS} == line["scores"]
        assert row["emotion"] == line["emotion"]


def test_a_folder_gives_its_audio_files_in_order(emoscope, tmp_path) -> None:
    folder = tmp_path / "calls"
    (folder / "deep").mkdir(parents=True)
    for name in ("b.wav", "a.wav", "deep/c.wav"):
        (folder / name).write_bytes(wav(noise(0.5)))
    (folder / "notes.txt").write_text("not audio")

    records = json.loads(emoscope("recognize", folder, "--json").out)

    assert [record["name"] for record in records] == ["a.wav", "b.wav", str(Path("deep/c.wav"))]


def test_lists_are_read_from_their_own_folder(emoscope, clip, tmp_path) -> None:
    (tmp_path / "wav.scp").write_text("first happy.wav\nsecond happy.wav\n", encoding="utf-8")
    (tmp_path / "list.csv").write_text("id,path\n三,happy.wav\n", encoding="utf-8")

    records = json.loads(
        emoscope("recognize", tmp_path / "wav.scp", tmp_path / "list.csv", "--json").out
    )

    assert [record["name"] for record in records] == ["first", "second", "三"]
    assert all("emotion" in record for record in records)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("wav.scp", "only_a_name\n"),
        ("wav.scp", "key sox in.wav -t wav - |\n"),
        ("list.csv", "speaker,label\na,b\n"),
        ("list.csv", "path\n\n,\n"),
    ],
)
def test_a_broken_list_is_told_with_its_line(emoscope, tmp_path, name, text) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    ran = emoscope("recognize", tmp_path / name, "--jsonl")

    records = [json.loads(line) for line in ran.out.splitlines()]
    if text.startswith("path"):
        assert records == [] or records[0]["error"]["code"] == "list_malformed"
        return
    assert ran.code == 3
    assert records[0]["error"]["code"] == "list_malformed"


def test_stdin(clip) -> None:
    """A real process: a recording comes through a pipe, an answer leaves through one."""
    ran = subprocess.run(
        [sys.executable, "-m", "emoscope", "recognize", "-", "--model", "nothing"],
        input=clip.read_bytes(),
        capture_output=True,
        check=False,
        env={**os.environ, "LANG": "zh_CN.UTF-8", "EMOSCOPE_LANGUAGE": "auto"},
    )

    assert ran.returncode == cli.EXIT_CODES[cli.ModelError]
    assert "没有名为 nothing 的模型" in ran.stderr.decode()
    assert "[model_unknown]" in ran.stderr.decode()


@pytest.mark.parametrize("what", BAD)
def test_one_bad_file_ends_nothing_and_is_reported(emoscope, clip, tmp_path, what) -> None:
    make, code = BAD[what]
    bad = tmp_path / "bad.mp3"
    bad.write_bytes(make())

    ran = emoscope("recognize", bad, clip, "--jsonl", "--save")

    failed, fine = (json.loads(line) for line in ran.out.splitlines())
    assert ran.code == cli.SOME_FAILED
    assert failed["error"]["code"] == code
    assert failed["error"]["detail_zh"]
    assert fine["emotion"] in KEYS
    assert "1 done, 1 failed" in ran.err
    saved = [path.name for path in (tmp_path / "outputs").iterdir() if path.is_dir()]
    assert len(saved) == 1


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_alone_has_the_exit_code_of_its_kind(emoscope, tmp_path, what) -> None:
    bad = tmp_path / "bad.mp3"
    bad.write_bytes(BAD[what][0]())

    ran = emoscope("recognize", bad, "--save")

    assert ran.code == 3
    assert BAD[what][1] in ran.out
    assert not (tmp_path / "outputs").exists()


def test_a_missing_file_is_told(emoscope, tmp_path) -> None:
    ran = emoscope("recognize", tmp_path / "nothing.wav", "--json")

    assert ran.code == 3
    assert json.loads(ran.out)[0]["error"]["code"] == "source_not_found"


def test_an_empty_folder_is_told(emoscope, tmp_path) -> None:
    ran = emoscope("recognize", tmp_path, "--json")

    assert json.loads(ran.out)[0]["error"]["code"] == "source_nothing_found"


def test_a_path_with_dots_is_fine_on_the_command_line(emoscope, clip, tmp_path) -> None:
    (tmp_path / "sub").mkdir()

    (record,) = json.loads(emoscope("recognize", "sub/../happy.wav", "--json").out)

    assert record["name"] == "happy.wav"


def test_save_writes_runs_with_everything_asked_for(emoscope, clip, tmp_path) -> None:
    ran = emoscope("recognize", clip, "--save", "--embedding", "--granularity", "frame", "--jsonl")

    (run,) = [path for path in (tmp_path / "outputs").iterdir() if path.is_dir()]
    assert RUN_NAME.fullmatch(run.name)
    vectors = np.load(run / "embedding.npy", allow_pickle=False)
    record = json.loads(ran.out)
    assert record["frames"]["count"] == len(vectors)
    assert record["log"][-1]["step"] == "write"
    assert json.loads((run / "result.json").read_text("utf-8"))["segments"]


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of processes there")
def test_a_full_disk_costs_the_recording_that_does_not_fit(tmp_path) -> None:
    """A real limit of the system. Frames, embedding and sound of the long one pass it."""
    import resource

    long = np.tile(sample("happy_zh.wav"), 5)
    for name, sound in (("a.wav", long), ("b.wav", sample("happy_zh.wav")), ("c.wav", long)):
        (tmp_path / name).write_bytes(wav(sound))
    most = 4 * (tmp_path / "b.wav").stat().st_size

    ran = subprocess.run(
        [
            *(sys.executable, "-m", "emoscope", "recognize", "a.wav", "b.wav", "c.wav"),
            *("--model", "compact", "-g", "frame", "-e", "--save", "--jsonl"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "EMOSCOPE_LANGUAGE": "en"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )

    assert ran.returncode == cli.SOME_FAILED, ran.stderr
    first, second, third = (json.loads(line) for line in ran.stdout.splitlines())
    assert first["error"]["code"] == third["error"]["code"] == "store_full"
    assert first["error"]["detail_zh"]
    assert second["frames"]["count"] > 0
    runs = RunStore(tmp_path / "outputs")
    assert [runs.open(name).result.name for name in runs.names()] == ["b.wav"]
    assert {one.name for one in runs.root.iterdir()} == {*runs.names(), "latest.json"}


def test_frame_mode_prints_segments(emoscope, clip) -> None:
    assert "0.00–" in emoscope("recognize", clip, "-g", "frame").out


@pytest.fixture
def call(tmp_path) -> Path:
    path = tmp_path / "call.wav"
    speaks = sample("happy_zh.wav")
    path.write_bytes(wav(np.stack([speaks, np.zeros_like(speaks)], axis=1)))
    return path


def test_separate_channels_have_an_answer_each(emoscope, call) -> None:
    ran = emoscope("recognize", call, "--channels", "separate", "--json")
    rows = csv.DictReader(
        io.StringIO(emoscope("recognize", call, "--channels=separate", "--csv").out)
    )

    records = json.loads(ran.out)
    assert ran.code == 0
    assert [record["name"] for record in records] == ["call.wav [1]", "call.wav [2]"]
    assert [record["channel"]["number"] for record in records] == [1, 2]
    for record, row in zip(records, rows, strict=True):
        assert row["channel"] == str(record["channel"]["number"])
        assert float(row["talk_share"]) == record["channel"]["talk_share"]
        assert float(row["overlap_share"]) == record["channel"]["overlap_share"] == 0
    assert records[1]["abstain"] == ["no_speech"]


def test_channels_are_mixed_unless_told_otherwise(emoscope, call) -> None:
    (record,) = json.loads(emoscope("recognize", call, "--json").out)

    assert record["channel"] is None
    assert "mix" in [step["step"] for step in record["log"]]


def test_the_table_says_who_speaks_how_much(emoscope, call, clip) -> None:
    both = emoscope("recognize", call, "--channels", "separate").out
    alone = emoscope("recognize", clip, "--channels", "separate").out

    assert "call.wav [2]" in both
    assert "overlaps 0.0%" in both
    assert "happy.wav" in alone
    assert "overlaps" not in alone


def test_separate_channels_are_saved_as_runs_side_by_side(emoscope, call, tmp_path) -> None:
    emoscope("recognize", call, "--channels", "separate", "--save", "-e", "--jsonl")

    runs = RunStore(tmp_path / "outputs")
    second, first = runs.names()
    assert second == f"{first}_2"
    for name, number in ((first, 1), (second, 2)):
        run = runs.open(name)
        assert run.result.channel.number == number
        assert "embedding.npy" in run.files()
    assert read_wav(runs.file(second, "processed_audio.wav")).samples.max() == 0
    (shown, _) = list_runs(runs).entries
    assert shown.facts.source == "call.wav [2]"


def test_a_bad_file_with_separate_channels_ends_nothing(emoscope, call, tmp_path) -> None:
    (tmp_path / "bad.wav").write_bytes(b"")

    ran = emoscope("recognize", tmp_path / "bad.wav", call, "--channels", "separate", "--jsonl")

    records = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == cli.SOME_FAILED
    assert records[0]["error"]["code"] == "audio_empty_file"
    assert [record["name"] for record in records[1:]] == ["call.wav [1]", "call.wav [2]"]


@pytest.mark.parametrize(("language", "words"), [("zh", "没有名为"), ("en", "There is no model")])
def test_an_error_speaks_the_language_of_the_command(emoscope, language, words) -> None:
    ran = emoscope("models", "remove", "nothing", "--lang", language)

    assert words in ran.err


def test_two_formats_at_once_are_refused(emoscope, clip) -> None:
    ran = emoscope("recognize", clip, "--json", "--csv")

    assert ran.code == 2
    assert "setting_invalid" in ran.err


def test_a_bad_setting_is_told_by_name(emoscope, clip, monkeypatch) -> None:
    monkeypatch.setenv("EMOSCOPE_PORT", "many")

    ran = emoscope("recognize", clip)

    assert ran.code == 2
    assert "port" in ran.err


def test_every_error_has_an_exit_code() -> None:
    for code, row in all_codes().items():
        assert cli.exit_code(row.kind(code, **dict.fromkeys(row.gaps, 1))) in range(2, 7)


def test_the_samples_are_where_the_demo_looks() -> None:
    assert (SAMPLE_FOLDER / "samples.json").is_file()
