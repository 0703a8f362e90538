"""Sounds without speech, each as a function of seconds; loudest sample about 1, at 16 kHz."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

RATE_HZ = 16_000


def _time_s(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * RATE_HZ)) / RATE_HZ


def _noise(seconds: float, slope: float) -> np.ndarray:
    """Noise whose power falls with the frequency to the power of ``slope``."""
    white = np.random.default_rng(0).standard_normal(round(seconds * RATE_HZ))
    spectrum = np.fft.rfft(white)
    hz = np.maximum(np.fft.rfftfreq(len(white), 1 / RATE_HZ), 30.0)
    shaped = np.fft.irfft(spectrum / hz ** (slope / 2), len(white))
    return shaped / np.abs(shaped).max()


def _tones(seconds: float, *hz: float, overtones: int = 1) -> np.ndarray:
    time_s = _time_s(seconds)
    sound = sum(
        np.sin(2 * np.pi * one * k * time_s + one) / k
        for one in hz
        for k in range(1, overtones + 1)
    )
    return np.asarray(sound) / np.abs(sound).max()


def _beeps(seconds: float) -> np.ndarray:
    return np.where(_time_s(seconds) % 0.5 < 0.15, _tones(seconds, 1_000.0), 0.0)


def _knocks(seconds: float) -> np.ndarray:
    time_s = _time_s(seconds) % 0.4
    return np.exp(-time_s * 160) * _noise(seconds, 0.0)


def _siren(seconds: float) -> np.ndarray:
    hz = 600 + 300 * np.sin(2 * np.pi * 0.5 * _time_s(seconds))
    return np.sin(2 * np.pi * np.cumsum(hz) / RATE_HZ)


def _arpeggio(seconds: float) -> np.ndarray:
    """Plucked notes of a chord, two a second."""
    time_s = _time_s(seconds)
    sound = np.zeros(len(time_s))
    for number in range(round(seconds * 2)):
        since = time_s - number / 2
        hz = (220.0, 277.2, 329.6, 440.0)[number % 4]
        for k in range(1, 7):
            sound += np.where(since >= 0, np.sin(2 * np.pi * hz * k * since) / k, 0) * np.exp(
                -6 * np.maximum(since, 0)
            )
    return sound / np.abs(sound).max()


SOUNDS: dict[str, Callable[[float], np.ndarray]] = {
    "white noise": lambda seconds: _noise(seconds, 0.0),
    "pink noise": lambda seconds: _noise(seconds, 1.0),
    "brown noise": lambda seconds: _noise(seconds, 2.0),
    "hum": lambda seconds: _tones(seconds, 50.0, overtones=6),
    "tone": lambda seconds: _tones(seconds, 440.0),
    "low tone": lambda seconds: _tones(seconds, 120.0),
    "chord": lambda seconds: _tones(seconds, 261.6, 329.6, 392.0, overtones=5),
    "arpeggio": _arpeggio,
    "beeps": _beeps,
    "siren": _siren,
    "knocks": _knocks,
}
