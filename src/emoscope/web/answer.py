"""What the sections of a result tell, for their templates.

A sentence is a ``Text`` whose gaps are filled; a name in it may hold braces, so templates show it
with ``pair(text.zh, text.en)`` and never fill it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emoscope.events import Step
from emoscope.figures.glance import decisive_moments
from emoscope.labels import Emotion, by_key
from emoscope.messages.languages import Text
from emoscope.messages.mixed import leading_two, mixed_emotion
from emoscope.messages.page import FORM, RESULT
from emoscope.messages.story import story
from emoscope.messages.texts import NOTICES, advice, advised, step_line
from emoscope.messages.trust import ABSTENTION, label_set
from emoscope.messages.units import recording_length
from emoscope.messages.verdict import below, verdict
from emoscope.models import catalog
from emoscope.outputs.recordings import Recorded, labels
from emoscope.paths.file_names import shown
from emoscope.results.quality import Quality
from emoscope.results.result import Result
from emoscope.results.scores import Scores
from emoscope.web.opened import Opened

TRACE_PERCENT = 1.0
"""A score below this has no bar of its own."""
_MADE = ("report.html", "picture.svg")
"""Files that are made of any run when they are asked for."""
_MADE_OF_SEGMENTS = ("segments.srt", "segments.TextGrid", "segments.csv")
"""Likewise, of a run by frame."""
_MADE_OF_UTTERANCES = ("utterances.srt", "utterances.TextGrid", "utterances.csv")
"""Likewise, of a run with utterances."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One emotion and its score in percent."""

    emotion: Emotion
    percent: float


def answer_context(opened: Opened) -> dict[str, Any]:
    """Return what the templates of a result's sections name."""
    result = opened.result
    has_track = result.track is not None
    return {
        "result": result,
        "verdict": verdict(result),
        "story": story_of(result),
        "below": below(result),
        "reasons": reasons(result),
        "mixed": mixed_parts(result),
        "label_set": label_set_of(result),
        "length": recording_length(result.duration_s),
        "bars": bars(result.scores),
        "advice": check_advice(result),
        "is_fine": not advised(result.quality.reasons, result.granularity),
        "facts": quality_figures(result.quality, result.duration_s),
        "known": known_figures(opened.card),
        "notice": _notice(result),
        "command": catalog.catalog_entry(catalog.LARGE).pull_command,
        "moments": [(m, recording_length(m.start_s)) for m in decisive_moments(result)],
        "log": [(_step(step), step_seconds(step.milliseconds)) for step in result.steps],
        "total": step_seconds(sum(step.milliseconds for step in result.steps)),
        "shared": shared_text(opened),
        "stem": shown(labels(Recorded.of((result,)))[0]),
        "made": (
            *_MADE,
            *(_MADE_OF_SEGMENTS if has_track else ()),
            *(_MADE_OF_UTTERANCES if result.utterance_set is not None else ()),
        ),
        "adapted": result.adaptation,
        "adapted_from": None if result.adaptation is None else by_key(result.adaptation.emotion),
    }


def story_of(result: Result) -> Text | None:
    """Return how the emotion went; None without a time axis."""
    if result.track is None:
        return None
    is_abstained = verdict(result).kind == "abstained"
    return story(result.segments, result.duration_s, is_abstained=is_abstained)


def reasons(result: Result) -> list[Text]:
    """Return why no emotion is claimed, where none is."""
    told = advised(result.abstain, result.granularity)
    return [
        _advice(code, result) if code in result.quality.reasons else ABSTENTION[code]
        for code in told
    ]


def check_advice(result: Result) -> list[Text]:
    """Return the advice of the recording check, less what the headline has told."""
    told = advised(result.quality.reasons, result.granularity)
    return [_advice(code, result) for code in told if code not in result.abstain]


def label_set_of(result: Result) -> Text | None:
    """Return the emotions that it may be; None where the model was not calibrated."""
    sure = result.calibrated
    return None if sure is None else Text(label_set(sure, "zh"), label_set(sure, "en"))


