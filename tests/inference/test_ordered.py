"""Recognition of many by several workers: the answers of the loop, in its order, lazily."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from emoscope.audio.inputs import Source
from emoscope.display.progress_line import ProgressLine, progress_words
from emoscope.inference.ordered import ordered_map
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure
from raising import raises_code
from sounds import sample, sample_names

CLIPS: list[Source] = [*((sample(name), 16_000) for name in sample_names()), "missing.wav"]


def scores(answers: Any) -> list[object]:
    return [
        one.error.code if isinstance(one, Failure) else one.scores.values.tolist()
        for one in answers
    ]


@pytest.mark.parametrize("workers", [2, 5])
def test_answers_by_workers_are_those_of_the_loop(
    fake_recognizer: Recognizer, workers: int
) -> None:
    alone = scores(fake_recognizer.recognize_many(CLIPS))

    assert scores(fake_recognizer.recognize_many(CLIPS, workers=workers)) == alone
    assert alone[-1] == "source_not_found"


@pytest.mark.parametrize("workers", [1, 3])
def test_a_list_without_an_end_is_read_lazily(workers: int) -> None:
    read = 0

    def endless() -> Iterator[int]:
        nonlocal read
        while True:
            read += 1
            yield read

    answers = ordered_map(lambda item: item * 2, endless(), workers)
    assert read == 0
    assert [next(answers) for _ in range(5)] == [2, 4, 6, 8, 10]
    assert read <= 5 + 2 * workers
    answers.close()  # type: ignore[attr-defined]


def test_the_order_is_that_of_the_items_whoever_is_first() -> None:
    def slow(item: int) -> int:
        time.sleep(0.02 if item % 2 else 0)
        return item

    assert list(ordered_map(slow, range(20), 4)) == list(range(20))


def test_workers_work_side_by_side() -> None:
    meet = threading.Barrier(3, timeout=30)

    assert len(list(ordered_map(lambda _: meet.wait(), range(3), 3))) == 3


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_come_where_the_loop_would_raise_them(workers: int) -> None:
    def inverse(item: int) -> float:
        return 1 / item

    def broken() -> Iterator[int]:
        yield 1
        yield 2
        raise OSError("disk")

    assert until_error(ordered_map(inverse, [2, 1, 0, 4], workers), ZeroDivisionError) == [0.5, 1]
    assert until_error(ordered_map(inverse, broken(), workers), OSError) == [1, 0.5]


def until_error(answers: Iterator[float], kind: type[Exception]) -> list[float]:
    """What comes before an error of this kind."""
    got = []
    try:
        for answer in answers:
            got.append(answer)  # noqa: PERF402 - what came before the error counts
    except kind:
        return got
    raise AssertionError("no error")


def test_an_end_before_the_end_leaves_no_thread(fake_recognizer: Recognizer) -> None:
    before = threading.active_count()
    with fake_recognizer.recognize_many(CLIPS * 20, workers=3) as answers:
        next(answers)
    for _ in range(100):
        if threading.active_count() == before:
            break
        time.sleep(0.05)
    assert threading.active_count() == before


@pytest.mark.parametrize("workers", [0, -1, 65, 1.5, True, "2"])
def test_a_wrong_number_of_workers_is_refused_at_once(
    fake_recognizer: Recognizer, workers: object
) -> None:
    with raises_code("workers_invalid"):
        fake_recognizer.recognize_many([], workers=workers)  # type: ignore[arg-type]


# --- progress -------------------------------------------------------------------------------------


def test_a_function_hears_of_each_answer(fake_recognizer: Recognizer) -> None:
    heard: list[tuple[int, int | None, int]] = []
    some = [*CLIPS[:2], "missing.wav"]
    list(fake_recognizer.recognize_many(some, progress=lambda *told: heard.append(told)))
    list(fake_recognizer.recognize_many(iter(some), progress=lambda *told: heard.append(told)))

    assert heard[:3] == [(1, 3, 0), (2, 3, 0), (3, 3, 1)]
    assert heard[-1] == (3, None, 1)


def test_the_line_goes_to_standard_error_and_not_to_output(
    fake_recognizer: Recognizer, capsys: pytest.CaptureFixture[str]
) -> None:
    list(fake_recognizer.recognize_many(CLIPS, progress=True))
    said = capsys.readouterr()

    assert said.out == ""
    assert f"{len(CLIPS)}/{len(CLIPS)}" in said.err
    assert "✗ 1" in said.err
    list(fake_recognizer.recognize_many(CLIPS[:1]))
    assert capsys.readouterr().err == ""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_in_a_terminal_one_line_is_rewritten_at_most_ten_times_a_second() -> None:
    stream, now = Terminal(), iter(np.arange(0, 10, 0.01))
    line = ProgressLine(stream, lambda: float(next(now)))
    for done in range(1, 101):
        line(done, 100, 0)

    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().endswith("\n")
    assert 5 <= stream.getvalue().count("\r") <= 12


def test_the_words_of_the_line() -> None:
    assert progress_words(12, 100, 1, 3.0) == "12/100 · 4.0/s · 0:03 < 0:22 · ✗ 1"
    assert progress_words(7, None, 0, 3_700.0) == "7 · 0.0/s · 1:01:40"
