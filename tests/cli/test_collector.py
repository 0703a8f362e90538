"""The garbage collector rests while a command starts, and works as usual afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from emoscope.cli import collector


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(collector.atexit, "register", lambda _function: None)
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_it_rests_while_a_command_starts_and_then_works_as_usual() -> None:
    usual, frozen = gc.get_threshold(), gc.get_freeze_count()

    collector.rest()
    assert gc.get_threshold()[0] > 10 * usual[0]
    assert gc.isenabled(), "cycles of a long start are found all the same"

    collector.work()
    assert gc.get_threshold() == usual
    assert gc.get_freeze_count() > frozen


def test_a_program_that_loads_a_model_keeps_its_own_collector() -> None:
    gc.set_threshold(123, 4, 5)
    frozen = gc.get_freeze_count()
    collector.work()
    assert (gc.get_threshold(), gc.get_freeze_count()) == ((123, 4, 5), frozen)
