"""Codecs of telephones and of what records calls: each is read, and says what was said."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soxr

from emoscope.audio.decode import decode
from emoscope.events import StepLog
from emoscope.waveform import RATE_HZ
from mutants import DEADLINE_S, survive
from raising import raises_code
from sounds import SAMPLES, encode_frame, frame_of, sample

MADE = Path(__file__).parents[1] / "assets" / "telephone"
SPOKEN = "angry_zh.wav"
ENCODED = {
    # container, codec, rate in Hz, options
    "g722 wav": ("wav", "g722", 16_000, {}),
    "g726 16": ("wav", "g726", 8_000, {"b": "16k"}),
    "g726 32": ("wav", "g726", 8_000, {"b": "32k"}),
    "g723.1": ("wav", "g723_1", 8_000, {"b": "6300"}),
    "ima aifc": ("aiff", "adpcm_ima_qt", 8_000, {}),
}


def said(name: str) -> bytes:
    container, codec, rate_hz, options = ENCODED[name]
    sound = soxr.resample(sample(SPOKEN), RATE_HZ, rate_hz)
    return encode_frame(frame_of(sound, rate_hz, 1), container, codec, options)


def likeness(data: bytes) -> float:
    """Correlation with what was spoken, below 3.4 kHz, at the best lag under 40 ms."""
    heard, spoken = decode(data).samples, sample(SPOKEN)
    assert abs(len(heard) - len(spoken)) < 0.065 * RATE_HZ
    size = 1 << 18
    band = np.fft.rfftfreq(size, 1 / RATE_HZ) < 3_400
    one, other = (np.fft.rfft(each, size) * band for each in (heard, spoken))
    both = np.fft.irfft(one * np.conj(other), size)
    lags = np.concatenate([both[:640], both[-640:]])
    powers = (float(np.square(np.fft.irfft(each, size)).sum()) for each in (one, other))
    return float(lags.max() / np.prod(list(powers)) ** 0.5)


@pytest.mark.parametrize("name", ENCODED)
def test_what_was_said_is_heard(name: str) -> None:
    assert likeness(said(name)) > 0.9


@pytest.mark.parametrize("name", ["gsm.wav", "speex.ogg"])
def test_what_others_wrote_is_heard(name: str) -> None:
    assert likeness((MADE / name).read_bytes()) > 0.85


@pytest.mark.skipif(not shutil.which("sox"), reason="sox is not installed")
def test_gsm_as_sox_writes_it(tmp_path: Path) -> None:
    out = tmp_path / "call.wav"
    command = ["sox", SAMPLES / SPOKEN, "-r", "8000", "-e", "gsm-full-rate", out]
    made = subprocess.run(command, check=False, capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"this sox writes no GSM: {made.stderr}")

    assert likeness(out.read_bytes()) > 0.85


def test_gsm_that_breaks_off_says_so() -> None:
    whole = (MADE / "gsm.wav").read_bytes()

    assert [breaks_off(data) for data in (whole, whole[: len(whole) // 2])] == [False, True]


def breaks_off(data: bytes) -> bool:
    log = StepLog()
    decode(data, log=log)
    return "broken_off" in log.steps[0].data


def test_what_would_be_heard_wrongly_is_refused() -> None:
    with raises_code("audio_codec_refused", match="speex"):
        decode((MADE / "speex.wav").read_bytes())


def test_damaged_calls_harm_nothing() -> None:
    files = {name: said(name) for name in ENCODED}
    files |= {name: (MADE / name).read_bytes() for name in ("gsm.wav", "speex.ogg")}
    found = survive(25, files=files)

    assert found.replaced == 0
    assert found.slowest_s < DEADLINE_S
    assert found.peak_mb < 1024
    assert found.said["sound"] > 0
