"""Fusion over a recording: each utterance whose words are known, and the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from emoscope.fusion.rule import DEFAULT_RULE, Fusion, FusionRule, fuse
from emoscope.fusion.words import WordScores
from emoscope.labels import COUNT
from emoscope.results.json_type import JsonType
from emoscope.results.result import Result
from emoscope.waveform import Span


class WordReader(Protocol):
    """What gives scores of a text: a ``TextModel``, or a table of given scores."""

    def scores(self, text: str) -> WordScores:
        """Return the scores of a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedUtterance(JsonType, Span):
    """Utterance with what voice and words say of it."""

    text: str
    fusion: Fusion


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedRecording(JsonType):
    """Answer of voice and words for a recording, and for each utterance whose text is known."""

    name: str
    text: str
    fusion: Fusion
    utterances: tuple[FusedUtterance, ...] = ()


@dataclass(frozen=True, slots=True)
class GivenWords:
    """Scores that the user gives for the words of a recording, whatever the text is."""

    words: WordScores = field(repr=False)

    def scores(self, _text: str) -> WordScores:
        """Return the given scores."""
        return self.words


def fuse_result(
    result: Result, reader: WordReader, rule: FusionRule = DEFAULT_RULE, *, text: str = ""
) -> FusedRecording:
    """Make one answer of a recording's voice and words.

    With utterances that carry text, each is answered, and the words of the whole are the mean over
    them by length; else ``text`` is what is said in the whole.

    Args:
        result: of ``recognize``, with utterances where the words have times.
        reader: gives the scores of a text.
        rule: weights of voice and words.
        text: what is said in the recording, where no utterance carries text.

    Raises:
        RequestError: there is no text, or it is too long.
        ModelInvalidError: the text model failed.
    """
    spoken = [one for one in result.utterances or () if one.text.strip()]
    if not spoken:
        return FusedRecording(
            name=result.name, text=text, fusion=fuse(result.scores, reader.scores(text), rule)
        )
    words = [reader.scores(one.text) for one in spoken]
    parts = tuple(
        FusedUtterance(
            start_s=one.start_s,
            end_s=one.end_s,
            text=one.text,
            fusion=fuse(one.scores, scores, rule),
        )
        for one, scores in zip(spoken, words, strict=True)
    )
    lengths = [one.end_s - one.start_s for one in spoken]
    return FusedRecording(
        name=result.name,
        text=" ".join(one.text.strip() for one in spoken),
        fusion=fuse(result.scores, _mean(words, lengths), rule),
        utterances=parts,
    )


def _mean(words: Sequence[WordScores], weights: Sequence[float]) -> WordScores:
    """Weighted mean of scores that know the same emotions."""
    values, known = np.zeros(COUNT), np.zeros(COUNT, dtype=np.bool_)
    for one, weight in zip(words, weights, strict=True):
        values += weight * one.values
        known |= one.known
    return WordScores(values / values.sum(), known)
