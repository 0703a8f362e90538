"""Counts of a batch that runs, and what is printed of them."""

from __future__ import annotations

import pytest

from emoscope.batch.events import RowEnded, lost_worker
from emoscope.batch.progress import BatchProgress
from emoscope.cli.batch_show import BatchScreen
from emoscope.errors import AudioError
from emoscope.results.result import Failure

BAD = Failure("bad.wav", AudioError("audio_damaged"))


class Clock:
    """A clock that is put forward by hand."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_rate_and_time_left_are_those_of_the_last_minute() -> None:
    clock = Clock()
    progress = BatchProgress(1_000, clock)
    assert progress.left_s is None
    for row in range(100):
        clock.now_s += 1.0 if row < 50 else 2.0
        progress.take(RowEnded("worker-1", 0, row, 3.0))
    assert progress.per_s == pytest.approx(0.5, rel=0.05)
    assert progress.left_s == pytest.approx(900 / 0.5, rel=0.05)
    assert progress.seconds == 300.0


def test_what_a_lost_worker_had_done_is_done_again() -> None:
    progress = BatchProgress(10, Clock())
    finished = [RowEnded("worker-1", 0, 0, 3.0), RowEnded("worker-1", 0, 1, 0.0, BAD)]
    for event in finished:
        progress.take(event)
    progress.take(lost_worker("worker-1", 0, (2,), finished))
    assert (progress.done, progress.failed, progress.seconds) == (0, 0, 0.0)
    assert progress.to_dict()["codes"] == {}
    assert progress.lost == 1


def test_the_end_says_why_recordings_failed_and_where_to_read_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    progress = BatchProgress(3, Clock())
    for row in range(3):
        progress.take(RowEnded("worker-1", 0, row, 0.0, BAD if row else None))
    BatchScreen("en", as_json=False).end(progress, "out")
    said = capsys.readouterr().err.splitlines()
    assert "2 of them failed" in said[0]
    assert said[1].startswith("  2 failed, such as bad.wav: The audio file is damaged")
    assert said[1].endswith("[audio_damaged]")
    assert said[2] == "  All failures are in errors-*.parquet in out"
