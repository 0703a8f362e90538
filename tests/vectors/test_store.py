from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emoscope.errors import StoreError, VectorIndexError
from emoscope.vectors import EntryDetails, Index
from emoscope.vectors.database import DATABASE, VERSION
from emoscope.vectors.entry import Addition, entries_of


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "calls"


@pytest.fixture
def index(folder, make):
    with Index.create(folder, like=make()) as made:
        yield made


def held(folder: Path) -> set[tuple[str, bytes]]:
    """Recordings of an index and their vectors, read anew."""
    with Index.open(folder) as index:
        places = index.store.positions()
        vectors = index.store.vectors(places[1])
        entries = index.store.entries(places[0])
        return {(one.name, v.tobytes()) for one, v in zip(entries, vectors, strict=True)}


def test_adding_again_adds_only_what_is_new(index, make) -> None:
    assert index.add(make(1)) == 1
    assert index.add(make(1)) == 0
    assert index.add(make(1), segments=True) == 2
    assert index.add(make(1), segments=True) == 0
    assert len(index) == 3
    assert index.store.has(f"{1:064x}", segments=True)
    assert not index.store.has(f"{2:064x}")


def test_several_recordings_are_added_in_one_go(index, folder, make) -> None:
    one, two = (entries_of(make(seed)) for seed in (1, 2))
    longer = entries_of(make(2), segments=True)
    some = [
        Addition(one, owner="a"),
        Addition(two),
        Addition(one, owner="b"),
        Addition(one, owner="a"),
    ]
    assert index.store.add_all(some) == 3
    assert index.store.add_all([*some, Addition(longer, segmented=True)]) == 2
    assert index.store.has(f"{2:064x}", segments=True)
    assert not index.store.has(f"{1:064x}", segments=True, owner="a")
    assert index.store.add_all([]) == 0
    names = [name for name, _ in held(folder)]
    assert sorted(names) == ["1.wav", *["2.wav"] * 3]  # the same vector twice, of two owners


def test_what_was_added_is_read_back(index, folder, make) -> None:
    index.add(make(7), EntryDetails("/calls/7.wav", "", "ann", "calm"), segments=True)

    with Index.open(folder) as opened:
        whole, sad, happy = opened.store.all_entries()

    assert (whole.name, whole.path, whole.speaker, whole.label) == (
        *("7.wav", "/calls/7.wav"),
        *("ann", "calm"),
    )
    assert (whole.kind, whole.span.duration_s, whole.emotion.key) == ("clip", 6.0, "happy")
    assert [one.emotion.key for one in (sad, happy)] == ["sad", "happy"]
    assert sad.end_s <= happy.start_s
    assert held(folder) >= {("7.wav", make(7).utterance_embedding.tobytes())}


def test_a_segments_vector_is_the_mean_of_its_frames(make) -> None:
    result = make(3)
    _, (entry, vector), _ = entries_of(result, segments=True)
    first, last = round(entry.start_s / 0.02), round(entry.end_s / 0.02)

    assert np.allclose(vector, result.embedding[first:last].mean(axis=0), atol=1e-6)
    assert np.isclose(sum(entry.scores), 1.0)


def test_two_models_never_mix(index, make) -> None:
    index.add(make(1))
    for attempt in (index.add, index.search):
        with pytest.raises(VectorIndexError, match=r"model-a.*model-b") as caught:
            attempt(make(2, model="b"))
        assert caught.value.code == "index_other_model"
    with pytest.raises(VectorIndexError, match=r"model-a.*model-b"):
        Index.open_or_create(index.store.folder, like=make(2, model="b"))


def test_removing_a_run_erases_its_vectors(index, folder, make) -> None:
    for seed in (1, 2, 3):
        index.add(make(seed), EntryDetails(run=f"run{seed}"), segments=True)
    gone = make(2).utterance_embedding

    assert index.store.remove_run("run2") == 3
    assert index.store.remove_run("run2") == 0

    assert {name for name, _ in held(folder)} == {"1.wav", "3.wav"}
    index.close()
    for file in folder.iterdir():
        assert gone.tobytes() not in file.read_bytes()
        assert b"2.wav" not in file.read_bytes()


def test_places_of_removed_vectors_are_used_again(index, make) -> None:
    for seed in range(20):
        index.add(make(seed), EntryDetails(run=f"run{seed}"))
        index.store.remove_run(f"run{seed}")
    index.add(make(50))

    assert index.store.positions()[1].tolist() == [0]


def test_a_removal_that_was_cut_off_is_finished_by_the_next_writer(
    index, folder, make, monkeypatch
) -> None:
    index.add(make(1), EntryDetails(run="run1"))
    vector = make(1).utterance_embedding.tobytes()
    monkeypatch.setattr(index.store, "_erase", lambda: None)
    index.store.remove_run("run1")
    shard = folder / "vectors-0000.npy"
    assert vector in shard.read_bytes()
    index.close()

    Index.open(folder, writable=True).close()

    assert vector not in shard.read_bytes()


def test_many_vectors_go_over_several_shards(folder, make) -> None:
    like = make()
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((3_000, like.embedding.shape[1])).astype(np.float32)
    (one, _), *_ = entries_of(like)
    with Index.create(folder, like=like, dtype="float16") as index:
        rows = [(_renamed(one, number), vector) for number, vector in enumerate(vectors)]
        for first in range(0, 3_000, 500):
            assert index.store.add(rows[first : first + 500]) == 500
    with Index.open(folder) as index:
        assert len(index) == 3_000
        assert len(index.store.blocks()) == 3
        _, positions, _ = index.store.positions()
        assert np.allclose(index.store.vectors(positions), vectors, atol=4e-3)
        best = index.search(vectors[2_500], space="raw", count=1)
        assert best[0].entry.name == "2500.wav"


