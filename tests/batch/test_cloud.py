"""Whole batches over object storage and archives: the same rows as from a disk."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from batch.faulty_s3 import BUCKET, FaultyS3, faulty_s3
from batching import InlineExecutor, clips, do_batch, stopped_after, table
from emoscope.batch.inputs import batch_items
from emoscope.batch.remote_storage import RemoteStorage
from emoscope.batch.storage import open_storage
from emoscope.errors import SourceNotFoundError, StoreError

pytestmark = [
    pytest.mark.process,
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning"),
]
NAMES = [f"{number}.wav" for number in range(7)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, speech: Any) -> Path:
    return clips(tmp_path_factory.mktemp("clips"), NAMES, speech)


@pytest.fixture(scope="module")
def s3(folder: Path) -> Iterator[FaultyS3]:
    with pytest.MonkeyPatch.context() as environment, faulty_s3(environment) as server:
        lines = ["path,speaker"] + [f"{name},{name[0]}" for name in NAMES]
        records = [json.dumps({"path": name, "age": 30 + int(name[0])}) for name in NAMES]
        for name in NAMES:
            server.put(f"in/{name}", (folder / name).read_bytes())
        server.put("in/list.csv", "\n".join(lines).encode())
        server.put("in/list.jsonl", "\n".join(records).encode())
        server.put("calls.tar", packed(folder))
        yield server
        server.faults.clear()


def packed(folder: Path) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        for name in NAMES:
            tar.add(folder / name, name)
            said = json.dumps({"speaker": name[0]}).encode()
            entry = tarfile.TarInfo(name.replace(".wav", ".json"))
            entry.size = len(said)
            tar.addfile(entry, io.BytesIO(said))
    return held.getvalue()


def remote_table(out: str, kind: str = "part") -> list[dict[str, Any]]:
    storage = open_storage(out)
    names = [name for name in storage.names() if name.startswith(kind)]
    parts = [pq.read_table(io.BytesIO(storage.read(name))) for name in names]
    return [row for part in parts for row in part.to_pylist()]


def without(rows: list[dict[str, Any]], *columns: str) -> list[dict[str, Any]]:
    return [{name: one for name, one in row.items() if name not in columns} for row in rows]


def test_object_storage_in_and_out_gives_the_rows_of_a_disk_through_faults(
    folder: Path, s3: FaultyS3, tmp_path: Path
) -> None:
    do_batch([folder], tmp_path / "local")
    s3.faults = ["ok"] * 9 + ["500", "ok", "cut", "ok", "ok", "503", "ok", "cut", "500"]
    out = f"s3://{BUCKET}/{tmp_path.name}"
    do_batch([f"s3://{BUCKET}/in"], out)
    assert s3.faults == []
    rows, expected = remote_table(out), table(tmp_path / "local")
    assert [row["path"] for row in rows] == [f"s3://{BUCKET}/in/{name}" for name in NAMES]
    assert without(rows, "path") == without(expected, "path")
    assert [row["id"] for row in rows] == NAMES
    parts = " ".join(f"part-0000{number}.parquet" for number in range(3))
    assert " ".join(open_storage(out).names()) == f"manifest.json {parts}"


@pytest.mark.parametrize("name", ["list.csv", "list.jsonl"])
def test_lists_in_object_storage_start_at_their_folder(
    s3: FaultyS3, tmp_path: Path, name: str
) -> None:
    do_batch([f"s3://{BUCKET}/in/{name}"], tmp_path / "out")
    rows = table(tmp_path / "out")
    assert [row["path"] for row in rows] == [f"s3://{BUCKET}/in/{one}" for one in NAMES]
    column = "speaker" if name.endswith("csv") else "age"
    assert [str(row[column])[-1] for row in rows] == [one[0] for one in NAMES]


def test_a_run_that_stops_goes_on_and_a_second_one_is_refused(
    folder: Path, s3: FaultyS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        RemoteStorage.__init__, "__kwdefaults__", {"renewed_every_s": 0.1, "left_after_s": 0.6}
    )
    out = f"s3://{BUCKET}/{tmp_path.name}"
    stopped_after([folder], out, InlineExecutor(), rows=3)
    kept = open_storage(out).names()
    assert kept == ["manifest.json", "part-00000.parquet"]
    with open_storage(out).lock(), pytest.raises(StoreError) as busy:
        do_batch([folder], out)
    assert busy.value.code == "batch_out_busy"
    s3.asked.clear()
    do_batch([folder], out)
    assert not [one for one in s3.asked if one.startswith("PUT") and "part-00000" in one]
    do_batch([folder], tmp_path / "local")
    assert remote_table(out) == table(tmp_path / "local")


@pytest.mark.parametrize("where", ["disk", "s3"])
def test_an_archive_is_a_list_of_recordings(
    folder: Path, s3: FaultyS3, tmp_path: Path, where: str
) -> None:
    path = tmp_path / "calls.tar"
    path.write_bytes(packed(folder))
    do_batch([folder], tmp_path / "local")
    do_batch([path if where == "disk" else f"s3://{BUCKET}/*.tar"], tmp_path / "out")
    rows = table(tmp_path / "out")
    assert [row["member"] for row in rows] == NAMES
    assert [row["speaker"] for row in rows] == [name[0] for name in NAMES]
    skipped = ("path", "id", "member", "speaker")
    assert without(rows, *skipped) == without(table(tmp_path / "local"), *skipped)


def test_an_archive_that_breaks_off_keeps_its_rows_and_has_one_error(
    folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "calls.tar"
    whole = packed(folder)
    path.write_bytes(whole[: len(whole) * 3 // 5])
    do_batch([path], tmp_path / "out")
    rows = table(tmp_path / "out")
    errors = table(tmp_path / "out", "errors")
    assert 2 <= len([row for row in rows if row["emotion"]]) < len(NAMES)
    assert [row["error"] for row in errors] == ["archive_broken"]


def test_an_object_that_is_gone_is_an_error_row(s3: FaultyS3, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"path\ns3://{BUCKET}/in/0.wav\ns3://{BUCKET}/in/none.wav\n", "utf-8")
    do_batch([path], tmp_path / "out")
    (error,) = table(tmp_path / "out", "errors")
    assert (error["row"], error["error"]) == (1, "source_not_found")


def test_an_empty_folder_in_object_storage(s3: FaultyS3) -> None:
    with pytest.raises(SourceNotFoundError):
        list(batch_items([f"s3://{BUCKET}/nothing/"]))
