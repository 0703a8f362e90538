"""Corrected runs as lessons, and the adopted heads of a folder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from conftest import make_speech
from emoscope.backends.fake_backend import FakeBackend
from emoscope.labels import COUNT, by_key
from emoscope.models.head_file import Head, HeadModel, nine_labels
from emoscope.outputs import history
from emoscope.outputs.store import RunStore
from emoscope.outputs.teaching import (
    TEACHING_FILE,
    AdoptedHeads,
    changed_answers,
    taught_runs,
)
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.waveform import Waveform
from raising import raises_code

MODEL = ModelRef("fake", "1", "0" * 64)


def corrections(weights: np.ndarray) -> Head:
    model = HeadModel("fake", "1", "0" * 64)
    zeros = np.zeros(COUNT, np.float32)
    return Head(
        "corrections", "corrections", nine_labels(), weights.astype(np.float32), zeros, model
    )


ROLLED = corrections(np.roll(np.eye(COUNT), 1, axis=0))


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "outputs")


def saved(
    store: RunStore, *, by_frame: bool = True, head: Head | None = None, seed: int = 0
) -> str:
    recognizer = Recognizer(FakeBackend(), MODEL).configured(heads=[head] if head else [])
    sound = Waveform(make_speech(4.0))
    result = recognizer.recognize(sound, granularity="frame" if by_frame else "utterance")
    return store.save(result, sound).name


def corrected(store: RunStore, run: str, emotion: str = "sad") -> None:
    result = store.open(run).result
    rows = [{"start_s": 0.0, "end_s": result.duration_s, "emotion": emotion}]
    history.correct(store, run, rows, now=lambda: datetime.now(UTC))


@pytest.mark.parametrize("by_frame", [False, True])
@pytest.mark.parametrize("head", [None, ROLLED])
def test_lessons_have_the_models_own_logits(
    store: RunStore, *, by_frame: bool, head: Head | None
) -> None:
    """Also of a run that was recognized with an adopted head."""
    plain = saved(store, by_frame=by_frame)
    adapted = saved(store, by_frame=by_frame, head=head)
    for run in (plain, adapted):
        corrected(store, run)
    one, two = taught_runs(store, MODEL).segments
    assert (one.emotion, one.is_changed) == (by_key("sad").index, True)
    centred = [np.array(x.logits) - np.mean(x.logits) for x in (one, two)]
    assert centred[0] == pytest.approx(centred[1], abs=1e-3)
    own = store.open(plain).result.scores.top.index
    assert int(np.argmax(one.logits)) == own


def test_silences_other_models_and_damaged_corrections_teach_nothing(store: RunStore) -> None:
    corrected(store, saved(store), "silence")
    damaged = saved(store)
    corrected(store, damaged)
    (store.root / damaged / "corrections.json").write_text("{", "utf-8")
    corrected(store, saved(store))
    assert len(taught_runs(store, MODEL).segments) == 1
    other = taught_runs(store, ModelRef("other", "1", "f" * 64))
    assert (other.segments, other.other_model) == ((), 2)


def test_what_would_change_is_told_of_uncorrected_runs(store: RunStore) -> None:
    run = saved(store)
    corrected(store, saved(store))
    (one,), seen = changed_answers(store, ROLLED)
    assert (one.run, seen) == (run, 1)
    assert by_key(one.after).index == (by_key(one.before).index + 1) % COUNT
    assert changed_answers(store, corrections(np.eye(COUNT))) == ([], 1)
    assert changed_answers(store, ROLLED, sample=0) == ([], 0)


def test_adopting_is_undone_step_by_step(store: RunStore) -> None:
    adopted = AdoptedHeads(store)
    assert adopted.heads() == ()
    for head in (ROLLED, corrections(2 * np.eye(COUNT))):
        adopted.adopt(head)
    assert next(one.sha256 for one in AdoptedHeads(store).heads()) == ROLLED.sha256
    assert len(adopted.heads()) == 2
    left = adopted.undo()
    assert left is not None
    assert left.sha256 == ROLLED.sha256
    assert adopted.undo() is None
    assert adopted.undo() is None
    assert store.names() == []


def test_a_damaged_file_is_told_and_gives_way(store: RunStore) -> None:
    adopted = AdoptedHeads(store)
    adopted.adopt(ROLLED)
    (store.root / TEACHING_FILE).write_text('{"schema_version": 1, "heads": [{}]}', "utf-8")
    with raises_code("head_damaged"):
        adopted.heads()
    adopted.adopt(ROLLED)
    assert len(adopted.heads()) == 1
