"""Gradio blocks of the web page.

Gradio carries files up, questions through its queue, and answers back; what people see is ours.
Its own widgets are not used: they speak one language at a time and decode sound themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emoscope.optional import require
from emoscope.web import history_view, live, many, render
from emoscope.web.desk import Desk
from emoscope.web.form import MANY_MAX, footer, form, header
from emoscope.web.notes import notes

# The form tells Gradio that there is a question; the question itself is fetched by ``js=`` below.
_ON_LOAD = "element.addEventListener('emo-ask', () => trigger('submit'))"


def build(desk: Desk, *, queue_size: int) -> Any:
    """Return the ``gradio.Blocks`` of the page.

    Args:
        desk: what answers.
        queue_size: questions that may wait; more are turned away.
    """
    gr = require("gradio", extra="webui")
    with gr.Blocks(
        title="Emoscope",
        analytics_enabled=False,
        fill_width=True,
    ) as page:
        _html(gr, header(), "emo-header")
        _view(gr, "one", desk.max_bytes, render.empty(), _one(desk))
        _view(gr, "many", desk.max_bytes, many.empty_table(), _many(desk))
        with gr.Row(elem_id="emo-live", elem_classes="emo-view"):
            with gr.Column(elem_classes="emo-left"):
                _html(gr, live.live_form(), "emo-form-live")
            with gr.Column(elem_classes="emo-right"):
                _html(gr, live.live_desk(), "emo-says-live")
        with gr.Row(elem_id="emo-runs", elem_classes="emo-view"):
            with gr.Column(elem_classes="emo-left"):
                _html(gr, history_view.shelf(), "emo-shelf")
            with gr.Column(elem_classes="emo-right"):
                _html(gr, history_view.desk_top(), "emo-result-runs")
        _html(gr, footer(), "emo-footer")
    page.queue(max_size=queue_size, default_concurrency_limit=2, api_open=False)
    return page


def _view(gr: Any, kind: str, max_bytes: int, start: str, answer: Any) -> None:
    """Lay out one view, form on the left and answer on the right, and join the two."""
    with gr.Row(elem_id=f"emo-{kind}", elem_classes="emo-view"):
        with gr.Column(elem_classes="emo-left"):
            asking = _html(
                gr, form(kind, max_bytes=max_bytes), f"emo-form-{kind}", js_on_load=_ON_LOAD
            )
        with gr.Column(elem_classes="emo-right"):
            said = notes(kind, max_bytes=max_bytes, max_files=MANY_MAX)
            _html(gr, said, f"emo-says-{kind}")
            shown = _html(gr, start, f"emo-result-{kind}")
    asked = asking.submit(
        answer,
        inputs=[asking],
        outputs=[shown],
        js=f"() => [window.emoscope.question('{kind}')]",
        show_progress="hidden",
        api_visibility="private",
    )
    # ``then`` is not called when the queue turns a question away; ``failure`` is.
    for afterwards in (asked.then, asked.failure):
        afterwards(
            fn=None,
            js=f"() => window.emoscope.answered('{kind}')",
            api_visibility="private",
        )


def _one(desk: Desk) -> Any:
    def answer_one(question: object) -> str:
        return desk.one(question)

    return answer_one


def _many(desk: Desk) -> Any:
    def answer_many(question: object) -> Iterator[str]:
        yield from desk.many(question)

    return answer_many


def _html(gr: Any, value: str, elem_id: str, js_on_load: str | None = None) -> Any:
    return gr.HTML(
        value=value,
        elem_id=elem_id,
        js_on_load=js_on_load,
        apply_default_css=False,
        container=False,
        padding=False,
    )
