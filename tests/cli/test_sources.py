"""What an argument of the command line means, and that no argument ends in a traceback."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from emoscope.audio.decode import decode
from emoscope.backends.fake_backend import FakeBackend
from emoscope.cli import evaluate as evaluating
from emoscope.cli import main as cli
from emoscope.cli import recognize as recognizing
from emoscope.cli.sources import Named, expand
from emoscope.limits import COMMAND_LINE, CONTAINER_ENDINGS, CONTAINERS, Limits
from emoscope.paths.access import is_folder
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure, ModelRef
from sounds import encode_frame, frame_of, noise, wav

pytestmark = pytest.mark.process

GOOD = wav(noise(0.5))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder with a few recordings, which is the current one, and a model without weights."""

    def open_model(_settings, limits):
        return Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=limits)

    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        for module in (recognizing, evaluating):
            patch.setattr(module, "open_model", open_model)
        patch.chdir(name)
        patch.setenv("COLUMNS", "200")
        here = Path(name).resolve()
        (here / "deep").mkdir()
        for file in ("a.wav", "b.wav", "deep/c.wav"):
            (here / file).write_bytes(GOOD)
        yield here


def ran(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main(list(arguments))
        except SystemExit as exit_:
            return int(exit_.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def answers(*arguments: str) -> list[str]:
    """Name of each recording that was answered, and ``name: code`` of each that was not."""
    _, out, _ = ran("recognize", "--json", *arguments)
    return [
        f"{record['name']}: {record['error']['code']}" if "error" in record else record["name"]
        for record in json.loads(out)
    ]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("tab.scp", "u1\ta.wav\nu2\tb.wav\n", ["u1", "u2"]),
        (
            "bad.scp",
            "u1 a.wav\nu2 cat a.wav |\nu3 b.wav\n",
            ["u1", "u2: list_malformed", "u3"],
        ),
        (
            "bad.csv",
            "path;name\na.wav;一\n;二\n\n;\nb.wav;三\n",
            ["一", "二: list_malformed", "三"],
        ),
        ("open.csv", 'path,x\na.wav,"1\nb.wav,2\n', ["a.wav: list_malformed", "b.wav"]),
        ("gone.tsv", "path\tx\ngone.wav\t1\nb.wav\t2\n", ["gone.wav: source_not_found", "b.wav"]),
        ("empty.csv", "path\n", ["empty.csv: list_malformed"]),
        ("long.scp", f"u1 {'x' * 300}\nu2 a.wav\n", ["u1: source_unreadable", "u2"]),
    ],
)
def test_one_bad_line_is_refused_in_its_place(
    folder: Path, name: str, text: str, expected: list[str]
) -> None:
    (folder / name).write_text(text, "utf-8", newline="")

    assert answers(name, "deep") == [*expected, "c.wav"]


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("", "argument_empty"),
        ("  ", "argument_empty"),
        ("x" * 300 + ".wav", "source_unreadable"),
        ("x" * 300 + ".csv", "source_unreadable"),
        ("a\0.wav", "source_not_found"),
        ("\ud83d.wav", "source_not_found"),
        ("\udcff.scp", "source_not_found"),
        ("a.wav/b.wav", "source_unreadable"),
        ("new\nline.wav", "source_not_found"),
    ],
)
def test_a_name_that_is_none_ends_nothing(folder: Path, argument: str, code: str) -> None:
    first, failed, last = answers("a.wav", argument, "b.wav")

    assert (first, last) == ("a.wav", "b.wav")
    assert failed.endswith(f": {code}")


@pytest.mark.parametrize(
    "arguments",
    [
        ["recognize", "a.wav", "--outputs", ""],
        ["recognize", "a.wav", "--outputs= "],
        ["recognize", "a.wav", "--model", ""],
        ["evaluate", ""],
        ["evaluate", "list.csv", "--train", ""],
        ["evaluate", "list.csv", "--json", "\t"],
        ["doctor", ""],
        ["stream", ""],
        ["export", ""],
        ["export", "run", ""],
        ["export", "run", "--out="],
        ["serve", "--outputs", ""],
        ["serve", "--keys", ""],
        ["serve", "--tls-cert", ""],
        ["models", "pull", ""],
        ["models", "path", " "],
        ["keys", "create", ""],
    ],
)
def test_an_empty_argument_is_not_the_current_folder(folder: Path, arguments: list[str]) -> None:
    code, out, err = ran(*arguments)

    assert (code, out) == (2, "")
    assert "[argument_empty]" in err


