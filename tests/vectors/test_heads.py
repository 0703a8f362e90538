"""Training of heads: the list, the folds, the figures, and when a head is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from conftest import make_speech
from emoscope.backends.fake_backend import FakeBackend
from emoscope.cli import main
from emoscope.cli.evaluate_show import head_notes
from emoscope.evaluate.bootstrap import SpeakerBootstrap
from emoscope.labels import COUNT
from emoscope.models import head_folder
from emoscope.models.training_clips import TrainingClips
from emoscope.outputs import history
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.heads import HeadLabel
from emoscope.results.result import Failure, ModelRef
from emoscope.results.scores import softmax
from emoscope.vectors import Entry
from emoscope.vectors.facts import IndexFacts
from emoscope.vectors.head_evaluation import evaluate_head
from emoscope.vectors.head_figures import expected_error, forecast
from emoscope.vectors.head_fit import fit_chosen, fit_maps, speaker_folds
from emoscope.vectors.head_list import HeadData, check_head_data, embed_clips, read_head_list
from emoscope.vectors.heads import train_head
from emoscope.vectors.store import VectorStore
from emoscope.waveform import Waveform
from raising import raises_code
from sounds import noise, wav

MODEL = ModelRef("fake", "1", "0" * 64)


def label(key: str) -> HeadLabel:
    return HeadLabel(key, key, key, "", "#000000")


def made(
    *, clips: int = 20, speakers: int = 6, classes: Sequence[str] = ("a", "b"), apart: float = 3.0
) -> HeadData:
    """Vectors of 8 numbers, of which the first tells the classes ``apart``, in every speaker."""
    numbers = np.random.default_rng(0)
    count = clips * speakers
    truth = np.arange(count) % len(classes)
    vectors = numbers.standard_normal((count, 8)).astype(np.float32)
    vectors[:, 0] += apart * truth
    scores = softmax(numbers.standard_normal((count, COUNT)))
    names = tuple(f"s{at // clips}" for at in range(count))
    return HeadData(tuple(label(key) for key in classes), vectors, scores, truth, names)


# -- the fit


def test_no_speaker_is_on_both_sides() -> None:
    data = made()
    tested = []
    for train, test in speaker_folds(data.truth, data.speakers):
        heard = {data.speakers[at] for at in train}
        assert not heard & {data.speakers[at] for at in test}
        tested += test.tolist()
    assert sorted(tested) == list(range(len(data.truth)))


@pytest.mark.parametrize("classes", [("a", "b"), ("a", "b", "c")])
def test_the_folded_map_gives_what_scikit_learn_gives(classes: tuple[str, ...]) -> None:
    from sklearn.linear_model import LogisticRegression

    data = made(classes=classes)
    vectors = data.vectors.astype(float)
    (mine,) = fit_maps(vectors, data.truth, len(classes), [0.1])
    plain = (vectors - vectors.mean(axis=0)) / (vectors.std(axis=0) + 1e-6)
    theirs = LogisticRegression(C=0.1, class_weight="balanced", tol=1e-6).fit(plain, data.truth)
    expected = theirs.predict_proba(plain)
    assert softmax(mine.logits(vectors)) == pytest.approx(expected, abs=1e-2)


def test_a_class_without_clips_never_wins() -> None:
    data = made()
    (one,) = fit_maps(data.vectors.astype(float), data.truth, 3, [0.1])
    assert one.logits(data.vectors.astype(float)).argmax(axis=1).max() == 1


def test_the_temperature_makes_scores_as_sure_as_they_are_right() -> None:
    data = made(clips=60, apart=1.0)
    vectors = data.vectors.astype(float)
    half = np.array([name in ("s0", "s1", "s2") for name in data.speakers])
    speakers = [name for name, there in zip(data.speakers, half, strict=True) if there]
    fitted = fit_chosen(vectors[half], data.truth[half], speakers, 2)
    assert expected_error(data.truth[~half], fitted.map.logits(vectors[~half])) < 0.12


# -- the figures


@given(st.integers(0, 1_000), st.integers(2, 6))
def test_uar_equals_scikit_learn(seed: int, speakers: int) -> None:
    numbers = np.random.default_rng(seed)
    truth, answer = numbers.integers(0, 3, (2, 50))
    truth[:3] = (0, 1, 2)
    names = [str(name) for name in numbers.integers(0, speakers, 50)]
    bootstrap = SpeakerBootstrap(truth, names, 3)
    estimate = bootstrap.estimate(answer)
    assert estimate.value == pytest.approx(balanced_accuracy_score(truth, answer))
    assert estimate.low <= estimate.value + 0.2
    assert estimate.low <= estimate.high
    same = bootstrap.difference(answer, answer)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_a_speaker_is_drawn_with_all_clips() -> None:
    """One speaker all right and one all wrong: the interval is from 0 to 1."""
    truth = np.array([0, 1] * 20)
    answer = np.where(np.arange(40) < 20, truth, 1 - truth)
    names = ["x"] * 20 + ["y"] * 20
    estimate = SpeakerBootstrap(truth, names, 2).estimate(answer)
    assert (estimate.value, estimate.low, estimate.high) == (0.5, 0.0, 1.0)


def test_a_curve_that_rises_goes_on_and_ends_at_one() -> None:
    flat = np.full(10, 0.5)
    risen = forecast([50, 100, 200], [(0.5, flat), (0.6, flat + 0.1), (0.7, flat + 0.2)])
    assert risen.value == pytest.approx(0.8)
    assert (risen.low, risen.high) == pytest.approx((0.8, 0.8))
    top = forecast([50, 100], [(0.5, flat), (0.95, flat + 0.45)])
    assert top.value == 1.0


# -- the training


def test_a_head_that_knows_more_than_the_nine_is_better() -> None:
    head, report = train_head("x", made(), MODEL, licence="CC0")
    assert report.is_better
    assert report.uar.value > 0.8
    assert report.baseline in ("mapped", "majority")
    assert report.gain.value == pytest.approx(report.uar.value - report.baseline_uar.value)
    assert head.card["licence"] == "CC0"
    assert head.card["uar"] == report.uar.to_list()
    assert head.model.sha256 == MODEL.sha256
    assert sum(map(sum, report.confusion)) == report.clips == 120
    data = made()
    answers = head.logits(data.vectors).argmax(axis=1)
    assert (answers == data.truth).mean() > 0.8


def test_a_head_that_learned_nothing_is_not() -> None:
    _, report = train_head("x", made(apart=0.0), MODEL)
    assert not report.is_better
    assert report.gain.low <= 0


def test_emotions_of_the_same_names_are_what_stands_there() -> None:
    data = made(classes=("happy", "Sad"), apart=0.0)
    scores = np.full((len(data.truth), COUNT), 0.01)
    scores[np.arange(len(data.truth)), np.where(data.truth == 0, 3, 6)] = 0.92
    scores[:, 4] = 1.0  # the model says neutral throughout, and these two come after it
    given_scores = HeadData(data.labels, data.vectors, scores, data.truth, data.speakers)
    _, report = train_head("x", given_scores, MODEL)
    assert report.baseline == "emotions"
    assert report.baseline_uar.value == 1.0
    assert not report.is_better


def test_the_same_list_gives_the_same_head() -> None:
    one, _ = train_head("x", made(), MODEL)
    two, _ = train_head("y", made(), MODEL)
    assert one.sha256 == two.sha256


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (made(clips=2), "head_list_few"),
        (made(clips=20, speakers=2), "head_list_speakers"),
    ],
)
def test_too_little_is_refused(data: HeadData, code: str) -> None:
    with raises_code(code):
        check_head_data(data)


# -- the list

HEADER = "file,verdict,who,label_zh,licence"


def clip(folder: Path, name: str, level: float, seed: int) -> None:
    hiss = np.random.default_rng(seed).standard_normal(8_000)
    folder.joinpath(name).write_bytes(wav(level * hiss))


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    """Quiet and loud clips by four speakers: the fake model's embedding is the loudness."""
    rows = [HEADER]
    for at in range(48):
        loud = at % 2
        clip(tmp_path, f"{at}.wav", 0.2 if loud else 0.02, at)
        rows.append(
            f"{at}.wav,{'loud' if loud else 'quiet'},s{at // 12},{'响' if loud else ''},CC0"
        )
    path = tmp_path / "list.csv"
    path.write_text("\n".join(rows), "utf-8")
    return path


