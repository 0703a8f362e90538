"""The recording check says what was done to a sound, and nothing about good sound."""

from __future__ import annotations

import csv
import math
import random
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr

from emoscope.audio.decode import decode
from emoscope.audio.quality import check
from emoscope.result import REASONS, Quality
from emoscope.waveform import Samples, Waveform

DATA = Path(__file__).parents[3] / "shared" / "data"
Speech = Callable[..., Samples]


def checked(samples: np.ndarray) -> Quality:
    """The check of samples at 16 kHz."""
    return check(Waveform(samples.astype(np.float32)))


def rms(samples: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def test_good_speech_has_nothing_to_remark(speech: Speech) -> None:
    for seed in range(8):
        assert checked(speech(4.0, seed=seed)).reasons == ()


# --- level ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("level_db", [-50.0, -30.0, -20.0, -10.0, -3.01])
def test_level_and_peak_of_a_tone_are_exact(level_db: float) -> None:
    amplitude = math.sqrt(2) * 10 ** (level_db / 20)
    tone = amplitude * np.sin(2 * np.pi * 200 * np.arange(32_000) / 16_000)
    found = checked(tone)

    assert found.level_dbfs == pytest.approx(level_db, abs=0.01)
    assert found.peak == pytest.approx(amplitude, rel=1e-3)
    assert ("too_quiet" in found.reasons) == (level_db < -45)


def test_a_quieter_recording_of_the_same_is_the_same_but_quieter(speech: Speech) -> None:
    loud = speech(4.0, noise=1e-3)
    for factor_db in (-6.0, -12.0, -20.0):
        quiet = checked(loud * 10 ** (factor_db / 20))
        assert quiet.level_dbfs == pytest.approx(checked(loud).level_dbfs + factor_db, abs=0.01)
        # Frames below -60 dBFS count as silence at any level, so a little changes.
        assert quiet.snr_db == pytest.approx(checked(loud).snr_db, abs=1.0)
        assert quiet.bandwidth_hz == checked(loud).bandwidth_hz


def test_an_offset_of_the_converter_changes_nothing_but_the_level(speech: Speech) -> None:
    """Cheap sound cards add a constant; it is no sound and hides none."""
    voice = speech(4.0, level=0.03)
    plain, shifted = checked(voice), checked(voice + 0.3)

    assert shifted.reasons == plain.reasons == ()
    assert shifted.snr_db == pytest.approx(plain.snr_db, abs=0.1)
    assert shifted.speech_share == pytest.approx(plain.speech_share, abs=0.02)
    assert shifted.bandwidth_hz == pytest.approx(plain.bandwidth_hz, abs=100)


# --- clipping -------------------------------------------------------------------------------------


def test_clipping_is_measured_at_every_strength(speech: Speech) -> None:
    """The share of samples at full scale, apart from lone ones, and more the more is cut off."""
    clean = speech(4.0) / np.abs(speech(4.0)).max()
    shares = []
    for gain_db in (0.0, 3.0, 6.0, 12.0, 20.0):
        cut = np.clip(clean * 10 ** (gain_db / 20), -1, 1)
        true_share = float(np.mean(np.abs(cut) >= 0.985))
        found = checked(cut)
        assert true_share * 0.5 - 1e-3 <= found.clipped_share <= true_share
        assert ("clipped" in found.reasons) == (found.clipped_share > 0.001)
        shares.append(found.clipped_share)

    assert shares == sorted(shares)
    assert shares[0] < 0.001, "a recording that just reaches full scale is not clipped"
    assert shares[2] > 0.001
    assert shares[-1] > shares[2] > shares[1]


def test_lone_peaks_at_full_scale_are_not_clipping() -> None:
    samples = 0.1 * np.random.default_rng(0).standard_normal(16_000)
    samples[::40] = 1.0
    samples[1::40] = -1.0

    assert checked(samples).clipped_share == 0.0
    samples[2::40] = 1.0
    assert checked(samples).clipped_share == pytest.approx(3 / 40, abs=1e-3)


# --- noise ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("colour", "within_db"), [("white", 1.0), ("pink", 3.0)])
def test_noise_is_measured(colour: str, within_db: float, speech: Speech) -> None:
    """Against the truth: power of the speech where there is speech, over power of the noise.

    Pink noise comes and goes, so its quietest tenth lies lower under its mean.
    """
    clean = speech(8.0, seed=3, noise=0.0).astype(np.float64)
    found: list[float] = []
    for snr_db in (40.0, 30.0, 20.0, 15.0, 10.0, 5.0):
        noise = make_noise(len(clean), colour)
        noise *= rms(clean[speaking(clean, snr_db)]) / rms(noise) * 10 ** (-snr_db / 20)
        noisy = checked(clean + noise)
        assert noisy.snr_db is not None
        assert noisy.snr_db == pytest.approx(snr_db, abs=within_db)
        assert snr_db == 10.0 or ("low_snr" in noisy.reasons) == (snr_db < 10)
        found.append(noisy.snr_db)

    assert found == sorted(found, reverse=True)


def speaking(clean: np.ndarray, snr_db: float) -> np.ndarray:
    """Where the speech stands out of noise of this ratio, 25 ms at a time."""
    power = np.square(clean).reshape(-1, 400).mean(axis=1)
    loud = power > np.percentile(power, 98) * 10 ** (-0.7 * (snr_db + 3) / 10)
    return np.repeat(loud, 400)


def make_noise(size: int, colour: str) -> np.ndarray:
    """White noise, or noise with the spectrum of a room."""
    white = np.random.default_rng(1).standard_normal(size)
    if colour == "white":
        return white
    spectrum = np.fft.rfft(white)
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 100)), size)


