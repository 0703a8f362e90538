"""Output options: checked before the work, and nothing computed is lost."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from emoscope import files
from emoscope.backends.fake_backend import FakeBackend
from emoscope.cli import evaluate as evaluating
from emoscope.cli import main as cli
from emoscope.cli import recognize, serve
from emoscope.errors import StoreError
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.keys import KeyFile
from raising import raises_code
from ran import Ran, run_here
from sounds import noise, sample, wav


@pytest.fixture
def emoscope(monkeypatch, capsys, tmp_path):
    """Runs a command in this process; ``emoscope.loaded`` counts how often a model was loaded."""

    def open_model(_settings, limits):
        run.loaded += 1
        return Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=limits)

    for command in (recognize, evaluating):
        monkeypatch.setattr(command, "open_model", open_model)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMOSCOPE_LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "200")
    for number in range(3):
        Path(f"{number}.wav").write_bytes(wav(noise(2.0)))
    Path("list.csv").write_text(
        "path,label\n0.wav,sad\n1.wav,neutral\n2.wav,快乐 (Happy)\n", "utf-8"
    )
    Path("file").write_bytes(b"before")
    Path("folder").mkdir()

    def run(*arguments: object) -> Ran:
        return run_here(cli.main, capsys, *arguments)

    run.loaded = 0
    return run


BAD = ("missing/x", "file/x", "folder", "x" * 256)
COMMANDS = (
    ("evaluate", "list.csv", "--json"),
    ("evaluate", "list.csv", "--html"),
)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("out", BAD)
def test_what_cannot_be_written_is_told_before_the_work(emoscope, command, out: str) -> None:
    ran = emoscope(*command, out)

    assert ran.code == 5
    assert "[store_failed]" in ran.err
    assert out in ran.err
    assert emoscope.loaded == 0


@pytest.mark.parametrize("out", ["file", "file/x", "x" * 256, "x" * 256 + "/y"])
def test_runs_that_cannot_be_saved_are_told_before_the_work(emoscope, out: str) -> None:
    ran = emoscope("recognize", "0.wav", "--save", "--outputs", out)

    assert ran.code == 5
    assert "[store_failed]" in ran.err
    assert emoscope.loaded == 0
    assert Path("file").read_bytes() == b"before"
    assert emoscope("recognize", "0.wav", "--outputs", out).code == 0, "nothing is to be saved"


def test_a_folder_for_runs_may_be_missing(emoscope) -> None:
    assert emoscope("recognize", "0.wav", "--save", "--outputs", "a/b/c").code == 0

    assert RunStore(Path("a/b/c")).names()


def refuse(monkeypatch, number: int) -> None:
    """Let the system refuse new files, as on a medium that is read-only or full."""

    def touch(self: Path, **_: object) -> None:
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "touch", touch)


@pytest.mark.parametrize(
    ("number", "code"), [(errno.EROFS, "store_failed"), (errno.EACCES, "store_failed")]
)
def test_a_read_only_medium_is_told_before_the_work(emoscope, monkeypatch, number, code) -> None:
    refuse(monkeypatch, number)

    for words in (
        ["evaluate", "list.csv", "--json", "x.json"],
        ["recognize", "0.wav", "--save"],
        ["export", "folder", "-o", "x.srt"],
    ):
        ran = emoscope(*words)
        assert (ran.code, f"[{code}]" in ran.err) == (5, True), ran.err
    assert emoscope.loaded == 0


def test_figures_are_printed_where_the_disk_is_full(emoscope, monkeypatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    Path("old.json").write_text("before")
    monkeypatch.setattr("os.fsync", full)

    ran = emoscope("evaluate", "list.csv", "--json", "old.json", "--html", "new.html")

    assert ran.code == 5
    assert "[store_full]" in ran.err
    assert "UA" in ran.out
    assert Path("old.json").read_text() == "before"
    assert not Path("new.html").exists()
    assert not list(Path().glob(".tmp-*"))


def test_one_report_that_cannot_be_written_does_not_cost_the_other(emoscope, monkeypatch) -> None:
    def write(path: Path, data: bytes) -> None:
        if path.suffix == ".json":
            raise StoreError("store_full")
        path.write_bytes(data)

    monkeypatch.setattr(evaluating, "atomic_write", write)

    ran = emoscope("evaluate", "list.csv", "--json", "a.json", "--html", "a.html")

    assert ran.code == 5
    assert "UA" in Path("a.html").read_text("utf-8")


def test_reports_are_written_where_nobody_reads_the_figures(emoscope, monkeypatch) -> None:
    def gone(*_: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(evaluating, "print_evaluation", gone)

    emoscope("evaluate", "list.csv", "--json", "a.json")

    assert json.loads(Path("a.json").read_text("utf-8"))["clips"] == 3


@pytest.mark.parametrize(
    "words",
    [
        ("--json", "list.csv"),
        ("--html", "./list.csv"),
        ("--json", "same", "--html", "folder/../same"),
        ("--train", "file", "--json", "file"),
    ],
)
def test_a_report_does_not_replace_a_list_or_the_other_report(emoscope, words) -> None:
    before = Path("list.csv").read_bytes()

    ran = emoscope("evaluate", "list.csv", *words)

    assert (ran.code, emoscope.loaded) == (2, 0)
    assert Path("list.csv").read_bytes() == before


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no such devices here")
def test_a_report_may_go_to_a_device(emoscope) -> None:
    assert emoscope("evaluate", "list.csv", "--json", os.devnull, "--html", os.devnull).code == 0


@pytest.mark.parametrize("listing", ["folder", "nowhere.csv", "file/x"])
def test_a_list_that_is_none_is_told(emoscope, listing: str) -> None:
    ran = emoscope("evaluate", listing)

    assert ran.code == 3, ran.err
    assert ran.err.startswith("emoscope: ")


def test_recordings_that_fail_are_named_and_change_the_exit_code(emoscope) -> None:
    Path("sub").mkdir()
    Path("sub/0.wav").write_bytes(b"no sound")
    with Path("list.csv").open("a") as file:
        file.write("sub/0.wav,sad\ngone.wav,sad\n")

    ran = emoscope("evaluate", "list.csv", "--json", "a.json")

    assert ran.code == cli.SOME_FAILED
    named = [line for line in ran.err.splitlines() if line.endswith("]")]
    assert [line.partition(": ")[0] for line in named] == ["sub/0.wav", "gone.wav"]
    assert named[1].endswith("[source_not_found]")
    assert "UA" in ran.out
    failures = json.loads(Path("a.json").read_text("utf-8"))["failures"]
    assert [one["name"] for one in failures] == ["sub/0.wav", "gone.wav"]
    assert emoscope("evaluate", "list.csv", "--lang", "zh").err.count("找不到文件") == 1


def test_a_list_of_which_nothing_is_heard_names_all(emoscope) -> None:
    Path("list.csv").write_text("path,label\na.wav,sad\nb.wav,sad\n")

    ran = emoscope("evaluate", "list.csv")

    assert ran.code == 3
    assert ran.err.splitlines()[-1].endswith("[nothing_recognized]")
    assert ran.err.startswith("a.wav: ")
    assert "b.wav: " in ran.err


def test_what_cannot_be_saved_is_printed_all_the_same(emoscope, monkeypatch) -> None:
    def save(*_: object) -> None:
        raise StoreError("store_full")

    monkeypatch.setattr(RunStore, "save", save)
    Path("happy.wav").write_bytes(wav(sample("happy_zh.wav")))

    (record,) = json.loads(emoscope("recognize", "happy.wav", "--save", "--json").out)
    header, row = emoscope("recognize", "happy.wav", "--save", "--csv").out.splitlines()
    shown = emoscope("recognize", "happy.wav", "--save")

    assert record["error"]["code"] == "store_full"
    assert record["scores"][record["emotion"]] == record["confidence"]
    assert (
        dict(zip(header.split(","), row.split(","), strict=False))["emotion"] == record["emotion"]
    )
    assert f"{100 * record['confidence']:.1f}%" in shown.out
    assert "store_full" in shown.out
    assert shown.code == 5


@pytest.mark.parametrize("out", ["missing/keys.json", "file/keys.json", "folder"])
def test_a_file_of_keys_that_cannot_be_written_is_told(emoscope, out: str) -> None:
    ran = emoscope("keys", "create", "someone", "--keys", out)

    assert ran.code in (2, 5), "what is no file of keys is a wrong setting"
    assert ran.out == "", "no secret that is kept nowhere"
    assert out in ran.err


def test_keys_on_a_full_disk_stay_what_they_were(tmp_path, monkeypatch) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    keys.create("first", ["read"])

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with raises_code("store_full"):
        keys.create("second", ["read"])
    with raises_code("store_full"):
        keys.revoke("first")

    assert [key.name for key in KeyFile(tmp_path / "keys.json").keys()] == ["first"]  # noqa: SIM118
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_a_server_that_cannot_keep_runs_says_so_at_once(emoscope, monkeypatch) -> None:
    def open_model(*_: object) -> None:
        raise AssertionError("it is told before the model is loaded")

    monkeypatch.setattr(serve, "open_model", open_model)

    assert emoscope("serve", "--outputs", "file", "--port", "0").code == 5


def test_a_file_is_made_only_where_none_is(tmp_path, monkeypatch) -> None:
    path = tmp_path / "x"

    assert files.write_free(path, b"one")
    assert not files.write_free(path, b"two")
    monkeypatch.setattr(Path, "hardlink_to", lambda *_: refuse_links())
    assert not files.write_free(path, b"three")
    assert files.write_free(tmp_path / "y", b"four"), "a file system without links"

    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"x": b"one", "y": b"four"}


def refuse_links() -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


def test_a_private_file_stays_private(tmp_path) -> None:
    path = tmp_path / "x"
    path.touch(0o600)
    link = tmp_path / "link"
    link.symlink_to(path)

    files.atomic_write(link, b"new")

    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert link.is_symlink()


def test_the_sentence_names_what_cannot_be_written(tmp_path) -> None:
    with pytest.raises(StoreError) as caught:
        files.atomic_write(tmp_path / "no" / "x", b"")

    assert str(tmp_path / "no" / "x") in caught.value.detail_zh
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for check in (files.check_file, files.check_folder):
        with pytest.raises(StoreError):
            check(loop)
