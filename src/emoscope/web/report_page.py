"""Sentences of the HTML report, from the tables of the page."""

from __future__ import annotations

from emoscope._version import __version__
from emoscope.figures.report import Page, Pair, ReportTable
from emoscope.labels import Emotion
from emoscope.messages.languages import Text
from emoscope.messages.mixed import leading_two, mixed_emotion
from emoscope.messages.page import FORM, REPORT, RESULT
from emoscope.messages.texts import ADVICE, NOTICES, advice, step_line
from emoscope.models import catalog
from emoscope.results.result import Result
from emoscope.web.render import quality_facts, seconds


def page_of(
    result: Result, *, run: str, title: str = "", known: catalog.ModelCard | None = None
) -> Page:
    """Return what the report of a run says.

    Args:
        result: the run's, with segments as they were corrected.
        run: its directory's name.
        title: what a person called it.
        known: the card of the model that answered, where it has one.
    """
    return Page(
        headline=_headline(result),
        below=(*_below(result), *(((title, title),) if title else ()), _about(result)),
        scores=_pair(RESULT["scores"]),
        picture=_pair(RESULT["timeline" if result.track is not None else "sound"]),
        segments=_pair(RESULT["segments"]),
        segments_table=_segments(result) if result.segments else None,
        check=_pair(RESULT["quality"]),
        advice=_advice(result, result.quality.reasons) or (_pair(RESULT["quality_fine"]),),
        facts=ReportTable(
            (_pair(REPORT["value"]), _pair(REPORT["number"])),
            tuple(
                (_pair(RESULT[name]), value)
                for name, value in quality_facts(result.quality, result.duration_s)
            ),
        ),
        model=_pair(RESULT["model"]),
        about_model=_about_model(result, known),
        log=_pair(RESULT["log"]),
        log_table=ReportTable(
            (_pair(REPORT["step"]), _pair(REPORT["time"])),
            tuple(
                ((step_line(s, "zh"), step_line(s, "en")), f"{s.milliseconds:.1f}")
                for s in result.steps
            ),
        ),
        footer=_pair(REPORT["footer"], version=__version__, run=run),
    )


def _pair(text: Text, **data: object) -> Pair:
    return text("zh", **data), text("en", **data)


def _headline(result: Result) -> Pair:
    if result.abstain:
        zh, en = _pair(RESULT["cannot_tell"])
        return f"🤷 {zh}", f"🤷 {en}"
    top = result.emotion
    zh, en = _pair(RESULT["confidence"], percent=result.scores.percentages()[top.index])
    return f"{top.emoji} {top.title} {zh}", f"{top.emoji} {top.en} {en}"


def _below(result: Result) -> tuple[Pair, ...]:
    if result.abstain:
        return (*_advice(result, result.abstain), _pair(RESULT["cannot_tell_help"]))
    name = mixed_emotion(result.scores)
    if name is None:
        return ()
    numbers = result.scores.percentages()
    first, second = leading_two(result.scores)

    def parts(one: str, other: str) -> str:
        return f"{one} {numbers[first.index]:.1f}% + {other} {numbers[second.index]:.1f}%"

    zh = f"{RESULT['mixed']('zh', name=name.zh)}（{parts(first.zh, second.zh)}）"
    return ((zh, f"{RESULT['mixed']('en', name=name.en)} ({parts(first.en, second.en)})"),)


def _about(result: Result) -> Pair:
    created = result.created.strftime("%Y-%m-%d %H:%M:%S")
    zh, en = _pair(FORM[result.granularity])
    start, end = f"{result.name} · {seconds(result.duration_s)}", created
    return f"{start} · {zh} · {end}", f"{start} · {en} · {end}"


def _advice(result: Result, codes: tuple[str, ...]) -> tuple[Pair, ...]:
    numbers = result.quality.to_dict()
    return tuple(
        (advice(code, "zh", numbers), advice(code, "en", numbers))
        for code in codes
        if code in ADVICE
    )


def _segments(result: Result) -> ReportTable:
    def named(emotion: Emotion) -> Pair:
        return f"{emotion.emoji} {emotion.zh}", f"{emotion.emoji} {emotion.en}"

    return ReportTable(
        tuple(_pair(RESULT[name]) for name in ("from", "to", "emotion", "score")),
        tuple(
            (
                f"{s.span.start_s:.2f} s",
                f"{s.span.end_s:.2f} s",
                named(s.emotion),
                "" if s.silent else f"{s.score * 100:.1f}%",
            )
            for s in result.segments
        ),
    )


def _about_model(result: Result, known: catalog.ModelCard | None) -> tuple[Pair, ...]:
    model = result.model
    lines: list[Pair] = []
    if known is not None and known.name == model.name:
        lines.append((known.title_zh, known.title_en))
    name = f"{model.name} · {model.revision} · {model.precision} · sha256 {model.sha256[:16]}"
    lines.append((name, name))
    if known is not None and known.name == model.name and known.limits_zh:
        lines.append((known.limits_zh, known.limits_en))
    if model.name == catalog.COMPACT:
        command = catalog.catalog_entry(catalog.LARGE).pull_command
        lines.append(_pair(NOTICES["compact"], command=command))
    return tuple(lines)
