"""Output in object storage: whole or absent, locked, through cut connections and 500s."""

from __future__ import annotations

import json
import pickle
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from batch.faulty_s3 import BUCKET, FaultyS3, faulty_s3
from emoscope.batch.remote_storage import LOCK_PREFIX, RemoteStorage
from emoscope.errors import SettingError, StoreError

pytestmark = [
    pytest.mark.process,
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning"),
]
OUT = f"s3://{BUCKET}/out"


@pytest.fixture(scope="module")
def s3() -> Iterator[FaultyS3]:
    with pytest.MonkeyPatch.context() as environment, faulty_s3(environment) as server:
        yield server


@pytest.fixture
def storage(s3: FaultyS3, tmp_path: Path) -> RemoteStorage:
    s3.asked.clear()
    return RemoteStorage(f"{OUT}/{tmp_path.name}", renewed_every_s=0.1, left_after_s=0.8)


@pytest.fixture(autouse=True)
def without_faults(s3: FaultyS3) -> None:
    s3.faults.clear()


def write(storage: RemoteStorage, name: str, data: bytes) -> None:
    with storage.writing(name) as file:
        file.write(data)


def test_an_object_is_written_and_read_and_removed(storage: RemoteStorage) -> None:
    storage.prepare()
    assert storage.names() == []
    write(storage, "part-00000.parquet", b"rows")
    assert storage.names() == ["part-00000.parquet"]
    assert storage.read("part-00000.parquet") == b"rows"
    write(storage, "part-00000.parquet", b"")
    assert storage.read("part-00000.parquet") == b""
    storage.remove("part-00000.parquet")
    storage.remove("part-00000.parquet")
    assert storage.names() == []
    with pytest.raises(FileNotFoundError):
        storage.read("part-00000.parquet")


def test_nothing_is_seen_of_a_block_that_fails(storage: RemoteStorage, s3: FaultyS3) -> None:
    def fail() -> None:
        with storage.writing("broken.parquet") as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert storage.names() == []
    assert s3.asked
    assert not any("broken" in one for one in s3.asked)


def test_an_upload_in_parts_that_fails_leaves_nothing(
    storage: RemoteStorage, s3: FaultyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emoscope.batch.remote_storage._IN_MEMORY_BYTES", 10)
    write(storage, "large.parquet", bytes(200_000))
    assert len(storage.read("large.parquet")) == 200_000
    storage.remove("large.parquet")
    s3.faults = ["403"] * 3
    with pytest.raises(StoreError) as refused:
        write(storage, "large.parquet", bytes(200_000))
    assert refused.value.code == "output_refused"
    s3.faults = []
    assert storage.names() == []


@pytest.mark.parametrize(
    ("writing", "reading"),
    [
        (["500"], ["500"]),
        (["503", "500"], ["503", "ok", "500"]),
        ([], ["ok", "cut"]),
        ([], ["ok", "cut", "cut"]),
    ],
)
def test_faults_that_pass_are_survived(
    storage: RemoteStorage, s3: FaultyS3, writing: list[str], reading: list[str]
) -> None:
    data = bytes(range(256)) * 400
    s3.faults = writing[:]
    write(storage, "a.parquet", data)
    s3.faults = reading[:]
    assert storage.read("a.parquet") == data
    assert s3.faults == []


def test_a_store_that_stays_broken_is_an_error_with_its_attempts(
    storage: RemoteStorage, s3: FaultyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emoscope.batch.remote.time.sleep", lambda _: None)
    s3.faults = ["500"] * 300
    with pytest.raises(StoreError) as failed:
        write(storage, "a.parquet", b"rows")
    assert failed.value.code == "output_unreachable"
    assert failed.value.data["attempts"] == 5
    assert OUT in failed.value.detail_zh


def test_refusal_is_told_at_once(storage: RemoteStorage, s3: FaultyS3) -> None:
    write(storage, "a.parquet", b"rows")
    s3.faults = ["403"] * 10
    with pytest.raises(StoreError) as refused:
        storage.read("a.parquet")
    assert refused.value.code == "output_refused"
    assert len(s3.faults) == 9  # asked once


def test_credentials_that_are_missing(monkeypatch: pytest.MonkeyPatch, s3: FaultyS3) -> None:
    import s3fs

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        with pytest.raises(StoreError) as refused:
            RemoteStorage(OUT).prepare()
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
    assert refused.value.code == "output_refused"


def test_a_bucket_that_is_not_there(s3: FaultyS3) -> None:
    with pytest.raises(StoreError) as missing:
        RemoteStorage("s3://another-bucket/out").prepare()
    assert missing.value.code == "output_missing"


def test_addresses_that_cannot_hold_results() -> None:
    with pytest.raises(StoreError) as read_only:
        RemoteStorage("https://127.0.0.1/out").prepare()
    assert read_only.value.code == "output_read_only"
    with pytest.raises(SettingError) as unknown:
        RemoteStorage("emo://bucket/out").prepare()
    assert unknown.value.code == "address_scheme_unknown"


def test_a_second_run_is_refused_while_the_lock_is_renewed(storage: RemoteStorage) -> None:
    with storage.lock():
        assert storage.names() == []
        for name in ("", "0-100"):
            with pytest.raises(StoreError) as busy, storage.lock(name):
                pass
            assert busy.value.code == "batch_out_busy"
    with storage.lock("0-100"), storage.lock("100-200"):
        with pytest.raises(StoreError), storage.lock():
            pass
        with pytest.raises(StoreError), storage.lock("0-100"):
            pass
    with storage.lock():
        pass


def test_a_lock_that_a_killed_run_left_is_taken_over(storage: RemoteStorage) -> None:
    write(storage, LOCK_PREFIX, json.dumps({"token": "gone", "renewed": 3}).encode())
    started_s = time.monotonic()
    with storage.lock("0-100"):
        assert time.monotonic() - started_s >= 0.8
    assert storage._all_names() == []


def test_of_many_at_once_one_gets_the_lock(storage: RemoteStorage) -> None:
    out = storage.address
    got, refused, all_tried = [], [], threading.Barrier(4)

    def take() -> None:
        all_tried.wait(10)
        try:
            with RemoteStorage(out, renewed_every_s=0.1, left_after_s=0.8).lock():
                got.append(1)
                time.sleep(1.5)
        except StoreError:
            refused.append(1)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    assert (len(got), len(refused)) == (1, 3)


def test_it_can_be_sent_to_another_process(storage: RemoteStorage) -> None:
    write(storage, "a.parquet", b"rows")
    assert pickle.loads(pickle.dumps(storage)).read("a.parquet") == b"rows"  # noqa: S301 - our own
