"""Robustness check: whether small perturbations of one recording change its emotion."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal, TypeAlias

import numpy as np

from emoscope.audio.decode import decode
from emoscope.audio.missing import without_gaps
from emoscope.labels import Emotion
from emoscope.recognizer import Recognizer
from emoscope.results.result import Result
from emoscope.results.scores import Scores
from emoscope.waveform import RATE_HZ, Samples, Waveform

SHIFT_S = 0.01
NOISE_DB = 20.0
MP3_BITS_PER_S = 64_000
_GAIN = 10 ** (6 / 20)
StabilityVerdict: TypeAlias = Literal["stable", "unstable", "no_answer"]


@dataclass(frozen=True, slots=True)
class Perturbation:
    """One perturbation and the answer to it."""

    code: str
    """Out of ``PERTURBATIONS``."""
    scores: Scores
    abstain: tuple[str, ...]
    difference: float
    """Largest change of a score."""
    same: bool
    """Whether the first emotion is still the first."""
    clips: bool = False
    """Whether the change cut off what is above full scale, and so is no change of level alone."""

    @property
    def emotion(self) -> Emotion:
        """The first emotion after the change."""
        return self.scores.top


@dataclass(frozen=True, slots=True)
class Robustness:
    """Answers for a recording, before and after each perturbation."""

    result: Result
    changes: tuple[Perturbation, ...]

    @property
    def verdict(self) -> StabilityVerdict:
        """Whether the answer is the same after every change; where none is claimed, that."""
        if self.result.abstain:
            return "no_answer"
        return "stable" if all(change.same for change in self.changes) else "unstable"

    @property
    def is_stable(self) -> bool:
        """Whether there is an answer, and it is the same after every change."""
        return self.verdict == "stable"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.result.name,
            "stable": self.is_stable,
            "verdict": self.verdict,
            "emotion": self.result.emotion.key,
            "confidence": self.result.confidence,
            "margin": self.result.scores.margin,
            "abstain": list(self.result.abstain),
            "quality": self.result.quality.to_dict(),
            "model": self.result.model.to_dict(),
            "changes": [
                {
                    "change": change.code,
                    "same": change.same,
                    "clips": change.clips,
                    "emotion": change.emotion.key,
                    "confidence": change.scores.confidence,
                    "difference": change.difference,
                    "abstain": list(change.abstain),
                    "scores": change.scores.to_dict(),
                }
                for change in self.changes
            ],
        }


def perturb(recognizer: Recognizer, waveform: Waveform) -> Robustness:
    """Recognize a recording and everything in ``PERTURBATIONS`` done to it.

    Args:
        recognizer: the model.
        waveform: at 16 kHz, short enough to be held in memory several times.

    Raises:
        AudioError: the recording cannot be used.
        ModelError: the model failed.
    """
    waveform = without_gaps(waveform)
    result = recognizer.recognize(waveform)
    return Robustness(result, tuple(_changes(recognizer, waveform, result)))


def _changes(recognizer: Recognizer, waveform: Waveform, before: Result) -> Iterator[Perturbation]:
    for code, change in PERTURBATIONS.items():
        after = recognizer.recognize(replace(waveform, samples=change(waveform.samples)))
        yield Perturbation(
            code,
            after.scores,
            after.abstain,
            float(np.abs(after.scores.values - before.scores.values).max()),
            after.emotion == before.emotion,
            code == "louder" and bool(np.abs(waveform.samples).max() * _GAIN > 1),
        )


def _louder(samples: Samples) -> Samples:
    """As loud as a file can hold it: what is above full scale is cut off."""
    return np.asarray(np.clip(samples * np.float32(_GAIN), -1, 1))


def _quieter(samples: Samples) -> Samples:
    return samples / np.float32(_GAIN)


def _later(samples: Samples) -> Samples:
    return np.concatenate([np.zeros(round(SHIFT_S * RATE_HZ), np.float32), samples])


def _noisy(samples: Samples) -> Samples:
    """White noise, always the same, so many decibels below the sound."""
    power = float(np.square(samples, dtype=np.float64).mean())
    noise = np.random.default_rng(0).standard_normal(len(samples)) * power**0.5
    noisy = samples + noise * 10 ** (-NOISE_DB / 20)
    return np.asarray(noisy, dtype=np.float32)


def _through_mp3(samples: Samples) -> Samples:
    """Encoded and decoded again."""
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3") as out:
        stream = out.add_stream("libmp3lame", rate=RATE_HZ, layout="mono")
        stream.bit_rate = MP3_BITS_PER_S
        frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), "fltp", "mono")
        frame.sample_rate, frame.time_base, frame.pts = RATE_HZ, Fraction(1, RATE_HZ), 0
        encoder = av.AudioResampler(
            format="fltp", layout="mono", rate=RATE_HZ, frame_size=stream.codec_context.frame_size
        )
        for piece in [*encoder.resample(frame), *encoder.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return decode(buffer.getvalue()).samples


PERTURBATIONS: dict[str, Callable[[Samples], Samples]] = {
    "louder": _louder,
    "quieter": _quieter,
    "shifted": _later,
    "mp3": _through_mp3,
    "noisy": _noisy,
}
"""Perturbations, applied one at a time; ``messages`` has a name for each."""
