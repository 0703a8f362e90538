"""Controller of the web page: requests in, HTML out, without Gradio."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TypeAlias

from emoscope.errors import EmoscopeError, InternalError
from emoscope.figures.pyramid import curve_of
from emoscope.outputs.store import Run, RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure
from emoscope.waveform import Waveform
from emoscope.web import render
from emoscope.web.curves import Curves
from emoscope.web.form import MANY_MAX
from emoscope.web.many import BatchLine, batch_table
from emoscope.web.question import Asked, PageQuestion, discard, fetch, read_question

Permit: TypeAlias = Callable[[], AbstractContextManager[None]]
"""Makes a block wait for its turn."""

_log = logging.getLogger(__name__)


class Desk:
    """Controller of the page.

    Args:
        recognizer: what answers.
        store: where runs are written.
        uploads: the only folder that uploaded files are read from.
        max_bytes: largest recording.
        permit: gives a permit of the queue that the page shares with the routes.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        store: RunStore,
        *,
        uploads: Path,
        max_bytes: int,
        permit: Permit = nullcontext,
    ) -> None:
        self.recognizer = recognizer
        self.store = store
        self.uploads = uploads
        self.max_bytes = max_bytes
        self._permit = permit
        self.curves = Curves(store)
        self.cancelled = Tickets()

    def one(self, raw: object) -> str:
        """Recognize one recording and return the right side, or the red panel."""
        wrap = _answer_wrapper()
        try:
            question = read_question(raw, most=1)
            run, waveform = self._run(question.asked[0], question)
            return wrap(self._show(run, waveform))
        except EmoscopeError as error:
            return wrap(render.error_panel(error))
        except Exception:
            _log.exception("the page could not show an answer")
            return wrap(render.error_panel(InternalError()))

    def many(self, raw: object) -> Iterator[str]:
        """Recognize one after another and return the table anew after each."""
        wrap = _answer_wrapper()
        try:
            question = read_question(raw, most=MANY_MAX)
        except EmoscopeError as error:
            yield wrap(render.error_panel(error))
            return
        lines: list[BatchLine] = []
        total = len(question.asked)
        yield wrap(batch_table(lines, total))
        for asked in question.asked:
            if self.cancelled.holds(question.ticket):
                for left in question.asked[len(lines) :]:
                    discard(left, uploads=self.uploads)
                yield wrap(batch_table(lines, total, cancelled=True))
                return
            lines.append(self._line(asked, question))
            yield wrap(batch_table(lines, total))

    def _line(self, asked: Asked, question: PageQuestion) -> BatchLine:
        try:
            return self._run(asked, question)[0]
        except EmoscopeError as error:
            return Failure(asked.name, error)
        except Exception:
            _log.exception("a file of a batch could not be recognized")
            return Failure(asked.name, InternalError())

    def _run(self, asked: Asked, question: PageQuestion) -> tuple[Run, Waveform]:
        sound = fetch(asked, uploads=self.uploads, max_bytes=self.max_bytes)
        with self._permit():
            recording = self.recognizer.decode(sound, name=asked.name)
            result = self.recognizer.infer(
                recording, granularity=question.granularity, embedding=question.embedding
            )
        return self.store.save(result, recording.waveform), recording.waveform

    def _show(self, run: Run, waveform: Waveform) -> str:
        curve = curve_of(run.result, waveform)
        self.curves.keep(run, curve)
        return render.page_of_result(
            run.result,
            run=run.name,
            files=run.files(),
            curve=curve,
            card_of_model=self.recognizer.card,
        )


class Tickets:
    """Cancelled batches; the last few hundred are remembered."""

    def __init__(self, most: int = 500) -> None:
        self._most = most
        self._held: dict[str, None] = {}

    def add(self, ticket: str) -> None:
        """Remember that this batch is to stop."""
        self._held[ticket] = None
        for oldest in list(self._held)[: -self._most]:
            self._held.pop(oldest, None)

    def holds(self, ticket: str) -> bool:
        """Whether this batch is to stop; one without a ticket never is."""
        return bool(ticket) and ticket in self._held


def _answer_wrapper() -> Callable[[str], str]:
    """Return a function that wraps the HTML of one answer in a root element of its own name.

    Gradio's HTML component does not replace its content, it patches it: an element whose tag name
    stays the same is kept, with its scripts' state and listeners, and only attributes and children
    are exchanged. A custom element of the first answer (``<emo-timeline>``) would live on under the
    second. A root of another tag name makes the component replace the whole subtree.

    The steps of one batch share one root, so that focus and scroll position survive its progress.
    ``data-answer`` is new at every call; ``page.js`` waits for the change.
    """
    root = f"emo-answer-{secrets.token_hex(6)}"
    return lambda html: f'<{root} data-answer="{secrets.token_hex(6)}">{html}</{root}>'
