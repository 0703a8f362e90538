"""The recording check says what was done to a sound, and nothing about good sound."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soxr

import sounds
from emoscope.audio.decode import decode
from emoscope.audio.quality import check_quality
from emoscope.audio.snr import spectra
from emoscope.audio.vad import find_speech
from emoscope.results.quality import QUALITY_REASONS, Quality
from emoscope.waveform import Samples, Waveform
from sounds import low_passed, sample, sample_names

DATA = Path(__file__).parents[3] / "shared" / "data"
Speech = Callable[..., Samples]


@pytest.fixture
def speech() -> Speech:
    """Sentences of ours, as long as asked for, with a room behind them."""

    def make(
        duration_s: float = 4.0, *, seed: int = 0, level: float = 0.1, noise: float = 1e-4
    ) -> Samples:
        names = sample_names()
        voice = np.resize(sample(names[seed % len(names)]), round(duration_s * 16_000))
        room = np.random.default_rng(seed).standard_normal(len(voice))
        return (voice * level / rms(voice) + noise * room).astype(np.float32)

    return make


def checked(samples: np.ndarray) -> Quality:
    """The check of samples at 16 kHz."""
    return check_quality(Waveform(samples.astype(np.float32)))


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


def test_a_quieter_recording_of_the_same_is_the_same_but_quieter(speech: Speech) -> None:
    loud = speech(4.0, noise=1e-3)
    first = checked(loud)
    for factor_db in (-6.0, -12.0, -20.0, -40.0):
        quiet = checked(loud * 10 ** (factor_db / 20))
        assert quiet.level_dbfs == pytest.approx(first.level_dbfs + factor_db, abs=0.01)
        assert quiet.speech_dbfs == pytest.approx(first.speech_dbfs + factor_db, abs=0.5)
        assert quiet.snr_db == pytest.approx(first.snr_db, abs=1.0)
        assert quiet.bandwidth_hz == first.bandwidth_hz
        assert ("too_quiet" in quiet.reasons) == (quiet.speech_dbfs < -55.0)
    assert "too_quiet" in quiet.reasons


def test_an_offset_of_the_converter_is_told_and_changes_nothing_else(speech: Speech) -> None:
    """Cheap sound cards add a constant; it is no sound and hides none."""
    voice = speech(4.0, level=0.03)
    plain = checked(voice)
    for offset in (-0.3, -0.01, 0.01, 0.03, 0.3):
        shifted = checked(voice + offset)
        assert shifted.dc_offset == pytest.approx(offset + plain.dc_offset, abs=1e-5)
        assert shifted.reasons == (("dc_offset",) if abs(offset) > 0.02 else ())
        assert shifted.level_dbfs == pytest.approx(plain.level_dbfs, abs=0.01)
        assert shifted.snr_db == pytest.approx(plain.snr_db, abs=3.0)
        assert shifted.speech_share == pytest.approx(plain.speech_share, abs=0.05)
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


def test_clipping_shows_after_the_level_was_lowered(speech: Speech) -> None:
    """Editors and codecs change the level; the flat tops stay flat."""
    clean = speech(4.0) / np.abs(speech(4.0)).max()
    for gain_db in (6.0, 12.0, 20.0):
        cut = np.clip(clean * 10 ** (gain_db / 20), -1, 1)
        assert checked(0.4 * cut).clipped_share == pytest.approx(
            checked(cut).clipped_share, rel=0.2
        )
    for quieter in (0.9, 0.4, 0.1):
        assert checked(quieter * clean).clipped_share == 0.0


@pytest.mark.parametrize("gain_db", [12.0, 20.0, 30.0, 36.0])
def test_clipping_alone_is_no_offset(gain_db: float, speech: Speech) -> None:
    """It cuts more off on one side and moves the mean; a converter adds to pauses too."""
    moved = 0
    for seed in range(8):
        clean = speech(4.0, seed=seed) / np.abs(speech(4.0, seed=seed)).max()
        found = checked(np.clip(clean * 10 ** (gain_db / 20), -1, 1))
        assert "clipped" in found.reasons
        assert "dc_offset" not in found.reasons
        moved += abs(found.dc_offset) > 0.02
    assert moved or gain_db < 30


def test_an_offset_before_a_little_clipping_is_told(speech: Speech) -> None:
    clean = speech(4.0) / np.abs(speech(4.0)).max()
    found = checked(np.clip(1.5 * clean + 0.1, -1, 1))

    assert {"clipped", "dc_offset"} <= set(found.reasons)


# --- noise ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("colour", ["white", "pink"])
def test_noise_is_measured_within_two_decibels(colour: str, speech: Speech) -> None:
    """Against the truth: power of the speech within speech, over power of the noise."""
    for seed in range(4):
        clean = speech(6.0, seed=seed, noise=0.0).astype(np.float64)
        voice = np.concatenate([s.samples for s in spoken(clean)]).astype(np.float64)
        found = []
        for snr_db in (30.0, 20.0, 15.0, 10.0, 5.0, 0.0):
            noise = make_noise(len(clean), colour)
            noise *= rms(voice) / rms(noise) * 10 ** (-snr_db / 20)
            noisy = checked(clean + noise)
            assert noisy.snr_db == pytest.approx(snr_db, abs=2.0 if snr_db < 30 else 3.0)
            if abs(snr_db - 12.0) > 2.5:
                assert ("low_snr" in noisy.reasons) == (snr_db < 12)
            found.append(noisy.snr_db)
        assert found == sorted(found, reverse=True)


def spoken(clean: np.ndarray) -> list[Waveform]:
    whole = Waveform(clean.astype(np.float32))
    return [whole.cut(span) for span in find_speech(whole)]


def make_noise(size: int, colour: str) -> np.ndarray:
    """White noise, or noise with the spectrum of a room."""
    white = np.random.default_rng(1).standard_normal(size)
    if colour == "white":
        return white
    spectrum = np.fft.rfft(white)
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 100)), size)


def test_the_low_percentile_of_white_noise_is_where_it_is_said_to_be() -> None:
    """The factor that turns quiet moments into a mean, for one minute of any level."""
    for level in (1e-3, 0.3):
        _, power = spectra((level * make_noise(60 * 16_000, "white")).astype(np.float32))
        averaged = np.stack([power[:, at - 2 : at + 3].mean(axis=1) for at in range(5, 250)])
        low = np.percentile(averaged, 10, axis=1).mean()
        assert low / averaged.mean() == pytest.approx(0.383, rel=0.02)


def test_a_voice_on_digital_silence_has_a_ratio_that_can_be_shown(speech: Speech) -> None:
    """Synthesizers pause with zeros; a ratio of 200 dB would be nonsense."""
    found = checked(np.concatenate([speech(2.0, noise=0.0), np.zeros(64_000, np.float32)]))

    assert found.snr_db == 80.0


def test_where_nobody_speaks_there_is_no_ratio() -> None:
    for colour in ("white", "pink"):
        found = checked(0.1 * make_noise(32_000, colour))
        assert found.snr_db is None
        assert found.speech_dbfs is None


# --- bandwidth ------------------------------------------------------------------------------------


def test_bandwidth_follows_the_filter(speech: Speech) -> None:
    """Down to one analysis line or two, 31 Hz each, for whatever rate the sound went through."""
    full = speech(6.0, noise=3e-4)
    widths = []
    for rate_hz in (6_000, 8_000, 10_000, 12_000, 14_000):
        narrow = soxr.resample(soxr.resample(full, 16_000, rate_hz), rate_hz, 16_000)
        found = checked(narrow)
        assert 0.44 * rate_hz <= found.bandwidth_hz <= 0.51 * rate_hz
        assert found.band_is_cut
        assert ("band_limited" in found.reasons) == (rate_hz <= 8_000)
        assert ("heavy_codec" in found.reasons) == (rate_hz in (10_000, 12_000))
        widths.append(found.bandwidth_hz)

    assert widths == sorted(widths)
    assert checked(full).bandwidth_hz > 7_000
    assert not checked(full).band_is_cut


@pytest.mark.parametrize("hz", [2_000, 3_000, 3_400, 4_000])
def test_a_smooth_low_pass_is_noticed_without_an_edge(hz: int, speech: Speech) -> None:
    """48 dB an octave, as filters of telephones and speakers fall; a voice falls by 28 at most."""
    for seed in range(8):
        full = speech(4.0, seed=seed)
        found = checked(np.round(32_767 * low_passed(full, hz)) / 32_767)
        assert "band_limited" in found.reasons
        assert not found.band_is_cut
        assert hz < found.bandwidth_hz < 1.5 * hz
        assert "band_limited" not in checked(full).reasons


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("amr 4.75", "band_limited"),
        ("amr 12.2", "band_limited"),
        ("µ-law", "band_limited"),
        ("mp3 8", "band_limited"),
        ("mp3 16", "heavy_codec"),
        ("mp3 24", "heavy_codec"),
        ("mp3 128", None),
        ("opus 6", "heavy_codec"),
        ("opus 32", None),
    ],
)
def test_codecs_that_throw_half_of_the_sound_away_are_noticed(
    name: str, code: str | None, speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The advice says no 8 kbit/s AMR. Through the real encoders."""
    containers = {
        "amr 4.75": ("amr", "libopencore_amrnb", 8_000, 1, {"b": "4750"}),
        "amr 12.2": ("amr", "libopencore_amrnb", 8_000, 1, {"b": "12200"}),
        "µ-law": ("wav", "pcm_mulaw", 8_000, 1, {}),
        "mp3 8": ("mp3", "libmp3lame", 16_000, 1, {"b": "8000"}),
        "mp3 16": ("mp3", "libmp3lame", 16_000, 1, {"b": "16000"}),
        "mp3 24": ("mp3", "libmp3lame", 16_000, 1, {"b": "24000"}),
        "mp3 128": ("mp3", "libmp3lame", 44_100, 1, {"b": "128000"}),
        "opus 6": ("ogg", "libopus", 48_000, 1, {"b": "6000"}),
        "opus 32": ("ogg", "libopus", 48_000, 1, {"b": "32000"}),
    }
    monkeypatch.setitem(sounds.FORMATS, name, containers[name])
    for seed in range(3):
        voice = speech(4.0, seed=seed, noise=1e-3)
        found = checked(decode(sounds.encode(voice, name)).samples)
        assert found.reasons == ((code,) if code else ()), found