def test_a_voice_on_digital_silence_has_a_ratio_that_can_be_shown(speech: Speech) -> None:
    """Synthesizers pause with zeros; a ratio of 200 dB would be nonsense."""
    found = checked(speech(4.0, noise=0.0))

    assert found.snr_db is not None
    assert 60 < found.snr_db <= 100


def test_sound_that_never_pauses_has_no_ratio() -> None:
    assert checked(0.1 * make_noise(32_000, "white")).snr_db is None


# --- bandwidth ------------------------------------------------------------------------------------


def test_bandwidth_follows_the_filter(speech: Speech) -> None:
    """Down to one analysis line or two, 31 Hz each, for whatever rate the sound went through."""
    full = speech(6.0, noise=3e-4)
    widths = []
    for rate_hz in (6_000, 8_000, 10_000, 12_000, 14_000):
        narrow = soxr.resample(soxr.resample(full, 16_000, rate_hz), rate_hz, 16_000)
        found = checked(narrow)
        assert 0.44 * rate_hz <= found.bandwidth_hz <= 0.51 * rate_hz
        assert ("band_limited" in found.reasons) == (rate_hz <= 8_000)
        widths.append(found.bandwidth_hz)

    assert widths == sorted(widths)
    assert checked(full).bandwidth_hz > 7_000


# --- speech and silence ---------------------------------------------------------------------------


@pytest.mark.parametrize("floor", [0.0, 1e-4, 3e-3], ids=["zeros", "quiet room", "fan"])
def test_the_share_of_speech_is_the_share_of_sound(floor: float) -> None:
    """Also for one word in a long silence, and never less for more speech."""
    rng = np.random.default_rng(0)
    shares = (0.0, 0.01, 0.03, 0.05, 0.08, 0.12, 0.3, 0.6, 0.8)
    found = []
    for share in shares:
        samples = floor * rng.standard_normal(20 * 16_000)
        size = round(share * len(samples))
        samples[8_000 : 8_000 + size] += 0.1 * np.sin(2 * np.pi * 150 * np.arange(size) / 16_000)
        quality = checked(samples)
        if share >= 0.03:
            assert quality.speech_share == pytest.approx(share, abs=0.01)
        assert ("little_speech" in quality.reasons) == (0.03 <= share < 0.2)
        found.append(quality.speech_share)

    assert found[2:] == sorted(found[2:])


@pytest.mark.parametrize(
    "samples",
    [
        1e-4 * np.random.default_rng(0).standard_normal(48_000),
        np.full(48_000, 0.3),
        np.eye(1, 48_000, 24_000)[0],
        np.zeros(48_000),
    ],
    ids=["quiet room", "constant", "one click", "zeros"],
)
def test_what_holds_no_speech_is_called_so(samples: np.ndarray) -> None:
    assert "no_speech" in checked(samples).reasons


# --- lengths and edges ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("duration_s", "expected"),
    [
        (0.3, {"too_short"}),
        (0.99, {"too_short"}),
        (1.0, set()),
        (30.0, set()),
        (30.1, {"too_long"}),
    ],
)
def test_length_is_judged_as_advised(duration_s: float, expected: set[str], speech: Speech) -> None:
    """P6: 1 to 30 s."""
    samples = np.resize(speech(2.0, seed=5), round(duration_s * 16_000))

    assert {"too_short", "too_long"} & set(checked(samples).reasons) == expected


@pytest.mark.parametrize("size", [1, 2, 3, 100, 399, 400, 401, 511, 512, 513, 799, 800])
@pytest.mark.parametrize("kind", ["zeros", "noise", "full scale"])
def test_the_shortest_sounds_are_measured_too(size: int, kind: str) -> None:
    samples = {
        "zeros": np.zeros(size),
        "noise": 0.1 * np.random.default_rng(0).standard_normal(size),
        "full scale": np.ones(size),
    }[kind]
    found = checked(samples)

    assert all(math.isfinite(n) for n in (found.level_dbfs, found.peak, found.bandwidth_hz))
    assert 0 <= found.clipped_share <= 1
    assert 0 <= found.speech_share <= 1
    assert "too_short" in found.reasons
    assert set(found.reasons) <= set(REASONS)


# --- real speech ----------------------------------------------------------------------------------


def real_clips(count: int) -> Iterator[tuple[str, Waveform]]:
    """Clips of the train corpora, the same ones each time."""
    with (DATA / "clips.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["role"] == "train"]
    by_corpus: dict[str, list[str]] = {}
    for row in rows:
        by_corpus.setdefault(row["corpus"], []).append(row["path"])
    for corpus, paths in sorted(by_corpus.items()):
        with tarfile.open(DATA / f"{corpus}.tar") as tar:
            for path in random.Random(0).sample(paths, count // len(by_corpus)):  # noqa: S311
                member = tar.extractfile(path)
                assert member is not None
                yield corpus, decode(member.read())


def test_clean_recordings_of_people_seldom_raise_a_false_alarm(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Studio and room recordings of corpora: none is clipped, noisy, narrow or without speech.

    Lengths, quiet speech (ravdess) and one word in three seconds (indianemo) are true of them.
    """
    if not (DATA / "clips.csv").is_file():
        pytest.skip("the corpora are not beside this repository (../shared/data)")
    alarms: Counter[str] = Counter()
    clips = wrong = 0
    for _corpus, waveform in real_clips(60):
        reasons = checked(waveform.samples).reasons
        alarms.update(reasons)
        wrong += bool({"clipped", "low_snr", "band_limited", "no_speech"} & set(reasons))
        clips += 1

    with capsys.disabled():
        print(f"\nrecording check on {clips} clips: {dict(alarms)}, false alarms: {wrong}")
    assert clips == 60
    assert wrong / clips < 0.05
