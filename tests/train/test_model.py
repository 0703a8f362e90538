"""The trained model: front end, frames, masks, locality, and the law of the mean."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (train/requirements.txt)")

import frontend  # noqa: E402
import model as recipe_model  # noqa: E402
from whisper_encoder import EncoderShape  # noqa: E402


@pytest.fixture(scope="module")
def whole():
    torch.manual_seed(0)
    shape = recipe_model.Shape(encoder=EncoderShape(layers=2, reach=10), around=10, embedding=32)
    made = recipe_model.Model(shape)
    for parameter in made.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.03)
    return recipe_model.WholeModel(made).eval()


def ask(whole, waveforms, width=None):
    lengths = torch.tensor([len(waveform) for waveform in waveforms])
    batch = torch.zeros(len(waveforms), width or int(lengths.max()))
    for row, waveform in enumerate(waveforms):
        batch[row, : len(waveform)] = torch.from_numpy(waveform)
    with torch.inference_mode():
        return whole(batch, lengths)


def noise(size: int, seed: int = 0, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(size)).astype(np.float32)


def test_both_spectra_are_the_same() -> None:
    waveform = torch.from_numpy(noise(4_000))[None]

    exported, fast = frontend.Spectrum()(waveform), frontend.fast_power(waveform)

    torch.testing.assert_close(exported, fast, rtol=1e-3, atol=1e-4)


def test_mel_filters_are_slaneys() -> None:
    filters = frontend.mel_matrix()
    peaks_hz = filters.argmax(axis=0) * 40.0

    assert filters.shape == (201, 80)
    assert (np.diff(peaks_hz) >= 0).all()
    assert filters[:, -1].argmax() * 40.0 == pytest.approx(7_760, abs=80)
    # Unit area each: the height falls as the width grows.
    assert filters.sum(axis=0)[40:] * 40.0 == pytest.approx(np.ones(40), rel=0.1)


@pytest.mark.parametrize("size", [400, 559, 560, 719, 720, 721, 1_040, 16_000])
def test_frames_by_the_formula(whole, size) -> None:
    logits, embeddings, counts = ask(whole, [noise(size)])

    assert counts.tolist() == [frontend.frame_count(size)]
    assert logits.shape == (1, frontend.frame_count(size), 9)
    assert embeddings.shape == (1, frontend.frame_count(size), 32)


def test_padding_and_company_change_nothing(whole) -> None:
    clips = [noise(size, seed, 10.0**-seed) for seed, size in enumerate((400, 5_000, 16_123))]

    together = ask(whole, clips, width=30_000)

    for row, clip in enumerate(clips):
        alone = ask(whole, [clip])
        frames = alone[0].shape[1]
        for one, many in zip(alone[:2], together[:2], strict=True):
            torch.testing.assert_close(one[0], many[row, :frames], rtol=0, atol=1e-4)
            assert not many[row, frames:].any()


def test_what_is_far_away_is_not_heard(whole) -> None:
    size = 6 * 16_000
    one = noise(size, 1)
    two = one.copy()
    two[size // 2 :] = noise(size // 2, 2, level=0.9)

    first, second = ask(whole, [one])[0][0], ask(whole, [two])[0][0]

    # Loudest within 1 s, twice 0.2 s of attention, 0.2 s of statistics, and the windows themselves.
    reach = frontend.REACH // 2 + 2 * 10 + 10 + 3
    border = frontend.frame_count(size // 2)
    torch.testing.assert_close(first[: border - reach], second[: border - reach], rtol=0, atol=1e-4)
    assert not torch.allclose(first[border + 5 :], second[border + 5 :], atol=1e-3)


def test_level_does_not_enter(whole) -> None:
    loud, quiet = (ask(whole, [noise(16_000) * scale])[0] for scale in (1.0, 0.01))

    torch.testing.assert_close(loud, quiet, rtol=0, atol=1e-3)


def test_answer_is_linear_in_the_mean_embedding(whole) -> None:
    logits, embeddings, _ = ask(whole, [noise(20_000)])

    with torch.inference_mode():
        wanted = whole.model.head.logits(embeddings.mean(dim=1))

    torch.testing.assert_close(logits.mean(dim=1), wanted, rtol=0, atol=1e-5)


def test_window_sums_are_moving_sums() -> None:
    x = torch.randn(2, 9, 3, generator=torch.Generator().manual_seed(0))

    found = recipe_model.window_sums(x, 2)

    for at in range(9):
        wanted = x[:, max(0, at - 2) : at + 3].sum(dim=1)
        torch.testing.assert_close(found[:, at], wanted, rtol=0, atol=1e-5)


def test_silence_gives_finite_numbers(whole) -> None:
    logits, embeddings, _ = ask(whole, [np.zeros(5_000, np.float32), noise(9_000)])

    assert torch.isfinite(logits).all()
    assert torch.isfinite(embeddings).all()
