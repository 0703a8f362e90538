from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from batching import do_batch
from emoscope.backends.fake_backend import FakeBackend
from emoscope.batch.options import BatchOptions
from emoscope.cli import index as index_command
from emoscope.cli import main as cli
from emoscope.cli import recognize as recognize_command
from emoscope.cli import search as search_command
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.vectors import Index
from nonspeech import SOUNDS
from ran import Ran, run_here
from sounds import sample, wav

VOICES = ("angry_zh.wav", "happy_zh.wav", "sad_en.wav")


@pytest.fixture
def emoscope(monkeypatch, capsys, tmp_path):
    """Runs a command in this process over a model without weights; counts what it recognizes."""
    model = ModelRef("fake", "1", "0" * 64)

    class Counted(Recognizer):
        def recognize(self, *args, **options):
            run.recognized += 1
            return super().recognize(*args, **options)

    def open_model(_settings, limits):
        return Counted(FakeBackend(), run.model, limits=limits)

    for command in (index_command, search_command, recognize_command):
        monkeypatch.setattr(command, "open_model", open_model)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMOSCOPE_LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "200")
    Path("calls").mkdir()
    for name in VOICES:
        (Path("calls") / name).write_bytes(wav(sample(name)))

    def run(*arguments: object) -> Ran:
        return run_here(cli.main, capsys, *arguments)

    run.recognized = 0
    run.model = model
    return run


def test_a_folder_is_indexed_once(emoscope) -> None:
    ran = emoscope("index", "calls", "--to", "ix")
    assert (ran.code, ran.out) == (
        0,
        "3 recordings added, 0 known already, 0 failed; the index holds 3 vectors.\n",
    )

    ran = emoscope("index", "calls", "--to", "ix")

    assert ran.out.startswith("0 recordings added, 3 known already")
    assert emoscope.recognized == 3


def test_segments_are_added_to_what_is_known(emoscope) -> None:
    emoscope("index", "calls", "--to", "ix")
    assert emoscope("index", "calls", "--to", "ix", "--segments").code == 0
    with Index.open("ix") as index:
        kinds = [entry.kind for entry in index.store.all_entries()]
    assert kinds.count("clip") == 3
    assert kinds.count("segment") >= 3
    emoscope("index", "calls", "--to", "ix", "--segments")
    assert emoscope.recognized == 6


def test_a_list_gives_speakers_and_labels(emoscope) -> None:
    Path("list.csv").write_text(
        "path,speaker,emotion\n" + "".join(f"calls/{n},ann,calm\n" for n in VOICES), "utf-8"
    )
    emoscope("index", "list.csv", "--to", "ix")

    with Index.open("ix") as index:
        assert {(e.speaker, e.label) for e in index.store.all_entries()} == {("ann", "calm")}


def test_runs_are_indexed_from_their_embeddings_or_their_sound(emoscope) -> None:
    emoscope("recognize", "calls/sad_en.wav", "--save", "--embedding")
    emoscope("recognize", "calls/happy_zh.wav", "--save")
    kept, other = sorted(RunStore(Path("outputs")).names())
    ran = emoscope("index", "outputs", "--to", "ix")

    assert ran.out.startswith("2 recordings added"), ran.err
    assert emoscope.recognized == 1  # of the one without an embedding
    with Index.open("ix") as index:
        found = {entry.run: entry for entry in index.store.all_entries()}
        assert set(found) == {kept, other}
        mean = np.load(Path("outputs") / kept / "embedding.npy").mean(axis=0)
        (place,) = [n for n, e in enumerate(index.store.all_entries()) if e.run == kept]
        assert np.allclose(index.store.vectors(index.store.positions()[1])[place], mean, atol=1e-5)
    # The sound of a run is known as the recording that it was made from.
    assert emoscope("index", "calls/happy_zh.wav", "--to", "ix").out.startswith("0 recordings")


def test_search_prints_and_writes_json(emoscope) -> None:
    emoscope("index", "calls", "--to", "ix")

    ran = emoscope("search", "calls/sad_en.wav", "--index", "ix", "-k", "1", "--space", "raw")
    assert (ran.code, ran.err) == (0, "")
    assert "_zh.wav" in ran.out

    ran = emoscope("search", "calls/sad_en.wav", "--index", "ix", "--json")
    document = json.loads(ran.out)
    assert document["query"] == "sad_en.wav"
    assert {hit["name"] for hit in document["hits"]} == {"angry_zh.wav", "happy_zh.wav"}
    assert document["space"]["name"] == "emotion"
    cosines = [hit["cosine"] for hit in document["hits"]]
    assert cosines == sorted(cosines, reverse=True)