def test_nothing_but_an_empty_argument_has_the_exit_code_of_arguments(folder: Path) -> None:
    assert ran("recognize", "")[0] == 2


@pytest.mark.skipif(sys.platform == "win32", reason="/dev/null is not there")
def test_a_closed_stdin_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)

    assert answers("-", "a.wav") == ["-: source_unreadable", "a.wav"]


def _awb() -> bytes:
    """AMR-WB of arbitrary bits: PyAV has a decoder and no encoder."""
    frames = np.random.default_rng(3).integers(0, 256, (50, 17), np.uint8)
    return b"#!AMR-WB\n" + b"".join(b"\x04" + frame.tobytes() for frame in frames)


MADE = {
    # how a file of an ending is made: FFmpeg's muxer, codec, rate
    "wav": ("wav", "pcm_s16le", 16_000),
    "w64": ("w64", "pcm_s16le", 16_000),
    "mp3": ("mp3", "libmp3lame", 16_000),
    "mov": ("mov", "pcm_s16le", 16_000),
    "mp4": ("mp4", "aac", 16_000),
    "3gp": ("3gp", "libopencore_amrnb", 8_000),
    "3gpp": ("3gp", "aac", 16_000),
    "3g2": ("3g2", "aac", 16_000),
    "m4a": ("ipod", "aac", 16_000),
    "aac": ("adts", "aac", 16_000),
    "flac": ("flac", "flac", 16_000),
    "ogg": ("ogg", "libopus", 48_000),
    "mkv": ("matroska", "pcm_s16le", 16_000),
    "mka": ("matroska", "libopus", 48_000),
    "webm": ("webm", "libopus", 48_000),
    "amr": ("amr", "libopencore_amrnb", 8_000),
    "aiff": ("aiff", "pcm_s16be", 16_000),
    "aifc": ("aiff", "pcm_alaw", 16_000),
    "caf": ("caf", "pcm_s16le", 16_000),
}
LIKE = {
    "wave": "wav",
    "bwf": "wav",
    "rf64": "wav",
    "qt": "mov",
    "m4v": "mp4",
    "m4b": "m4a",
    "m4r": "m4a",
    "adts": "aac",
    "oga": "ogg",
    "ogv": "ogg",
    "ogx": "ogg",
    "opus": "ogg",
    "weba": "webm",
    "aif": "aiff",
}


@pytest.mark.parametrize("ending", sorted(COMMAND_LINE.endings))
def test_a_folder_gives_every_ending_and_each_can_be_decoded(tmp_path: Path, ending: str) -> None:
    if ending == ".awb":
        data = _awb()
    else:
        plain = ending[1:]
        container, codec, rate_hz = MADE[LIKE.get(plain, plain)]
        data = encode_frame(frame_of(noise(1.0, rate_hz=rate_hz), rate_hz, 1), container, codec)
    for name in (f"a{ending}", f"B{ending.upper()}", f"._a{ending}"):
        (tmp_path / name).write_bytes(data)

    found = [source for source in expand([str(tmp_path)]) if isinstance(source, Named)]

    assert [source.name for source in found] == [f"B{ending.upper()}", f"a{ending}"]
    for source in found:
        assert decode(source.source).duration_s == pytest.approx(1.0, abs=0.1)


def test_endings_are_those_of_what_is_accepted() -> None:
    assert tuple(CONTAINER_ENDINGS) == CONTAINERS
    assert Limits(containers=("wav", "caf", "gsm")).endings == {
        *(".wav", ".wave", ".bwf", ".rf64", ".caf")
    }


def test_the_endings_are_documented() -> None:
    page = Path(__file__).parents[2] / "docs" / "cli.md"
    words = set(page.read_text("utf-8").replace("`", " ").replace(",", " ").split())

    assert COMMAND_LINE.endings <= words


def test_an_apple_double_that_is_named_itself_is_taken(folder: Path) -> None:
    (folder / "._d.wav").write_bytes(GOOD)

    assert answers("._d.wav") == ["._d.wav"]


