"""Approximate search by LanceDB tables: recall, refusal after a change, and what is left over."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emoscope.errors import ExtraMissingError, SettingError
from emoscope.labels import COUNT
from emoscope.results.result import ModelRef
from emoscope.vectors import Entry, Index
from emoscope.vectors import approximate_build as building
from emoscope.vectors.facts import IndexFacts
from emoscope.vectors.store import VectorStore
from raising import raises_code

pytest.importorskip("lancedb", reason="the extra lancedb is not installed")
pytestmark = pytest.mark.process

DIM, COUNT_CLIPS = 24, 1_200  # in two shards


def entry(number: int, **changes: object) -> Entry:
    scores = np.full(COUNT, 0.01)
    scores[number % COUNT] = 0.92
    made = Entry(
        name=f"{number}.wav",
        sha256=f"{number:064x}",
        start_s=0.0,
        end_s=1.0,
        scores=tuple(scores),
        run=f"run{number}",
    )
    return replace(made, **changes)


def vectors(count: int, seed: int = 0) -> np.ndarray:
    """Vectors in thirty heaps."""
    rng = np.random.default_rng(seed)
    heaps = np.random.default_rng(7).standard_normal((30, DIM))
    made = heaps[rng.integers(0, 30, count)] + 0.5 * rng.standard_normal((count, DIM))
    return made.astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An index of 1,200 clips and 40 segments."""
    path = tmp_path / "calls"
    with VectorStore.create(path, IndexFacts.of(ModelRef("m", "1", "a" * 64), DIM)) as store:
        store.add([(entry(n), v) for n, v in enumerate(vectors(COUNT_CLIPS))])
        store.add([(entry(n, kind="segment"), v) for n, v in enumerate(vectors(40, seed=1))])
    return path


def names(hits: list) -> list[str]:
    return [hit.entry.name for hit in hits]


@pytest.mark.parametrize("space", ["emotion", "sound", "raw"])
def test_answers_are_the_exact_ones_within_the_stated_recall(folder: Path, space) -> None:
    with Index.open(folder) as index:
        facts = index.build_approximate(space)
        table = facts.tables["clip"]
        assert (table.rows, facts.tables["segment"].rows) == (COUNT_CLIPS, 40)
        assert table.partitions > table.probes > 0
        assert table.recall.queries == 200
        assert table.recall.mean >= building.RECALL_WANTED or table.probes > table.partitions // 4
        shares = []
        for query in vectors(50, seed=2):
            near = index.search(query, space=space, approximate=True)
            exact = index.search(query, space=space)
            shares.append(len({*names(near)} & {*names(exact)}) / 10)
            cosines = {hit.entry.name: hit.cosine for hit in exact}
            for hit in near:
                assert hit.cosine == pytest.approx(
                    cosines.get(hit.entry.name, hit.cosine), abs=1e-5
                )
            assert [hit.cosine for hit in near] == sorted((h.cosine for h in near), reverse=True)
        assert np.mean(shares) >= table.recall.mean - 0.05
        # Few are searched whole.
        query = vectors(1, seed=3)[0]
        both = (index.search(query, segments=True, space=space, approximate=a) for a in (0, 1))
        assert names(next(both)) == names(next(both))


def test_the_recall_is_that_of_the_probes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "RECALL_WANTED", 0.0)
    with Index.open(folder) as index:
        few = index.build_approximate("raw").tables["clip"]
        monkeypatch.setattr(building, "RECALL_WANTED", 1.1)
        many = index.build_approximate("raw").tables["clip"]
    assert (few.probes, few.recall.worst <= few.recall.mean < many.recall.mean) == (1, True)
    assert many.probes > few.probes


def test_what_is_not_shown_makes_room_for_what_is(folder: Path) -> None:
    with Index.open(folder) as index:
        index.build_approximate()
        query = vectors(1, seed=4)[0]
        wanted = {f"run{n}" for n in range(0, COUNT_CLIPS, 120)}
        hits = index.search(query, approximate=True, accept=lambda one: one.run in wanted)
        assert {hit.entry.run for hit in hits} == wanted
        everything = index.search(query, count=2_000, approximate=True)
        assert len(everything) == COUNT_CLIPS


def test_a_changed_index_refuses_its_tables_until_they_are_made_again(folder: Path) -> None:
    query = vectors(1, seed=5)[0]
    with Index.open(folder) as reader, Index.open(folder, writable=True) as index:
        with raises_code("approximate_missing"):
            reader.search(query, approximate=True)
        index.build_approximate()
        best = reader.search(query, approximate=True)[0].entry
        index.store.remove_run(best.run)
        assert not (folder / "approximate").exists()  # nothing of the removed vector is left
        for one in (reader, index):
            with raises_code("approximate_missing"):
                one.search(query, approximate=True)
        index.build_approximate()
        assert best.name not in names(reader.search(query, approximate=True, count=2_000))
        index.store.add([(entry(7_000), query)])
        for one in (reader, index):
            with raises_code("approximate_stale"):
                one.search(query, approximate=True)
        index.build_approximate()
        assert names(reader.search(query, approximate=True))[0] == "7000.wav"
        (left,) = (folder / "approximate").glob("emotion-*")
        assert left.is_dir()


def test_removal_that_was_killed_leaves_no_table(folder: Path) -> None:
    with Index.open(folder, writable=True) as index:
        index.build_approximate()
        index.store._db.execute("INSERT INTO free SELECT position, 0 FROM vectors WHERE id = 1")
        index.store._db.execute("DELETE FROM vectors WHERE id = 1")
    with Index.open(folder) as reader, raises_code("approximate_stale"):
        reader.search(vectors(1)[0], approximate=True)
    Index.open(folder, writable=True).close()
    assert not (folder / "approximate").exists()


@pytest.mark.parametrize("damage", ["facts", "schema", "table", "space"])
def test_damaged_tables_are_told_and_the_index_works(folder: Path, damage: str) -> None:
    with Index.open(folder) as index:
        facts = index.build_approximate()
    path = folder / "approximate" / "emotion.json"
    made = folder / "approximate" / facts.folder
    if damage == "facts":
        path.write_text("{", "utf-8")
    elif damage == "schema":
        path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "schema": 2}), "utf-8")
    elif damage == "space":
        (made / "space.npz").write_bytes(b"PK")
    else:
        for file in (made / "clip.lance").rglob("*.lance"):
            file.write_bytes(file.read_bytes()[:100])
    with Index.open(folder) as index:
        with raises_code("approximate_damaged"):
            index.search(vectors(1)[0], approximate=True)
        assert len(index.search(vectors(1)[0])) == 10


def test_a_build_that_fails_leaves_the_tables_of_before(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = vectors(1, seed=6)[0]
    with Index.open(folder) as index:
        index.build_approximate()
        before = names(index.search(query, approximate=True))
        with monkeypatch.context() as patch:
            patch.setattr(building, "_measured", lambda *_: 1 / 0)
            with raises_code("approximate_damaged"):
                index.build_approximate()
        assert names(index.search(query, approximate=True)) == before
    assert len(list((folder / "approximate").iterdir())) == 2


def test_without_lancedb_and_without_such_a_space(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Index.open(folder) as index:
        with pytest.raises(SettingError):
            index.approximate("x")
        monkeypatch.setitem(sys.modules, "lancedb", None)
        for act in (index.build_approximate, lambda: index.search(vectors(1)[0], approximate=True)):
            with pytest.raises(ExtraMissingError) as told:
                act()
            assert told.value.data["extra"] == "lancedb"
