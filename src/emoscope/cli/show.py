"""Results on a terminal, as rich renderables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from emoscope.labels import by_key
from emoscope.messages.heads import HEAD_WORDS
from emoscope.messages.hints import sentence
from emoscope.messages.languages import Language
from emoscope.messages.page import RESULT
from emoscope.messages.texts import NOTICES, TERMINAL, advice, advised
from emoscope.messages.trust import CALIBRATED, abstention
from emoscope.messages.utterances import UTTERANCES
from emoscope.results.heads import HeadAnswer
from emoscope.results.result import Failure, Result

if TYPE_CHECKING:
    from emoscope.errors import EmoscopeError
    from emoscope.labels import Emotion


def detail(error: EmoscopeError, language: Language) -> str:
    """Return the error's sentence in this language, with the hint of the command line."""
    return sentence(error, language, "cli")


def failure_line(failure: Failure, language: Language) -> str:
    """Return the line of a recording that failed: its name, why, and the code."""
    return f"{failure.name}: {detail(failure.error, language)} [{failure.error.code}]"


def emotion_name(emotion: Emotion, language: Language) -> str:
    """Return emoji and name."""
    return f"{emotion.emoji} {emotion.zh if language == 'zh' else emotion.en}"


def result_table(answers: Sequence[Result | Failure], language: Language) -> Table:
    """One row per recording."""
    shown = Table(box=None, header_style="bold", pad_edge=False)
    shown.add_column(TERMINAL["file"](language), overflow="fold")
    shown.add_column(TERMINAL["emotion"](language), no_wrap=True)
    shown.add_column(TERMINAL["confidence"](language), justify="right", no_wrap=True)
    shown.add_column(TERMINAL["second"](language), no_wrap=True)
    shown.add_column(TERMINAL["duration"](language), justify="right", no_wrap=True)
    heads = list(dict.fromkeys(head.name for one in answers for head in _heads(one)))
    for name in heads:
        shown.add_column(escape(name), no_wrap=True)
    shown.add_column(TERMINAL["check"](language), overflow="fold")
    for answer in answers:
        *cells, check = _row(answer, language)
        shown.add_row(*cells, *_head_cells(answer, heads, language), check)
    return shown


def _heads(answer: Result | Failure) -> tuple[HeadAnswer, ...]:
    result = answer.result if isinstance(answer, Failure) else answer
    return () if result is None else result.heads


def _head_cells(answer: Result | Failure, names: list[str], language: Language) -> list[str]:
    said = {head.name: head for head in _heads(answer)}
    return [head_words(said[name], language) if name in said else "" for name in names]


def head_words(head: HeadAnswer, language: Language) -> str:
    """Return the leading class of a head and its score: ``😊 满意 83.1%``."""
    name = head.top.zh if language == "zh" else head.top.en
    words = " ".join(part for part in (head.top.emoji, name) if part)
    return escape(f"{words} {100 * head.confidence:.1f}%")


def _row(answer: Result | Failure, language: Language) -> list[str]:
    if not isinstance(answer, Result) and answer.result is not None:
        *cells, check = _row(answer.result, language)
        unsaved = f"[red]{escape(detail(answer.error, language))}[/red] ({answer.error.code})"
        return [*cells, f"{unsaved}\n{check}"]
    if not isinstance(answer, Result):
        failed = f"[red]{TERMINAL['failed'](language)}[/red]"
        sentence = f"[red]{escape(detail(answer.error, language))}[/red] ({answer.error.code})"
        return [escape(answer.name), failed, "", "", "", sentence]
    if answer.abstain:
        why = abstention(answer.abstain, language)
        cannot = f"🤷 {RESULT['cannot_tell'](language)}"
        sentence = f"[yellow]{NOTICES['abstain'](language, reasons=why)}[/yellow]"
        return [
            escape(answer.name),
            cannot,
            "",
            "",
            f"{answer.duration_s:.2f} s",
            "\n".join([sentence, *_advices(answer, language), *_talk(answer, language)]),
        ]
    percent = dict(zip(answer.scores.to_dict(), answer.scores.percentages(), strict=True))
    (top, _), (second, _) = answer.scores.ranked()[:2]
    return [
        escape(answer.name),
        emotion_name(top, language),
        f"{percent[top.key]:.1f}%{_calibrated(answer, language)}",
        f"{emotion_name(second, language)} {percent[second.key]:.1f}%",
        f"{answer.duration_s:.2f} s",
        "\n".join(
            [
                *(_advices(answer, language) or [TERMINAL["fine"](language)]),
                *_talk(answer, language),
                *_adapted(answer, language),
            ]
        ),
    ]