def bars(scores: Scores) -> tuple[list[Scored], list[Scored]]:
    """Return the nine scores, descending, whose numbers add up to 100.0 %: bars and traces."""
    percents = scores.percentages()
    ranked = [Scored(emotion, percents[emotion.index]) for emotion, _ in scores.ranked()]
    drawn = [one for one in ranked if one.percent >= TRACE_PERCENT]
    return drawn, ranked[len(drawn) :]


def mixed_parts(result: Result) -> tuple[Text, Text, Emotion, Emotion] | None:
    """Return the name of a mixed emotion, its parts in words, and the two emotions."""
    name = mixed_emotion(result.scores)
    if name is None or verdict(result).kind not in ("sure", "leaning"):
        return None
    one, other = leading_two(result.scores)
    percents = result.scores.percentages()
    numbers = {"first_percent": percents[one.index], "second_percent": percents[other.index]}
    title, parts = RESULT["mixed"], RESULT["mixed_parts"]
    return (
        Text(title("zh", name=name.zh), title("en", name=name.en)),
        Text(
            parts("zh", first=one.zh, second=other.zh, **numbers),
            parts("en", first=one.en, second=other.en, **numbers),
        ),
        one,
        other,
    )


def quality_figures(quality: Quality, duration_s: float) -> tuple[tuple[str, str], ...]:
    """Return the numbers of the recording check: key of ``RESULT`` and value."""
    snr = "—" if quality.snr_db is None else f"{quality.snr_db:.0f} dB"
    return (
        ("duration", recording_length(duration_s)),
        ("level", f"{quality.level_dbfs:.0f} dBFS".replace("-", "−")),
        ("snr", snr),
        ("bandwidth", f"{quality.bandwidth_hz / 1000:.1f} kHz"),
        ("speech", f"{quality.speech_share * 100:.0f}%"),
        ("clipping", f"{quality.clipped_share * 100:.1f}%"),
    )


def known_figures(card: catalog.ModelCard | None) -> Text | None:
    """Return how often the model is right on recordings of kinds that it never met."""
    figures = [] if card is None else [*card.accuracy.values()]
    unmet = [
        100 * float(one["uar"])
        for one in figures
        if isinstance(one, dict) and "uar" in one and one.get("trained_on") is False
    ]
    if not unmet:
        return None
    words = {"count": len(unmet), "least": min(unmet), "most": max(unmet)}
    return Text(RESULT["model_known"]("zh", **words), RESULT["model_known"]("en", **words))


def shared_text(opened: Opened) -> Text:
    """Return a result as plain text to copy: file, headline, story, model."""
    result, card = opened.result, opened.card
    name, length_s = opened.entry.shown, recording_length(result.duration_s)
    head, told = verdict(result).text, story_of(result)
    title = (result.model.name, result.model.name)
    if card is not None:
        title = (card.title_zh, card.title_en)
    brackets = ("（{}）", " ({})")
    zh, en = (
        "\n".join(
            filter(
                None,
                (
                    name + brackets[at].format(length_s),
                    head[at],
                    None if told is None else told[at],
                    f"{title[at]} · Emoscope",
                ),
            )
        )
        for at in (0, 1)
    )
    return Text(zh, en)


def step_seconds(milliseconds: float) -> str:
    """Return the time of a step in seconds: ``22.6``, ``0.03``, ``< 0.01``."""
    seconds = milliseconds / 1000
    if seconds < 0.005:
        return "< 0.01"
    return f"{seconds:.1f}" if seconds >= 1 else f"{seconds:.2f}"


def mode(result: Result) -> Text:
    """Return what was asked for: one answer, or the change over time."""
    return FORM[result.granularity]


def _advice(code: str, result: Result) -> Text:
    numbers = result.quality.to_dict()
    return Text(advice(code, "zh", numbers), advice(code, "en", numbers))


def _step(step: Step) -> Text:
    return Text(step_line(step, "zh"), step_line(step, "en"))


def _notice(result: Result) -> Text | None:
    """Return the notice of the built-in model, up to its command, which is shown to be copied."""
    if result.model.name != catalog.COMPACT:
        return None
    text = NOTICES["compact"]
    return Text(text("zh", command="").strip(), text("en", command="").strip())