def read(path: Path, *, needs_speakers: bool = True):
    return read_head_list(
        path, label_column="verdict", speaker_column="who", needs_speakers=needs_speakers
    )


def test_a_list_is_read_with_what_labels_look_like(listing: Path) -> None:
    found = read(listing)
    assert [(one.key, one.zh, one.en) for one in found.labels] == [
        ("loud", "响", "loud"),
        ("quiet", "quiet", "quiet"),
    ]
    assert len(found.clips) == 48
    assert found.clips[0].licence == "CC0"


def test_a_list_without_speakers_is_refused_unless_they_are_not_needed(listing: Path) -> None:
    with raises_code("head_list_no_speakers"):
        read_head_list(listing, label_column="verdict")
    assert len(read_head_list(listing, label_column="verdict", needs_speakers=False).clips) == 48


@pytest.mark.parametrize("labels", [["one"] * 9, [str(at) for at in range(33)]])
def test_one_label_or_too_many_are_refused(tmp_path: Path, labels: list[str]) -> None:
    path = tmp_path / "list.csv"
    rows = [f"{at}.wav,{one},s{at}" for at, one in enumerate(labels)]
    path.write_text("\n".join(["path,label,speaker", *rows]), "utf-8")
    with raises_code("head_list_classes"):
        read_head_list(path)


