from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest

from emoscope.errors import AudioError, SettingError, VectorIndexError
from emoscope.results.scores import softmax
from emoscope.vectors import EntryDetails, Index
from emoscope.vectors import index as index_module
from emoscope.vectors import search as search_module
from emoscope.vectors.fitting import fit_emotion, fit_sound
from emoscope.vectors.search import best_first, dots
from emoscope.vectors.spaces import Space, read_spaces, write_spaces


@pytest.fixture
def index(tmp_path, make):
    with Index.create(tmp_path / "calls", like=make()) as made:
        for seed in range(30):
            emotion = "sad" if seed % 2 else "happy"
            origin = EntryDetails(f"/calls/{seed}.wav", run=f"run{seed}")
            made.add(make(seed, emotion=emotion), origin, segments=seed < 5)
        yield made


@pytest.mark.parametrize("shared", [1, 10**9])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_products_are_the_same_however_they_are_shared(monkeypatch, dtype, shared) -> None:
    monkeypatch.setattr(search_module, "_SHARED", shared)
    monkeypatch.setattr(search_module, "_PART", 7)
    monkeypatch.setattr(search_module, "_ROWS", 5)
    rng = np.random.default_rng(0)
    blocks = [rng.standard_normal((n, 16)).astype(dtype) for n in (30, 1, 0, 14)]
    target = rng.standard_normal(16).astype(np.float32)

    found = dots(blocks, target)

    assert np.allclose(found, np.concatenate(blocks).astype(np.float32) @ target, atol=1e-5)
    assert len(dots([], target)) == 0


def test_raw_search_is_exact_cosine(index, make) -> None:
    query = make(99).utterance_embedding
    vectors = np.stack([make(seed).utterance_embedding for seed in range(30)])
    cosines = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)

    hits = index.search(query, space="raw", count=30)

    assert [hit.entry.name for hit in hits] == [f"{n}.wav" for n in np.argsort(-cosines)]
    assert np.allclose([hit.cosine for hit in hits], np.sort(cosines)[::-1], atol=1e-6)


@pytest.mark.parametrize("space", ["emotion", "sound"])
def test_search_in_a_space_is_cosine_there(index, make, space) -> None:
    query = make(99).utterance_embedding
    vectors = np.stack([make(seed).utterance_embedding for seed in range(30)])
    there = index.space(space)
    cosines = there.apply(vectors) @ there.apply(query[None])[0]

    hits = index.search(query, space=space, count=3)

    assert [hit.entry.name for hit in hits] == [f"{n}.wav" for n in np.argsort(-cosines)[:3]]


def test_the_recording_itself_is_left_out(index, make) -> None:
    names = {hit.entry.name for hit in index.search(make(3), count=100)}

    assert names == {f"{n}.wav" for n in range(30)} - {"3.wav"}


def test_segments_are_searched_by_themselves(index, make) -> None:
    hits = index.search(make(99), count=100, segments=True)

    assert len(hits) == 10
    assert {hit.entry.kind for hit in hits} == {"segment"}


def test_only_what_may_be_shown_is_found(index, make) -> None:
    hits = index.search(make(99), count=3, accept=lambda entry: entry.run in {"run7", "run8"})

    assert {hit.entry.run for hit in hits} == {"run7", "run8"}


def test_removed_recordings_are_not_found(index, make) -> None:
    query = make(99)
    best = index.search(query, count=1)[0].entry
    index.store.remove_run(best.run)

    assert best.name not in {hit.entry.name for hit in index.search(query, count=100)}
    index.add(make(40))
    assert "40.wav" in {hit.entry.name for hit in index.search(query, count=100)}


def test_vectors_that_come_in_a_place_that_was_free_are_seen(index, make) -> None:
    target = make(77)
    index.search(target, count=1)
    index.store.remove_run("run4")
    index.add(replace(target, source=replace(target.source, sha256="f" * 64)))

    (hit,) = index.search(target, count=1, space="raw")

    assert hit.entry.name == "77.wav"
    assert np.isclose(hit.cosine, 1.0, atol=1e-5)


def test_an_empty_index_is_told(tmp_path, make) -> None:
    with (
        Index.create(tmp_path / "empty", like=make()) as index,
        pytest.raises(VectorIndexError) as caught,
    ):
        index.search(make())
    assert caught.value.code == "index_empty"


def test_a_recording_without_speech_is_refused(index, make) -> None:
    silent = make(98, abstain=("no_speech",))
    for attempt in (index.add, index.search):
        with pytest.raises(AudioError) as caught:
            attempt(silent)
        assert caught.value.code == "speech_missing"


def test_a_space_that_there_is_not_is_refused(index, make) -> None:
    with pytest.raises(SettingError):
        index.search(make(99), space="smell")


