from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from emoscope.errors import InternalError
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.web.desk import Desk, Tickets

GOOD, OTHER = {"sample": "emodb_happy.wav"}, {"sample": "emodb_sad.wav"}


@pytest.fixture
def desk(fake_recognizer: Recognizer, tmp_path: Path) -> Desk:
    return Desk(
        fake_recognizer, RunStore(tmp_path / "outputs"), uploads=tmp_path, max_bytes=1_000_000
    )


def test_one_answer_is_one_run(desk: Desk) -> None:
    shown = desk.one({"sources": [GOOD]})

    (run,) = desk.store.names()
    assert f'data-run="{run}"' in shown
    assert desk.store.open(run).result.name == "emodb_happy.wav"


def test_two_answers_are_never_the_same_even_when_they_look_so(desk: Desk) -> None:
    """The script waits for a change."""
    assert desk.one({}) != desk.one({})


def roots(shown: Iterable[str]) -> list[str]:
    """Names of the outermost elements."""
    found = [re.fullmatch(r"<([a-z0-9-]+) [^>]*>.*</\1>", html, re.DOTALL) for html in shown]
    return [match[1] for match in found if match]


def test_every_answer_has_a_root_element_of_its_own_name(desk: Desk) -> None:
    """Gradio keeps elements whose names stay the same, and what scripts know of them."""
    answers = [
        desk.one({"sources": [GOOD]}),
        desk.one({"sources": [OTHER]}),
        desk.one({}),
        desk.one({"sources": [GOOD]}),
        *desk.many({}),
    ]

    assert len(set(roots(answers))) == len(answers)


def test_a_batch_keeps_its_root_element_while_it_grows(desk: Desk) -> None:
    one, other = (list(desk.many({"sources": [GOOD, OTHER]})) for _ in range(2))

    assert len(roots(one)) == len(roots(other)) == 3
    assert len(set(one)) == len(set(other)) == 3
    assert len({*roots(one)}) == len({*roots(other)}) == 1
    assert roots(one)[0] != roots(other)[0]


def test_a_bug_becomes_a_sentence_and_a_line_in_the_log(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_arguments: object, **_named: object) -> None:
        raise ZeroDivisionError("inner detail")

    monkeypatch.setattr(desk.recognizer, "infer", broken)

    with caplog.at_level(logging.ERROR):
        shown = desk.one({"sources": [GOOD]})
        *_, table = desk.many({"sources": [GOOD, OTHER]})

    assert InternalError().detail_zh in shown
    assert "inner detail" not in shown + table
    assert table.count("emo-failed") == 2
    assert "inner detail" in caplog.text
    assert desk.store.names() == []


def test_a_batch_tells_of_every_file_in_turn(desk: Desk) -> None:
    bad = {"name": "x.wav", "path": "/nowhere"}

    tables = list(desk.many({"sources": [GOOD, bad, OTHER]}))

    assert [table.count("<tr") - 1 for table in tables] == [0, 1, 2, 3]
    assert "source_not_found" in tables[-1]
    assert len(desk.store.names()) == 2


def test_a_wrong_question_about_many_is_the_red_panel(desk: Desk) -> None:
    (shown,) = desk.many({"sources": [GOOD] * 101})

    assert "too_many_files" in shown


def test_a_batch_that_nobody_wants_any_more_stops_and_keeps_no_voices(desk: Desk) -> None:
    left = desk.uploads / "0" / "later.wav"
    left.parent.mkdir()
    left.write_bytes(b"voice")
    sources = [GOOD, OTHER, {"name": "later.wav", "path": str(left)}]
    batch = desk.many({"sources": sources, "ticket": "t"})
    next(batch)
    next(batch)

    desk.cancelled.add("t")
    (last,) = batch

    assert 'data-over="true"' in last
    assert len(desk.store.names()) == 1
    assert not left.exists()


def test_tickets_are_forgotten_in_time() -> None:
    tickets = Tickets(most=2)
    for name in ("a", "b", "c"):
        tickets.add(name)

    assert [tickets.holds(name) for name in ("a", "b", "c", "")] == [False, True, True, False]
