"""The bundled results of the samples are what the shipped model answers now."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import emoscope
from emoscope.audio.decode import decode
from emoscope.results.samples import (
    DECIMALS,
    SEQUENCE,
    Sample,
    result_path,
    sample_named,
    sample_result,
    samples,
)

ROOT = Path(__file__).parent.parent.parent
RENEW = "the model or a sample was replaced: run `python scripts/make_sample_results.py`"

every_sample = pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.file)


def script(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    """The script that wrote the results."""
    return script(ROOT / "scripts" / "make_sample_results.py")


@pytest.fixture(scope="module")
def recognizer() -> emoscope.Recognizer:
    """The built-in model."""
    return emoscope.load("compact", threads=1)


@every_sample
def test_it_is_what_the_model_answers(
    maker: ModuleType, recognizer: emoscope.Recognizer, sample: Sample
) -> None:
    bundled = sample_result(sample.file)
    now = maker.recognize(recognizer, sample)
    golden = script(Path(__file__).with_name("make_golden.py"))
    tolerance = golden.tolerance() + 0.5 * 10.0**-DECIMALS

    assert bundled.model.sha256 == now.model.sha256, RENEW
    assert bundled.source.sha256 == sample.sha256, RENEW
    assert maker.problem_of(sample, bundled) == ""
    assert maker.problem_of(sample, now) == ""
    assert bundled.track is not None
    assert bundled.track.logits.shape == now.track.logits.shape, RENEW
    assert np.abs(bundled.track.logits - now.track.logits).max() <= tolerance, RENEW
    assert bundled.track.utterance.top is bundled.emotion


@every_sample
def test_the_bundled_segments_follow_from_the_bundled_rows(sample: Sample) -> None:
    """Rounding the rows moved no border by more than a frame or two."""
    bundled = sample_result(sample.file)
    assert bundled.track is not None
    again = bundled.track.segments(bundled.duration_s)

    assert [one.emotion for one in again] == [one.emotion for one in bundled.segments]
    for one, other in zip(again, bundled.segments, strict=True):
        assert one.span.end_s == pytest.approx(other.span.end_s, abs=0.05)


def test_all_results_together_are_small() -> None:
    assert sum(result_path(sample).stat().st_size for sample in samples()) < 150_000


def test_the_mp3_is_the_recording() -> None:
    """As long, at the same moments, for a quarter of the bytes."""
    sample = sample_named(SEQUENCE)
    whole = decode(sample.path)
    heard = decode(sample.path.with_name(sample.audio))
    longest = min(len(whole.samples), len(heard.samples))
    lags = range(-400, 401, 8)
    middle = slice(4_000, longest - 4_000)
    alike = [
        float(np.corrcoef(whole.samples[middle], np.roll(heard.samples, lag)[middle])[0, 1])
        for lag in lags
    ]

    assert sample.audio.endswith(".mp3")
    assert sample.path.with_name(sample.audio).stat().st_size < sample.path.stat().st_size / 4
    assert heard.duration_s == pytest.approx(whole.duration_s, abs=0.1)
    assert max(alike) > 0.95
    assert abs(lags[int(np.argmax(alike))]) <= 0.01 * 16_000


def test_a_wrong_answer_is_refused(maker: ModuleType) -> None:
    sad, happy = sample_named("emodb_sad.wav"), sample_result("emodb_happy.wav")

    assert maker.problem_of(sad, happy) == "answered happy"
    assert "segments are" in maker.problem_of(sample_named(SEQUENCE), happy)