WITHOUT_RIGHTS = """
import json, os, sys
from emoscope.audio.decode import opened
from emoscope.cli.sources import Named, expand
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
for source in expand(sys.argv[1:]):
    code = getattr(getattr(source, "error", None), "code", None)
    if isinstance(source, Named):
        try:
            with opened(source.source):
                pass
        except Exception as exc:
            code = getattr(exc, "code", repr(exc))
    print(json.dumps([source.name, code]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="rights are another thing there")
def test_what_one_may_not_read_is_told_in_its_place() -> None:
    """A real child without rights: for root everything can be read."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        for file in ("in/a.wav", "in/no.wav", "in/shut/b.wav", "in/z.wav", "listed.wav"):
            (root / file).parent.mkdir(exist_ok=True, parents=True)
            (root / file).write_bytes(GOOD)
        (root / "in" / "linked").symlink_to(root / "in" / "shut" / "deeper")
        (root / "no.scp").write_text("u1 listed.wav\n")
        (root / "list.scp").write_text("u1 in/shut/b.wav\nu2 listed.wav\n")
        refused = [root / "in" / "no.wav", root / "in" / "shut", root / "no.scp"]
        for path in refused:
            path.chmod(0)
        child = subprocess.run(
            [sys.executable, "-c", WITHOUT_RIGHTS, "in", "in/shut", "no.scp", "list.scp"],
            cwd=root,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        for path in refused:
            path.chmod(0o755)
    if "PermissionError" in child.stderr and "setuid" in child.stderr:
        pytest.skip(f"no child without rights: {child.stderr.splitlines()[-1]}")

    assert child.returncode == 0, child.stderr
    assert [json.loads(line) for line in child.stdout.splitlines()] == [
        ["a.wav", None],
        ["linked", "source_unreadable"],
        ["no.wav", "source_unreadable"],
        ["shut", "source_unreadable"],
        ["z.wav", None],
        ["in/shut", "source_unreadable"],
        ["no.scp", "source_unreadable"],
        ["u1", "source_unreadable"],
        ["u2", None],
    ]


@pytest.mark.parametrize("output", ["--json", "--csv", "--jsonl", "--save"])
def test_no_refusal_of_the_system_costs_an_answer(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    """Reading stops in the middle of one file, as on a broken disk."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("EMOSCOPE_OUTPUTS", str(tmp_path / "outputs"))

    class Broken(io.FileIO):
        def readinto(self, buffer):
            if str(self.name).endswith("a.wav"):
                raise OSError(5, "Input/output error")
            return super().readinto(buffer)

    def opening(path: str, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(Broken(path, "r"))

    monkeypatch.setattr("emoscope.paths.access.open", opening, raising=False)

    code, out, _ = ran("recognize", "a.wav", "b.wav", output)

    assert code == cli.SOME_FAILED
    assert "source_unreadable" in out
    assert "b.wav" in out


words = st.one_of(
    st.sampled_from(["a.wav", "deep", "list.csv", "wav.scp", "", " ", "-", "gone.wav", "x" * 300]),
    st.text(st.characters(exclude_categories=(), exclude_characters="/"), max_size=12),
)


@given(st.lists(words, min_size=1, max_size=4), st.binary(max_size=60))
def test_no_argument_ends_in_a_traceback(folder: Path, given_: list[str], data: bytes) -> None:
    assume(not any(word != "deep" and is_folder(word) for word in given_))  # such as ..
    (folder / "list.csv").write_bytes(b"path,name\na.wav,1\n" + data)
    (folder / "wav.scp").write_bytes(b"u1 b.wav\n" + data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        code, out, err = ran("recognize", "--json", "--", *given_)

    records = json.loads(out)
    assert code in (0, 1, 2, 3)
    assert len(records) >= len(given_)
    assert "Traceback" not in err
    assert [record["name"] for record in records].count("u1") == given_.count("wav.scp")


@given(st.binary(max_size=120))
def test_no_labelled_list_ends_in_a_traceback(folder: Path, data: bytes) -> None:
    (folder / "labels.csv").write_bytes(b"path,emotion\na.wav,happy\n" + data)

    code, out, err = ran("evaluate", "labels.csv")

    assert code in (0, 1)
    assert "UA" in out
    assert "Traceback" not in err


@given(st.lists(words, min_size=1, max_size=3))
def test_every_argument_is_a_recording_or_a_failure(folder: Path, given_: list[str]) -> None:
    assume(not any(word != "deep" and is_folder(word) for word in given_))
    assume("-" not in given_)

    for source in expand(given_):
        assert isinstance(source, Named | Failure)
