"""Cutting at pauses: where utterances begin and end, however the sound is portioned."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from emoscope.audio.utterance_cutter import CutPiece, UtteranceCutter
from emoscope.results.utterances import UtteranceRules
from emoscope.waveform import RATE_HZ, Samples
from sounds import sample

RULES = UtteranceRules()
SPOKEN = ("happy_zh.wav", "angry_en.wav", "neutral_zh.wav")


def cut(samples: Samples, rules: UtteranceRules = RULES, size: int = 1 << 18) -> list[CutPiece]:
    """Cut a whole sound that comes in portions of ``size`` samples."""
    cutter = UtteranceCutter(rules)
    found = [
        piece
        for first in range(0, len(samples), size)
        for piece in cutter.feed(samples[first : first + size])
    ]
    return found + cutter.finish()


def conversation(pause_s: float) -> tuple[Samples, list[tuple[float, float]]]:
    """Three sentences with pauses between them, and where each begins and ends, in seconds."""
    parts, places, at = [np.zeros(8_000, np.float32)], [], 8_000
    for name in SPOKEN:
        said = trimmed(sample(name))
        places.append((at / RATE_HZ, (at + len(said)) / RATE_HZ))
        parts += [said, np.zeros(round(pause_s * RATE_HZ), np.float32)]
        at += len(said) + len(parts[-1])
    return np.concatenate(parts), places


def trimmed(samples: Samples) -> Samples:
    """Sound between the first and the last sample above a hundredth of the peak."""
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    return samples[loud[0] : loud[-1] + 1]


def seconds(piece: CutPiece) -> tuple[float, float]:
    return piece.first / RATE_HZ, (piece.first + len(piece.samples)) / RATE_HZ


def test_sentences_with_a_pause_between_them_are_utterances() -> None:
    sound, places = conversation(0.8)
    found = [seconds(piece) for piece in cut(sound)]

    assert len(found) == len(places)
    for (start_s, end_s), (true_start_s, true_end_s) in zip(found, places, strict=True):
        assert start_s == pytest.approx(true_start_s, abs=0.2)
        assert end_s == pytest.approx(true_end_s, abs=0.2)


def test_a_pause_under_the_rule_does_not_end_an_utterance() -> None:
    sound, _ = conversation(0.8)

    assert len(cut(sound, UtteranceRules(pause_s=2.0, longest_s=60.0))) == 1


@pytest.mark.parametrize("size", [160, 511, 16_000, 1 << 20])
def test_portions_change_nothing(size: int) -> None:
    """The same utterances to the sample: what makes a stream and a file agree."""
    sound, _ = conversation(0.5)
    rules = UtteranceRules(longest_s=3.0)
    whole, found = cut(sound, rules), cut(sound, rules, size)

    assert [piece.first for piece in found] == [piece.first for piece in whole]
    for one, other in zip(found, whole, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)


@pytest.mark.parametrize("longest_s", [1.0, 2.5, 4.0])
def test_utterances_lie_apart_inside_the_sound_and_are_not_too_long(longest_s: float) -> None:
    sound, _ = conversation(0.5)
    rules = UtteranceRules(longest_s=longest_s)
    pieces = cut(sound, rules)

    for one, other in pairwise(pieces):
        assert one.first + len(one.samples) <= other.first
    for piece in pieces:
        end = piece.first + len(piece.samples)
        assert 0 <= piece.first < end <= len(sound)
        assert len(piece.samples) / RATE_HZ <= longest_s + 2 * rules.pad_s + 0.04
        np.testing.assert_array_equal(piece.samples, sound[piece.first : end])


def test_a_long_utterance_is_cut_at_its_softest_place() -> None:
    """Two sentences with a pause under the rule: the cut lies in that pause, no sound is lost."""
    first, second = trimmed(sample("happy_zh.wav")), trimmed(sample("angry_en.wav"))
    gap = np.zeros(round(0.3 * RATE_HZ), np.float32)
    longest_s = len(first) / RATE_HZ + 1.5
    found = cut(np.concatenate([first, gap, second]), UtteranceRules(longest_s=longest_s))

    border_s = seconds(found[0])[1]
    assert len(first) / RATE_HZ - 0.1 <= border_s <= (len(first) + len(gap)) / RATE_HZ + 0.1
    assert seconds(found[1])[0] - border_s < 0.3


def test_speech_without_a_pause_loses_no_sample_at_a_cut() -> None:
    said = trimmed(sample("happy_zh.wav"))
    pieces = cut(np.concatenate([said] * 4), UtteranceRules(pause_s=3.0, longest_s=5.0))

    assert len(pieces) > 2
    for one, other in pairwise(pieces):
        assert one.first + len(one.samples) == other.first


def test_a_sound_shorter_than_the_shortest_is_no_utterance() -> None:
    said = trimmed(sample("happy_zh.wav"))[: round(0.4 * RATE_HZ)]
    sound = np.concatenate([np.zeros(16_000, np.float32), said, np.zeros(16_000, np.float32)])

    assert cut(sound, UtteranceRules(shortest_s=0.1))
    assert not cut(sound, UtteranceRules(shortest_s=1.0))


def test_silence_and_noise_hold_no_utterance() -> None:
    noise = 0.05 * np.random.default_rng(0).standard_normal(80_000).astype(np.float32)

    assert cut(np.zeros(80_000, np.float32)) == []
    assert cut(noise) == []
    assert cut(np.zeros(0, np.float32)) == []


def test_the_cutter_holds_no_more_than_an_utterance() -> None:
    """Minutes of silence and of speech: what is held stays bounded."""
    said = trimmed(sample("happy_zh.wav"))
    cutter = UtteranceCutter(UtteranceRules(pause_s=3.0, longest_s=5.0))
    held = []
    for block in [np.zeros(RATE_HZ * 60, np.float32), *[said] * 20]:
        cutter.feed(block)
        held.append(len(cutter._held))

    assert max(held) <= (5.0 + 3.0) * RATE_HZ + len(said)


@pytest.mark.parametrize(
    "wrong",
    [
        {"pause_s": -1.0},
        {"longest_s": float("inf")},
        {"pad_s": 0.3},
        {"longest_s": 0.5},
        {"shortest_s": 5.0},
        {"pause_s": float("nan")},
    ],
    ids=str,
)
def test_rules_that_contradict_themselves_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"_s|seconds"):
        UtteranceRules(**wrong)


def test_soft_speech_is_found_as_loud_speech_is() -> None:
    """A voice far from the microphone, at a peak of two hundredths."""
    sound, places = conversation(0.8)
    faint = sound * np.float32(0.02 / np.abs(sound).max())
    found, loud = [seconds(one) for one in cut(faint)], [seconds(one) for one in cut(sound)]

    assert len(found) == len(loud) == len(places)
    for one, other in zip(found, loud, strict=True):
        assert one == pytest.approx(other, abs=0.1)
    piece = cut(faint)[0]  # the model gets the sound as it is
    whole = faint[piece.first : piece.first + len(piece.samples)]
    np.testing.assert_array_equal(piece.samples, whole)
