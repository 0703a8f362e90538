"""The admission queue: order, bounds, deadlines, and permits that are always released."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.errors import BusyError, CancelledError, ServerClosingError
from emoscope.server.admission.queue import AdmissionQueue, Deadline, cancel_on_disconnect
from raising import raises_code


class Slow:
    """Work that goes on until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.let_go.wait(30)
        return "done"


async def begun(slow: Slow) -> None:
    while not slow.begun.is_set():
        await asyncio.sleep(0.001)


def test_places_are_bounded_and_come_back() -> None:
    async def scene() -> None:
        admission, slow = AdmissionQueue(1, 2), Slow()
        first = asyncio.create_task(admission.run(Deadline(), slow))
        await begun(slow)
        others = [asyncio.create_task(admission.run(Deadline(), lambda: "quick")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError) as refusal:
            await admission.run(Deadline(), lambda: "never")
        assert refusal.value.data["retry_after_s"] >= 1
        assert refusal.value.limit == "queue"
        assert (admission.working, admission.waiting) == (1, 2)
        slow.let_go.set()
        assert await asyncio.gather(first, *others) == ["done", "quick", "quick"]
        assert (admission.working, admission.waiting) == (0, 0)

    asyncio.run(scene())


def test_threads_stay() -> None:
    """New threads take new memory: an hour with pauses must not start one after each."""
    admission = AdmissionQueue(1, 1)
    first, second = (asyncio.run(admission.run(Deadline(), threading.get_ident)) for _ in range(2))
    assert first == second


def test_turns_come_in_order() -> None:
    async def scene() -> list[int]:
        admission, slow, order = AdmissionQueue(1, 10), Slow(), []
        first = asyncio.create_task(admission.run(Deadline(), slow))
        await begun(slow)

        def noting(number: int) -> Callable[[], None]:
            return lambda: order.append(number)

        others = []
        for number in range(8):
            others.append(asyncio.create_task(admission.run(Deadline(), noting(number))))
            await asyncio.sleep(0)
        slow.let_go.set()
        await asyncio.gather(first, *others)
        return order

    assert asyncio.run(scene()) == list(range(8))


def test_who_waits_too_long_is_told_and_its_place_is_free() -> None:
    async def scene() -> None:
        admission, slow = AdmissionQueue(1, 1), Slow()
        first = asyncio.create_task(admission.run(Deadline(), slow))
        await begun(slow)
        with raises_code("deadline_exceeded"):
            await admission.run(Deadline(0.01), lambda: "never")
        assert admission.waiting == 0
        slow.let_go.set()
        assert await first == "done"

    asyncio.run(scene())


def test_a_client_that_goes_frees_its_place() -> None:
    async def scene() -> None:
        admission, slow, gone = AdmissionQueue(1, 1), Slow(), asyncio.Event()
        first = asyncio.create_task(admission.run(Deadline(), slow))
        await begun(slow)

        async def receive() -> dict[str, object]:
            await gone.wait()
            return {"type": "http.disconnect"}

        call = Deadline()
        waiting = asyncio.create_task(
            cancel_on_disconnect(receive, call, admission.run(call, lambda: "never"))
        )
        await asyncio.sleep(0.01)
        assert admission.waiting == 1
        gone.set()
        with pytest.raises(CancelledError):
            await waiting
        assert admission.waiting == 0
        slow.let_go.set()
        await first

    asyncio.run(scene())


def test_work_stops_between_two_events_when_its_client_has_gone() -> None:
    now = [0.0]
    call = Deadline(10, clock=lambda: now[0])
    call()
    now[0] = 11.0
    with raises_code("deadline_exceeded"):
        call()
    other = Deadline()
    other.cancel()
    with pytest.raises(CancelledError):
        other()


def test_work_that_fails_gives_its_place_back() -> None:
    async def scene() -> None:
        admission = AdmissionQueue(1, 1)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await admission.run(Deadline(), lambda: 1 / 0)
        assert await admission.run(Deadline(), lambda: "done") == "done"

    asyncio.run(scene())


def test_a_closing_gate_finishes_and_refuses() -> None:
    async def scene() -> None:
        admission, slow = AdmissionQueue(1, 4), Slow()
        first = asyncio.create_task(admission.run(Deadline(), slow))
        await begun(slow)
        second = asyncio.create_task(admission.run(Deadline(), lambda: "waited"))
        await asyncio.sleep(0)
        admission.close()
        with pytest.raises(ServerClosingError):
            await admission.run(Deadline(), lambda: "never")
        with pytest.raises(ServerClosingError), admission.permit():
            pass
        assert not admission.wait_until_empty(0.01)
        slow.let_go.set()
        assert await asyncio.gather(first, second) == ["done", "waited"]
        assert admission.wait_until_empty(1)

    asyncio.run(scene())


def test_a_thread_waits_for_its_turn_without_being_counted() -> None:
    async def scene() -> None:
        admission, slow, entered = AdmissionQueue(1, 1), Slow(), threading.Event()
        first = asyncio.create_task(admission.run(Deadline(), slow))
        await begun(slow)

        def from_a_thread() -> None:
            with admission.permit():
                entered.set()

        threads = [threading.Thread(target=from_a_thread) for _ in range(3)]
        for thread in threads:
            thread.start()
        while admission.waiting < 3:
            await asyncio.sleep(0.001)
        assert not entered.is_set()
        slow.let_go.set()
        await first
        for thread in threads:
            thread.join(10)
        assert (admission.working, admission.waiting) == (0, 0)

    asyncio.run(scene())


@given(
    st.lists(st.sampled_from(["quick", "failing", "hasty", "leaving"]), max_size=30),
    st.integers(1, 3),
    st.integers(1, 40),
)
def test_whatever_comes_every_place_comes_back(what: list[str], working: int, waiting: int) -> None:
    async def one(admission: AdmissionQueue, kind: str) -> None:
        call = Deadline(0.0 if kind == "hasty" else None)
        if kind == "leaving":
            asyncio.get_running_loop().call_soon(call.cancel)
        await admission.run(call, (lambda: 1 / 0) if kind == "failing" else (lambda: None))

    async def scene() -> None:
        admission = AdmissionQueue(working, waiting)
        await asyncio.gather(*(one(admission, kind) for kind in what), return_exceptions=True)
        assert (admission.working, admission.waiting) == (0, 0)
        await admission.run(Deadline(), lambda: None)

    asyncio.run(scene())