def test_how_near_is_told_by_random_pairs() -> None:
    rng = np.random.default_rng(0)
    space = Space("raw").measured(rng.standard_normal((2_000, 8)).astype(np.float32))

    assert abs(space.usual_cosines()["50%"]) < 0.05
    assert space.closer_than(-1.0) == 0.0
    assert space.closer_than(1.0) == 1.0
    assert space.closer_than(0.0) == pytest.approx(0.5, abs=0.02)
    assert Space("raw").closer_than(0.5) is None


def test_pairs_of_one_group_are_not_counted() -> None:
    vectors = np.repeat(np.eye(4, dtype=np.float32), 50, axis=0)
    groups = np.repeat(np.arange(4), 50)

    assert Space("raw").measured(vectors).closer_than(0.5) < 1.0
    assert Space("raw").measured(vectors, groups).usual.max() == 0.0


def voices(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vectors in which voices differ much and emotions little; scores, emotions, speakers."""
    rng = np.random.default_rng(seed)
    speakers, classes = np.repeat(np.arange(20), 30), np.tile(np.arange(3), 200)
    voice = rng.standard_normal((20, 3)) @ rng.standard_normal((3, 12)) * 3
    emotion = rng.standard_normal((3, 12))
    noise = rng.standard_normal((600, 12)) * 0.5
    vectors = voice[speakers] + emotion[classes] + noise + 3
    scores = softmax(vectors @ rng.standard_normal((12, 9)) * 0.1)
    return vectors.astype(np.float32), scores, classes, speakers


def same_emotion(space: Space, vectors, classes, speakers) -> float:
    mapped = space.apply(vectors)
    cosines = mapped @ mapped.T
    cosines[speakers[:, None] == speakers] = -2
    best = np.argsort(-cosines, axis=1)[:, :10]
    return float((classes[best] == classes[:, None]).mean())


def test_the_emotion_space_finds_emotions_of_other_voices() -> None:
    vectors, scores, classes, speakers = voices()
    half = speakers < 10
    test = vectors[~half], classes[~half], speakers[~half]

    fitted = fit_emotion(vectors[half], scores[half], classes[half], speakers[half], shrinkage=0.01)

    assert same_emotion(fitted, *test) > same_emotion(Space("raw"), *test) + 0.2


@pytest.mark.parametrize("count", [600, 23])
def test_the_models_classifier_is_found_from_its_scores(count) -> None:
    vectors, scores, _, _ = (part[:count] for part in voices())

    space = fit_emotion(vectors, scores)

    tolerance = 1e-5 if count == 600 else 0.1
    shares = space.apply(vectors)[:, -9:]
    shares /= np.linalg.norm(shares, axis=1, keepdims=True)
    assert np.allclose(shares, np.sqrt(scores), atol=tolerance)


def test_the_sound_space_is_white() -> None:
    vectors, *_ = voices()
    space = fit_sound(vectors, shrinkage=0.0, dim=12)
    mapped = (vectors - space.mean) @ space.matrix

    assert np.allclose(np.cov(mapped.T), np.eye(12), atol=0.01)


def test_fitting_needs_two_emotions() -> None:
    vectors, scores, classes, _ = voices()
    with pytest.raises(ValueError, match="one emotion"):
        fit_emotion(vectors, scores, np.zeros_like(classes))


def test_an_index_of_another_model_fits_its_own_spaces(index) -> None:
    assert index.space("emotion").origin == "fitted"
    assert index.space("sound").origin == "plain"  # too few to be whitened
    assert index.space("raw").origin == "plain"


def test_shipped_spaces_are_used_only_for_their_model(index, monkeypatch) -> None:
    mean = np.zeros(16, np.float32)
    ours = {"sound": Space("sound", "shipped", mean, np.eye(16, dtype=np.float32))}
    monkeypatch.setattr(index_module, "shipped_spaces", lambda sha: ours if sha == "a" * 64 else {})
    assert index.space("sound").origin == "shipped"
    assert index.space("emotion").origin == "fitted"


def test_spaces_are_read_back_without_unpickling() -> None:
    vectors, scores, classes, _ = voices()
    space = fit_emotion(vectors, scores, classes).measured(vectors)
    file = io.BytesIO()
    write_spaces(file, "b" * 64, {"emotion": space})
    file.seek(0)

    model, found = read_spaces(file)

    assert model == "b" * 64
    assert found["emotion"].origin == "shipped"
    assert np.allclose(found["emotion"].apply(vectors), space.apply(vectors), atol=2e-3)
    assert np.allclose(found["emotion"].usual, space.usual, atol=1e-6)


def test_equal_cosines_come_in_the_order_of_their_places() -> None:
    cosines = np.array([0.5, 0.9, 0.5, 0.5, 0.1, 0.9], np.float32)
    wanted = np.array([1, 1, 1, 0, 1, 1], np.bool_)

    assert list(best_first(cosines, wanted, 1)) == [1, 5, 0, 2, 4]
