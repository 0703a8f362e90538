"""The outputs directory, also when many write at once, the disk is full, or the power goes."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
import textwrap
import threading
import time
import wave
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from emoscope import files
from emoscope.errors import RunDamagedError, RunNotFoundError
from emoscope.outputs import store as store_module
from emoscope.outputs.latest import LATEST
from emoscope.outputs.ownership import RunAccess
from emoscope.outputs.store import (
    AUDIO,
    EMBEDDING,
    RESULT,
    RUN_NAME,
    RunStore,
    read_result,
)
from emoscope.recognizer import Recognizer
from emoscope.results.result import Result
from emoscope.waveform import Waveform
from raising import raises_code

FROZEN = datetime(2024, 1, 4, 22, 30, 0, 999_999, timezone(timedelta(hours=8)))
BASE = "outputs_20240104_223000"


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """A store whose root is not there yet."""
    return RunStore(tmp_path / "deep" / "outputs")


@pytest.fixture
def waveform(speech: Callable[..., np.ndarray]) -> Waveform:
    """Half a second of sound."""
    return Waveform(speech(0.5), name="voice.wav")


@pytest.fixture
def result(fake_recognizer: Recognizer, waveform: Waveform) -> Result:
    """Its answer with embedding, made at a frozen time."""
    made = fake_recognizer.recognize(waveform, granularity="frame", embedding=True)
    return replace(made, created=FROZEN)


def leftovers(root: Path) -> list[str]:
    """What is in a root beside runs and ``latest.json``."""
    return [p.name for p in root.iterdir() if p.name != LATEST and not RUN_NAME.fullmatch(p.name)]


def check_complete(path: Path) -> None:
    """Fail unless a run with embedding is whole."""
    data = json.loads((path / RESULT).read_text("utf-8"))
    with wave.open(str(path / AUDIO)) as file:
        assert file.getnframes() == round(data["duration_s"] * 16_000)
        assert len(file.readframes(file.getnframes())) == 2 * file.getnframes()
    shape = np.load(path / EMBEDDING, allow_pickle=False).shape
    assert list(shape) == data["embedding"]["shape"]
    assert data["log"][-1]["step"] == "write"


# --- one run --------------------------------------------------------------------------------------


def test_a_run_has_the_agreed_name_and_files(
    store: RunStore, result: Result, waveform: Waveform
) -> None:
    """A run has its sound, its result and, when asked, its embedding."""
    run = store.save(result, waveform)

    assert run.name == BASE
    assert run.path == store.root / BASE
    assert sorted(path.name for path in run.path.iterdir()) == [EMBEDDING, AUDIO, RESULT]
    assert run.files() == (AUDIO, RESULT, EMBEDDING)
    check_complete(run.path)
    assert leftovers(store.root) == []


def test_no_embedding_no_file(store: RunStore, result: Result, waveform: Waveform) -> None:
    run = store.save(replace(result, embedding=None), waveform)

    assert run.files() == (AUDIO, RESULT)
    assert not (run.path / EMBEDDING).exists()


def test_the_name_agrees_with_the_timestamp(
    store: RunStore, result: Result, waveform: Waveform
) -> None:
    """Both are the local time of the result, whatever zone this machine is in."""
    run = store.save(result, waveform)
    data = json.loads((run.path / RESULT).read_text("utf-8"))

    assert data["timestamp"] == "2024-01-04 22:30:00"
    assert data["created_utc"].startswith("2024-01-04T14:30:00")
    assert run.name == "outputs_" + data["timestamp"].translate({45: "", 58: "", 32: "_"})


def test_the_sound_is_16_khz_mono_16_bit_and_the_same(
    store: RunStore, result: Result, waveform: Waveform
) -> None:
    """Within one step of 16 bit, at full scale as well."""
    samples = waveform.samples.copy()
    samples[:6] = [1.0, -1.0, 0.99999, -0.99999, 1.4 / 32_768, 0.0]
    run = store.save(result, Waveform(samples))

    with wave.open(str(run.path / AUDIO)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        read = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert len(read) == len(samples)
    assert np.abs(read / 32_768 - samples).max() <= 1 / 32_768
    # Rounded, not cut off: half a step at most everywhere but at +1.
    inside = samples < 0.9999
    assert np.abs(read / 32_768 - samples)[inside].max() <= 0.5 / 32_768 + 1e-7


def test_the_embedding_is_float32_and_loads_without_pickle(
    store: RunStore, result: Result, waveform: Waveform
) -> None:
    """The embedding is float32 of shape (T, D) and loads without pickle."""
    run = store.save(result, waveform)
    embedding = np.load(run.path / EMBEDDING, allow_pickle=False)

    assert embedding.dtype == np.float32
    assert embedding.shape == (24, 4)  # (8000 - 400) // 320 + 1 rows of the model's D
    np.testing.assert_array_equal(embedding, result.embedding)


def test_a_run_read_back_is_the_run_that_was_saved(
    store: RunStore, result: Result, waveform: Waveform
) -> None:
    saved = store.save(result, waveform)
    again = store.open(saved.name)

    assert again.path == saved.path
    expected = {**saved.result.to_dict(), "embedding": None}
    assert again.result.to_dict() == expected


def test_the_step_write_ends_the_log(store: RunStore, result: Result, waveform: Waveform) -> None:
    """It stands in the file and in the run that is returned, not in the result that was given."""
    run = store.save(result, waveform)
    data = json.loads((run.path / RESULT).read_text("utf-8"))

    assert [step["step"] for step in data["log"]] == ["check", "infer", "write"]
    assert run.result.steps[-1].name == "write"
    assert run.result.steps[-1].milliseconds > 0
    assert result.steps[-1].name == "infer"


def test_the_json_reads_as_chinese_and_holds_any_file_name(
    store: RunStore, result: Result, waveform: Waveform
) -> None:
    """Linux allows names that are no UTF-8; losing a result to one would be a shame."""
    for name in ("开心 的“声音”.wav", os.fsdecode(b"bad\xff.wav"), "two\nlines.wav"):
        source = replace(result.source, name=name)
        run = store.save(replace(result, source=source), waveform)
        assert store.open(run.name).result.name == name
        assert json.loads((store.root / LATEST).read_bytes())["source"] == name
    assert "开心 的“声音”.wav" in (store.root / BASE / RESULT).read_text("utf-8")


def test_latest_points_to_the_newest_run(
    store: RunStore, result: Result, waveform: Waveform
) -> None:
    """``latest.json`` names the newest run."""
    store.save(result, waveform)
    second = store.save(result, waveform)
    latest = json.loads((store.root / LATEST).read_text("utf-8"))

    assert latest["run"] == second.name == f"{BASE}_2"
    assert latest["timestamp"] == "2024-01-04 22:30:00"
    assert latest["emotion"] == result.emotion.key
    assert latest["confidence"] == result.confidence


def test_the_hundredth_run_of_a_second_need_not_try_all_names(
    store: RunStore, result: Result, waveform: Waveform, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []
    rename = Path.rename
    monkeypatch.setattr(Path, "rename", lambda old, new: (tried.append(new), rename(old, new))[1])

    names = [store.save(result, waveform).name for _ in range(100)]

    assert names == [BASE, *(f"{BASE}_{number}" for number in range(2, 101))]
    assert len(tried) == 100


def test_a_name_that_somebody_else_took_is_passed_over(
    store: RunStore, result: Result, waveform: Waveform
) -> None:
    store.save(result, waveform)
    RunStore(store.root).save(result, waveform)

    assert store.save(result, waveform).name == f"{BASE}_3"


# --- names ----------------------------------------------------------------------------------------


def test_names_are_listed_newest_first_by_number_not_by_letter(
    store: RunStore, result: Result, waveform: Waveform
) -> None:
    assert store.names() == []
    for seconds in (0, 1):
        later = replace(result, created=FROZEN + timedelta(seconds=seconds))
        for _ in range(11):
            store.save(later, waveform)
    (store.root / "notes").mkdir()

    expected = [
        base if number == 1 else f"{base}_{number}"
        for base in ("outputs_20240104_223001", BASE)
        for number in range(11, 0, -1)
    ]
    assert store.names() == expected


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        f"../outputs/{BASE}",
        f"{BASE}/../../secret",
        f"{BASE}/",
        f"./{BASE}",
        f"{BASE}\n",
        f"{BASE}\0",
        f"{BASE}_",
        "/etc",
        "..",
        ".",
        "",
        ".tmp-0123456789abcdef",
        "outputs_20240104_223001",
    ],
)
def test_strange_names_are_no_runs(
    name: str, store: RunStore, result: Result, waveform: Waveform
) -> None:
    store.save(result, waveform)
    secret = store.root.parent / "secret"
    secret.mkdir()
    (secret / RESULT).write_text("{}", "utf-8")

    with pytest.raises(RunNotFoundError):
        store.open(name)
    with pytest.raises(RunNotFoundError):
        store.file(name, RESULT)


def test_digits_of_other_scripts_make_no_run(store: RunStore) -> None:
    stranger = store.root / "outputs_20240104_22300٠"
    stranger.mkdir(parents=True)
    (stranger / RESULT).write_text("{}", "utf-8")

    assert store.names() == []
    with pytest.raises(RunNotFoundError):
        store.file(stranger.name, RESULT)


@pytest.mark.parametrize("file", ["../latest.json", LATEST, "", ".", "result.json\0", "x.npy"])
def test_strange_files_are_not_handed_out(
    file: str, store: RunStore, result: Result, waveform: Waveform
) -> None:
    store.save(result, waveform)

    with pytest.raises(RunNotFoundError):
        store.file(BASE, file)


def test_a_file_that_a_run_lacks_is_not_found(
    store: RunStore, result: Result, waveform: Waveform
) -> None:
    store.save(replace(result, embedding=None), waveform)

    assert store.file(BASE, AUDIO).is_file()
    with pytest.raises(RunNotFoundError):
        store.file(BASE, EMBEDDING)


# --- many at once ---------------------------------------------------------------------------------

WRITER = """
    import sys
    from datetime import datetime, timedelta, timezone
    from pathlib import Path
    import numpy as np
    from emoscope.backends.fake_backend import FakeBackend
    from emoscope.recognizer import Recognizer
    from emoscope.results.result import ModelRef
    from emoscope.outputs.store import RunStore
    from emoscope.waveform import Waveform

    frozen = datetime(2024, 1, 4, 22, 30, 0, 0, timezone(timedelta(hours=8)))
    sound = Waveform(np.random.default_rng(0).standard_normal(8000).astype(np.float32) / 10)
    model = Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), now=lambda: frozen)
    result = model.recognize(sound, granularity="frame", embedding=True)
    store = RunStore(Path(sys.argv[1]))