def test_a_run_is_a_query(emoscope) -> None:
    emoscope("index", "calls", "--to", "ix")
    emoscope("recognize", "calls/sad_en.wav", "--save", "--embedding")
    emoscope.recognized = 0
    (run,) = RunStore(Path("outputs")).names()

    ran = emoscope("search", f"outputs/{run}", "--index", "ix", "--json")

    assert {hit["name"] for hit in json.loads(ran.out)["hits"]} == set(VOICES) - {"sad_en.wav"}
    assert emoscope.recognized == 0


def test_one_bad_recording_ends_nothing(emoscope) -> None:
    Path("calls/bad.wav").write_bytes(b"no sound")
    ran = emoscope("index", "calls", "missing.wav", "--to", "ix")

    assert ran.code == 1
    assert "3 recordings added, 0 known already, 2 failed" in ran.out
    assert "[audio_not_recognized]" in ran.err
    assert "[source_not_found]" in ran.err


def test_another_model_is_told_before_the_work(emoscope) -> None:
    emoscope("index", "calls", "--to", "ix")
    emoscope.model = ModelRef("other", "2", "1" * 64)
    emoscope.recognized = 0

    for words in (
        ("index", "calls", "--to", "ix"),
        ("search", "calls/sad_en.wav", "--index", "ix"),
    ):
        ran = emoscope(*words)
        assert ran.code == 3
        assert "index_other_model" in ran.err
        assert "fake 1" in ran.err
        assert "other 2" in ran.err
    assert emoscope.recognized == 0


@pytest.mark.parametrize("words", [("search", "calls/sad_en.wav", "--index", "none")])
def test_no_index_is_told(emoscope, words) -> None:
    ran = emoscope(*words)

    assert (ran.code, "[index_not_found]" in ran.err) == (3, True)


def test_a_query_without_speech_is_refused(emoscope) -> None:
    emoscope("index", "calls", "--to", "ix")
    Path("room.wav").write_bytes(wav((0.1 * SOUNDS["beeps"](3.0)).astype(np.float32)))

    ran = emoscope("search", "room.wav", "--index", "ix")

    assert (ran.code, "[speech_missing]" in ran.err) == (3, True), ran.err


def test_a_full_disk_ends_the_work_and_keeps_what_was_added(emoscope, monkeypatch) -> None:
    emoscope("index", "calls/sad_en.wav", "--to", "ix")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("emoscope.vectors.shards.os.fsync", full)
        ran = emoscope("index", "calls", "--to", "ix")
    assert (ran.code, "[store_full]" in ran.err) == (5, True)
    assert "the index holds 1 vectors" in ran.out
    assert emoscope("index", "calls", "--to", "ix").out.startswith("2 recordings added")


def test_cluster_writes_a_table_a_picture_and_a_page(emoscope) -> None:
    for number in range(8):
        sound = 0.5 ** (number % 3) * sample(VOICES[number % 3])
        (Path("calls") / f"{number}.wav").write_bytes(wav(sound[number * 800 :]))
    emoscope("index", "calls", "--to", "ix")

    ran = emoscope("cluster", "--index", "ix", "--clusters", "3", "-o", "drawn")

    assert ran.code == 0, ran.err
    assert "Group 2" in ran.out
    assert {path.name for path in Path("drawn").iterdir()} == {
        *("clusters.csv", "map.svg", "map.html")
    }
    assert (
        len(Path("drawn/clusters.csv").read_text("utf-8").splitlines()) == 11
    )  # 0.wav is known already


def test_cluster_needs_a_number_and_enough_recordings(emoscope) -> None:
    emoscope("index", "calls", "--to", "ix")
    for words, code, exit_code in (
        (("--clusters", "1"), "setting_invalid", 2),
        (("--clusters", "many"), "setting_invalid", 2),
        ((), "clusters_too_few", 3),
    ):
        ran = emoscope("cluster", "--index", "ix", *words)
        assert (ran.code, f"[{code}]" in ran.err) == (exit_code, True), ran.err