def test_the_same_file_counts_once_and_with_two_labels_not_at_all(listing: Path) -> None:
    lines = listing.read_text("utf-8").splitlines()
    lines += [lines[1], "1.wav,quiet,s9,,", "none.wav,loud,s1,,", ",loud,s1,,"]
    listing.write_text("\n".join(lines), "utf-8")
    data = embed_clips(Recognizer(FakeBackend(), MODEL), read(listing))
    assert (len(data.truth), data.repeated, data.contradicted) == (47, 2, 1)
    assert [one.error.code for one in data.failures] == ["list_malformed", "source_not_found"]
    assert all(isinstance(one, Failure) for one in data.failures)


def test_a_label_of_one_speaker_is_refused(listing: Path) -> None:
    text = listing.read_text("utf-8")
    rows = [row for row in text.splitlines() if ",loud," not in row or ",s0," in row]
    rows += [f"{at}.wav,loud,s0,," for at in range(13, 30, 2)]
    listing.write_text("\n".join(rows), "utf-8")
    with raises_code("head_list_one_speaker"):
        embed_clips(Recognizer(FakeBackend(), MODEL), read(listing))


def test_three_clips_are_refused(listing: Path) -> None:
    listing.write_text("\n".join(listing.read_text("utf-8").splitlines()[:4]), "utf-8")
    with raises_code("head_list_speakers"):
        embed_clips(Recognizer(FakeBackend(), MODEL), read(listing))


def test_a_head_is_evaluated_on_another_list(listing: Path, tmp_path: Path) -> None:
    recognizer = Recognizer(FakeBackend(), MODEL)
    head, _ = train_head("x", embed_clips(recognizer, read(listing)), MODEL)
    rows = ["path,label,speaker", "0.wav,quiet,s0", "1.wav,loud,s1", "2.wav,strange,s1"]
    other = tmp_path / "other.csv"
    other.write_text("\n".join(rows), "utf-8")
    found = evaluate_head(recognizer, other, head)
    assert (found.clips, found.speakers, found.uar.value) == (2, 2, 1.0)
    assert [one.error.code for one in found.failures] == ["head_label_unknown"]
    assert {note.code for note in head_notes(found)} >= {"few_speakers"}