"""


def writer(root: Path, body: str) -> subprocess.Popen[str]:
    """A process of its own that has a store and a result at hand and runs ``body``."""
    code = textwrap.dedent(WRITER) + textwrap.dedent(body)
    command = [sys.executable, "-c", code, str(root)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


class _Poller(threading.Thread):
    """Looks at a root all the time, as another program would, and keeps what was wrong."""

    def __init__(self, root: Path) -> None:
        super().__init__(daemon=True)
        self.root = root
        self.done = threading.Event()
        self.wrong: list[str] = []
        self.looks = 0

    def run(self) -> None:
        """Look until told to stop, and then once more."""
        last = False
        seen: set[str] = set()
        while not last:
            last = self.done.is_set()
            names = {path.name for path in self.root.glob("outputs_*")}
            for name in names - seen:
                self._look(lambda name=name: check_complete(self.root / name), name)
            if (self.root / LATEST).exists():
                self._look(self._check_latest, LATEST)
            seen |= names
            self.looks += 1
            time.sleep(0.001)

    def _look(self, check: Callable[[], None], name: str) -> None:
        try:
            check()
        except Exception as exc:  # whatever it is, it is wrong
            self.wrong.append(f"{name}: {exc!r}")

    def _check_latest(self) -> None:
        latest = json.loads((self.root / LATEST).read_text("utf-8"))
        check_complete(self.root / latest["run"])


@pytest.mark.process
def test_fifty_threads_and_two_processes_in_one_second_lose_nothing(
    store: RunStore, result: Result, waveform: Waveform
) -> None:
    """Every run has a directory of its own, complete from its first moment on."""
    store.root.mkdir(parents=True)
    poller = _Poller(store.root)
    poller.start()
    others = [
        writer(store.root, "for _ in range(10): print(store.save(result, sound).name)")
        for _ in range(2)
    ]
    gate = threading.Barrier(50)

    def save(_number: int) -> str:
        gate.wait(60)
        return store.save(result, waveform).name

    with ThreadPoolExecutor(50) as threads:
        names = list(threads.map(save, range(50)))
    for other in others:
        out, _ = other.communicate(timeout=60)
        assert other.returncode == 0, out
        names += out.split()
    poller.done.set()
    poller.join(60)

    expected = {BASE, *(f"{BASE}_{number}" for number in range(2, 71))}
    assert set(names) == expected
    assert len(names) == 70
    assert {path.name for path in store.root.glob("outputs_*")} == expected
    assert poller.wrong == []
    assert poller.looks > 1
    assert leftovers(store.root) == []


# --- when it goes wrong ---------------------------------------------------------------------------


@pytest.mark.process
def test_a_writer_that_is_killed_leaves_no_partial_run(tmp_path: Path) -> None:
    """Kill -9 at each place where bytes reach the disk; ``sweep`` clears what is left."""
    body = """
        import os, signal
        from emoscope import files as module
        real = os.fsync
        def fsync_or_die(descriptor):
            global left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            real(descriptor)
        module.os.fsync = fsync_or_die
        root = store.root
        for place in range(1, 7):
            child = os.fork()
            if child == 0:
                left = place
                RunStore(root / str(place)).save(result, sound)
                os._exit(0)
            _, status = os.waitpid(child, 0)
            print(place, "killed" if os.WIFSIGNALED(status) else "saved")
    """
    process = writer(tmp_path, body)
    out, _ = process.communicate(timeout=60)

    # audio, embedding, result, the folder | renamed | the root; latest.json is not flushed
    expected = [f"{place} killed" for place in range(1, 6)] + ["6 saved"]
    assert out.split("\n")[:-1] == expected
    for place in range(1, 7):
        root = tmp_path / str(place)
        one = RunStore(root)
        assert one.names() == ([] if place <= 4 else [BASE]), place
        for name in one.names():
            check_complete(root / name)
        assert (root / LATEST).exists() == (place == 6)
        left = leftovers(root)
        assert all(name.startswith(".tmp-") for name in left)
        assert len(left) == (0 if place in (5, 6) else 1)
        assert one.sweep() == 0, "what is young may still be written"
        assert one.sweep(older_than_s=0) == len(left)
        assert leftovers(root) == []


@pytest.mark.parametrize("left", [b"", b'{"run": "outputs_', b"\0" * 150, b"\xff\xfe"])
def test_a_latest_that_a_power_cut_emptied_names_the_newest_run_again(
    left: bytes, store: RunStore, result: Result, waveform: Waveform
) -> None:
    store.save(result, waveform)
    newest = store.save(result, waveform)
    whole = (store.root / LATEST).read_bytes()
    (store.root / LATEST).write_bytes(left)

    RunStore(store.root).sweep()

    assert (store.root / LATEST).read_bytes() == whole
    assert json.loads(whole)["run"] == newest.name


def test_a_latest_that_can_be_read_stays(
    store: RunStore, result: Result, waveform: Waveform
) -> None:
    store.sweep()
    assert not (store.root / LATEST).exists()
    first = store.save(result, waveform)
    named_first = (store.root / LATEST).read_bytes()
    store.save(result, waveform)
    (store.root / LATEST).write_bytes(named_first)

    store.sweep()

    assert json.loads((store.root / LATEST).read_bytes())["run"] == first.name


def test_what_a_killed_process_left_goes_at_once_and_what_is_being_written_stays(
    store: RunStore, result: Result, waveform: Waveform
) -> None:
    store.root.mkdir(parents=True)
    left = store.root / ".tmp-feed"
    left.mkdir()
    ten_seconds_ago_s = time.time() - 10
    pointer = store.root / ".tmp-beef"
    pointer.touch()
    for path in (left, pointer):
        os.utime(path, (ten_seconds_ago_s, ten_seconds_ago_s))
    with files.new_folder(store.root) as writing:
        os.utime(writing, (ten_seconds_ago_s, ten_seconds_ago_s))

        assert RunStore(store.root).sweep() == 2
        assert leftovers(store.root) == [writing.name]

    assert store.sweep() == 1

    def check(_file: BinaryIO) -> None:
        os.utime(pointer, (ten_seconds_ago_s, ten_seconds_ago_s))
        assert RunStore(store.root).sweep() == 0

    files.write_new(pointer, check)
    assert pointer.exists()


def test_sweep_keeps_runs_and_what_others_put_there(
    store: RunStore, result: Result, waveform: Waveform
) -> None:
    assert store.sweep(older_than_s=0) == 0, "no root, nothing to do"
    store.save(result, waveform)
    (store.root / "notes.txt").write_text("mine", "utf-8")
    old = store.root / ".tmp-feed"
    old.mkdir()
    os.utime(old, (0, 0))

    assert store.sweep() == 1
    assert {path.name for path in store.root.iterdir()} == {BASE, LATEST, "notes.txt"}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT], ids=["disk full", "quota"])
@pytest.mark.parametrize("file", [AUDIO, EMBEDDING, RESULT, "the pointer"])
def test_a_full_disk_is_told_and_leaves_nothing(
    file: str,
    code: int,
    store: RunStore,
    result: Result,
    waveform: Waveform,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever file does not fit; what was there before stays as it was."""
    before = store.save(result, waveform)
    latest = (store.root / LATEST).read_bytes()
    real = store_module.write_new

    def write(path: Path, fill: Callable[[BinaryIO], None], **options: int | None) -> None:
        if path.name == file or (file == "the pointer" and path.parent == store.root):
            whole = io.BytesIO()
            fill(whole)
            path.write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
            raise OSError(code, os.strerror(code))
        real(path, fill, **options)

    monkeypatch.setattr(store_module, "write_new", write)
    monkeypatch.setattr(files, "write_new", write)
    with raises_code("store_full") as caught:
        store.save(result, waveform)

    assert isinstance(caught.value, OSError)
    assert isinstance(caught.value.__cause__, OSError)
    assert store.names() == [before.name]
    assert leftovers(store.root) == []
    assert (store.root / LATEST).read_bytes() == latest
    check_complete(before.path)