def _renamed(entry, number: int):
    from dataclasses import replace

    return replace(entry, name=f"{number}.wav", sha256=f"{number:064x}")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("call", ["emoscope.vectors.shards.os.fsync", "builtin write"])
def test_a_disk_that_refuses_leaves_the_index_as_it_was(
    index, folder, make, monkeypatch, number, call
) -> None:
    index.add(make(1))
    before = held(folder)

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        if call == "builtin write":
            patch.setattr("emoscope.vectors.shards.Shard.write", refuse)
        else:
            patch.setattr(call, refuse)
        with pytest.raises(StoreError) as caught:
            index.add(make(2))
    assert caught.value.code == ("store_full" if number == errno.ENOSPC else "store_failed")
    assert held(folder) == before
    assert index.add(make(2)) == 1


def test_a_full_disk_under_sqlite_is_told(index, make, monkeypatch) -> None:
    index.store._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(StoreError) as caught:
        index.add(make(1), EntryDetails(path="/" + "long" * 5_000))
    assert caught.value.code == "store_full"


def test_no_index_and_other_files_are_told(folder, make) -> None:
    with pytest.raises(VectorIndexError) as caught:
        Index.open(folder)
    assert caught.value.code == "index_not_found"
    folder.mkdir()
    (folder / "letter.txt").write_text("mine")
    with pytest.raises(VectorIndexError) as caught:
        Index.create(folder, like=make())
    assert caught.value.code == "index_folder_taken"
    assert (folder / "letter.txt").read_text() == "mine"


def damage_shard_away(folder: Path) -> None:
    (folder / "vectors-0000.npy").unlink()


def damage_shard_cut(folder: Path) -> None:
    os.truncate(folder / "vectors-0000.npy", 1_000)


def damage_database(folder: Path) -> None:
    path = folder / DATABASE
    path.write_bytes(b"x" * 200 + path.read_bytes()[200:])


def damage_other_sqlite(folder: Path) -> None:
    (folder / DATABASE).unlink()
    sqlite3.connect(folder / DATABASE).execute("CREATE TABLE t (x)").connection.close()


def damage_empty(folder: Path) -> None:
    (folder / DATABASE).write_bytes(b"")


@pytest.mark.parametrize(
    "damage",
    [damage_shard_away, damage_shard_cut, damage_database, damage_other_sqlite, damage_empty],
)
@pytest.mark.parametrize("writable", [True, False])
def test_a_damaged_index_is_told(index, folder, make, damage, writable) -> None:
    index.add(make(1))
    index.close()
    damage(folder)

    with pytest.raises(VectorIndexError) as caught:
        Index.open(folder, writable=writable)
    assert caught.value.code == "index_damaged"


def test_an_index_of_a_newer_version_is_told(index, folder) -> None:
    index.close()
    db = sqlite3.connect(folder / DATABASE)
    db.execute(f"PRAGMA user_version={VERSION + 1}")
    db.close()

    with pytest.raises(VectorIndexError) as caught:
        Index.open(folder, writable=True)
    assert caught.value.code == "index_newer"


READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 99; shift; exec "$@"'
READER = """
import sys
from emoscope.errors import StoreError
from emoscope.vectors import Index
with Index.open(sys.argv[1]) as index:
    print(len(index), [entry.name for entry in index.store.all_entries()])
try:
    Index.open(sys.argv[1], writable=True).store.remove_run("")
except StoreError as error:
    print(error.code)
"""


@pytest.mark.process
def test_a_read_only_index_is_searched_and_not_changed(index, folder, make) -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root can mount a folder read-only")
    index.add(make(1))
    index.close()
    words = ["bash", "-c", READ_ONLY, "bash", str(folder), sys.executable, "-c", READER]
    ran = subprocess.run(
        ["unshare", "--mount", *words, str(folder)], capture_output=True, text=True, check=False
    )
    if ran.returncode == 99:
        pytest.skip(f"no folder can be mounted read-only: {ran.stderr}")
    assert ran.stdout.splitlines() == ["1 ['1.wav']", "store_failed"], ran.stderr


def test_an_index_is_for_its_owner_only(index, folder, make) -> None:
    index.add(make(1))

    assert {path.stat().st_mode & 0o77 for path in (folder, *folder.iterdir())} == {0}


def test_an_index_may_be_moved(index, folder, make, tmp_path) -> None:
    index.add(make(1))
    index.close()
    before = held(folder)
    shutil.move(folder, tmp_path / "elsewhere")

    assert held(tmp_path / "elsewhere") == before
    with Index.open(tmp_path / "elsewhere", writable=True) as moved:
        assert moved.add(make(2)) == 1


def test_a_writer_that_keeps_writing_is_told(index, folder, make, monkeypatch) -> None:
    other = sqlite3.connect(folder / DATABASE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    index.store._db.execute("PRAGMA busy_timeout=10")

    with pytest.raises(VectorIndexError) as caught:
        index.add(make(1))
    assert caught.value.code == "index_busy"
    other.execute("ROLLBACK")
    other.close()
    assert index.add(make(1)) == 1


def test_another_process_sees_what_was_added(index, folder, make) -> None:
    with Index.open(folder) as reader:
        index.add(make(1))
        assert [hit.entry.name for hit in reader.search(make(9))] == ["1.wav"]
        index.add(make(2))
        assert {hit.entry.name for hit in reader.search(make(9))} == {"1.wav", "2.wav"}
