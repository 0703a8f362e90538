"""The outputs folder as people use it; what the model said never changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emoscope.errors import RunDamagedError, RunNotFoundError
from emoscope.outputs import history
from emoscope.outputs.latest import LATEST
from emoscope.outputs.store import AUDIO, CORRECTIONS, RESULT, TITLE, Run, RunStore
from emoscope.results.activity import Channel
from emoscope.results.calibrated import Calibrated
from emoscope.results.result import SourceRef
from emoscope.waveform import Waveform
from raising import raises_code
from results import make_result, make_scores

NOON = datetime(2024, 1, 4, 12, 0, tzinfo=UTC)
STRANGE = ["..", "../x", "outputs_20240104_120000/..", "", ".tmp-0", "outputs_1", "a\0b", "x" * 999]


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "outputs")


def keep(store: RunStore, name: str = "speech.wav", minutes: int = 0, **changes: object) -> Run:
    created = NOON + timedelta(minutes=minutes)
    made = replace(make_result(name, created=created, duration_s=1.0), **changes)
    return store.save(made, Waveform(np.full(16_000, 0.25, np.float32)))


def names(listing: history.Listing) -> list[str]:
    return [entry.facts.source for entry in listing.entries if entry.facts]


def test_the_newest_comes_first_and_pages_follow_each_other(store: RunStore) -> None:
    for minute in range(5):
        keep(store, f"{minute}.wav", minute)

    assert names(history.list_runs(store, count=2)) == ["4.wav", "3.wav"]
    assert names(history.list_runs(store, first=2, count=2)) == ["2.wav", "1.wav"]
    assert names(history.list_runs(store, first=4)) == ["0.wav"]
    assert history.list_runs(store, count=0).total == 5


def test_no_folder_no_runs(store: RunStore) -> None:
    assert history.list_runs(store) == history.Listing((), 0)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("面试", ["面试 one.wav"]),
        ("ONE 面试", ["面试 one.wav"]),
        ("悲伤", ["b.wav"]),
        ("sad", ["b.wav"]),
        ("budget", ["b.wav"]),
        ("120100", ["b.wav"]),
        ("nothing of the kind", []),
        ("  ", ["b.wav", "面试 one.wav"]),
    ],
)
def test_every_word_of_a_search_must_occur(store: RunStore, search: str, found: list[str]) -> None:
    keep(store, "面试 one.wav")
    second = keep(store, "b.wav", 1, scores=make_scores(sad=0.9))
    history.set_title(store, second.name, "Budget talk")

    listing = history.list_runs(store, search=search)

    assert names(listing) == found
    assert listing.total == len(found)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"emotion": "sad"}, ["b.wav"]),
        ({"emotion": "happy"}, ["c.wav", "a.wav"]),
        ({"emotion": "angry"}, []),
        ({"doubt": True}, ["d.wav", "c.wav"]),
        ({"doubt": True, "emotion": "happy"}, ["c.wav"]),
        ({"search": "b.wav", "doubt": True}, []),
    ],
)
def test_a_list_can_be_of_one_emotion_or_of_what_is_in_doubt(
    store: RunStore, filters: dict[str, Any], found: list[str]
) -> None:
    """What abstains has no emotion, and is in doubt as a calibrated 34 % is."""
    keep(store, "a.wav")
    keep(store, "b.wav", 1, scores=make_scores(sad=0.9))
    keep(store, "c.wav", 2, calibrated=Calibrated(0.34, ("happy",), 0.9))
    keep(store, "d.wav", 3, abstain=("low_snr",))

    listing = history.list_runs(store, **filters)

    assert names(listing) == found
    assert listing.total == len(found)


def test_a_title_stands_beside_and_the_run_keeps_its_name_and_result(store: RunStore) -> None:
    run = keep(store)
    before = (run.path / RESULT).read_bytes()

    titled = history.set_title(store, run.name, "  第一次\n 面谈 ")

    assert titled.title == titled.shown == "第一次 面谈"
    assert (run.path / RESULT).read_bytes() == before
    assert store.names() == [run.name]
    assert history.set_title(store, run.name, "").shown == "speech.wav"
    assert not (run.path / TITLE).exists()


@pytest.mark.parametrize("title", ["x" * 121, "a\u202eb", "a\0b", "\x1b[31m"])
def test_a_title_that_cannot_be_shown_is_refused(store: RunStore, title: str) -> None:
    run = keep(store)
    history.set_title(store, run.name, "before")

    with raises_code("title_refused"):
        history.set_title(store, run.name, title)

    assert history.run_entry(store, run.name).title == "before"


@pytest.mark.parametrize(
    "title", ["会议　一", "👩‍👩‍👧", "می‌خواهم", "a\xadb", "\U0001fae9", "12/03"]
)
def test_a_title_may_hold_whatever_is_shown(store: RunStore, title: str) -> None:
    run = keep(store)

    assert history.set_title(store, run.name, title).title == title
    assert history.run_entry(store, run.name).title == title


def test_a_broken_title_is_no_title(store: RunStore) -> None:
    run = keep(store)
    for text in ("", "[]", '{"title": 3}', '{"title": "a\\u0000"}', "\udcff"):
        (run.path / TITLE).write_text(text, "utf-8", "surrogatepass")
        assert history.run_entry(store, run.name).title == ""


def test_a_damaged_run_is_listed_and_can_be_deleted(store: RunStore) -> None:
    run, other = keep(store), keep(store, "other.wav", 1)
    (run.path / RESULT).write_text('{"emotion": "joy"}')

    listing = history.list_runs(store)
    assert [entry.facts is None for entry in listing.entries] == [False, True]
    assert listing.entries[1].to_dict()["facts"] is None

    store.remove(run.name)
    assert store.names() == [other.name]


def test_a_list_does_not_read_the_time_axis(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = keep(store)
    path = run.path / RESULT
    path.write_text(path.read_text("utf-8").replace('"frames": null', '"frames": broken'))
    history._facts.cache_clear()

    assert history.run_entry(store, run.name).facts is not None


def test_a_correction_is_kept_in_the_run_and_applied(store: RunStore) -> None:
    run = keep(store)
    before = (run.path / RESULT).read_bytes()
    assert history.corrections_of(store, run.name) is None
    raw = [
        {"start_s": 0, "end_s": 0.5, "emotion": "sad"},
        {"start_s": 0.5, "end_s": 1, "emotion": "happy"},
    ]

    made = history.correct(store, run.name, raw, now=lambda: NOON)

    assert made == history.corrections_of(store, run.name)
    segments = history.corrected_result(store, run.name).segments
    assert segments == made.apply(store.open(run.name).result).segments
    assert [segment.corrected for segment in segments] == [True, True]
    assert history.run_entry(store, run.name).is_corrected
    assert (run.path / RESULT).read_bytes() == before
    assert CORRECTIONS in store.open(run.name).files()
    saved = json.loads((run.path / CORRECTIONS).read_text("utf-8"))
    assert [s["emotion"] for s in saved["segments"]] == ["sad", "happy"]

    assert history.correct(store, run.name, None, now=lambda: NOON) is None
    assert history.corrected_result(store, run.name).segments == ()
    assert not (run.path / CORRECTIONS).exists()


def test_a_refused_correction_leaves_the_one_before(store: RunStore) -> None:
    run = keep(store)
    good = [{"start_s": 0, "end_s": 1, "emotion": "sad"}]
    made = history.correct(store, run.name, good, now=lambda: NOON)

    with raises_code("correction_refused"):
        history.correct(store, run.name, [{"start_s": 0, "end_s": 9}], now=lambda: NOON)

    assert history.corrections_of(store, run.name) == made


def test_a_broken_correction_is_told(store: RunStore) -> None:
    run = keep(store)
    for text in ("[]", "{}", '{"schema_version": 2}', "nonsense"):
        (run.path / CORRECTIONS).write_text(text)
        with pytest.raises(RunDamagedError):
            history.corrections_of(store, run.name)


def test_deleting_moves_latest_to_the_newest_that_is_left(store: RunStore) -> None:
    first, second = keep(store, "a.wav"), keep(store, "b.wav", 1)
    latest = store.root / LATEST

    store.remove(second.name)
    assert json.loads(latest.read_text("utf-8"))["run"] == first.name

    store.remove(first.name)
    assert list(store.root.iterdir()) == []


def test_the_sound_comes_back_as_the_model_heard_it(
    store: RunStore, speech: Callable[..., np.ndarray]
) -> None:
    given = Waveform(speech(0.5))
    run = store.save(replace(make_result(), source=SourceRef("x", None)), given)

    read = history.sound(store, run.name)

    assert read.rate_hz == given.rate_hz
    assert np.abs(read.samples - given.samples).max() <= 1 / 32_768
    (run.path / AUDIO).write_bytes(b"RIFF")
    with pytest.raises(RunDamagedError):
        history.sound(store, run.name)


@pytest.mark.parametrize("name", STRANGE)
def test_strange_names_touch_nothing(store: RunStore, name: str) -> None:
    keep(store)
    before = sorted(store.root.rglob("*"))
    for act in (
        lambda: history.run_entry(store, name),
        lambda: history.set_title(store, name, "x"),
        lambda: history.correct(store, name, None, now=lambda: NOON),
        lambda: history.corrections_of(store, name),
        lambda: history.sound(store, name),
        lambda: store.remove(name),
    ):
        with pytest.raises(RunNotFoundError):
            act()

    assert sorted(store.root.rglob("*")) == before


def test_only_the_two_files_beside_may_change(store: RunStore) -> None:
    run = keep(store)

    with pytest.raises(ValueError, match="may change"):
        store.write_beside(run.name, RESULT, {})


def test_the_channels_of_a_call_are_found_together(store: RunStore) -> None:
    def channel(number: int, sha256: str = "1" * 64, minutes: int = 0) -> Run:
        return keep(
            store,
            minutes=minutes,
            source=SourceRef("call.wav", sha256),
            channel=Channel(number, 2, 0.5, 0.1),
        )

    right, left = channel(2), channel(1)
    channel(1, sha256="2" * 64)  # another call of the same second
    channel(1, minutes=1)  # the same call, later
    whole = keep(store)

    for run in (left, right):
        assert history.channel_runs(store, run.result) == (left.name, right.name)
    assert history.channel_runs(store, whole.result) == ()
    store.remove(right.name)
    assert history.channel_runs(store, left.result) == (left.name,)
