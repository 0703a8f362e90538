"""What ``emoscope batch`` prints: progress on a terminal, plain lines elsewhere, or JSON events."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text as Line

from emoscope.batch.crew import CrewChoice
from emoscope.batch.dry_run import DryRun
from emoscope.batch.events import BatchEvent, ShardEnded, WorkerLost, WorkerReady
from emoscope.batch.plan import BatchPlan
from emoscope.batch.progress import BatchProgress
from emoscope.batch.run import BatchRun
from emoscope.cli.show import failure_line
from emoscope.cli.streams import write
from emoscope.messages.batch_runs import BATCH_RUN
from emoscope.messages.languages import Language
from emoscope.messages.units import time_length

_CODES = 3
"""Codes of failures that are told, the most frequent ones."""
_EVERY_S = 10.0
"""Seconds between two plain lines or events of progress."""


class BatchScreen:
    """Printer of a batch.

    Args:
        language: of the sentences.
        as_json: print events as JSON Lines on standard output instead of sentences.
    """

    def __init__(self, language: Language, *, as_json: bool) -> None:
        self._language = language
        self._as_json = as_json
        self._console = Console(stderr=True)
        self._live: Live | None = None
        self._last_s = time.monotonic()

    def plan(self, plan: BatchPlan, run: BatchRun) -> None:
        """Say what there is to do."""
        counts = {
            "rows": plan.rows,
            "shards": len(plan),
            "done": len(plan) - len(run.missing),
            "missing": len(run.missing),
            "left": run.rows,
        }
        self._say("plan", **counts)

    def crew(self, crew: CrewChoice) -> None:
        """Say how many processes work, and why."""
        if self._as_json:
            self._emit("crew", **asdict(crew))
        elif crew.many_per_s:
            values = {"many": crew.many_per_s, "one": crew.one_per_s}
            self._print("crew", workers=crew.workers, threads=crew.threads, **values)
        else:
            self._print("crew_given", workers=crew.workers, threads=crew.threads)

    def nothing_left(self) -> None:
        """Say that all is done."""
        self._say("nothing_left")

    @contextmanager
    def live(self, progress: BatchProgress) -> Iterator[None]:
        """Show progress while the block runs, where there is a terminal."""
        if self._as_json or not self._console.is_terminal:
            yield
            return
        self._live = Live(
            get_renderable=lambda: self._picture(progress),
            console=self._console,
            transient=True,
            refresh_per_second=2,
        )
        with self._live:
            yield

    def event(self, event: BatchEvent, progress: BatchProgress) -> None:
        """Say what happened, and now and then how far the batch is."""
        if isinstance(event, WorkerLost):
            rows = ", ".join(map(str, event.rows)) or "-"
            if self._as_json:
                self._emit("worker_lost", **asdict(event))
            else:
                self._print("lost", worker=event.worker, shard=event.shard, rows=rows)
        elif self._as_json and isinstance(event, WorkerReady):
            self._emit("worker_ready", **asdict(event))
        elif self._as_json and isinstance(event, ShardEnded):
            self._emit("shard", worker=event.worker, **asdict(event.report))
        if time.monotonic() - self._last_s >= _EVERY_S:
            self._last_s = time.monotonic()
            self._progress(progress)

    def interrupted(self, out: str) -> None:
        """Say how to go on."""
        self._say("interrupted", out=out)

    def end(self, progress: BatchProgress, out: str) -> None:
        """Say what became of the recordings."""
        if self._as_json:
            self._emit("end", out=out, **progress.to_dict())
            return
        self._print(
            "end",
            done=progress.done,
            failed=progress.failed,
            hours=progress.seconds / 3600,
            time=time_length(progress.elapsed_s, self._language),
            out=out,
        )
        self.failures(progress, out)

    def failures(self, progress: BatchProgress, out: str) -> None:
        """Say why recordings failed: the most frequent codes, each with a recording."""
        known = [(code, count) for code, count in progress.codes.most_common(_CODES) if count]
        if self._as_json or not known:
            return
        for code, count in known:
            line = failure_line(progress.examples[code], self._language)
            self._print("failures", count=count, line=line)
        self._print("all_failures", out=out)

    def dry(self, found: DryRun, workers: int) -> None:
        """Say what the batch would be."""
        expected_s = found.expected_s(workers)
        if self._as_json:
            size = round(found.expected_bytes)
            self._emit("dry_run", **asdict(found), expected_s=expected_s, expected_bytes=size)
            return
        self._print("dry_counts", rows=found.rows, shards=found.shards, errors=found.errors)
        self._print("dry_hours", hours=found.seconds / 3600, looked=found.looked)
        if expected_s is None:
            self._print("dry_no_sample")
            return
        self._print(
            "dry_expect",
            time=time_length(expected_s, self._language),
            size=found.expected_bytes,
            sample=found.sample,
            seconds=found.sample_s,
        )

    def _progress(self, progress: BatchProgress) -> None:
        if self._as_json:
            self._emit("progress", **progress.to_dict())
        elif self._live is None:
            self._console.print(self._line(progress), soft_wrap=True, markup=False, highlight=False)

    def _line(self, progress: BatchProgress) -> str:
        left_s = progress.left_s
        line = BATCH_RUN["progress"](
            self._language,
            done=progress.done,
            rows=progress.rows,
            percent=100 * progress.done / max(progress.rows, 1),
            hours=progress.seconds / 3600,
            per_s=progress.per_s,
            failed=progress.failed,
        )
        if left_s is None:
            return line
        return line + BATCH_RUN["left"](self._language, left=time_length(left_s, self._language))

    def _picture(self, progress: BatchProgress) -> Group:
        lines = [self._line(progress)]
        for name, one in sorted(progress.workers.items()):
            values = {"worker": name, "shard": one.shard, "total": one.total}
            lines.append(BATCH_RUN["worker"](self._language, **values))
        return Group(*(Line(line, style="dim" if at else "") for at, line in enumerate(lines)))

    def _say(self, key: str, **values: Any) -> None:
        if self._as_json:
            self._emit(key, **values)
        else:
            self._print(key, **values)

    def _print(self, key: str, **values: Any) -> None:
        line = BATCH_RUN[key](self._language, **values)
        self._console.print(line, soft_wrap=True, markup=False, highlight=False)

    @staticmethod
    def _emit(event: str, **values: Any) -> None:
        write(json.dumps({"event": event, **values}, ensure_ascii=False) + "\n")