# --- speech and silence ---------------------------------------------------------------------------


@pytest.mark.parametrize("floor", [0.0, 1e-4, 1e-3], ids=["zeros", "quiet room", "fan"])
def test_the_share_of_speech_is_what_somebody_speaks(floor: float, speech: Speech) -> None:
    """Also for one word in a long silence, and never less for more speech."""
    room = floor * np.random.default_rng(0).standard_normal(20 * 16_000)
    found = []
    for seconds in (0.0, 1.0, 2.0, 4.0, 8.0, 16.0):
        samples = room.copy()
        if seconds:
            samples[16_000 : 16_000 + round(16_000 * seconds)] += speech(seconds, noise=0.0)
        quality = checked(samples)
        # The sentences themselves pause for a quarter of their time.
        assert 0.4 * seconds / 20 <= quality.speech_share <= seconds / 20
        assert ("no_speech" in quality.reasons) == (seconds == 0)
        assert ("little_speech" in quality.reasons) == (0 < quality.speech_share < 0.1)
        if floor < 1e-3:
            assert quality.silence_share >= 1 - seconds / 20 - 0.01
        found.append(quality.speech_share)

    assert found == sorted(found)


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
    """The advice is 1 to 30 s."""
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
    assert set(found.reasons) <= set(QUALITY_REASONS)
