"""Heads: their files, and what they do in a recognition."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Speech
from emoscope.backends.fake_backend import FakeBackend
from emoscope.errors import EmoscopeError, HeadError, StoreError
from emoscope.export import records
from emoscope.export.tables import curve_table
from emoscope.labels import COUNT
from emoscope.models import head_folder
from emoscope.models.head_file import Head, HeadKind, HeadModel, nine_labels, read_head
from emoscope.models.training_clips import TrainingClips
from emoscope.recognizer import Recognizer
from emoscope.results.heads import HeadLabel, head_answer
from emoscope.results.result import ModelRef, Result
from emoscope.results.scores import softmax
from emoscope.waveform import Waveform
from sounds import sample

MODEL = ModelRef("fake", "1", "0" * 64)
DIM = FakeBackend().dim
PLEASED = (
    HeadLabel("满意", "满意", "pleased", "🙂", "#d07c00"),
    HeadLabel("不满意", "不满意", "displeased", "", "#4892d7"),
)


def head(name: str = "service", seed: int = 0, *, sha256: str = MODEL.sha256) -> Head:
    """A head of two classes with random numbers."""
    numbers = np.random.default_rng(seed)
    weights = numbers.standard_normal((2, DIM)).astype(np.float32)
    model = HeadModel(MODEL.name, MODEL.revision, sha256)
    return Head(name, "classes", PLEASED, weights, np.ones(2, np.float32), model, {"clips": 12})


def corrections(weights: np.ndarray | None = None) -> Head:
    """A head of corrections; by default one that changes nothing."""
    numbers = (np.eye(COUNT) if weights is None else weights).astype(np.float32)
    model = HeadModel(MODEL.name, MODEL.revision, MODEL.sha256)
    zeros = np.zeros(COUNT, np.float32)
    return Head("fixes", "corrections", nine_labels(), numbers, zeros, model, {"clips": 7})


@pytest.fixture
def recognizer() -> Recognizer:
    return Recognizer(FakeBackend(), MODEL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMOSCOPE_DATA", str(tmp_path))
    return tmp_path / "heads"


def code_of(act: Callable[[], object], kind: type[EmoscopeError] = HeadError) -> str:
    with pytest.raises(kind) as caught:
        act()
    return caught.value.code


# -- the file


def test_a_head_is_read_as_it_was_written_and_is_small(folder: Path) -> None:
    path = head_folder.save_head(head())
    assert path.parent == folder
    read = head_folder.open_head("service")
    assert np.array_equal(read.weights, head().weights)
    assert (read.labels, read.card, read.sha256) == (PLEASED, {"clips": 12}, head().sha256)
    assert path.stat().st_size < 20_000


def test_a_head_knows_what_it_was_trained_on_and_does_not_name_it(folder: Path) -> None:
    clips = TrainingClips.of(["ab" * 32, "no digest"], [("", "ann"), ("tess", "bob"), ("", "")])
    path = head_folder.save_head(replace(head(), trained_on=clips))
    read = head_folder.open_head("service")
    assert read.trained_on == clips
    assert (len(clips.files), len(clips.speakers)) == (1, 2)
    assert clips.has_file("ab" * 32)
    assert not clips.has_file("cd" * 32)
    assert not clips.has_file("")
    assert "ann" not in path.read_text("utf-8")
    assert head_folder.open_head("service").sha256 == head().sha256
    path.write_text(path.read_text("utf-8").replace('"files": "', '"files": "AAAA'), "utf-8")
    assert code_of(lambda: head_folder.open_head("service")) == "head_damaged"


@pytest.mark.parametrize(
    ("speaker", "corpus", "known"),
    [
        ("ann", "", True),
        ("ann", "tess", True),  # the list that was trained on named no corpus
        ("bob", "tess", True),
        ("bob", "", True),
        ("bob", "savee", False),  # another bob
        ("eve", "tess", False),
        ("", "", False),
    ],
)
def test_a_speaker_is_known_by_corpus_and_name(speaker: str, corpus: str, *, known: bool) -> None:
    clips = TrainingClips.of([], [("", "ann"), ("tess", "bob")])
    assert clips.has_speaker(speaker, corpus) is known


def test_a_head_of_this_name_gives_way_only_when_asked_to(folder: Path) -> None:
    head_folder.save_head(head())
    assert code_of(lambda: head_folder.save_head(head(seed=1))) == "head_exists"
    head_folder.save_head(head(seed=1), replace=True)
    assert head_folder.open_head("service").sha256 == head(seed=1).sha256
    assert [path.name for path in folder.iterdir()] == ["service.head.json"]


@pytest.mark.parametrize(
    "name", ["", "../x", "a/b", ".hidden", "-rf", "a\nb", "x" * 65, "字" * 70, "a\u202eb"]
)
def test_what_cannot_be_a_file_is_no_name(folder: Path, name: str) -> None:
    assert code_of(lambda: head_folder.save_head(replace(head(), name=name))) == "head_name_refused"
    assert code_of(lambda: head_folder.open_head(name)) == "head_unknown"
    assert not folder.exists()


def test_heads_are_listed_and_removed(folder: Path) -> None:
    assert head_folder.head_names() == []
    for name in ("b", "满意度"):
        head_folder.save_head(replace(head(), name=name))
    folder.joinpath("damaged.head.json").write_text("{", "utf-8")
    assert head_folder.head_names() == ["b", "damaged", "满意度"]
    assert [one.name for one in head_folder.usable_heads()] == ["b", "满意度"]
    head_folder.remove_head("damaged")
    assert code_of(lambda: head_folder.remove_head("damaged")) == "head_unknown"
    assert head_folder.head_names() == ["b", "满意度"]


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 2},
        {"kind": "code"},
        {"weights": "AAAA"},
        {"weights": "no base64!"},
        {"sha256": "0" * 64},
        {"labels": []},
        {"labels": None},
        {"shape": [3, DIM]},
        {"model": {}},
        {"card": 3},
    ],
)
def test_a_damaged_head_is_refused(change: dict[str, object]) -> None:
    data = json.dumps(head().to_dict() | change).encode()
    assert code_of(lambda: read_head(data, "x")) == "head_damaged"


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[]", b"null", b'{"schema_version": 1'])
def test_what_is_no_head_is_refused(data: bytes) -> None:
    assert code_of(lambda: read_head(data, "x")) == "head_damaged"


@pytest.mark.parametrize("kind", ["classes", "corrections"])
def test_numbers_that_do_not_fit_are_refused(kind: HeadKind) -> None:
    good = head() if kind == "classes" else corrections()
    with pytest.raises(ValueError, match="numbers"):
        replace(good, kind=kind, bias=np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="finite"):
        replace(good, kind=kind, weights=good.weights * np.float32("nan"))
    with pytest.raises(ValueError, match="nine"):
        replace(head(), kind="corrections")


def test_without_a_home_the_folder_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(*_: object, **__: object) -> str:
        raise RuntimeError

    monkeypatch.setattr("platformdirs.user_data_path", homeless)
    assert code_of(head_folder.head_folder, StoreError) == "data_folder_unknown"
    assert head_folder.head_names() == []


@pytest.mark.parametrize("error", [PermissionError, NotADirectoryError])
def test_a_data_folder_that_cannot_be_read_has_no_heads(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    """As for a container that runs with the home of another user: its page opens all the same."""
    head_folder.save_head(head())

    def refused(_self: Path) -> None:
        raise error

    monkeypatch.setattr(Path, "iterdir", refused)
    assert head_folder.head_names() == []
    assert code_of(lambda: head_folder.open_head("service")) == "head_unknown"


# -- in a recognition


def test_a_result_without_a_head_is_as_it_was(recognizer: Recognizer, speech: Speech) -> None:
    data = recognizer.recognize(Waveform(speech(1))).to_dict()
    assert "heads" not in data
    assert "adaptation" not in data


@pytest.mark.parametrize("seconds", [1.0, 45.0])
@pytest.mark.parametrize("embedding", [False, True])
def test_the_answer_is_that_of_the_mean_embedding(
    recognizer: Recognizer, speech: Speech, *, seconds: float, embedding: bool
) -> None:
    """In windows, too: fading and averaging are as linear as the head is."""
    sound = Waveform(speech(seconds))
    plain = recognizer.recognize(sound, granularity="frame", embedding=True)
    with_two = recognizer.configured(heads=[head(), head("other", 1)])
    result = with_two.recognize(sound, granularity="frame", embedding=embedding)
    assert result.scores == plain.scores
    assert (result.embedding is not None) is embedding
    if embedding:
        assert np.array_equal(result.embedding, plain.embedding)
    assert [one.name for one in result.heads] == ["service", "other"]
    mean = plain.embedding.mean(axis=0, dtype=np.float64)  # type: ignore[union-attr]
    for one, seed in zip(result.heads, (0, 1), strict=True):
        expected = softmax(head(seed=seed).weights.astype(np.float64) @ mean + 1)
        assert list(one.scores.values()) == pytest.approx(expected, abs=1e-4)
        assert one.frames is not None
        assert len(one.frames) == len(plain.track)  # type: ignore[arg-type]
        assert softmax(one.frames.mean(axis=0, dtype=np.float64)) == pytest.approx(
            expected, abs=1e-4
        )
        assert one.segments[0].start_s == 0
        assert one.segments[-1].end_s == result.duration_s
        assert {x.label for x in one.segments} <= {"满意", "不满意", "silence"}


@given(st.integers(1, 80), st.integers(2, 32), st.integers(0, 2**32 - 1))
def test_scores_of_a_recording_are_those_of_the_mean_of_its_frames(
    frames: int, classes: int, seed: int
) -> None:
    numbers = np.random.default_rng(seed)
    labels = [HeadLabel(str(at), "", "", "", "#000000") for at in range(classes)]
    rows = numbers.standard_normal((frames, DIM)).astype(np.float32)
    one = Head(
        "x",
        "classes",
        tuple(labels),
        numbers.standard_normal((classes, DIM)).astype(np.float32),
        numbers.standard_normal(classes).astype(np.float32),
        HeadModel("fake", "1", "0" * 64),
    )
    whole = one.logits(rows.mean(axis=0, keepdims=True))
    answer = head_answer("x", "", labels, one.logits(rows), duration_s=frames * 0.02)
    assert list(answer.scores.values()) == pytest.approx(softmax(whole)[0], abs=1e-3)
    assert sum(answer.scores.values()) == pytest.approx(1)
    assert answer.scores[answer.label] == answer.confidence


def test_an_answer_survives_json(recognizer: Recognizer, speech: Speech) -> None:
    heads = [head(), corrections(2 * np.eye(COUNT))]
    result = recognizer.configured(heads=heads).recognize(
        Waveform(speech(2)),
        granularity="frame",
    )
    written = json.loads(json.dumps(result.to_dict()))
    read = Result.from_dict(written)
    assert read.to_dict() == written
    assert np.array_equal(read.heads[0].frames, result.heads[0].frames)  # type: ignore[arg-type]
    utterance = recognizer.configured(heads=heads).recognize(Waveform(speech(2)))
    assert utterance.heads[0].segments == ()
    assert utterance.heads[0].frames is None
    assert utterance.heads[0].scores == read.heads[0].scores


def test_corrections_change_the_nine_and_keep_what_the_model_said(
    recognizer: Recognizer, speech: Speech
) -> None:
    sound = Waveform(speech(2))
    plain = recognizer.recognize(sound, granularity="frame")
    turned = np.roll(np.eye(COUNT), 1, axis=0)
    result = recognizer.configured(heads=[corrections(turned)]).recognize(
        sound, granularity="frame"
    )
    assert result.heads == ()
    assert result.emotion.index == (plain.emotion.index + 1) % COUNT
    change = result.adaptation
    assert change is not None
    assert (change.emotion, change.scores, change.corrections) == (
        plain.emotion.key,
        plain.scores,
        7,
    )
    undone = change.undo(result.track.logits)  # type: ignore[union-attr]
    assert undone == pytest.approx(plain.track.logits, abs=1e-5)  # type: ignore[union-attr]
    same = recognizer.configured(heads=[corrections()]).recognize(sound, granularity="frame")
    assert same.scores == plain.scores
    assert same.segments == plain.segments


def test_a_head_of_another_model_is_refused_with_both_names(recognizer: Recognizer) -> None:
    with pytest.raises(HeadError) as caught:
        recognizer.configured(heads=[head(sha256="f" * 64)])
    assert caught.value.code == "head_model_differs"
    for language in ("zh", "en"):
        said = caught.value.detail(language)  # type: ignore[arg-type]
        assert "ffffffffffff" in said
        assert "000000000000" in said


def test_heads_that_do_not_go_together_are_refused(recognizer: Recognizer) -> None:
    other = replace(corrections(), name="more")
    for heads in ([head(), head()], [corrections(), other], [head(str(at)) for at in range(9)]):
        assert code_of(lambda heads=heads: recognizer.configured(heads=heads)) == "heads_refused"
    assert code_of(lambda: recognizer.configured(heads=["none"])) == "head_unknown"


def test_tables_have_columns_of_heads_only_where_there_are_some(
    recognizer: Recognizer, speech: Speech
) -> None:
    sound = Waveform(speech(2))
    heads = [head(), corrections()]
    result = recognizer.configured(heads=heads).recognize(sound, granularity="frame")
    assert records.head_columns(heads) == (
        "head.service",
        "head.service.confidence",
        "head.service.满意",
        "head.service.不满意",
        "adaptation",
        "emotion_before",
    )
    archive = records.archive_csv([("run", result)]).splitlines()
    assert archive[0].startswith("run,name,")
    assert "head.service.满意" in archive[0]
    assert "head" not in records.archive_csv([("run", recognizer.recognize(sound))])
    assert "head.service.满意" in curve_table([result]).columns


# -- utterances


@pytest.mark.parametrize("embedding", [False, True])
def test_heads_judge_each_utterance_as_its_sound_alone(
    recognizer: Recognizer, *, embedding: bool
) -> None:
    turned = np.eye(COUNT)[::-1].copy()
    headed = recognizer.configured(heads=[head(), corrections(turned)])
    pause = np.zeros(16_000, np.float32)
    sound = Waveform(np.concatenate([sample("happy_zh.wav"), pause, sample("angry_en.wav")]))
    result = headed.recognize(sound, utterances=True, embedding=embedding)

    assert len(result.utterances) == 2
    for one in result.utterances:
        alone = headed.recognize(sound.cut(one.span))
        assert one.scores == alone.scores
        assert one.heads == {"service": alone.heads[0].scores}
        assert one.to_dict()["heads"]["service"] == alone.heads[0].scores
    assert result.utterance_set is not None
    vectors = result.utterance_set.embeddings
    assert (None if vectors is None else vectors.shape) == ((2, DIM) if embedding else None)
    plain = recognizer.recognize(sound, utterances=True)
    assert "heads" not in plain.utterances[0].to_dict()
    assert plain.utterances[0].scores != result.utterances[0].scores
