"""Utterances of a live stream: each is recognized as soon as a pause has ended it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from emoscope.audio.missing import Gap, spans_of
from emoscope.audio.utterance_cutter import CutPiece, UtteranceCutter
from emoscope.events import Clock, Step
from emoscope.inference.utterances import STEP, UtteranceInference, sounds_of
from emoscope.results.utterances import Utterance, UtteranceRules, UtteranceSet
from emoscope.waveform import Samples


class LiveUtterances:
    """Cuts and recognizes the utterances of one stream; not for several threads.

    They are those of the same sound as a file: both go through one cutter.

    Args:
        inference: one that has recognized nothing yet.
        rules: pauses and lengths.
        clock: seconds, for the log.
    """

    def __init__(
        self, inference: UtteranceInference, rules: UtteranceRules, clock: Clock = time.perf_counter
    ) -> None:
        self._inference, self._rules, self._clock = inference, rules, clock
        self._cutter = UtteranceCutter(rules)
        self._count, self._busy_s = 0, 0.0

    def feed(self, samples: Samples | None, gaps: Sequence[Gap]) -> list[Utterance]:
        """Return the utterances that have ended; they will not change.

        Args:
            samples: at 16 kHz, shape ``(n,)``, zeros for a gap of the medium; None at the end.
            gaps: of the medium so far.

        Raises:
            ModelError: the model failed.
        """
        pieces = self._cutter.finish() if samples is None else self._cutter.feed(samples)
        return self._recognized(pieces, gaps)

    def result(self) -> UtteranceSet:
        """Return all utterances, for the result."""
        return self._inference.result(self._rules)

    def step(self) -> Step:
        """Return the step of the log."""
        return Step(STEP, self._busy_s * 1000, {"count": self._count})

    def _recognized(self, pieces: list[CutPiece], gaps: Sequence[Gap]) -> list[Utterance]:
        if not pieces:
            return []
        started_s = self._clock()
        spoken = sounds_of(pieces, spans_of(gaps))
        found = self._inference.recognize(spoken)
        self._count += len(found)
        self._busy_s += self._clock() - started_s
        return found
