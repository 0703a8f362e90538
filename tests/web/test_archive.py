from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from emoscope.errors import RunNotFoundError
from emoscope.export.records import CSV_COLUMNS
from emoscope.outputs.store import RunStore
from emoscope.waveform import Waveform
from emoscope.web.archive import PIECE_BYTES, zip_of_runs
from results import make_result


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "outputs")


def save(store: RunStore, name: str, seconds: int = 1) -> str:
    samples = np.zeros(16_000 * seconds, np.float32)
    return store.save(make_result(name), Waveform(samples)).name


def test_the_zip_holds_every_file_as_it_is_and_a_summary(store: RunStore) -> None:
    names = [save(store, "你好.wav"), save(store, "=SUM(A1).wav")]

    data = b"".join(zip_of_runs(store, names))

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        members = archive.namelist()
        assert members[0] == "summary.csv"
        for name in names:
            for file in store.open(name).files():
                assert archive.read(f"{name}/{file}") == (store.root / name / file).read_bytes()
        summary = archive.read("summary.csv").decode("utf-8-sig")
    assert "你好.wav" in summary
    assert "'=SUM(A1).wav" in summary
    assert len(members) == 5


def test_the_summary_names_the_folder_of_each_run(store: RunStore) -> None:
    """Two files of one name are told apart by it."""
    names = [save(store, "a.wav"), save(store, "a.wav")]

    with zipfile.ZipFile(io.BytesIO(b"".join(zip_of_runs(store, names)))) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("summary.csv").decode("utf-8-sig"))))
        folders = {name.partition("/")[0] for name in archive.namelist()} - {"summary.csv"}

    assert [row["run"] for row in rows] == names
    assert set(names) == folders
    assert [row["name"] for row in rows] == ["a.wav", "a.wav"]
    assert list(rows[0]) == ["run", *CSV_COLUMNS]


def test_members_have_the_time_of_their_run(store: RunStore) -> None:
    name = save(store, "a.wav")
    created = store.open(name).result.created

    with zipfile.ZipFile(io.BytesIO(b"".join(zip_of_runs(store, [name])))) as archive:
        times = {info.date_time for info in archive.infolist()}

    assert times == {(*created.timetuple()[:5], created.second // 2 * 2)}  # ZIP counts in twos


def test_it_is_sent_in_small_pieces(store: RunStore) -> None:
    names = [save(store, "long.wav", seconds=60)]

    pieces = list(zip_of_runs(store, names))

    assert len(pieces) > 5
    assert max(map(len, pieces)) < PIECE_BYTES + 4096


@pytest.mark.parametrize("name", ["outputs_20240104_223099", "../etc", "latest.json", ""])
def test_a_wrong_name_is_an_error_before_the_first_byte(store: RunStore, name: str) -> None:
    with pytest.raises(RunNotFoundError):
        zip_of_runs(store, [save(store, "a.wav"), name])
