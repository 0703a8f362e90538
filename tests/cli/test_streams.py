"""Standard output in every encoding, closed, and full: no traceback, and whole JSON."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from emoscope.cli import main as cli
from emoscope.cli import streams
from raising import raises_code
from sounds import sample, wav

pytestmark = pytest.mark.process

ENCODINGS = ("gbk", "cp1252", "latin-1", "ascii", "utf-16", "utf-8")
NAME = "快乐 😊 é.wav"
BAD = os.fsdecode(b"bad\xff.wav")


class Said:
    def __init__(self, code: int, out: bytes, err: bytes) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def say(monkeypatch, tmp_path):
    """Runs a command in this process on streams of an encoding, as the interpreter makes them."""
    from emoscope.backends.fake_backend import FakeBackend
    from emoscope.cli import doctor, evaluate, recognize
    from emoscope.recognizer import Recognizer
    from emoscope.results.result import ModelRef

    def open_model(_settings, limits):
        return Recognizer(FakeBackend(), ModelRef("compact", "1", "0" * 64), limits=limits)

    for command in (doctor, evaluate, recognize):
        monkeypatch.setattr(command, "open_model", open_model)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    for name in (NAME, BAD):
        Path(name).write_bytes(wav(sample("happy_zh.wav")))
    Path("list.csv").write_text(f"path,label\n{NAME},快乐\n", "utf-8")

    def run(encoding: str, *arguments: str) -> Said:
        out, err = io.BytesIO(), io.BytesIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding, "strict"))
            patch.setattr(sys, "stderr", io.TextIOWrapper(err, encoding, "backslashreplace"))
            with pytest.raises(SystemExit) as exit_:
                cli.main(list(arguments))
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            said = Said(int(exit_.value.code or 0), out.getvalue(), err.getvalue())
            sys.stdout.detach()
            sys.stderr.detach()
        return said

    return run


PEOPLE = (
    (["--help"], 0),
    (["recognize", "--help"], 0),
    (["models", "list"], 0),
    (["recognize", NAME, BAD, "-g", "frame"], 0),
    (["recognize", NAME, "--lang", "zh"], 0),
    (["recognize", "没有.wav", "--lang", "zh"], 3),
    (["doctor", NAME], None),
    (["evaluate", "list.csv", "--lang", "zh"], 0),
    (["evaluate", "没有.csv", "--lang", "zh"], 3),
    (["没有"], 2),
)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_people_read_is_in_their_encoding(say, encoding: str) -> None:
    for arguments, code in PEOPLE:
        said = say(encoding, *arguments)

        assert code is None or said.code == code, (arguments, said.err)
        assert (said.out + said.err).strip(), arguments
        said.out.decode(encoding)
        assert b"Traceback" not in said.out + said.err.replace(b"\0", b"")
        if encoding == "utf-8" and NAME in arguments and arguments[0] == "recognize":
            assert NAME in said.out.decode()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_programs_read_is_utf_8(say, encoding: str) -> None:
    listed = json.loads(say(encoding, "recognize", NAME, BAD, "--json").out.decode("utf-8"))
    lines = say(encoding, "recognize", NAME, BAD, "--jsonl").out.decode("utf-8").splitlines()
    table = say(encoding, "recognize", NAME, BAD, "--csv").out.decode("utf-8")
    models = json.loads(say(encoding, "models", "list", "--json").out.decode("utf-8"))
    doctor = json.loads(say(encoding, "doctor", NAME, "--json").out.decode("utf-8"))

    assert [one["name"] for one in listed] == [NAME, BAD]
    assert [json.loads(line)["name"] for line in lines] == [NAME, BAD]
    assert [row["name"] for row in csv.DictReader(io.StringIO(table))] == [NAME, r"bad\udcff.wav"]
    assert models
    assert doctor


@pytest.mark.parametrize("encoding", ["gbk", "ascii"])
def test_exports_to_standard_output_are_utf_8(say, encoding: str) -> None:
    say("utf-8", "recognize", NAME, "-g", "frame", "--save")
    (run,) = Path("outputs").glob("outputs_*")
    for form, word in (("srt", "快乐"), ("vtt", "😊"), ("textgrid", "情绪"), ("csv", "中性")):
        said = say(encoding, "export", str(run), "-f", form)

        assert said.code == 0, said.err
        assert word in said.out.decode("utf-8") or form == "csv" or "中性" in said.out.decode()
    assert say(encoding, "export", str(run), "-f", "rttm").out.split()[1] == (
        "快乐%20😊%20é".encode()
    )


@given(st.text(st.characters(codec=None, categories=None)), st.sampled_from(ENCODINGS))
def test_any_text_can_be_written(text: str, encoding: str) -> None:
    """For people in the stream's own encoding, one character for one; for programs as UTF-8."""
    out = io.BytesIO()
    before = sys.stdout
    sys.stdout = io.TextIOWrapper(out, encoding, "strict", newline="")
    try:
        streams.set_up_streams()
        sys.stdout.write(text)
        sys.stdout.flush()
        written = out.getvalue()
        streams.write(text)
    finally:
        sys.stdout.detach()
        sys.stdout = before

    written.decode(encoding)
    assert out.getvalue()[len(written) :] == text.encode("utf-8", "backslashreplace")


