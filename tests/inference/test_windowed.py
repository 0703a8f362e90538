"""Windows glued into one curve."""

from __future__ import annotations

import numpy as np
import pytest

from emoscope.backends.base import Output
from emoscope.backends.fake_backend import FakeBackend
from emoscope.inference.forward import Forward
from emoscope.inference.windowed import CONTEXT_S, WHOLE_S, WINDOW_S, WindowedInference, run_windows
from emoscope.waveform import HOP_S, RATE_HZ, Samples, Waveform, frame_count


class _Moody(FakeBackend):
    """Says of every frame what holds for the whole window: as unlike its neighbours as can be."""

    def run(self, waveform: Samples, lengths: np.ndarray) -> Output:
        output = super().run(waveform, lengths)
        mood = np.sin(1e4 * float(waveform.mean(dtype=np.float64)))
        output.frame_logits[..., 3] = mood
        output.frame_embeddings[:] = mood
        return output


@pytest.mark.parametrize("duration_s", [31.0, 45.5, 100.0])
def test_the_curve_has_no_seams(duration_s: float) -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, round(duration_s * RATE_HZ))
    sound = Waveform(samples.astype(np.float32))
    backend = _Moody()
    track, embedding = run_windows(
        sound, WindowedInference(Forward(backend), find_speech=False), embedding=True
    )
    row = track.logits[:, 3]
    moods = [float(row[at]) for at in range(0, len(row), round(WINDOW_S / HOP_S / 4))]

    assert duration_s > WHOLE_S
    assert len(row) == frame_count(len(samples))
    assert np.ptp(moods) > 0.5, "the windows do differ"
    shared = 2 * CONTEXT_S / HOP_S
    assert np.abs(np.diff(row)).max() <= 2 / shared + 1e-6, "no step larger than its share"
    assert embedding is not None
    np.testing.assert_array_equal(embedding[:, 0], row)  # so a linear head leads to the scores