def _calibrated(answer: Result, language: Language) -> str:
    if answer.calibrated is None:
        return ""
    return CALIBRATED["short"](language, percent=100 * answer.calibrated.confidence)


def _advices(answer: Result, language: Language) -> list[str]:
    quality = answer.quality.to_dict()
    return [
        advice(code, language, quality)
        + (TERMINAL[_OPTIONS[code]](language) if code in _OPTIONS else "")
        for code in advised(answer.quality.reasons, answer.granularity)
    ]


_OPTIONS = {"phase_cancelled": "separate", "too_long": "frame"}
"""Advice that an option follows, and the words that name it."""


def _adapted(answer: Result, language: Language) -> list[str]:
    """What corrections changed, where a head of them was applied."""
    change = answer.adaptation
    if change is None:
        return []
    before = emotion_name(by_key(change.emotion), language)
    return [HEAD_WORDS["adapted"](language, name=escape(change.name), before=before)]


def _talk(answer: Result, language: Language) -> list[str]:
    """How much is said on a channel, where there is another to compare it with."""
    channel = answer.channel
    if channel is None or channel.count == 1:
        return []
    talk, overlap = 100 * channel.talk_share, 100 * channel.overlap_share
    return [TERMINAL["talk"](language, talk=talk, overlap=overlap)]


def segment_table(result: Result, language: Language) -> Table:
    """One row per segment of a recording in frame mode."""
    shown = Table(box=None, header_style="bold", pad_edge=False, title=escape(result.name))
    shown.add_column(TERMINAL["time"](language), justify="right", no_wrap=True)
    shown.add_column(TERMINAL["emotion"](language), no_wrap=True)
    shown.add_column(TERMINAL["score"](language), justify="right", no_wrap=True)
    for segment in result.segments:
        span = segment.span
        shown.add_row(
            f"{span.start_s:.2f}–{span.end_s:.2f} s",
            emotion_name(segment.emotion, language),
            "" if segment.score is None else f"{100 * segment.score:.1f}%",
        )
    return shown


def utterance_table(result: Result, language: Language) -> Table:
    """One row per utterance that was recognized alone; why there is none where there is none."""
    shown = Table(box=None, header_style="bold", pad_edge=False, title=escape(result.name))
    shown.add_column(TERMINAL["time"](language), justify="right", no_wrap=True)
    shown.add_column(TERMINAL["emotion"](language), no_wrap=True)
    shown.add_column(TERMINAL["confidence"](language), justify="right", no_wrap=True)
    shown.add_column(UTTERANCES["text"](language), overflow="fold")
    if not result.utterances:
        shown.caption = UTTERANCES["none"](language)
    for one in result.utterances:
        sure = one.confidence_calibrated
        calibrated = "" if sure is None else CALIBRATED["short"](language, percent=100 * sure)
        why = abstention(one.abstain, language)
        shown.add_row(
            f"{one.start_s:.2f}–{one.end_s:.2f} s",
            f"🤷 {RESULT['cannot_tell'](language)}" if why else emotion_name(one.emotion, language),
            "" if why else f"{100 * one.confidence:.1f}%{calibrated}",
            escape(one.text) + (f" [yellow]{why}[/yellow]" if why else ""),
        )
    return shown
