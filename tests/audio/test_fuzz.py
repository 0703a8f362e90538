"""Mutants of twelve formats: a sound or an error of ours, never a lost process."""

from __future__ import annotations

import pytest

from mutants import DEADLINE_S, Survival, seeds, survive


def assert_harmless(found: Survival) -> None:
    assert found.replaced == 0
    assert found.slowest_s < DEADLINE_S
    assert found.peak_mb < 1024


def test_a_few_hundred_mutants() -> None:
    found = survive(40)

    assert_harmless(found)
    assert len(seeds()) == 12
    assert found.said.total() == 480
    assert found.said["sound"] > 0
    assert found.said["audio_damaged"] > 0


@pytest.mark.slow
def test_thirty_six_thousand_mutants() -> None:
    found = survive(3_000)
    print(found)

    assert_harmless(found)
    assert found.said.total() == 36_000
