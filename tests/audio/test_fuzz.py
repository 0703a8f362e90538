"""Mutants of twelve formats: a sound or an error of ours, never a lost process."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from emoscope.audio.decoders import Decoders
from emoscope.errors import AudioError
from emoscope.limits import UPLOAD
from sounds import FORMATS, encode, noise, sample, wav

SEEDS = {
    **{name: encode(sample("happy_zh.wav")[:24_000], name) for name in FORMATS},
    "wav8channels": wav(np.tile(noise(0.5)[:, None], 8)),
}


def mutants(data: bytes, count: int, rng: np.random.Generator) -> list[bytes]:
    """Flipped bits, overwritten and cut out stretches, repeated ones; headers hit most often."""
    made = []
    for _ in range(count):
        piece = bytearray(data)
        for _ in range(int(rng.integers(1, 6))):
            end = min(len(piece), 256) if rng.random() < 0.6 else len(piece)
            at = int(rng.integers(0, max(end, 1)))
            size = int(rng.integers(1, 16))
            match int(rng.integers(0, 5)):
                case 0:
                    piece[at : at + 1] = bytes([piece[at] ^ (1 << int(rng.integers(0, 8)))])
                case 1:
                    piece[at : at + size] = rng.bytes(size)
                case 2:
                    piece[at : at + size] = b"\xff" * size
                case 3:
                    del piece[at : at + size * 8]
                case 4:
                    piece[at:at] = piece[at : at + size * 8]
            if not piece:
                piece = bytearray(data)
        made.append(
            bytes(piece[: int(rng.integers(1, len(piece) + 1))] if rng.random() < 0.1 else piece)
        )
    return made


def survive(each: int) -> Counter[str]:
    """Decode so many mutants of every format."""
    said: Counter[str] = Counter()
    with Decoders(2, deadline_s=5.0, limits=UPLOAD) as decoders:
        for number, data in enumerate(SEEDS.values()):
            for mutant in mutants(data, each, np.random.default_rng(number)):
                try:
                    decoders(mutant, limits=UPLOAD)
                    said["sound"] += 1
                except AudioError as error:
                    said[error.code] += 1
        assert decoders.replaced == 0
    return said


def test_a_few_hundred_mutants() -> None:
    said = survive(40)

    assert len(SEEDS) == 12
    assert said.total() == 480
    assert said["sound"] > 0
    assert said["audio_damaged"] > 0


@pytest.mark.slow
def test_thirty_six_thousand_mutants() -> None:
    said = survive(3_000)
    print(said)

    assert said.total() == 36_000
