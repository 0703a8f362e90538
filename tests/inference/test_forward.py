"""Padding and batching change nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.backends.base import Backend, Output
from emoscope.backends.fake_backend import FakeBackend
from emoscope.backends.onnx_backend import OnnxBackend
from emoscope.inference.batching import ALONE, GPU_BATCH_SAMPLES, Batcher, batch_budget
from emoscope.inference.forward import Forward
from emoscope.waveform import Samples, frame_count
from raising import raises_code

TINY = Path(__file__).parents[1] / "assets" / "tiny.onnx"

lengths_lists = st.lists(
    st.integers(400, 12_000) | st.sampled_from([400, 719, 720, 721, 1_039, 1_040]),
    min_size=1,
    max_size=12,
)


@pytest.fixture(scope="module", params=["fake", "tiny"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Two backends that keep the contract, one of them a real model file."""
    return FakeBackend() if request.param == "fake" else OnnxBackend(TINY, threads=1)


def noises(lengths: list[int], seed: int) -> list[Samples]:
    """Clips that differ in level, so that one that leaks into another shows."""
    rng = np.random.default_rng(seed)
    return [
        (rng.standard_normal(length) * 10 ** rng.uniform(-3, -0.5)).astype(np.float32)
        for length in lengths
    ]


@given(lengths=lengths_lists, seed=st.integers(0, 999), budget=st.sampled_from([1, 30_000, 10**6]))
def test_one_by_one_is_any_batch(
    backend: Backend, lengths: list[int], seed: int, budget: int
) -> None:
    clips = noises(lengths, seed)
    together = Batcher(Forward(backend), max_padded_samples=budget).run(clips)

    assert len(together) == len(clips)
    for clip, batched in zip(clips, together, strict=True):
        (alone,) = Forward(backend).run([clip])
        rows = frame_count(len(clip))
        assert batched.logits.shape == alone.logits.shape == (rows, 9)
        assert batched.embeddings.shape == alone.embeddings.shape == (rows, backend.dim)
        np.testing.assert_allclose(batched.logits, alone.logits, atol=1e-4, rtol=0)
        np.testing.assert_allclose(batched.embeddings, alone.embeddings, atol=1e-4, rtol=0)


@given(st.permutations(range(8)))
def test_the_order_of_the_clips_is_the_order_of_the_answers(order: list[int]) -> None:
    clips = noises([1_000 + 500 * i for i in range(8)], 1)
    forward = Forward(FakeBackend())
    straight = forward.run(clips)
    shuffled = forward.run([clips[i] for i in order])

    for place, i in enumerate(order):
        np.testing.assert_array_equal(shuffled[place].logits, straight[i].logits)


@given(st.lists(st.integers(400, 40_000), max_size=20), st.integers(1, 100_000))
def test_each_clip_runs_once_and_the_budget_is_kept(lengths: list[int], budget: int) -> None:
    backend = FakeBackend()
    batcher = Batcher(Forward(backend), max_padded_samples=budget)
    batcher.run([np.zeros(n, np.float32) for n in lengths])

    assert sum(clips for clips, _ in backend.batches) == len(lengths)
    for clips, size in backend.batches:
        assert clips * size <= budget or clips == 1


def test_alike_clips_run_together_by_default() -> None:
    backend = FakeBackend()
    Batcher(Forward(backend)).run(noises([16_000] * 5, 0))

    assert backend.batches == [(5, 16_000)]
    assert GPU_BATCH_SAMPLES >= 5 * 16_000


def test_nothing_in_nothing_out() -> None:
    assert Forward(FakeBackend()).run([]) == []


def test_a_clip_below_one_frame_is_refused_before_anything_runs() -> None:
    backend = FakeBackend()

    with pytest.raises(ValueError, match="400"):
        Forward(backend).run([*noises([16_000], 0), np.zeros(399, np.float32)])
    assert backend.batches == []


def test_the_callers_clips_are_left_as_they_were() -> None:
    clips = noises([900, 2_000], 0)
    before = [clip.copy() for clip in clips]
    Forward(OnnxBackend(TINY, threads=1)).run(clips)

    for clip, copy in zip(clips, before, strict=True):
        np.testing.assert_array_equal(clip, copy)


class _Broken(FakeBackend):
    """Gives what a model file that does not keep the contract would give."""

    def __init__(self, spoil: Callable[[Output], Output]) -> None:
        super().__init__()
        self._spoil = spoil

    def run(self, waveform: np.ndarray, lengths: np.ndarray) -> Output:
        """Run, and spoil the answer."""
        return self._spoil(super().run(waveform, lengths))


def _with_nan(output: Output) -> Output:
    output.frame_logits[-1, 0, 4] = np.nan
    return output


SPOILERS: dict[str, Callable[[Output], Output]] = {
    "a frame too many": lambda o: Output(o.frame_logits, o.frame_embeddings, o.frame_counts + 1),
    "count of the padded length": lambda o: Output(
        o.frame_logits, o.frame_embeddings, np.full_like(o.frame_counts, o.frame_counts.max())
    ),
    "rows missing": lambda o: Output(o.frame_logits[:, :-1], o.frame_embeddings, o.frame_counts),
    "vectors missing": lambda o: Output(o.frame_logits, o.frame_embeddings[:, :-1], o.frame_counts),
    "not a number": _with_nan,
    "infinite vectors": lambda o: Output(
        o.frame_logits, np.full_like(o.frame_embeddings, np.inf), o.frame_counts
    ),
}


@pytest.mark.parametrize("spoil", SPOILERS.values(), ids=SPOILERS)
def test_a_model_that_breaks_the_contract_is_told_apart_from_bad_sound(
    spoil: Callable[[Output], Output],
) -> None:
    clips = noises([16_000, 15_000], 0)

    with raises_code("model_contract"):
        Forward(_Broken(spoil)).run(clips)


def test_numbers_past_a_clips_own_end_mean_nothing() -> None:
    """The contract leaves them free, so NaN there is no fault."""

    def spoil(output: Output) -> Output:
        shortest = int(output.frame_counts.min())
        row = int(output.frame_counts.argmin())
        output.frame_logits[row, shortest:] = np.nan
        return output

    clips = noises([16_000, 15_000], 0)
    for output in Forward(_Broken(spoil)).run(clips):
        assert np.isfinite(output.logits).all()


def test_a_rounded_model_runs_each_clip_alone() -> None:
    """Its rounding depends on the company in the last bit, and its answer must not."""
    backend = FakeBackend()
    budget = batch_budget("cpu", is_rounded=True)
    Batcher(Forward(backend), max_padded_samples=budget).run(noises([16_000] * 3, 0))

    assert backend.batches == [(1, 16_000)] * 3
    assert batch_budget("cuda", is_rounded=True) == ALONE
    assert batch_budget("cpu", is_rounded=False) == ALONE
    assert batch_budget("cuda", is_rounded=False) == GPU_BATCH_SAMPLES
