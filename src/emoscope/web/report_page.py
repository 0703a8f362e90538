"""Sentences of the HTML report, from the tables of the page."""

from __future__ import annotations

from emoscope._version import __version__
from emoscope.figures.report import Page, Pair, ReportTable
from emoscope.labels import Emotion, by_key
from emoscope.messages.heads import HEAD_PAGE, HEAD_WORDS
from emoscope.messages.languages import LANGUAGES, Text
from emoscope.messages.page import FORM, REPORT, RESULT
from emoscope.messages.texts import CORRECTED, NOTICES, step_line
from emoscope.messages.trust import abstention
from emoscope.messages.units import recording_length
from emoscope.messages.utterances import UTTERANCES
from emoscope.messages.verdict import below, verdict
from emoscope.models import catalog
from emoscope.results.heads import HeadAnswer
from emoscope.results.result import Result
from emoscope.results.segments import Segment
from emoscope.results.utterances import Utterance
from emoscope.web.answer import (
    check_advice,
    label_set_of,
    mixed_parts,
    quality_figures,
    reasons,
    step_seconds,
    story_of,
)


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
        headline=(verdict(result).text.zh, verdict(result).text.en),
        below=(*_below(result), *(((title, title),) if title else ()), _about(result)),
        scores=_pair(RESULT["scores"]),
        picture=_pair(RESULT["timeline" if result.track is not None else "sound"]),
        segments=_pair(RESULT["segments"]),
        segments_table=_segments(result) if result.segments else None,
        utterances=_pair(UTTERANCES["title"]),
        utterances_table=None if result.utterance_set is None else _utterances(result),
        check=_pair(RESULT["quality"]),
        advice=_advice(result) or (_pair(RESULT["quality_fine"]),),
        facts=ReportTable(
            (_pair(REPORT["value"]), _pair(REPORT["number"])),
            tuple(
                (_pair(RESULT[name]), value)
                for name, value in quality_figures(result.quality, result.duration_s)
            ),
        ),
        heads=tuple(_head(head) for head in result.heads),
        model=_pair(RESULT["model"]),
        about_model=_about_model(result, known),
        log=_pair(RESULT["log"]),
        log_table=ReportTable(
            (_pair(REPORT["step"]), _pair(REPORT["time"])),
            tuple(
                ((step_line(s, "zh"), step_line(s, "en")), step_seconds(s.milliseconds))
                for s in result.steps
            ),
        ),
        footer=_pair(REPORT["footer"], version=__version__, run=run),
    )


def _pair(text: Text, **data: object) -> Pair:
    return text("zh", **data), text("en", **data)


def _below(result: Result) -> tuple[Pair, ...]:
    if verdict(result).kind == "abstained":
        said = [*reasons(result), RESULT["cannot_tell_help"]]
    else:
        found = mixed_parts(result)
        said = [] if found is None else [Text(*_with_parts(*found[:2]))]
    if (change := result.adaptation) is not None:
        own, words = by_key(change.emotion), _pair(HEAD_PAGE["adapted"], clips=change.corrections)
        said.append(Text(words[0] + own.zh, words[1] + own.en))
    told = story_of(result)
    sets = label_set_of(result) if verdict(result).percent is not None else None
    lines = ([] if told is None else [told]) + below(result) + said
    return tuple((line.zh, line.en) for line in [*lines, *([] if sets is None else [sets])])


def _with_parts(name: Text, parts: Text) -> Pair:
    return f"{name.zh}（{parts.zh}）", f"{name.en} ({parts.en})"


def _about(result: Result) -> Pair:
    created = result.created.strftime("%Y-%m-%d %H:%M:%S")
    zh, en = _pair(FORM[result.granularity])
    start, end = f"{result.name} · {recording_length(result.duration_s)}", created
    return f"{start} · {zh} · {end}", f"{start} · {en} · {end}"


def _advice(result: Result) -> tuple[Pair, ...]:
    return tuple((text.zh, text.en) for text in check_advice(result))


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
                _score(s),
            )
            for s in result.segments
        ),
    )


def _utterances(result: Result) -> ReportTable:
    def said(one: Utterance) -> Pair:
        if one.abstain:
            zh, en = (abstention(one.abstain, language) for language in LANGUAGES)
            return f"{RESULT['cannot_tell'].zh}：{zh}", f"{RESULT['cannot_tell'].en}: {en}"
        return f"{one.emotion.emoji} {one.emotion.zh}", f"{one.emotion.emoji} {one.emotion.en}"

    rows: list[tuple[Pair | str, ...]] = [
        (
            f"{one.start_s:.2f} s",
            f"{one.end_s:.2f} s",
            said(one),
            "" if one.abstain else f"{one.confidence * 100:.1f}%",
            one.text,
        )
        for one in result.utterances
    ]
    head = (*(RESULT[name] for name in ("from", "to", "emotion", "score")), UTTERANCES["text"])
    none = ("", "", _pair(UTTERANCES["none"]), "", "")
    return ReportTable(tuple(_pair(text) for text in head), tuple(rows or [none]))


def _head(head: HeadAnswer) -> tuple[Pair, ReportTable]:
    """Title and scores of a head; by frame its segments stand below them."""
    names = {one.key: (f"{one.emoji} {one.zh}", f"{one.emoji} {one.en}") for one in head.labels}
    scores = ((names[one.key], f"{score * 100:.1f}%") for one, score in head.ranked())
    spans = (
        (f"{one.start_s:.2f}–{one.end_s:.2f} s: {names[one.label][0]}", f"{one.score * 100:.1f}%")
        for one in head.segments
        if one.score is not None
    )
    title = _pair(HEAD_PAGE["title"], name=head.name)
    columns = (_pair(HEAD_WORDS["label"]), _pair(RESULT["score"]))
    return title, ReportTable(columns, (*scores, *spans))


def _score(segment: Segment) -> Pair | str:
    """Return the model's score; of what a person corrected, that they did."""
    if segment.corrected:
        return CORRECTED.zh, CORRECTED.en
    return "" if segment.score is None else f"{segment.score * 100:.1f}%"


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
