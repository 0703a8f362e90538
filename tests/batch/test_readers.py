"""Libraries that people read the tables of a batch with, as docs/batch.md says."""

from __future__ import annotations

from pathlib import Path

import pytest

from batching import clips, do_batch, table
from conftest import Speech

COUNT = 7


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, speech: Speech) -> Path:
    folder = tmp_path_factory.mktemp("batch")
    clips(folder / "in", [f"clip{number}.wav" for number in range(COUNT)], speech)
    rows = [f"clip{n}.wav,s{n % 2},2026-11-30 0{n}:30:00\n" for n in range(COUNT)]
    (folder / "in/list.csv").write_text("path,speaker,time\n" + "".join(rows), "utf-8")
    (folder / "in/clip3.wav").write_bytes(b"")
    do_batch([folder / "in/list.csv"], folder / "calls")
    return folder / "calls"


def test_duckdb(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = pytest.importorskip("duckdb")
    monkeypatch.chdir(out.parent)

    def ask(query: str) -> list[tuple[object, ...]]:
        found: list[tuple[object, ...]] = duckdb.sql(query).fetchall()
        return found

    counted = (
        "SELECT count(*), min(len(embedding)), max(len(embedding)) FROM 'calls/part-*.parquet'"
    )
    assert ask(f"{counted} WHERE len(abstain) >= 0") == [(COUNT - 1, 4, 4)]
    angry = ask(
        "SELECT speaker, hour(time::TIMESTAMP) AS hour, avg(angry) AS anger, count(*) AS calls "
        "FROM 'calls/part-*.parquet' GROUP BY ALL HAVING calls >= 1 ORDER BY hour"
    )
    assert angry == [(row["speaker"], int(row["time"][12]), row["angry"], 1) for row in table(out)]
    errors = ask("SELECT id, error FROM 'calls/errors-*.parquet'")
    assert errors == [("clip3.wav", "audio_empty_file")]


def test_polars(out: Path) -> None:
    polars = pytest.importorskip("polars")
    found = polars.read_parquet(f"{out}/part-*.parquet")
    assert found["row"].to_list() == [0, 1, 2, 4, 5, 6]
    assert found.schema["embedding"] == polars.Array(polars.Float32, 4)


def test_pandas(out: Path) -> None:
    pandas = pytest.importorskip("pandas")
    found = pandas.concat(map(pandas.read_parquet, sorted(out.glob("part-*.parquet"))))
    assert list(found["id"]) == [row["id"] for row in table(out)]
    assert found["angry"].dtype == float


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_datasets(out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    found = datasets.load_dataset(
        "parquet", data_files=f"{out}/part-*.parquet", split="train", cache_dir=str(tmp_path)
    )
    assert found["row"][:] == [0, 1, 2, 4, 5, 6]
    assert len(found[0]["embedding"]) == 4
