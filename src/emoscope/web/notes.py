"""Notices of the browser scripts, in both languages."""

from __future__ import annotations

from emoscope.errors import AudioTooLargeError
from emoscope.messages.live import LIVE, MICROPHONE
from emoscope.messages.page import FAILURE, MANY, WAITING
from emoscope.web.markup import both, esc, pair


def notes(kind: str, *, max_bytes: int, max_files: int) -> str:
    """Return what stands above the answers of a form.

    Args:
        kind: ``one`` or ``many``.
        max_bytes: largest upload.
        max_files: of a batch.
    """
    too_large = AudioTooLargeError(max_bytes=max_bytes)
    lines = {
        **{name: both(WAITING[name]) for name in ("no_sound", "no_answer", "no_server")},
        **{name: both(text) for name, text in MICROPHONE.items()},
        "too_large": pair(too_large.detail_zh, too_large.detail_en),
        "too_many": both(MANY["too_many"], limit=max_files),
    }
    shown = "".join(_alert(name, line) for name, line in lines.items())
    shown += _hint("old", both(WAITING[f"old_{kind}"]))
    late = f'<small class="emo-late">{both(WAITING["first"])}</small>'
    shown += _working("uploading", both(WAITING["uploading"]))
    shown += _working("working", both(WAITING["working"]), late)
    return f'<div id="emo-notes-{esc(kind)}" class="emo-notes" aria-live="polite">{shown}</div>'


def live_notes() -> str:
    """Return what stands above the live picture; ``told`` is filled with the server's messages."""
    lines = {
        **{name: both(text) for name, text in MICROPHONE.items()},
        "no_server": both(WAITING["no_server"]),
        "line_broken": both(LIVE["line_broken"]),
        "line_lost": both(LIVE["line_lost"]),
        "told": both(WAITING["no_answer"]),
    }
    shown = "".join(_alert(name, line) for name, line in lines.items())
    shown += _working("finishing", both(LIVE["finishing"]))
    return f'<div data-part="notes" class="emo-notes" aria-live="polite">{shown}</div>'


def _alert(name: str, line: str) -> str:
    return (
        f'<section class="emo-card emo-error" data-note="{name}" hidden>'
        f'<h3 class="emo-card-title">{both(FAILURE["title_ours"])}</h3><p>{line}</p></section>'
    )


def _hint(name: str, line: str) -> str:
    return f'<section class="emo-card emo-hint" data-note="{name}" hidden><p>{line}</p></section>'


def _working(name: str, line: str, later: str = "") -> str:
    return (
        f'<section class="emo-card emo-working" data-note="{name}" hidden>'
        f'<span class="emo-spinner" aria-hidden="true"></span><p>{line} '
        f'<span class="emo-count"></span> {later}</p></section>'
    )
