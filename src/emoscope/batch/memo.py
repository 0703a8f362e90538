"""Memo of a worker: answers for recordings of the same bytes, the latest ones."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import TypeAlias

from emoscope.batch.options import BatchOptions
from emoscope.results.result import Failure, Result

MemoKey: TypeAlias = tuple[str | None, float | None, float | None]
"""Sha256 of the file, and the span."""
_SMALL, _LARGE = 20_000, 32
"""Answers that are kept: without time axis a few kB each, with it megabytes."""


class AnswerMemo:
    """Answers by recording; a worker keeps one for all its shards.

    Args:
        options: what is written of each recording, and whether anything is kept.
    """

    def __init__(self, options: BatchOptions) -> None:
        self._is_used = options.dedupe
        self._is_small = not options.needs_track
        self._size = _SMALL if self._is_small else _LARGE
        self._known: OrderedDict[MemoKey, Result | Failure] = OrderedDict()

    def get(self, key: MemoKey) -> Result | Failure | None:
        """Return the answer for a recording; None where it is not known."""
        if not self._is_used or key not in self._known:
            return None
        self._known.move_to_end(key)
        return self._known[key]

    def put(self, key: MemoKey, answer: Result | Failure) -> None:
        """Keep an answer."""
        if not self._is_used:
            return
        if self._is_small and isinstance(answer, Result):
            mean = answer.utterance_embedding
            # Of one row, so that its mean is the same to the last bit.
            answer = replace(answer, embedding=None if mean is None else mean[None])
        self._known[key] = answer
        if len(self._known) > self._size:
            self._known.popitem(last=False)
