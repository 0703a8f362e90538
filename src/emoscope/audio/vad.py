"""Voice activity detection (Silero VAD) for whole waveforms and for blocks of live sound.

The network is Silero VAD (MIT, ``assets/silero_vad.LICENSE``), run by ONNX Runtime alone; how it
was chosen stands in docs/audio.md. It gives one probability per 32 ms and is causal, so
sound fed in blocks of any size gives the spans of the whole.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from emoscope.paths.assets import ASSETS
from emoscope.telemetry import load_onnxruntime
from emoscope.waveform import RATE_HZ, Array32, Samples, Span, Waveform

VAD_STEP = 512
"""Samples under one probability: 32 ms at 16 kHz."""
VAD_STEP_S = VAD_STEP / RATE_HZ
_CONTEXT = 64
"""Samples of context before each step."""
_STEPS_AT_ONCE = 512
"""16 s: memory stays bounded however much is fed at once."""
_MODEL = ASSETS / "silero_vad.onnx"


@dataclass(frozen=True, slots=True)
class VadRules:
    """Thresholds and durations that turn speech probabilities into spans."""

    enter: float = 0.5
    """Speech begins with a step of at least this probability."""
    leave: float = 0.35
    """It lasts while steps stay above this."""
    min_silence_s: float = 0.25
    """A shorter pause is part of the speech around it."""
    min_speech_s: float = 0.09
    """Shorter speech is dropped: three steps, the shortest command."""
    pad_s: float = 0.032
    """Added on both sides, for onsets and endings that are too soft for the network."""

    def __post_init__(self) -> None:
        if not 0 <= self.leave <= self.enter <= 1:
            raise ValueError("probabilities: 0 <= leave <= enter <= 1")
        if min(self.min_speech_s, self.pad_s) < 0 or 2 * self.pad_s > self.min_silence_s:
            raise ValueError("pads must fit into the shortest pause, so that spans stay apart")


VAD_RULES = VadRules()


class SpeechProbabilities:
    """Incremental speech probabilities; one per recording, not thread-safe."""

    def __init__(self) -> None:
        self._session = _session()
        self._hidden, self._cell = np.zeros((2, 1, 1, 128), np.float32)
        self._context = np.zeros(_CONTEXT, np.float32)
        self._rest = np.zeros(0, np.float32)

    def feed(self, samples: Samples) -> Array32:
        """Return the probabilities of all steps that are complete now, shape ``(steps,)``.

        Args:
            samples: float32 at 16 kHz, shape ``(n,)``, any ``n``.
        """
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // VAD_STEP * VAD_STEP
        self._rest = samples[whole:].copy()
        size = VAD_STEP * _STEPS_AT_ONCE
        found = [self._run(samples[at : min(at + size, whole)]) for at in range(0, whole, size)]
        return np.concatenate([np.zeros(0, np.float32), *found])

    def finish(self) -> Array32:
        """Return the probability of the last, incomplete step, padded with zeros; or none."""
        missing = -len(self._rest) % VAD_STEP
        return self.feed(np.zeros(missing, np.float32))

    def _run(self, samples: Samples) -> Array32:
        steps = samples.reshape(-1, VAD_STEP)
        before = np.vstack([self._context[None], steps[:-1, -_CONTEXT:]])
        self._context = steps[-1, -_CONTEXT:].copy()
        feeds = {"input": np.hstack([before, steps]), "h": self._hidden, "c": self._cell}
        probabilities, self._hidden, self._cell = self._session.run(None, feeds)
        return np.asarray(probabilities, dtype=np.float32).reshape(-1)


class Spans:
    """Incremental conversion of probabilities to spans; one per recording."""

    def __init__(self, rules: VadRules = VAD_RULES) -> None:
        self._rules = rules
        self._step = 0
        self._first: int | None = None  # step at which the running speech began
        self._last = 0  # end of its last step above the lower bar

    def feed(self, probabilities: Array32) -> list[Span]:
        """Return the spans that are known to have ended by now, in order."""
        ended = []
        for probability in probabilities:
            if probability >= (self._rules.enter if self._first is None else self._rules.leave):
                if self._first is None:
                    self._first = self._step
                self._last = self._step + 1
            self._step += 1
            silent_s = (self._step - self._last) * VAD_STEP_S
            if self._first is not None and silent_s >= self._rules.min_silence_s:
                ended += self._close(self._step * VAD_STEP_S)
        return ended

    def finish(self, duration_s: float) -> list[Span]:
        """Return the span that lasts to the end, if there is one, within the recording."""
        return [] if self._first is None else self._close(duration_s)

    def _close(self, limit_s: float) -> list[Span]:
        first, self._first = self._first, None
        if first is None or (self._last - first) * VAD_STEP_S < self._rules.min_speech_s:
            return []
        start_s = max(0.0, first * VAD_STEP_S - self._rules.pad_s)
        return [Span(start_s, min(limit_s, self._last * VAD_STEP_S + self._rules.pad_s))]


class SpeechFinder:
    """Incremental speech detector: ``SpeechProbabilities`` followed by ``Spans``.

    Feed blocks of any size; ``feed`` and ``finish`` together give what ``find_speech`` gives for
    the whole. One per recording, not for threads.
    """

    def __init__(self, rules: VadRules = VAD_RULES) -> None:
        self._listener, self._spans, self._samples = SpeechProbabilities(), Spans(rules), 0

    def feed(self, samples: Samples) -> list[Span]:
        """Return the spans that ended, in order, in seconds from the first sample fed."""
        self._samples += len(samples)
        return self._spans.feed(self._listener.feed(samples))

    def finish(self) -> list[Span]:
        """Return what is left; nothing may be fed afterwards."""
        ended = self._spans.feed(self._listener.finish())
        return ended + self._spans.finish(self._samples / RATE_HZ)


def find_speech(waveform: Waveform, rules: VadRules = VAD_RULES) -> list[Span]:
    """Return where there is speech, in order and without overlap, inside ``[0, duration_s]``.

    Args:
        waveform: at 16 kHz; hours are fine, memory stays bounded.
        rules: how probabilities become spans.

    Raises:
        ValueError: the rate is not 16 kHz.
    """
    if waveform.rate_hz != RATE_HZ:
        raise ValueError(f"speech is found at {RATE_HZ} Hz, not at {waveform.rate_hz} Hz")
    finder = SpeechFinder(rules)
    spans = []
    block = VAD_STEP * _STEPS_AT_ONCE
    for first in range(0, len(waveform.samples), block):
        spans += finder.feed(waveform.samples[first : first + block])
    return spans + finder.finish()


@functools.cache
def _session() -> Any:
    """The network, loaded once; its runs are safe in many threads."""
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    # Step by step there is nothing to share among cores.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(_MODEL), options, providers=["CPUExecutionProvider"])
