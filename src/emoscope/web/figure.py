"""Figure of a result: data for ``static/timeline.js``, and its markup (``figure.html``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote

from emoscope.figures.glance import decisive_moments
from emoscope.figures.pyramid import FINEST, TILE, Curve, is_unusable
from emoscope.labels import COUNT, EMOTIONS, SILENCE, Emotion
from emoscope.messages.figure import EDIT, FIGURE, SHARE, SHORTCUTS
from emoscope.messages.languages import LANGUAGES, Language, Text
from emoscope.messages.trust import abstention
from emoscope.messages.verdict import verdict
from emoscope.outputs.corrections import segments_of
from emoscope.outputs.store import AUDIO
from emoscope.results.result import Result
from emoscope.results.segments import Segment
from emoscope.waveform import HOP_S
from emoscope.web.markup import link
from emoscope.web.rendering import render

ROWS_MAX = 400
"""Lines of the table of segments; hours may have thousands."""


def drawing(
    result: Result, curve: Curve, run: str, title: str, own: Result | None = None
) -> dict[str, object]:
    """Return what the script draws at first; finer tiles are fetched when they come into view.

    Args:
        result: by frame, with the segments as they were corrected.
        curve: the scores over time in levels of detail.
        run: name of the run's directory.
        title: name of the recording to show.
        own: the model's own result, where ``result`` was corrected; the same by default.

    Returns:
        ``run``, ``title``, ``tiles`` (address of the finer ones), ``duration_s``, ``hop_s``,
        ``tile``, ``finest`` and ``top``: the levels of ``figures/pyramid.py``; ``overview``: the
        tile of ``top``; ``emotions``: key, names, emoji, colour of the nine and of silence after
        them;
        ``segments``: start, end, index, as corrected; ``own``: the same as the model made them;
        ``moments``: start and end of those that spoke most for the answer, in order of time;
        ``lead``: index of the answer, None when there is none.
    """
    return {
        "run": run,
        "title": title,
        "tiles": f"v1/recognitions/{quote(run)}/curve",
        "duration_s": round(result.duration_s, 4),
        "hop_s": HOP_S,
        "tile": TILE,
        "finest": FINEST,
        "top": curve.top,
        "overview": curve.tile(curve.top, 0),
        "emotions": palette(),
        "segments": segment_rows(segments_of(result)),
        "own": segment_rows(segments_of(own or result)),
        "moments": [
            [round(m.span.start_s, 3), round(m.span.end_s, 3)] for m in decisive_moments(result)
        ],
        "lead": None if result.abstain else result.emotion.index,
    }


def palette() -> list[dict[str, str]]:
    """Key, names, emoji and colour of the nine in their order, and of silence after them."""
    quiet = FIGURE["quiet"]
    names = [*((e.zh, e.en) for e in EMOTIONS), (quiet.zh, quiet.en)]
    return [
        {"key": e.key, "zh": zh, "en": en, "emoji": e.emoji, "colour": e.colour}
        for e, (zh, en) in zip((*EMOTIONS, SILENCE), names, strict=True)
    ]


def segment_rows(segments: Sequence[Segment]) -> list[list[float | int]]:
    """Start, end, and the emotion's place in ``drawing``'s list, where silence comes last."""
    return [
        [
            round(s.span.start_s, 3),
            round(s.span.end_s, 3),
            COUNT if s.silent else s.emotion.index,
        ]
        for s in segments
    ]


def timeline(
    result: Result,
    curve: Curve,
    run: str,
    *,
    title: str = "",
    small: bool = False,
    own: Result | None = None,
    address: str = "",
) -> str:
    """Return the figure with its tools.

    Args:
        result: with the segments that are to be shown, corrected or not.
        curve: made from it.
        run: its directory's name.
        title: what people call it.
        small: without corrections, sharing and help, for two side by side.
        own: the model's own result, where ``result`` was corrected; the same by default.
        address: of a sample, whose sound it is and which has its finer tiles under ``/curve``; by
            default those of the run.
    """
    has_track = result.track is not None
    name = title or result.name
    data = drawing(result, curve, run, name, own)
    if address:
        data["tiles"] = f"{address}/curve"
    return render(
        "figure",
        drawing=json.dumps(data, ensure_ascii=False, separators=(",", ":")),
        result=result,
        sound=address or link(run, AUDIO),
        # A sample is fetched when it is played: the page opens with one.
        preload="none" if address else "metadata",
        has_track=has_track,
        small=small,
        told=_told(result, name),
        face="" if (answer := verdict(result)).kind == "abstained" else answer.emoji,
        hatched=is_unusable(result),
        reasons={language: abstention(result.abstain, language) for language in LANGUAGES},
        FIGURE=FIGURE,
        EDIT=EDIT,
        SHARE=SHARE,
        SHORTCUTS=SHORTCUTS,
        moment=moment,
    )


def shares(result: Result) -> str:
    """Return how the time divides between emotions and silence, largest first."""
    totals: dict[Emotion, float] = {}
    for segment in result.segments:
        totals[segment.emotion] = totals.get(segment.emotion, 0.0) + segment.span.duration_s
    ranked = sorted(totals.items(), key=lambda item: -item[1])
    percents = {e: 100 * seconds_of / result.duration_s for e, seconds_of in ranked}
    return render("shares", percents=percents)


def segments(result: Result, own: Result | None = None) -> str:
    """Return the table of segments, folded away when it is long.

    Args:
        result: with the segments as they were corrected.
        own: the model's own result, where ``result`` was corrected; the same by default.
    """
    known = {tuple(row) for row in segment_rows((own or result).segments)}
    shown = result.segments[:ROWS_MAX]
    rows = [
        (segment, tuple(row) not in known)
        for segment, row in zip(shown, segment_rows(shown), strict=True)
    ]
    return render("segments", rows=rows, count=len(result.segments), EDIT=EDIT, moment=moment)


def moment(time_s: float) -> str:
    """A moment as the figure tells it: ``2.5 s``, ``1:05.0``, ``1:02:05.0``."""
    tenths = round(time_s * 10)
    if tenths < 600:
        return f"{tenths / 10:.1f} s"
    minutes, rest = divmod(tenths, 600)
    if minutes < 60:
        return f"{minutes}:{rest / 10:04.1f}"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest / 10:04.1f}"


def _told(result: Result, name: str) -> dict[str, dict[Language, str]]:
    """Return the words that the scripts say, by the name of their data attribute."""
    label = FIGURE["title" if result.track is not None else "title_sound"]
    made = {
        "label": label,
        "quiet": FIGURE["quiet"],
        "doubt": FIGURE["doubt"],
        "smoothed": FIGURE["smoothed"],
    }
    answer = verdict(result)
    made |= {"answer": answer.name, "share": share_text(result, name)}
    sure = Text("", "")
    if answer.percent is not None:
        words = SHARE["sure"]
        sure = Text(*(words(language, percent=answer.percent) for language in LANGUAGES))
    made["below"] = sure
    told: dict[str, dict[Language, str]] = {
        key: {"zh": text.zh, "en": text.en} for key, text in made.items()
    }
    told["now"] = {language: FIGURE["now"](language, told="{}") for language in LANGUAGES}
    return told


def share_text(result: Result, name: str) -> Text:
    """Return a result in one line of text, as people paste it.

    Args:
        result: what is told.
        name: of the recording.
    """
    words, answer = SHARE["words"], verdict(result).text
    numbers = {"name": name, "length": moment(result.duration_s)}
    return Text(words("zh", answer=answer.zh, **numbers), words("en", answer=answer.en, **numbers))