def test_a_failing_fsync_is_a_failing_save(
    store: RunStore, result: Result, waveform: Waveform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems say that they are full only when they have to write."""

    def fsync(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with raises_code("store_full"):
        store.save(result, waveform)

    assert list(store.root.iterdir()) == []


def test_the_kernel_saying_no_more_is_understood(tmp_path: Path) -> None:
    """A real limit of the system, not one that a test made up."""
    body = """
        import resource
        from emoscope.errors import StoreError
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        try:
            store.save(result, sound)
        except StoreError as error:
            print(error.code, list(store.root.iterdir()))
    """
    out, _ = writer(tmp_path / "outputs", body).communicate(timeout=60)

    assert out == "store_full []\n"


def test_a_root_that_cannot_be_written_is_a_store_error(
    tmp_path: Path, result: Result, waveform: Waveform
) -> None:
    (tmp_path / "a_file").write_text("in the way", "utf-8")

    with raises_code("store_failed") as caught:
        RunStore(tmp_path / "a_file" / "outputs").save(result, waveform)
    assert caught.value.data["reason"]
    assert [path.name for path in tmp_path.iterdir()] == ["a_file"]


def test_an_interrupted_save_cleans_up(
    store: RunStore, result: Result, waveform: Waveform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(path: Path, fill: Callable[[BinaryIO], None], *, mode: int) -> None:
        with path.open("wb") as file:
            fill(file)
        raise KeyboardInterrupt

    monkeypatch.setattr(store_module, "write_new", interrupt)
    with pytest.raises(KeyboardInterrupt):
        store.save(result, waveform)

    assert list(store.root.iterdir()) == []


def test_numbers_that_json_has_no_word_for_are_refused_and_leave_nothing(
    store: RunStore, result: Result, waveform: Waveform
) -> None:
    broken = replace(result, quality=replace(result.quality, level_dbfs=float("nan")))

    with pytest.raises(ValueError, match="JSON"):
        store.save(broken, waveform)
    assert list(store.root.iterdir()) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema_version": 2}', "\x00"])
def test_a_damaged_or_newer_result_is_told(
    store: RunStore, result: Result, waveform: Waveform, text: str
) -> None:
    run = store.save(result, waveform)
    (run.path / RESULT).write_text(text)

    with pytest.raises(RunDamagedError):
        store.open(run.name)


def test_json_is_one_key_a_line(store: RunStore, result: Result, waveform: Waveform) -> None:
    run = store.save(result, waveform)

    lines = (run.path / RESULT).read_text("utf-8").splitlines()
    assert len(lines) == len(run.result.to_dict()) + 2
    assert json.loads("\n".join(lines)) == json.loads(json.dumps(run.result.to_dict()))


def test_an_error_of_a_run_names_no_folder_of_the_machine(
    store: RunStore, result: Result, waveform: Waveform
) -> None:
    run = store.save(result, waveform)
    path = run.path / "result.json"
    path.write_text("{")
    with pytest.raises(RunDamagedError) as damaged:
        store.open(run.name)
    path.unlink()
    path.mkdir()
    with pytest.raises(RunDamagedError) as unreadable:
        read_result(path)
    for error in (damaged.value, unreadable.value):
        assert str(store.root) not in str(error)
        assert run.name in str(error)


def test_a_name_that_was_deleted_is_not_given_again_in_its_second(
    store: RunStore, result: Result, waveform: Waveform
) -> None:
    """A browser may still hold the files of the deleted run under their addresses."""
    first = store.seen_by(RunAccess("a")).save(result, waveform)
    store.remove(first.name)

    assert store.seen_by(RunAccess("b")).save(result, waveform).name == f"{BASE}_2"
