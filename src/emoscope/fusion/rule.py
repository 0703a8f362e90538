"""Log-linear pooling of the scores of voice and words, with weights per emotion.

``score(c) ∝ exp((a(c) · ln voice(c) + b(c) · ln words(c)) / temperature)``, both logarithms taken
relative to their mean over the emotions that are known, so that an emotion of which a text model
knows nothing is neither raised nor lowered by it. With one weight for all emotions this is the
logarithmic opinion pool (C. Genest, J. V. Zidek, Statistical Science 1986).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import numpy as np

from emoscope.fusion.words import WordScores
from emoscope.labels import COUNT
from emoscope.results.json_type import EmotionKey, JsonType, Share
from emoscope.results.scores import Scores, ScoresByKey, softmax
from emoscope.waveform import Array64, Mask

FLOOR = 1e-3
"""Smallest score that is believed: a zero would rule an emotion out for ever."""
DIVERGENCE = 0.3
"""Bits of divergence from which on voice and words count as disagreeing, unless a rule says."""


@dataclass(frozen=True, slots=True, eq=False)
class FusionRule:
    """Weights with which voice and words become one answer.

    Raises:
        ValueError: a number is negative or not finite, or the temperature is not above zero.
    """

    voice: Array64
    """Weight of the voice per emotion, shape ``(9,)``."""
    words: Array64
    """Weight of the words per emotion, shape ``(9,)``."""
    temperature: float = 1.0
    divergence: float = DIVERGENCE
    """Bits of divergence from which on the two disagree, where their first emotions differ."""
    card: dict[str, object] = field(default_factory=dict)
    """How it was fitted, and its figures; empty for a rule that was not."""

    def __post_init__(self) -> None:
        for weights in (self.voice, self.words):
            if weights.shape != (COUNT,) or not np.isfinite(weights).all() or weights.min() < 0:
                raise ValueError(f"weights are {COUNT} numbers from zero on")
        if not (np.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError("the temperature is above zero")
        if not 0 <= self.divergence <= 1:
            raise ValueError("the divergence is between 0 and 1 bit")

    @property
    def fitted(self) -> bool:
        """Whether it was fitted on a labelled list."""
        return bool(self.card)


DEFAULT_RULE = FusionRule(np.full(COUNT, 0.5), np.full(COUNT, 0.5))
"""Half and half: the geometric mean of both, fitted on nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fusion(JsonType):
    """One answer of voice and words, and both parts."""

    emotion: EmotionKey
    confidence: Share
    scores: ScoresByKey
    voice_emotion: EmotionKey
    voice_scores: ScoresByKey
    words_emotion: EmotionKey
    words_scores: dict[str, Share] = field(
        metadata={"description": "of the emotions that the words can tell; they sum to 1"}
    )
    divergence: float = field(
        metadata={"description": "Jensen-Shannon divergence of the two in bits, 0 to 1"}
    )
    disagree: bool = field(
        metadata={"description": "the first emotions differ, and the divergence reaches the rule's"}
    )
    fitted: bool = field(metadata={"description": "whether the rule was fitted on a labelled list"})


def evidence(scores: Array64, known: Mask | None = None) -> Array64:
    """Return logarithms of scores relative to their mean, 0 where an emotion is not known.

    Args:
        scores: shape ``(..., 9)``.
        known: shape ``(9,)``; None: all are known.
    """
    mask = np.ones(COUNT, dtype=np.bool_) if known is None else known
    logs = np.log(np.maximum(scores, FLOOR)) * mask
    return cast(Array64, (logs - logs.sum(axis=-1, keepdims=True) / mask.sum()) * mask)


def pool(voice: Array64, words: Array64, rule: FusionRule) -> Array64:
    """Return fused scores of evidence.

    Args:
        voice: evidence of the voice, shape ``(..., 9)``.
        words: evidence of the words, shape ``(..., 9)``.
        rule: the weights.
    """
    return softmax((rule.voice * voice + rule.words * words) / rule.temperature)


def divergence_bits(voice: Array64, words: Array64, known: Mask) -> float:
    """Jensen-Shannon divergence over the emotions that both can tell, in bits from 0 to 1.

    Args:
        voice: scores of the voice, shape ``(9,)``.
        words: scores of the words, shape ``(9,)``.
        known: emotions that the words can tell, shape ``(9,)``.
    """
    one, other = _shares(voice[known]), _shares(words[known])
    middle = (one + other) / 2
    return float(np.clip((_relative(one, middle) + _relative(other, middle)) / 2, 0.0, 1.0))


def fuse(voice: Scores, words: WordScores, rule: FusionRule = DEFAULT_RULE) -> Fusion:
    """Make one answer of the scores of the voice and of the words.

    Args:
        voice: of ``Result.scores`` or of an utterance.
        words: of a text model, or given.
        rule: weights; half and half, if none was fitted.
    """
    fused = Scores(pool(evidence(voice.values), evidence(words.values, words.known), rule))
    bits = divergence_bits(voice.values, words.values, words.known)
    differ = voice.top != words.top
    return Fusion(
        emotion=fused.top.key,
        confidence=fused.confidence,
        scores=fused,
        voice_emotion=voice.top.key,
        voice_scores=voice,
        words_emotion=words.top.key,
        words_scores=words.to_dict(),
        divergence=bits,
        disagree=differ and bits >= rule.divergence,
        fitted=rule.fitted,
    )


def _shares(values: Array64) -> Array64:
    floored = np.maximum(values, FLOOR)
    return cast(Array64, floored / floored.sum())


def _relative(one: Array64, other: Array64) -> float:
    return float((one * np.log2(one / other)).sum())
