"""WAV writer: mono, 16-bit PCM."""

from __future__ import annotations

import wave
from typing import BinaryIO

import numpy as np

from emoscope.waveform import Waveform


def write_wav(file: BinaryIO, waveform: Waveform) -> None:
    """Write a 16-bit mono WAV file, piece by piece: hours of sound are not copied in memory."""
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(waveform.rate_hz)
        out.setnframes(len(waveform.samples))
        for block in waveform.blocks():
            # Full scale is 32768 on the negative side only; rounding, not truncation.
            scaled = np.rint(block * np.float32(32_768.0))
            out.writeframesraw(np.clip(scaled, -32_768, 32_767).astype("<i2").tobytes())
