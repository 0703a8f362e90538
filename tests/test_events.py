from __future__ import annotations

import pytest

from emoscope.events import Event, Step, StepLog, ignore


class _Clock:
    def __init__(self, *times_s: float) -> None:
        self._times_s = list(times_s)

    def __call__(self) -> float:
        return self._times_s.pop(0)


def test_steps_keep_their_order_and_are_told_one_by_one() -> None:
    heard: list[Event] = []
    log = StepLog(heard.append)

    log.add("receive", 1.5, bytes=10)
    log.add("decode", 2.5)

    assert log.steps == (Step("receive", 1.5, {"bytes": 10}), Step("decode", 2.5, {}))
    assert tuple(heard) == log.steps


def test_a_timed_block_is_measured_in_milliseconds_and_may_add_numbers() -> None:
    log = StepLog(clock=_Clock(10.0, 10.25))

    with log.timed("infer", model="fake") as numbers:
        numbers["frames"] = 7

    assert log.steps == (Step("infer", 250.0, {"model": "fake", "frames": 7}),)


def test_a_block_that_fails_leaves_no_step_and_the_error_passes() -> None:
    """The log lists what was done, so a step that was not finished is not in it."""
    log = StepLog()

    with pytest.raises(ZeroDivisionError), log.timed("infer"):
        _ = 1 / 0

    assert log.steps == ()


def test_what_a_listener_raises_reaches_the_caller() -> None:
    def broken(_event: Event) -> None:
        raise LookupError("a bug in the listener")

    with pytest.raises(LookupError, match="a bug in the listener"):
        StepLog(broken).add("check", 1.0)


def test_steps_handed_out_do_not_grow_later() -> None:
    log = StepLog(ignore)
    log.add("receive", 1.0)
    before = log.steps
    log.add("decode", 1.0)

    assert len(before) == 1
    assert len(log.steps) == 2