def test_figures_of_a_head_on_its_own_training_clips_are_stamped(
    listing: Path, tmp_path: Path
) -> None:
    recognizer = Recognizer(FakeBackend(), MODEL)
    head, _ = train_head("x", embed_clips(recognizer, read(listing)), MODEL)

    mine = tmp_path / "mine.csv"
    mine.write_text("path,label,speaker\n0.wav,quiet,s0\n1.wav,loud,\n", "utf-8")

    own = evaluate_head(recognizer, mine, head)

    assert own.training is not None
    assert [Path(one).name for one in own.training.files] == ["0.wav", "1.wav"]
    assert own.training.speakers == ("s0",)
    assert own.training.found
    assert own.to_dict()["flattered"] is True
    assert head_notes(own)[0].code == "head_trained_on"
    unknown = evaluate_head(recognizer, mine, replace(head, trained_on=None))
    assert unknown.training is None
    assert head_notes(unknown)[0].code == "head_training_unknown"
    other = tmp_path / "one.csv"
    (tmp_path / "new.wav").write_bytes(wav(noise(1.37, level=0.2)))
    other.write_text("path,label,speaker\nnew.wav,loud,elsewhere\n", "utf-8")
    found = evaluate_head(recognizer, other, head)
    assert found.training is not None
    assert not found.training.found
    assert found.to_dict()["uar"][1:] == [None, None], "one speaker has no interval"


