"""Inputs behind addresses: found, read in ranges, within limits; and the same on a disk."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from batch.faulty_s3 import BUCKET, FaultyS3, faulty_s3
from emoscope.batch import remote
from emoscope.batch.addresses import (
    find_inputs,
    join_address,
    local_copy,
    open_input,
    read_whole,
)
from emoscope.batch.remote import STORAGE_POLICY, StoragePolicy, is_address
from emoscope.errors import AudioTooLargeError, SourceError, SourceNotFoundError

pytestmark = [
    pytest.mark.process,
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning"),
]
ENDINGS = {".wav", ".mp3"}
LONG = bytes(range(256)) * 40_000  # 10 MB: three ranges


@pytest.fixture(scope="module")
def s3() -> Iterator[FaultyS3]:
    with pytest.MonkeyPatch.context() as environment, faulty_s3(environment) as server:
        for key in ("in/b/2.wav", "in/a/1.mp3", "in/list.csv", "in/notes.txt"):
            server.put(key, key.encode())
        server.put("long.bin", LONG)
        yield server
        server.faults.clear()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A web server that knows no ranges."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://bucket/x", True),
        ("https://host/x.wav", True),
        ("hf://datasets/one/two", True),
        ("recordings/a.wav", False),
        ("C://x", False),
        ("s3://", False),
        ("://x", False),
    ],
)
def test_what_is_an_address(text: str, expected: bool) -> None:
    assert is_address(text) is expected


def test_names_of_a_list_are_found_from_its_folder() -> None:
    assert join_address("s3://b/in", "./a/1.wav") == "s3://b/in/a/1.wav"
    assert join_address("s3://b/in/", "/a.wav") == "s3://b/in/a.wav"
    assert join_address("s3://b/in", "https://host/x.wav") == "https://host/x.wav"
    assert join_address("/data", "x.wav") == "/data/x.wav"
    assert join_address("/data", "/other/x.wav") == "/other/x.wav"


def test_a_folder_and_a_pattern_in_object_storage(s3: FaultyS3) -> None:
    root = f"s3://{BUCKET}/in"
    assert find_inputs(root, ENDINGS) == [f"{root}/a/1.mp3", f"{root}/b/2.wav"]
    assert find_inputs(f"{root}/*/*.wav", ENDINGS) == [f"{root}/b/2.wav"]
    assert find_inputs(f"{root}/**/*.mp3", ENDINGS) == [f"{root}/a/1.mp3"]
    assert find_inputs(f"{root}/notes.txt", ENDINGS) == [f"{root}/notes.txt"]
    for nothing in (f"{root}/none/*.wav", f"{root}/nowhere"):
        with pytest.raises(SourceNotFoundError):
            find_inputs(nothing, ENDINGS)


def test_a_folder_and_a_pattern_on_a_disk(tmp_path: Path) -> None:
    for name in ("b/2.wav", "a/1.mp3", "a/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [str(tmp_path / "a/1.mp3"), str(tmp_path / "b/2.wav")]
    assert find_inputs(str(tmp_path), ENDINGS) == found
    assert find_inputs(f"{tmp_path}/**/*.wav", ENDINGS) == found[1:]
    with pytest.raises(SourceNotFoundError):
        find_inputs(f"{tmp_path}/*.flac", ENDINGS)


def test_a_long_object_is_read_in_ranges_and_moved_in(s3: FaultyS3) -> None:
    address = f"s3://{BUCKET}/long.bin"
    s3.asked.clear()
    with open_input(address) as file:
        assert file.read(10) == LONG[:10]
        file.seek(-10, 2)
        assert file.read() == LONG[-10:]
        file.seek(5_000_000)
        assert file.read(300) == LONG[5_000_000:5_000_300]
    s3.faults = ["ok", "ok", "cut", "500", "ok", "cut"]
    assert read_whole(address, None) == LONG
    assert s3.faults == []


def test_what_is_too_large_is_not_read(s3: FaultyS3) -> None:
    s3.asked.clear()
    with pytest.raises(AudioTooLargeError):
        read_whole(f"s3://{BUCKET}/long.bin", 1_000_000)
    assert all(one.startswith("HEAD") for one in s3.asked)


def test_an_object_that_comes_too_slowly_is_asked_for_again(
    s3: FaultyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = StoragePolicy(attempt_s=1.0, first_wait_s=0.01)
    monkeypatch.setattr(remote.RemoteFiles.__init__, "__defaults__", (policy,))
    s3.faults = ["ok", "slow"]
    assert read_whole(f"s3://{BUCKET}/in/notes.txt", None) == b"in/notes.txt"
    assert s3.faults == []
    assert STORAGE_POLICY.attempt_s > policy.attempt_s


def test_a_list_is_copied_under_its_name_and_the_copy_is_removed(s3: FaultyS3) -> None:
    with local_copy(f"s3://{BUCKET}/in/list.csv") as path:
        assert (path.name, path.read_bytes()) == ("list.csv", b"in/list.csv")
    assert not path.exists()


def test_a_web_server_without_ranges(tmp_path: Path, web: str) -> None:
    (tmp_path / "x.wav").write_bytes(LONG)
    assert read_whole(f"{web}/x.wav", None) == LONG
    assert find_inputs(f"{web}/x.wav", ENDINGS) == [f"{web}/x.wav"]
    with pytest.raises(SourceNotFoundError):
        read_whole(f"{web}/y.wav", None)


def test_no_server_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emoscope.batch.remote.time.sleep", lambda _: None)
    with pytest.raises(SourceError) as failed:
        read_whole("http://127.0.0.1:9/x.wav", None)
    assert failed.value.code == "address_unreachable"
    assert not isinstance(failed.value, SourceNotFoundError)
