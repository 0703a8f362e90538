"""The index of the history: it says what the runs say, whoever changed them."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emoscope.outputs import history
from emoscope.outputs.index import INDEX_FOLDER
from emoscope.outputs.ownership import RunAccess
from emoscope.outputs.store import RunStore
from emoscope.waveform import Waveform
from results import make_result, make_scores

NOON = datetime(2024, 1, 4, 12, 0, tzinfo=UTC)
SILENCE = Waveform(np.zeros(1_600, np.float32))


def keep(store: RunStore, name: str = "a.wav", *, minutes: int = 0, **changes: object) -> str:
    created = NOON + timedelta(minutes=minutes)
    made = replace(make_result(name, created=created, duration_s=0.1), **changes)
    return store.save(made, SILENCE).name


def found(store: RunStore, search: str = "", **filters: object) -> list[str]:
    listing = history.list_runs(store, search=search, **filters)  # type: ignore[arg-type]
    assert listing.total == len(listing.entries)
    return [entry.shown for entry in listing.entries]


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "outputs")


def index_file(store: RunStore) -> Path:
    return store.root / INDEX_FOLDER / "index.sqlite"


NAMES = st.sampled_from(
    ["会议纪要.wav", "call 1.wav", "Straße.wav", "100%.wav", "x_y.wav", "悲伤.wav"]
)
RUNS = st.lists(
    st.tuples(
        NAMES,
        st.sampled_from(["", "复核", "Straße 2", "a%"]),
        st.sampled_from(["", "ann", "bob"]),
        st.sampled_from(["sad", "happy", "angry"]),
        st.booleans(),
    ),
    max_size=6,
)


def matches(entry: history.RunEntry, search: str, emotion: str, *, doubt: bool) -> bool:
    """What the list promises, run by run and without an index."""
    facts = entry.facts
    assert facts is not None
    texts = [entry.title, entry.name, facts.source, facts.timestamp]
    texts += [facts.emotion.key, facts.emotion.zh, facts.emotion.en]
    haystack = "\n".join(texts).casefold()
    return (
        all(word in haystack for word in search.casefold().split())
        and (not emotion or (facts.emotion.key == emotion and not facts.abstain))
        and (facts.is_doubtful or not doubt)
    )


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    runs=RUNS,
    gone=st.sets(st.integers(0, 5)),
    search=st.sampled_from(
        ["", "议纪", "STRASSE", "%", "_", "悲伤", "call 1", "复核 call", "zz", "'"]
    ),
    emotion=st.sampled_from(["", "sad"]),
    doubt=st.booleans(),
)
def test_the_index_finds_what_a_look_into_every_run_finds(
    tmp_path_factory: pytest.TempPathFactory,
    runs: list[tuple[str, str, str, str, bool]],
    gone: set[int],
    search: str,
    emotion: str,
    doubt: bool,
) -> None:
    store = RunStore(tmp_path_factory.mktemp("index") / "outputs")
    made = []
    for minutes, (name, title, owner, feeling, abstains) in enumerate(runs):
        scores = make_scores(**{feeling: 0.9})
        abstain = ("low_snr",) if abstains else ()
        seen = store.seen_by(RunAccess(owner))
        made.append((keep(seen, name, minutes=minutes, scores=scores, abstain=abstain), owner))
        if minutes == 2:
            history.list_runs(store)  # what comes later is added to it
        if title:
            history.set_title(store, made[-1][0], title)
    for place in gone & set(range(len(made))):
        store.remove(made[place][0])
    left = [pair for place, pair in enumerate(made) if place not in gone]

    for owner in (None, "ann"):
        seen = store if owner is None else store.seen_by(RunAccess(owner, sees_all=False))
        listing = history.list_runs(seen, search=search, emotion=emotion, doubt=doubt)
        entries = [history.run_entry(store, run) for run, whose in left if owner in (None, whose)]
        expected = [one for one in entries if matches(one, search, emotion, doubt=doubt)]
        assert listing.entries == tuple(reversed(expected))
        assert listing.total == len(expected)


def test_what_other_programs_do_to_the_folder_is_seen(store: RunStore) -> None:
    one, two = keep(store, "one.wav"), keep(store, "two.wav", minutes=1)
    assert found(store) == ["two.wav", "one.wav"]
    other = RunStore(store.root)

    shutil.rmtree(store.root / two)
    keep(other, "three.wav", minutes=2)
    history.set_title(other, one, "renamed")

    assert found(store) == ["three.wav", "renamed"]
    assert found(store, "renamed") == ["renamed"]


def test_what_changes_while_nothing_runs_is_seen(store: RunStore) -> None:
    one = keep(store, "one.wav")
    assert found(store, "one") == ["one.wav"]
    store.index.close()
    (store.root / one / "title.json").write_text('{"title": "新的"}', "utf-8")

    assert found(RunStore(store.root), "新") == ["新的"]


@pytest.mark.parametrize("content", [b"", b"no database at all", b"SQLite format 3\0" + bytes(999)])
def test_a_damaged_index_is_made_anew(store: RunStore, content: bytes) -> None:
    keep(store, "one.wav")
    assert found(store, "one") == ["one.wav"]
    store.index.close()
    index_file(store).write_bytes(content)

    assert found(RunStore(store.root), "one") == ["one.wav"]
    assert index_file(store).read_bytes().startswith(b"SQLite format 3")


def test_an_index_that_is_damaged_in_use_is_made_anew(store: RunStore) -> None:
    for minutes in range(30):
        keep(store, f"{minutes}.wav", minutes=minutes)
    assert len(found(store)) == 30
    index_file(store).write_bytes(bytes(index_file(store).stat().st_size))

    keep(store, "last.wav", minutes=99)
    assert found(store, "last") == ["last.wav"]
    assert len(found(store)) == 31


def test_an_index_of_another_version_is_made_anew(store: RunStore) -> None:
    keep(store, "one.wav")
    found(store)
    store.index.close()
    db = sqlite3.connect(index_file(store))
    db.execute("PRAGMA user_version = 99")
    db.execute("UPDATE runs SET text = 'of another version'")
    db.commit()
    db.close()

    assert found(RunStore(store.root), "one") == ["one.wav"]


def test_where_nothing_can_be_written_the_index_is_in_memory(store: RunStore) -> None:
    keep(store, "one.wav")
    (store.root / INDEX_FOLDER).write_text("in the way")

    assert found(store, "one") == ["one.wav"]
    keep(store, "two.wav", minutes=1)
    assert found(store, "two") == ["two.wav"]
    assert (store.root / INDEX_FOLDER).read_text() == "in the way"


def test_what_is_deleted_leaves_no_trace_in_the_index(store: RunStore) -> None:
    run = keep(store, "PATIENT-7.wav")
    keep(store, "other.wav", minutes=1)
    history.set_title(store, run, "Herr Schmidt")
    assert len(found(store)) == 2
    assert b"patient-7" in index_file(store).read_bytes()

    store.remove(run)

    for path in (store.root / INDEX_FOLDER).iterdir():
        data = path.read_bytes()
        assert b"patient-7" not in data
        assert b"schmidt" not in data
        assert run.encode() not in data


def test_the_index_is_for_the_owner_of_the_folder(store: RunStore) -> None:
    keep(store)
    found(store)

    assert index_file(store).parent.stat().st_mode & 0o777 == 0o700
    assert index_file(store).stat().st_mode & 0o777 == 0o600


def test_an_empty_folder_gets_no_index(store: RunStore) -> None:
    store.root.mkdir()

    assert found(store) == []
    assert list(store.root.iterdir()) == []


def test_access_without_an_owner_lists_nothing(store: RunStore) -> None:
    keep(store)

    assert found(store.seen_by(RunAccess("", sees_all=False))) == []


def test_the_runs_of_an_owner_are_named(store: RunStore) -> None:
    keep(store)
    anns = store.seen_by(RunAccess("ann", sees_all=False))
    run = keep(anns, minutes=1)

    assert history.seen_runs(store) is None
    assert history.seen_runs(anns) == {run}
    store.set_owner(run, "bob")
    assert history.seen_runs(anns) == set()


def test_at_the_same_time_runs_come_change_and_go(store: RunStore) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for minutes in range(8):
                run = keep(store, f"{number}-{minutes}.wav", minutes=100 * number + minutes)
                history.list_runs(store)
                history.set_title(store, run, f"title {number}-{minutes}")
                history.list_runs(store, search="title")
                if minutes % 2:
                    store.remove(run)
        except BaseException as exc:
            failures.append(exc)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    expected = {f"title {number}-{minutes}" for number in range(4) for minutes in range(0, 8, 2)}
    assert set(found(store, "title")) == expected