@pytest.mark.process
def test_approximate_search_is_made_asked_and_told(emoscope) -> None:
    pytest.importorskip("lancedb")
    query = ("search", "calls/sad_en.wav", "--index", "ix", "--approximate")
    emoscope("index", "calls", "--to", "ix")
    ran = emoscope(*query)
    assert ran.code == 3
    assert "approximate_missing" in ran.err
    assert "--to INDEX --approximate SPACE" in ran.err

    for space in ("emotion", "raw"):
        ran = emoscope("index", "--to", "ix", "--approximate", space)
        assert (ran.code, ran.err) == (0, "")
        assert "3 vectors, so few that all are looked at" in ran.out
    ran = emoscope(*query, "--json")
    document = json.loads(ran.out)
    exact = json.loads(emoscope(*query[:-1], "--json").out)
    assert document["hits"] == exact["hits"]
    assert document["approximate"]["rows"] == 3
    assert exact.get("approximate") is None
    assert "100.0% are found" in emoscope(*query, "--space", "raw").out

    (Path("calls") / "new.wav").write_bytes(wav(sample("happy_zh.wav")[::-1]))
    emoscope("index", "calls", "--to", "ix")
    ran = emoscope(*query)
    assert (ran.code, "approximate_stale" in ran.err) == (3, True)
    assert emoscope("index", "calls", "--to", "ix", "--approximate", "emotion").code == 0
    assert emoscope(*query).code == 0


def test_a_folder_with_other_files_is_told_before_the_work(emoscope) -> None:
    ran = emoscope("index", "calls", "--to", "calls")
    assert (ran.code, emoscope.recognized) == (3, 0)
    assert "[index_folder_taken]" in ran.err


def test_an_index_that_a_killed_process_began_is_made(emoscope) -> None:
    Path("ix").mkdir()
    (Path("ix") / ".tmp-index.sqlite").write_bytes(b"half")
    assert emoscope("index", "calls", "--to", "ix").code == 0
    assert emoscope("index", "calls", "--to", "ix").out.startswith("0 recordings added, 3 known")


def test_index_needs_something_to_do(emoscope) -> None:
    assert emoscope("index", "--to", "ix").code == 2
    ran = emoscope("index", "--to", "ix", "--approximate", "emotion")
    assert (ran.code, "index_not_found" in ran.err or "lancedb" in ran.err) == (3, True)


def test_the_output_of_a_batch_is_indexed_without_recognizing_again(emoscope, tmp_path) -> None:
    lines = "".join(f"calls/{name},{name[:5]},s{at}\n" for at, name in enumerate(VOICES))
    Path("list.csv").write_text("path,label,speaker\n" + lines)
    do_batch(["list.csv"], tmp_path / "out")
    emoscope("index", "list.csv", "--to", "by-hand")
    emoscope.recognized = 0

    ran = emoscope("index", "out", "--to", "ix")

    assert (ran.code, emoscope.recognized) == (0, 0)
    assert ran.out.startswith("3 recordings added, 0 known already, 0 failed")
    with Index.open("ix") as index, Index.open("by-hand") as other:
        assert index.store.all_entries() == other.store.all_entries()
        vectors = index.store.vectors(index.store.positions()[1])
        assert np.array_equal(vectors, other.store.vectors(other.store.positions()[1]))
    assert emoscope("index", "out", "--to", "ix").out.startswith("0 recordings added, 3 known")
    assert "happy_zh.wav" in emoscope("search", "calls/angry_zh.wav", "--index", "ix").out


def test_an_output_without_vectors_is_refused(emoscope, tmp_path) -> None:
    do_batch(["calls"], tmp_path / "out", options=BatchOptions(embedding="none"))
    ran = emoscope("index", "out", "--to", "ix")
    assert (ran.code, "[batch_without_vectors]" in ran.err) == (3, True)
    do_batch(["calls"], tmp_path / "more")
    ran = emoscope("index", "more", "--to", "ix", "--segments")
    assert (ran.code, "[batch_without_segments]" in ran.err) == (3, True)
    emoscope.model = ModelRef("other", "1", "1" * 64)
    emoscope("index", "calls", "--to", "of-another")
    ran = emoscope("index", "more", "--to", "of-another")
    assert (ran.code, "[index_other_model]" in ran.err) == (3, True)
