"""Leaks: copies under other names, names that repeat between corpora, and unknown speakers."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emoscope.evaluate import provenance
from emoscope.evaluate.evaluation import Evaluation
from emoscope.evaluate.leaks import leak
from emoscope.evaluate.lists import Labelled, read_labelled
from emoscope.evaluate.notes import evaluation_notes
from emoscope.evaluate.provenance import (
    TrainingRecord,
    plain_speaker,
    prefix_of,
    training_overlap,
    training_record,
)
from emoscope.evaluate.report import evaluation_html
from emoscope.evaluate.run import evaluate
from emoscope.labels import by_key
from emoscope.models.catalog import COMPACT, LARGE, find
from emoscope.recognizer import Recognizer
from sounds import noise, wav


def item(path: str, speaker: str = "", corpus: str = "", **others: str) -> Labelled:
    groups = {"corpus": corpus} if corpus else {}
    return Labelled(Path(path), by_key("sad"), speaker, "", groups, path, others)


def sounds(folder: Path, count: int) -> list[Path]:
    """Recordings that differ, some of equal size."""
    paths = []
    for number in range(count):
        path = folder / f"{number}.wav"
        path.write_bytes(wav(noise(1.0, level=0.3 + number / 50)))
        paths.append(path)
    return paths


def test_copies_are_found_by_their_bytes(tmp_path: Path) -> None:
    paths = sounds(tmp_path, 3)
    (tmp_path / "copy").mkdir()
    copy = Path(shutil.copy(paths[1], tmp_path / "copy" / "renamed.wav"))

    found = leak(
        [item(str(copy)), item(str(paths[2].with_name("gone.wav")))], [item(str(p)) for p in paths]
    )

    assert found.files == (str(paths[1]),)
    assert found.found
    assert found.unreadable == 1
    assert not found.named, "speakers unknown, not checked"


def test_unknown_speakers_are_no_all_clear(tmp_path: Path) -> None:
    (path, other) = sounds(tmp_path, 2)
    nameless = leak([item(str(path))], [item(str(other), "a")])
    assert not nameless.found
    assert not nameless.named
    partly = leak([item(str(path), "b")], [item(str(other), "a"), item(str(other))])
    assert partly.named
    assert partly.nameless == 1


@pytest.mark.parametrize(
    ("trained", "evaluated", "shared"),
    [
        (("09", "emodb"), ("09", "ravdess"), ()),
        (("09", "emodb"), ("09", "EmoDB"), ("EmoDB/09",)),
        (("09", ""), ("09", "ravdess"), ("ravdess/09",)),
        (("09", "emodb"), ("09", ""), ("09",)),
        (("09", ""), ("10", ""), ()),
    ],
)
def test_speakers_are_one_where_name_and_corpus_agree(
    trained: tuple[str, str], evaluated: tuple[str, str], shared: tuple[str, ...]
) -> None:
    found = leak([item("a.wav", *trained)], [item("b.wav", *evaluated)])
    assert found.speakers == shared


def test_the_record_belongs_to_the_shipped_model_and_holds_what_its_card_says() -> None:
    card = find(COMPACT).card
    record = training_record({card.files[0].sha256})
    assert record is not None, "train/provenance.py makes it anew after another model is packed"
    said = json.loads((find(COMPACT).folder / "compact.json").read_text("utf-8"))["data"]["train"]
    assert set(record.corpora) == set(said)
    # Two hashes of each clip: as published, and as used. Some files of a corpus are equal.
    clips = sum(one["clips"] for one in said.values())
    assert 1.95 * clips < len(record.trained) <= 2 * clips
    assert len(record.trained_speakers) == sum(one["speakers"] for one in said.values())
    assert not record.trained_speakers & record.chosen_speakers
    assert (np.diff(record.trained) > 0).all()
    assert training_record({"0" * 64}) is None


def test_a_record_is_read_back_as_it_was_written() -> None:
    record = _record(b"x")
    file = io.BytesIO()
    record.write(file)
    file.seek(0)
    again = TrainingRecord.read(file)
    assert again.trained.tolist() == record.trained.tolist()
    assert again.trained_speakers == record.trained_speakers
    assert again.corpora == record.corpora


@pytest.mark.parametrize(
    ("corpus", "speaker", "plain"),
    [
        ("emodb", "emodb_03", "emodb/3"),
        ("EmoDB", "03", "emodb/3"),
        ("emo-db", "3", "emodb/3"),
        ("RAVDESS", "Actor_01", "ravdess/1"),
        ("ravdess", "ravdess_01", "ravdess/1"),
        ("CREMA-D", "1001", "cremad/1001"),
        ("nemo", "nemo_EB0", "nemo/eb0"),
        ("x", "0", "x/0"),
    ],
)
def test_speakers_are_known_however_they_are_written(corpus: str, speaker: str, plain: str) -> None:
    assert plain_speaker(corpus, speaker) == plain


def _record(*contents: bytes) -> TrainingRecord:
    digests = [prefix_of(hashlib.sha256(one).hexdigest()) for one in contents]
    return TrainingRecord(
        "a" * 64,
        np.array(sorted(digests), np.uint64),
        np.array([7], np.uint64),
        frozenset(("emodb/3",)),
        frozenset(("emodb/8",)),
        ("emodb",),
    )


def test_recordings_and_speakers_of_training_are_found() -> None:
    sha256 = hashlib.sha256(b"x").hexdigest()
    items = [
        item("a.wav"),
        item("b.wav", "03", "emodb"),
        item("c.wav", "emodb_03"),
        item("d.wav", "09", "EmoDB"),
        item("e.wav", "08", "emodb"),
        item("f.wav", "03", "ravdess"),
        item("g.wav", sha256=sha256),
    ]

    found = training_overlap("compact", _record(b"x"), items, [sha256, *([""] * 6)])

    assert found.files == ("a.wav", "g.wav")
    assert found.speakers == ("emodb/03", "emodb_03")
    assert found.chosen == ("e.wav",)
    assert found.corpora == ("EmoDB", "emodb")
    assert found.nameless == 2
    assert found.found


def test_of_other_models_only_what_is_published_is_told() -> None:
    items = [item("a.wav", "1", "RAVDESS"), item("b.wav", "1", "own")]
    large = training_overlap(LARGE, None, items, ["", ""])
    assert (large.known, large.corpora, large.found) == ("corpora", ("RAVDESS",), False)
    assert training_overlap("mine", None, items, ["", ""]).known == "nothing"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = ["path,label,speaker,corpus"]
    for number, path in enumerate(sounds(tmp_path, 4)):
        rows.append(f"{path.name},happy,0{number % 2},emodb")
    (tmp_path / "list.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def evaluated(folder: Path, recognizer: Recognizer, rows: slice = slice(None)) -> Evaluation:
    return evaluate(recognizer, read_labelled(folder / "list.csv")[rows], draws=50)


def codes(evaluation: Evaluation) -> dict[str, str]:
    return {note.code: note.level for note in evaluation_notes(evaluation)}


def test_figures_of_recordings_of_training_are_stamped_everywhere(
    folder: Path, fake_recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = replace(
        _record((folder / "2.wav").read_bytes()), model_sha256=fake_recognizer.model.sha256
    )
    monkeypatch.setattr(provenance, "_shipped", lambda: record)

    found = evaluated(folder, fake_recognizer)

    assert found.training is not None
    assert found.training.files == ("2.wav",)
    assert found.is_flattered
    assert codes(found)["trained_on"] == "stamp"
    assert found.to_dict()["flattered"] is True
    page = evaluation_html(found, "list")
    assert 'class="stamp"' in page
    assert "must not be quoted" in page
    clean = evaluated(folder, fake_recognizer, slice(2))
    assert not clean.is_flattered
    assert codes(clean)["not_trained_on"] == "note"
    assert codes(clean)["corpora_known"] == "note"


def test_one_speaker_has_no_interval_and_few_are_told(
    folder: Path, fake_recognizer: Recognizer
) -> None:
    one = evaluated(folder, fake_recognizer, slice(0, 4, 2))
    assert one.ua_interval is None
    assert one.to_dict()["ua_ci95"] is None
    assert codes(one)["one_speaker"] == "warning"
    assert "[–]" in evaluation_html(one, "list")
    two = evaluated(folder, fake_recognizer)
    assert codes(two)["few_speakers"] == "warning"
    assert codes(two)["brackets"] == "note"
    page = evaluation_html(two, "list")
    assert "bootstrap over 2 speakers, 50 draws, seed 0" in page
    assert two.to_dict()["bootstrap"] == {
        "level": 0.95,
        "draws": 50,
        "seed": 0,
        "speakers": 2,
        "clips_without_speaker": 0,
    }


def test_repeated_rows_are_named(folder: Path, fake_recognizer: Recognizer) -> None:
    shutil.copy(folder / "1.wav", folder / "copy.wav")
    rows = "path,label\n0.wav,happy\n0.wav,happy\n1.wav,happy\ncopy.wav,sad\n"
    (folder / "list.csv").write_text(rows)

    found = evaluated(folder, fake_recognizer)

    assert found.repeats == ("0.wav", "copy.wav")
    assert found.metrics.clips == 4
    assert codes(found)["repeated"] == "warning"
    assert "0.wav, copy.wav" in evaluation_html(found, "list")


def test_groups_have_intervals_classes_and_a_corpus_its_own_classes(
    folder: Path, fake_recognizer: Recognizer
) -> None:
    found = evaluated(folder, fake_recognizer)
    corpus = next(group for group in found.groups if group.column == "corpus")
    data = corpus.to_dict()
    assert data["classes"] == 1
    assert data["speakers"] == 2
    assert data["ua_own_classes"] == 1.0
    assert len(data["ua_ci95"]) == 2
    length = next(group for group in found.groups if group.column == "duration")
    assert "ua_own_classes" not in length.to_dict()
