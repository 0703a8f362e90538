"""Incremental cutter of sound into utterances at pauses, for files and live streams.

The voice detector gives a probability per step of 32 ms. Speech begins and lasts as in
``audio/vad.py``; a pause of ``pause_s`` ends an utterance. One that has become ``longest_s`` long
is cut at its softest place, the step with the least power around it, between half and nine tenths
of that length: so neither part is a splinter. All of this looks back only, so that a stream and a
file with the same sound have the same utterances, however it is portioned.

Memory is bounded: the cutter holds the utterance that has not ended, and the padding before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emoscope.audio.steady_level import SteadyLevel
from emoscope.audio.vad import VAD_RULES, VAD_STEP, VAD_STEP_S, SpeechProbabilities
from emoscope.results.utterances import UTTERANCE_RULES, UtteranceRules
from emoscope.waveform import RATE_HZ, Samples

_EARLIEST, _LATEST = 0.5, 0.9
"""Shares of the longest utterance between which it is cut."""
_AROUND = 2
"""Steps on each side of one over which power is averaged: 160 ms, about a syllable."""


@dataclass(frozen=True, slots=True, eq=False)
class CutPiece:
    """Samples of one utterance, with its padding."""

    first: int
    """Sample at 16 kHz of the recording at which it begins."""
    samples: Samples
    """Shape ``(n,)``."""


class UtteranceCutter:
    """Cuts one recording; not for several threads.

    Args:
        rules: pauses and lengths.
    """

    def __init__(self, rules: UtteranceRules = UTTERANCE_RULES) -> None:
        self._pad = round(rules.pad_s * RATE_HZ)
        self._pause_s, self._shortest_s = rules.pause_s, rules.shortest_s
        self._longest = round(rules.longest_s / VAD_STEP_S)
        self._listener, self._level = SpeechProbabilities(), SteadyLevel()
        self._held = np.zeros(0, np.float32)
        """Samples from ``_base`` on."""
        self._base = 0
        self._powers: list[float] = []
        """Mean square of each step since that at which the running utterance began."""
        self._step = 0
        """The next step to be judged."""
        self._first: int | None = None
        """Step at which the running utterance began."""
        self._last = 0
        """End of its last step with speech."""
        self._floor = 0
        """Sample at which the utterance before ended."""
        self._is_joined = False
        """Whether the running utterance continues one that was cut for its length."""

    def feed(self, samples: Samples) -> list[CutPiece]:
        """Return the utterances that are known to have ended by now, in order.

        Args:
            samples: float32 at 16 kHz, shape ``(n,)``, any ``n``.
        """
        self._held = np.concatenate([self._held, samples])
        return self._follow(self._listener.feed(self._level.feed(samples)).tolist())

    def finish(self) -> list[CutPiece]:
        """Return the last utterance, if one is open; nothing may be fed afterwards."""
        ended = self._follow(self._listener.feed(self._level.finish()).tolist())
        ended += self._follow(self._listener.finish().tolist())
        if self._first is not None:
            ended += self._close(self._base + len(self._held))
        return ended

    def _follow(self, probabilities: list[float]) -> list[CutPiece]:
        ended: list[CutPiece] = []
        for probability in probabilities:
            ended += self._take(probability)
        self._drop()
        return ended

    def _take(self, probability: float) -> list[CutPiece]:
        """Judge one more step."""
        step, self._step = self._step, self._step + 1
        if probability >= (VAD_RULES.enter if self._first is None else VAD_RULES.leave):
            if self._first is None:
                self._first, self._is_joined = step, False
            self._last = step + 1
        if self._first is None:
            return []
        self._powers.append(self._power(step))
        if (self._step - self._last) * VAD_STEP_S >= self._pause_s:
            return self._close(self._step * VAD_STEP)
        if self._step - self._first >= self._longest:
            return self._cut(self._first)
        return []

    def _power(self, step: int) -> float:
        at = step * VAD_STEP - self._base
        samples = self._held[at : at + VAD_STEP]
        return float(np.square(samples, dtype=np.float64).sum()) / VAD_STEP

    def _close(self, limit: int) -> list[CutPiece]:
        """End the running utterance at its last speech."""
        first, self._first, self._powers = self._first, None, []
        if first is None or (self._last - first) * VAD_STEP_S < self._shortest_s:
            return []
        return [self._piece(first, min(limit, self._last * VAD_STEP + self._pad))]

    def _cut(self, first: int) -> list[CutPiece]:
        """End the running utterance at its softest place; the rest is a new one."""
        place = first + self._softest()
        if self._last <= place:  # it lies in a pause, which was too short to end it so far
            return self._close(place * VAD_STEP)
        piece = self._piece(first, place * VAD_STEP)
        self._powers = self._powers[place - first :]
        self._first, self._is_joined = place, True
        return [piece]

    def _softest(self) -> int:
        sums = np.concatenate([[0.0], np.cumsum(self._powers)])
        at = np.arange(round(self._longest * _EARLIEST), round(self._longest * _LATEST))
        first, last = np.maximum(at - _AROUND, 0), np.minimum(at + _AROUND + 1, len(sums) - 1)
        return int(at[int(np.argmin((sums[last] - sums[first]) / (last - first)))])

    def _piece(self, first: int, end: int) -> CutPiece:
        start = first * VAD_STEP - (0 if self._is_joined else self._pad)
        start, end = max(self._floor, start), min(end, self._base + len(self._held))
        self._floor = end
        return CutPiece(start, self._held[start - self._base : end - self._base].copy())

    def _drop(self) -> None:
        """Forget samples that no utterance can have any more."""
        first = self._step if self._first is None else self._first
        keep = max(self._floor, first * VAD_STEP - self._pad, self._base)
        if keep > self._base:
            self._held, self._base = self._held[keep - self._base :].copy(), keep
