"""A folder in the official layout is a model: converted once, by its content."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import emoscope
from emoscope.cli import main as cli
from emoscope.cli.models import models_app
from emoscope.errors import (
    CheckpointError,
    ExtraMissingError,
    ModelRunError,
)
from emoscope.hub import official_folder
from emoscope.hub.official_folder import find_or_convert, remove_converted
from emoscope.hub.progress import ConvertingFolder, PullEvent
from emoscope.messages.hints import sentence
from emoscope.models import catalog
from emoscope.models.catalog import LocalModel
from emoscope.recognizer import load
from emoscope.waveform import RATE_HZ, Waveform
from hub_server import fake_convert
from parity.official_folder import SIZES, weights, write_folder
from parity.safetensors_file import write_safetensors
from raising import raises_code
from sounds import noise

pytestmark = pytest.mark.process

TESTS = Path(__file__).parent.parent
HOUR_NS = 3600 * 10**9
Find = Callable[..., LocalModel]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny random model in the official layout; not to be written to."""
    folder = tmp_path_factory.mktemp("given") / "my model"
    write_folder(folder, SIZES["tiny"])
    return folder


@pytest.fixture
def given(files: dict[str, bytes], tmp_path: Path) -> Path:
    """An official folder for the fake converter."""
    folder = tmp_path / "fine-tuned"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def conversions() -> list[Path]:
    """Folders that were converted."""
    return []


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of files that were read in full."""
    read: list[str] = []
    real = catalog.file_sha256

    def counted(path: Path) -> str:
        read.append(path.name)
        return real(path)

    monkeypatch.setattr(catalog, "file_sha256", counted)
    return read


@pytest.fixture
def find(cache: Path, conversions: list[Path]) -> Find:
    """Finds a model, an hour after its files were written."""

    def run(model: Path | str, **options: object) -> LocalModel:
        def convert(folder: Path, target: Path, *, name: str, revision: str) -> LocalModel:
            conversions.append(folder)
            return fake_convert(folder, target, name=name, revision=revision)

        how = {"convert": convert, "now_ns": lambda: time.time_ns() + HOUR_NS, "cache": cache}
        return find_or_convert(model, **{**how, **options})  # type: ignore[arg-type]

    return run


def test_it_answers_at_once_and_the_second_load_converts_nothing(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("EMOSCOPE_CACHE", str(tmp_path))
    with caplog.at_level(logging.WARNING, "emoscope"):
        first = emoscope.load(tiny)
        second = emoscope.load(os.fspath(tiny))

    result = second.recognize(Waveform(noise(1.0), RATE_HZ, "noise"))

    assert [record.getMessage() for record in caplog.records] == [
        f"converting {tiny} into the model cache; this is done once"
    ]
    assert result.model == first.model
    assert result.model.name == "my-model"
    assert result.model.revision.startswith("sha256-")


def test_safetensors_work_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOSCOPE_CACHE", str(tmp_path / "cache"))
    write_folder(tmp_path / "m", SIZES["tiny"])
    (tmp_path / "m" / "model.pt").unlink()
    write_safetensors(tmp_path / "m" / "model.safetensors", weights(SIZES["tiny"], 0))

    result = load(tmp_path / "m").recognize(Waveform(noise(1.0), RATE_HZ, "noise"))

    assert result.model.name == "m"


def test_the_int8_variant_is_made_by_the_command_that_the_error_names(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOSCOPE_CACHE", str(tmp_path))
    with raises_code("model_fast_missing") as told:
        load(tiny, precision="int8")
    assert told.value.data["command"] == f"emoscope models quantize {tiny}"

    with pytest.raises(SystemExit):
        models_app(args=["quantize", str(tiny)])

    variants = catalog.read_model(next(tmp_path.glob(".folders/*/card.json")).parent).card.variants
    assert len(variants) == 1


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Converting the official folder"), ("zh", "正在把官方文件夹")]
)
def test_the_command_line_says_so_in_one_line(
    language: str,
    said: str,
    tiny: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("EMOSCOPE_CACHE", str(tmp_path))
    monkeypatch.setenv("EMOSCOPE_LANGUAGE", language)
    for expected in (1, 0):
        with pytest.raises(SystemExit) as left:
            cli.main(["demo", "--model", str(tiny)])
        captured = capsys.readouterr()

        assert not left.value.code
        assert captured.err.count(said) == expected
        assert len(captured.err.splitlines()) == expected


def test_the_second_time_nothing_is_read(
    find: Find, given: Path, conversions: list[Path], reads: list[str]
) -> None:
    local = find(given)
    assert sorted(reads) == ["config.yaml", "model.pt", "tokens.txt"]
    reads.clear()

    assert find(given) == local
    assert not reads
    assert conversions == [given]


def test_changed_content_is_converted_anew(
    find: Find, given: Path, conversions: list[Path]
) -> None:
    first = find(given)
    for file in ("model.pt", "config.yaml", "tokens.txt"):
        (given / file).write_bytes((given / file).read_bytes() + b"\n")
        assert find(given).folder != first.folder

    assert len(conversions) == 4


def test_a_copy_is_the_same_model(
    find: Find, given: Path, files: dict[str, bytes], tmp_path: Path, conversions: list[Path]
) -> None:
    local = find(given)
    (tmp_path / "copy").mkdir()
    for name, data in files.items():
        (tmp_path / "copy" / name).write_bytes(data)

    copy = find(tmp_path / "copy")

    assert (copy.folder, copy.card) == (local.folder, local.card)
    assert len(conversions) == 1


def test_what_was_just_written_is_read_again(
    find: Find, given: Path, conversions: list[Path], reads: list[str]
) -> None:
    """The next write could bear the same time."""
    find(given, now_ns=time.time_ns)
    reads.clear()

    find(given, now_ns=time.time_ns)

    assert len(reads) == 3
    assert len(conversions) == 1


@pytest.mark.usefixtures("pinned")
def test_known_weights_bear_the_name_of_the_table(find: Find, given: Path) -> None:
    card = find(given).card

    assert (card.name, card.revision) == (catalog.LARGE, "1234abcd")


@pytest.mark.parametrize("name", [catalog.COMPACT, catalog.LARGE])
def test_other_weights_do_not_bear_a_name_of_the_table(name: str, find: Find, given: Path) -> None:
    given = given.rename(given.with_name(name))

    assert find(given).card.name.startswith(f"{name}-")


@pytest.mark.parametrize("file", ["config.yaml", "tokens.txt", "model.pt"])
def test_a_folder_that_lacks_a_file_says_which(file: str, find: Find, given: Path) -> None:
    (given / file).unlink()

    with raises_code("model_file_missing", match=file.replace(".", r"\.")):
        find(given)


def test_other_folders_are_as_before(find: Find, tmp_path: Path) -> None:
    with raises_code("model_file_missing", match=r"card\.json"):
        find(tmp_path)
    assert find(catalog.COMPACT).origin == "package"
    assert find(catalog.AUTO).origin == "package"


def test_damaged_weights_and_strange_settings_are_told_and_leave_nothing(
    tiny: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOSCOPE_CACHE", str(cache))
    folder = tmp_path / "broken"
    folder.mkdir()
    for file in tiny.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "model.pt").write_bytes(b"no zip")
    with pytest.raises(CheckpointError, match=r"model\.pt"):
        load(folder)

    (folder / "config.yaml").write_text("model: Whisper\n", "utf-8")
    with raises_code("model_config", match="model"):
        load(folder)
    assert not list((cache / ".folders").iterdir())


def test_a_file_that_changes_meanwhile_is_told(find: Find, given: Path, cache: Path) -> None:
    def convert(folder: Path, target: Path, *, name: str, revision: str) -> LocalModel:
        (folder / "model.pt").write_bytes(b"other")
        return fake_convert(folder, target, name=name, revision=revision)

    with raises_code("model_changed"):
        find(given, convert=convert)
    assert not list((cache / ".folders").iterdir())


def test_what_a_killed_process_left_is_replaced(
    find: Find, given: Path, conversions: list[Path]
) -> None:
    local = find(given)
    (local.folder / "card.json").unlink()
    part = local.folder.with_name(f"{local.folder.name}.part")
    part.mkdir()
    (part / "half.onnx").write_bytes(b"half")

    assert find(given) == local
    assert not part.exists()
    assert len(conversions) == 2


def test_without_the_extra_the_line_to_type_is_told(
    find: Find, given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(package: str, *, extra: str) -> None:
        raise ExtraMissingError("extra_missing", package=package, extra=extra)

    with monkeypatch.context() as patched:
        patched.setattr(official_folder, "check_installed", missing)
        with pytest.raises(ExtraMissingError, match=r"pip install 'emoscope\[convert\]'"):
            find(given)
    find(given)

    monkeypatch.setattr(official_folder, "check_installed", missing)
    assert find(given)  # what is converted already needs nothing


def test_a_cache_that_cannot_be_written_is_told(find: Find, given: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with raises_code("model_cache_failed") as caught:
        find(given, cache=tmp_path / "file" / "cache")

    assert "EMOSCOPE_CACHE" in sentence(caught.value, "en", "cli")


def test_links_of_a_hubs_cache_are_followed_and_name_the_repository(
    find: Find, given: Path, tmp_path: Path
) -> None:
    snapshot = tmp_path / "models--someone--their_model" / "snapshots" / "0123abcd"
    snapshot.mkdir(parents=True)
    for file in given.iterdir():
        (snapshot / file.name).symlink_to(file)

    assert find(snapshot).card.name == "their_model"


def test_it_is_removed_by_its_folder(
    find: Find, given: Path, cache: Path, conversions: list[Path]
) -> None:
    local = find(given)

    assert remove_converted(given, cache=cache) > 300_000
    assert not local.folder.exists()
    assert (given / "model.pt").is_file()
    assert remove_converted(given, cache=cache) == 0
    find(given)
    assert len(conversions) == 2


def test_two_processes_convert_once(given: Path, cache: Path) -> None:
    code = (
        "import sys, time, hub_server\n"
        "from pathlib import Path\n"
        "from emoscope.hub.official_folder import find_or_convert\n"
        "def convert(folder, target, *, name, revision):\n"
        "    print('converting', flush=True)\n"
        "    time.sleep(0.5)\n"
        "    return hub_server.fake_convert(folder, target, name=name, revision=revision)\n"
        "local = find_or_convert(sys.argv[1], convert=convert, cache=Path(sys.argv[2]))\n"
        "local.verify()\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(given), str(cache)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = [process.communicate(timeout=60) for process in processes]

    assert [process.returncode for process in processes] == [0] * 3, said
    assert sum(out.count("converting") for out, _ in said) == 1


def test_the_listener_is_told_before(find: Find, given: Path) -> None:
    events: list[PullEvent] = []

    def convert(folder: Path, target: Path, *, name: str, revision: str) -> LocalModel:
        assert events == [ConvertingFolder("fine-tuned", given)]
        raise ModelRunError(reason="no")

    with raises_code("model_run_failed"):
        find(given, convert=convert, listener=events.append)