# -- the command


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The command with the fake model, its heads in the folder of the test."""
    monkeypatch.setenv("EMOSCOPE_DATA", str(tmp_path / "data"))
    fake = Recognizer(FakeBackend(), MODEL)
    for module in ("head_show", "recognize"):
        monkeypatch.setattr(
            f"emoscope.cli.{module}.open_model",
            lambda settings, _limits: fake.configured(heads=settings.heads),
        )

    def run(*line: str) -> int:
        try:
            main.main(list(line))
        except SystemExit as left:
            return int(left.code or 0)
        return 0

    return run


def test_a_head_from_list_to_answer(
    command, listing: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    columns = ("--label-column", "verdict", "--speaker-column", "who")
    # What is told by loudness alone, the nine of the fake model tell as well: no gain.
    order = ("head", "train", str(listing), "--name", "level", *columns, "--keep-anyway")
    assert command(*order, "--json") == 0
    figures = json.loads(capfd.readouterr().out)
    assert figures["uar"][0] > 0.95
    assert figures["grouped_by_speaker"] is True

    assert command("head", "list", "--json") == 0
    (row,) = json.loads(capfd.readouterr().out)
    assert (row["name"], row["labels"], row["kind"]) == ("level", ["loud", "quiet"], "classes")
    assert command("head", "show", "level", "--lang", "en") == 0
    assert "speakers not heard" in capfd.readouterr().out

    assert command("recognize", str(tmp_path / "1.wav"), "--head", "level", "--csv") == 0
    header, line = capfd.readouterr().out.splitlines()
    cells = dict(zip(header.split(","), line.split(","), strict=True))
    assert cells["head.level"] == "loud"
    assert command("recognize", str(tmp_path / "1.wav"), "--head", "level", "--lang", "zh") == 0
    assert "响" in capfd.readouterr().out
    assert command("evaluate", str(listing), "--head", "level") == 3  # no column called label
    assert command("head", "remove", "level") == 0
    assert command("recognize", str(tmp_path / "1.wav"), "--head", "level") == 3
    assert "head_unknown" in capfd.readouterr().err


def test_a_head_that_is_not_better_is_kept_only_when_asked(
    command, listing: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    turned = [row.split(",") for row in listing.read_text("utf-8").splitlines()]
    for at, row in enumerate(turned[1:]):
        row[1] = "ab"[(at // 2) % 2]  # has nothing to do with the sound
    listing.write_text("\n".join(map(",".join, turned)), "utf-8")
    line = ("head", "train", str(listing), "--name", "x", "--label-column", "verdict")
    speakers = ("--speaker-column", "who")
    assert command(*line) == 3
    assert "head_list_no_speakers" in capfd.readouterr().err
    assert command(*line, *speakers, "--lang", "en") == 3
    told = capfd.readouterr()
    assert "head_not_better" in told.err
    assert "--keep-anyway" in told.err
    assert "Without it" in told.out
    assert head_folder.head_names() == []
    assert command(*line, "--no-speakers", "--keep-anyway") == 0
    assert head_folder.open_head("x").card["grouped_by_speaker"] is False
    assert command(*line, *speakers, "--keep-anyway") == 3
    assert "head_exists" in capfd.readouterr().err


def test_a_head_tells_what_an_index_shares_with_its_training_list(
    command, listing: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    clip(tmp_path, "new.wav", 0.1, 99)
    clip(tmp_path, "other.wav", 0.1, 98)
    who = {"0.wav": "s0", "1.wav": "s0", "2.wav": "", "new.wav": "s3", "other.wav": "s9"}
    scores = (1.0, *(0.0,) * (COUNT - 1))
    with VectorStore.create(tmp_path / "calls", IndexFacts.of(MODEL, 4)) as store:
        for name, speaker in who.items():
            sha256 = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
            for owner in ("", "again"):
                entry = Entry(
                    name=name, sha256=sha256, start_s=0, end_s=1, scores=scores, speaker=speaker
                )
                store.add([(entry, np.ones(4, np.float32))], owner=owner)
    columns = ("--label-column", "verdict", "--speaker-column", "who", "--keep-anyway")
    order = ("head", "train", str(listing), "--name", "level", *columns, "--json")
    found = ("--index", str(tmp_path / "calls"))
    assert command(*order, "--index", str(tmp_path / "none")) == 3
    assert "index_not_found" in capfd.readouterr().err
    assert command(*order, *found) == 0
    told = json.loads(capfd.readouterr().out)["shared"]
    assert (told["recordings"], told["trained_on"]) == (5, 3)
    assert (told["speakers"], told["speaker_recordings"]) == (["s0", "s3"], 1)
    assert command("head", "show", "level", *found, "--json") == 0
    shown = json.loads(capfd.readouterr().out)
    assert shown["shared"] == told
    assert "trained_on" not in shown
    assert command("head", "show", "level", *found, "--lang", "en") == 0
    assert "5 recordings: 3 were trained on, and 1 more" in " ".join(capfd.readouterr().out.split())

    head = head_folder.open_head("level")
    elsewhere = replace(head, trained_on=TrainingClips.of(["0" * 64]))
    head_folder.save_head(elsewhere, replace=True)
    assert command("head", "show", "level", *found, "--lang", "en") == 0
    assert "none was trained on" in capfd.readouterr().out
    head_folder.save_head(replace(head, trained_on=None), replace=True)
    assert command("head", "show", "level", *found, "--lang", "en") == 0
    assert "no record" in capfd.readouterr().out


def test_corrections_of_a_folder_become_a_head(
    command, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = RunStore(tmp_path / "outputs")
    fake = Recognizer(FakeBackend(), MODEL)
    order = ("head", "train", "--from-corrections", str(store.root), "--name", "fixes")
    assert command(*order) == 3
    assert "corrections_few" in capfd.readouterr().err
    for seed in range(10):
        sound = Waveform(make_speech(3.0, seed=seed, level=0.05))
        run = store.save(fake.recognize(sound, granularity="frame"), sound).name
        row = {"start_s": 0, "end_s": sound.duration_s, "emotion": "sad"}
        history.correct(store, run, [row], now=lambda: datetime.now(UTC))
    assert command(*order, "--json") == 0
    assert json.loads(capfd.readouterr().out)["changed_right"] == [0, 10]
    assert command("head", "show", "fixes", "--lang", "en") == 0
    assert "corrected segments (10)" in capfd.readouterr().out
    (tmp_path / "a.wav").write_bytes(wav(make_speech(3.0, seed=20, level=0.05)))
    assert command("recognize", str(tmp_path / "a.wav"), "--head", "fixes", "--csv") == 0
    header, line = capfd.readouterr().out.splitlines()
    cells = dict(zip(header.split(","), line.split(","), strict=True))
    assert (cells["emotion"], cells["emotion_before"]) == ("sad", "neutral")
    assert command("head", "train", "--name", "x") == 2
