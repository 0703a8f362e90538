"""Parity: Emoscope gives the output of FunASR. Tiny model here, the large in ``test_full_size``.

``golden_tiny.npz`` holds what FunASR answered; the very same weights and clips are made again
from their seeds, in the official file layout, and go through the converter.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoscope.backends.base import Backend
from emoscope.backends.onnx_backend import OnnxBackend
from emoscope.backends.openvino_backend import OpenVinoBackend
from emoscope.emotion2vec.convert import convert
from emoscope.waveform import frame_count
from parity.clips import clip
from parity.compare import (
    MAX_FEATURE_ERROR,
    MAX_MEAN_ERROR,
    MAX_SCORE_ERROR,
    ask,
    compare,
    distance,
)
from parity.official_folder import SIZES, weights, write_folder

GOLDEN = Path(__file__).with_name("golden_tiny.npz")


@pytest.fixture(scope="module", params=[OnnxBackend, OpenVinoBackend])
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Backend:
    folder = tmp_path_factory.mktemp("official")
    write_folder(folder, SIZES["tiny"])
    return request.param(convert(folder, folder / "ours", name="tiny", revision="r").onnx_path)


def test_features_and_scores_are_those_of_funasr(backend: Backend) -> None:
    with np.load(GOLDEN) as golden:
        for line in compare(backend, golden):
            assert line.features <= MAX_FEATURE_ERROR
            assert line.worst_frame <= MAX_FEATURE_ERROR
            assert line.scores <= MAX_SCORE_ERROR


def test_the_golden_scores_are_worth_comparing() -> None:
    with np.load(GOLDEN) as golden:
        scores = [golden[f"scores_{i}"] for i in range(len(golden["seconds"]))]
    assert all(0.1 < score.max() < 0.9 for score in scores)


def test_a_mixed_batch_answers_as_one_by_one(backend: Backend) -> None:
    sounds = [clip(seconds, seed=i) for i, seconds in enumerate((1.7, 0.025, 0.2, 3.1))]

    together = ask(backend, sounds)

    for sound, answer in zip(sounds, together, strict=True):
        (alone,) = ask(backend, [sound])
        assert len(answer.features) == frame_count(len(sound))
        assert distance(answer.features, alone.features) <= MAX_FEATURE_ERROR
        assert np.abs(answer.scores - alone.scores).max() <= MAX_SCORE_ERROR


def test_what_stands_in_the_padding_does_not_matter(backend: Backend) -> None:
    sound = clip(1.0, seed=0)
    lengths = np.array([len(sound)], np.int64)
    dirty = np.full((1, 40_000), 0.9, np.float32)
    dirty[0, : len(sound)] = sound

    output = backend.run(dirty, lengths)

    (alone,) = ask(backend, [sound])
    assert output.frame_counts.tolist() == [49]
    assert distance(output.frame_embeddings[0, :49], alone.features) <= MAX_FEATURE_ERROR


def test_level_and_offset_do_not_matter(backend: Backend) -> None:
    # Each clip is normalised over its own samples, also beside one a hundred times louder.
    sound = clip(2.0, seed=3)

    quiet, loud = ask(backend, [0.01 * sound + 0.1, sound])

    assert distance(quiet.features, loud.features) < 1e-2


def test_the_mean_of_the_frame_logits_is_the_logits_of_the_mean_frame(backend: Backend) -> None:
    tensors = weights(SIZES["tiny"], 0)
    for seconds in (0.2, 3.0, 8.0):
        (answer,) = ask(backend, [clip(seconds, seed=1)])
        mean = answer.features.mean(axis=0, dtype=np.float64)
        utterance = tensors["proj.weight"] @ mean + tensors["proj.bias"]
        assert np.abs(answer.logits.mean(axis=0) - utterance).max() <= MAX_MEAN_ERROR


@pytest.mark.parametrize("count", [400, 719, 720, 16_000, 48_000])
def test_frame_counts_are_those_of_the_house(backend: Backend, count: int) -> None:
    (answer,) = ask(backend, [clip(1.0, seed=2)[:1].repeat(count) + np.float32(0.1)])

    assert len(answer.features) == frame_count(count)
    assert np.isfinite(answer.features).all()
