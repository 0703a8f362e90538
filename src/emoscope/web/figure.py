"""Figure of a result: data for ``static/timeline.js``, and its markup (``figure.html``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote

from emoscope.figures.pyramid import FINEST, TILE, Curve, is_unusable
from emoscope.labels import COUNT, EMOTIONS, SILENCE
from emoscope.messages.figure import EDIT, FIGURE, KEYS, SHARE
from emoscope.messages.languages import LANGUAGES, Language
from emoscope.messages.page import RESULT
from emoscope.messages.trust import abstention
from emoscope.outputs.corrections import segments_of
from emoscope.outputs.store import AUDIO
from emoscope.results.result import Result
from emoscope.results.segments import Segment
from emoscope.results.summary import Moment
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


def decisive_moments(result: Result) -> list[Moment]:
    """Return the moments that spoke for the answer, in order of time; none where it abstains."""
    if result.summary is None or result.abstain:
        return []
    spoke = (moment for moment in result.summary.moments if moment.logit > 0)
    return sorted(spoke, key=lambda moment: moment.span.start_s)


def palette() -> list[dict[str, str]]:
    """Key, names, emoji and colour of the nine in their order, and of silence after them."""
    return [
        {"key": e.key, "zh": e.zh, "en": e.en, "emoji": e.emoji, "colour": e.colour}
        for e in (*EMOTIONS, SILENCE)
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
) -> str:
    """Return the figure with its tools.

    Args:
        result: with the segments that are to be shown, corrected or not.
        curve: made from it.
        run: its directory's name.
        title: what people call it.
        small: without corrections, sharing and help, for two side by side.
        own: the model's own result, where ``result`` was corrected; the same by default.
    """
    has_track = result.track is not None
    name = title or result.name
    data = drawing(result, curve, run, name, own)
    return render(
        "figure",
        drawing=json.dumps(data, ensure_ascii=False, separators=(",", ":")),
        result=result,
        sound=link(run, AUDIO),
        has_track=has_track,
        small=small,
        told=_told(result, name),
        face="" if result.abstain else result.emotion.emoji,
        hatched=is_unusable(result),
        reasons={language: abstention(result.abstain, language) for language in LANGUAGES},
        rows=result.segments[:ROWS_MAX],
        FIGURE=FIGURE,
        EDIT=EDIT,
        SHARE=SHARE,
        KEYS=KEYS,
    )


def _told(result: Result, name: str) -> dict[str, dict[Language, str]]:
    """Return the words that the scripts say, by the name of their data attribute."""
    label = FIGURE["title" if result.track is not None else "title_sound"]
    made = {
        "label": label,
        "quiet": FIGURE["quiet"],
        "doubt": FIGURE["doubt"],
        "smoothed": FIGURE["smoothed"],
    }
    told: dict[str, dict[Language, str]] = {
        key: {language: text(language) for language in LANGUAGES} for key, text in made.items()
    }
    told["now"] = {language: FIGURE["now"](language, told="{}") for language in LANGUAGES}
    told["answer"] = {language: _answer(result, language) for language in LANGUAGES}
    told["below"] = {language: _sure(result, language) for language in LANGUAGES}
    told["share"] = {language: share_text(result, name, language) for language in LANGUAGES}
    return told


def share_text(result: Result, name: str, language: Language) -> str:
    """Return a result in one line of text, as people paste it.

    Args:
        result: what is told.
        name: of the recording.
        language: of the words.
    """
    face = "" if result.abstain else f"{result.emotion.emoji} "
    sure = _sure(result, language)
    answer = f"{face}{_answer(result, language)}{' ' + sure if sure else ''}"
    return SHARE["words"](language, name=name, length=seconds(result.duration_s), answer=answer)


def seconds(duration_s: float) -> str:
    """Length of a recording: ``4.2 s`` or ``12:05``; the same in both languages."""
    if duration_s < 60:
        return f"{duration_s:.1f} s"
    minutes, rest = divmod(round(duration_s), 60)
    return f"{minutes}:{rest:02d}"


def _answer(result: Result, language: Language) -> str:
    if result.abstain:
        return RESULT["cannot_tell"](language)
    return result.emotion.zh if language == "zh" else result.emotion.en


def _sure(result: Result, language: Language) -> str:
    """How sure the answer is, calibrated where the model was."""
    if result.abstain:
        return ""
    share = result.confidence if result.calibrated is None else result.calibrated.confidence
    return SHARE["sure"](language, percent=100 * share)