def test_a_byte_that_is_no_utf_8_keeps_its_number() -> None:
    streams.set_up_streams()

    assert "a😊\udcff".encode("gbk", streams.REPLACE) == b"a?\\udcff"
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("utf-8", streams.REPLACE)


class Refusing(io.RawIOBase):
    """A standard output that the system refuses to write."""

    def __init__(self, number: int) -> None:
        self.number = number

    def writable(self) -> bool:
        return True

    def write(self, _data: object) -> int:
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ENOSPC, raises_code("store_full")),
        (errno.EDQUOT, raises_code("store_full")),
        (errno.EIO, raises_code("store_failed")),
        (errno.EPIPE, pytest.raises(BrokenPipeError)),
    ],
)
def test_a_standard_output_that_refuses_is_told(monkeypatch, number: int, error) -> None:
    stream = io.TextIOWrapper(io.BufferedWriter(Refusing(number)), "utf-8")
    monkeypatch.setattr(sys, "stdout", stream)

    with error:
        streams.write("x")
    with error:
        streams.flush()
    monkeypatch.undo()
    stream.buffer.raw.write = len  # so that closing it does not complain
    stream.close()


def test_what_is_written_reaches_the_runner_of_tests() -> None:
    ran = CliRunner().invoke(cli.app, ["models", "list", "--json"])

    assert ran.exit_code == 0
    assert json.loads(ran.stdout)[0]["name"]


def test_a_stream_of_text_only_is_written_too(monkeypatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)

    streams.write("快乐\udcff\n")

    assert stream.getvalue() == "快乐\\udcff\n"


def started(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "EMOSCOPE_LANGUAGE": "en", **options.pop("env", {})}
    words = [sys.executable, "-m", "emoscope", *arguments]
    return subprocess.Popen(words, env=environment, **{"stderr": subprocess.PIPE, **options})


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", [["recognize", NAME, "--json"], ["recognize", NAME], ["--help"]])
def test_a_full_disk_is_told_and_nothing_else(say, words: list[str]) -> None:
    with Path("/dev/full").open("wb") as full, started(*words, stdout=full) as process:
        error = process.stderr.read().decode()  # type: ignore[union-attr]

    assert process.returncode == 5, error
    assert error.splitlines()[-1].endswith("[store_full]")
    assert "Traceback" not in error
    assert "Exception ignored" not in error


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_standard_error_that_cannot_be_written_costs_no_answer(say) -> None:
    words = ["recognize", NAME, "nowhere.wav", "--save", "--json"]
    with (
        Path("/dev/full").open("wb") as full,
        started(*words, stdout=subprocess.PIPE, stderr=full) as process,
    ):
        out, _ = process.communicate()

    assert process.returncode == cli.SOME_FAILED
    assert [one["name"] for one in json.loads(out)] == [NAME, "nowhere.wav"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such pipes there")
@pytest.mark.parametrize("words", [["recognize", NAME, "--jsonl"], ["recognize", NAME], ["--help"]])
def test_a_reader_that_goes_is_no_error(say, words: list[str]) -> None:
    with started(*words, stdout=subprocess.PIPE) as process:
        process.stdout.close()  # type: ignore[union-attr]
        error = process.stderr.read().decode()  # type: ignore[union-attr]

    assert process.returncode == 0, error
    assert "Traceback" not in error
    assert "Exception ignored" not in error


@pytest.mark.skipif(sys.platform == "win32", reason="no such descriptors there")
def test_a_closed_standard_output_is_no_error(say) -> None:
    with started("recognize", NAME, "--json", preexec_fn=lambda: os.close(1)) as process:
        error = process.stderr.read().decode()  # type: ignore[union-attr]

    assert process.returncode == 0, error


@pytest.mark.skipif(sys.platform == "win32", reason="locales of Unix")
@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252:strict"},
    ],
)
def test_names_are_right_in_the_plainest_locale(say, locale: dict[str, str]) -> None:
    """There Python takes the bytes of Chinese names for no text at all."""
    names = [NAME, BAD]
    with started("recognize", *names, "--json", stdout=subprocess.PIPE, env=locale) as process:
        out, error = process.communicate()

    assert process.returncode == 0, error
    assert [one["name"] for one in json.loads(out.decode("utf-8"))] == names
