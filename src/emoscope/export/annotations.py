"""Annotation formats of segments and utterances: Praat, ELAN, Audacity, RTTM, subtitles, tables.

| format | opens in |
|---|---|
| textgrid | Praat, and whatever reads its long text format |
| eaf | ELAN |
| audacity | Audacity, as a label track |
| rttm | scoring tools of diarization; the emotion stands in the speaker's field |
| vtt, srt | players, as subtitles |
| csv, jsonl, parquet | spreadsheets and programs; also of the curve |
| npy | NumPy, the logits of the curve |

Pure: bytes out. Formats with tiers carry one in Chinese and one in English, or one in the language
that was asked for, for each channel that was kept apart; what a person corrected, and what each
head says, stands in a tier of its own. Times keep the millisecond. Silence is left blank, as
annotations do; the tables have lines for it. Utterances that were recognized alone are written in
the place of segments, where they are asked for; what is said stands in a tier of its own, or under
the emotion of a subtitle.
"""

from __future__ import annotations

import io
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from emoscope.errors import ResultError
from emoscope.export import tables
from emoscope.export.records import as_words
from emoscope.export.spoken_segments import ABSTAINED, SpokenSegment, spoken_segments
from emoscope.export.utterance_table import utterance_rows_table
from emoscope.files import translated_os_errors
from emoscope.labels import Emotion
from emoscope.messages.languages import LANGUAGES, Language
from emoscope.messages.texts import CORRECTED, IN_BRACKETS, TIER
from emoscope.messages.utterances import UTTERANCES
from emoscope.optional import require
from emoscope.paths.file_names import field_id, readable
from emoscope.results.result import Result
from emoscope.results.segments import Segment
from emoscope.waveform import Span

Languages: TypeAlias = Sequence[Language]
"""Whose names the emotions get, in this order; keys, which are for programs, stay."""


@dataclass(frozen=True, slots=True)
class Format:
    """Annotation format: file suffix and encoders."""

    suffix: str
    segments: Callable[[Sequence[Result], Languages], bytes] | None
    """None where it has no place for segments."""
    curve: Callable[[Sequence[Result], Languages], bytes] | None = None
    """None where it has no place for a curve."""
    is_text: bool = True
    utterances: Callable[[Sequence[Result], Languages], bytes] | None = None
    """Tables of utterances; None where they are written as segments are."""
    table: Callable[[tables.Table], bytes] | None = None
    """What writes a table; None in formats that hold one recording."""
    linked: Callable[[Sequence[Result], Languages, Sequence[str]], bytes] | None = None
    """Segments with the sound that they are of; None in formats that name none."""


TIERS: dict[Language, Callable[[Emotion], str]] = {
    "zh": lambda emotion: emotion.zh,
    "en": lambda emotion: emotion.key,
}


def export(
    results: Sequence[Result],
    name: str,
    *,
    curve: bool = False,
    utterances: bool = False,
    languages: Languages = LANGUAGES,
    sounds: Sequence[str] = (),
) -> bytes:
    """Return segments, utterances or the curve in the format called ``name``; text is UTF-8.

    Args:
        results: one, or one for each channel of one recording, in any order.
        name: a key of ``FORMATS``.
        curve: the rows of 20 ms in place of the segments.
        utterances: the utterances that were recognized alone, in place of the segments.
        languages: whose names subtitles, tiers and the column beside the key carry.
        sounds: paths of the sound from where the file will stand, for formats that link it; by
            default the recording's own name.

    Raises:
        KeyError: there is no such format, or it does not hold this.
        ResultError: a result has no segments, because it was not made by frame; or no utterances.
        ResultError: several results are not those of the channels of one recording.
        ExtraMissingError: the library for this format is not installed.
    """
    chosen = FORMATS[name]
    if chosen.linked is not None and sounds:
        linked = chosen.linked
        chosen = replace(chosen, segments=lambda some, said: linked(some, said, sounds))
    if utterances:
        return _write_utterances(chosen, name, _in_order(results), languages)
    write = chosen.curve if curve else chosen.segments
    if write is None:
        raise KeyError(name)
    check_segments(results)
    return write(_in_order(results), languages)


def check_segments(results: Sequence[Result]) -> None:
    """Check that results were made by frame.

    Raises:
        ResultError: one has no segments.
    """
    for result in results:
        if not result.segments:
            raise ResultError("segments_missing", name=result.name)


def _write_utterances(
    chosen: Format, name: str, results: Sequence[Result], languages: Languages
) -> bytes:
    spoken = spoken_segments(results)
    if chosen.utterances is not None:
        return chosen.utterances(results, languages)
    if chosen.segments is None:
        raise KeyError(name)
    return chosen.segments(spoken, languages)


def _in_order(results: Sequence[Result]) -> list[Result]:
    """Sort the channels of one recording."""
    if len(results) > 1:
        sounds = {(result.source.sha256, result.duration_s) for result in results}
        channels = {result.channel and result.channel.number for result in results}
        if len(sounds) > 1 or len(channels) < len(results) or None in channels:
            raise ResultError(
                "channels_mismatch", names=", ".join(result.name for result in results)
            )
    return sorted(results, key=_channel)


def _channel(result: Result) -> int:
    return result.channel.number if result.channel else 1


def _several(results: Sequence[Result]) -> bool:
    return any(result.channel and result.channel.count > 1 for result in results)


Tier: TypeAlias = tuple[str, list[tuple[Span, str]]]
"""Name of a tier, and its stretches of time with their words."""


def _tiers(results: Sequence[Result], languages: Languages) -> Iterator[Tier]:
    """Walk through the tiers: emotions in each language, what a person corrected, heads."""
    for result in results:
        number = f" {_channel(result)}" if _several(results) else ""
        for language in languages:
            word = TIERS[language]
            yield (
                TIER(language) + number,
                [(segment, word(segment.emotion)) for segment in _voiced(result)],
            )
        said = [one for one in result.segments if isinstance(one, SpokenSegment) and one.text]
        if said:
            yield UTTERANCES["text"](languages[0]) + number, [(one, one.text) for one in said]
        corrected = [segment for segment in result.segments if segment.corrected]
        if corrected:
            label = CORRECTED(languages[0])
            yield label + number, [(segment, label) for segment in corrected]
        for head in result.heads:
            words = {one.key: one.zh if languages[0] == "zh" else one.en for one in head.labels}
            voiced = [one for one in head.segments if one.label in words]
            yield head.name + number, [(one, words[one.label]) for one in voiced]


def _labelled(results: Sequence[Result]) -> Iterator[tuple[str, Segment]]:
    """Segments with a voice, of all channels by time, with what says whose they are."""
    several = _several(results)
    found = [
        (f"[{_channel(result)}] " if several else "", segment)
        for result in results
        for segment in _voiced(result)
    ]
    return iter(sorted(found, key=lambda one: (one[1].span.start_s, one[0])))


def _voiced(result: Result) -> list[Segment]:
    return [segment for segment in result.segments if not segment.silent]


def _textgrid(results: Sequence[Result], languages: Languages) -> bytes:
    textgrid = require("praatio.textgrid", extra="annotations")
    grid = textgrid.Textgrid(0, results[0].duration_s)
    for tier, labelled in _tiers(results, languages):
        entries = [
            textgrid.constants.Interval(segment.start_s, segment.end_s, word)
            for segment, word in labelled
        ]
        grid.addTier(textgrid.IntervalTier(tier, entries, 0, results[0].duration_s))
    with (
        translated_os_errors(),
        tempfile.TemporaryDirectory() as folder,
    ):  # praatio writes to paths only
        path = Path(folder) / "segments.TextGrid"
        grid.save(str(path), format="long_textgrid", includeBlankSpaces=True)
        return path.read_bytes()


def _eaf(results: Sequence[Result], languages: Languages, sounds: Sequence[str] = ()) -> bytes:
    """ELAN Annotation Format 3.0: time slots in milliseconds, then a tier of references to them."""
    moment = results[0].created.isoformat(timespec="seconds")
    root = ET.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "Emoscope",
            "DATE": moment,
            "FORMAT": "3.0",
            "VERSION": "3.0",
            # Readers take it for granted; nothing is fetched from there.
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
        },
    )
    header = ET.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    for path in sounds or [as_words(readable(results[0].source.name))]:
        # Relative, so that the folder can be moved; ELAN also looks beside the file for the name.
        address = path if path.startswith(("./", "../")) else f"./{path}"
        kind = _MEDIA_TYPES.get(PurePosixPath(path).suffix.lower(), "unknown")
        named = {"MEDIA_URL": address, "MIME_TYPE": kind, "RELATIVE_MEDIA_URL": address}
        ET.SubElement(header, "MEDIA_DESCRIPTOR", named)
    slots = ET.SubElement(root, "TIME_ORDER")
    borders_ms = sorted(
        {
            round(border_s * 1000)
            for result in results
            for span in _spans(result)
            for border_s in (span.start_s, span.end_s)
        }
    )
    slot_at = {border_ms: f"ts{at}" for at, border_ms in enumerate(borders_ms, start=1)}
    for border_ms, slot in slot_at.items():
        ET.SubElement(slots, "TIME_SLOT", TIME_SLOT_ID=slot, TIME_VALUE=str(border_ms))
    number = 0
    for tier, labelled in _tiers(results, languages):
        row = ET.SubElement(root, "TIER", LINGUISTIC_TYPE_REF="default-lt", TIER_ID=tier)
        for segment, word in labelled:
            number += 1
            annotation = ET.SubElement(
                ET.SubElement(row, "ANNOTATION"),
                "ALIGNABLE_ANNOTATION",
                ANNOTATION_ID=f"a{number}",
                TIME_SLOT_REF1=slot_at[round(segment.start_s * 1000)],
                TIME_SLOT_REF2=slot_at[round(segment.end_s * 1000)],
            )
            ET.SubElement(annotation, "ANNOTATION_VALUE").text = word
    ET.SubElement(
        root,
        "LINGUISTIC_TYPE",
        GRAPHIC_REFERENCES="false",
        LINGUISTIC_TYPE_ID="default-lt",
        TIME_ALIGNABLE="true",
    )
    ET.indent(root)
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f"{head}\n{ET.tostring(root, encoding='unicode')}\n".encode()


def _spans(result: Result) -> Iterator[Span]:
    """All stretches of time that a tier may name."""
    yield from result.segments
    for head in result.heads:
        yield from head.segments


def _audacity(results: Sequence[Result], _languages: Languages) -> bytes:
    return "".join(
        f"{segment.span.start_s:.6f}\t{segment.span.end_s:.6f}\t{whose}{segment.emotion.key}\n"
        for whose, segment in _labelled(results)
    ).encode()


def _rttm(results: Sequence[Result], _languages: Languages) -> bytes:
    name = field_id(readable(results[0].source.name))
    return "".join(
        f"SPEAKER {name} {_channel(result)} {segment.span.start_s:.3f} "
        f"{segment.span.duration_s:.3f} <NA> <NA> {segment.emotion.key} {segment.score:.3f} <NA>\n"
        for result in results
        for segment in result.segments
        if segment.score is not None
    ).encode()


def _subtitles(kind: str) -> Callable[[Sequence[Result], Languages], bytes]:
    def write(results: Sequence[Result], languages: Languages) -> bytes:
        webvtt = require("webvtt", extra="annotations")
        track = webvtt.WebVTT()
        for whose, segment in _labelled(results):
            start, end = (_clock(time_s) for time_s in (segment.span.start_s, segment.span.end_s))
            track.captions.append(webvtt.Caption(start, end, whose + _subtitle(segment, languages)))
        buffer = io.StringIO()
        track.write(buffer, format=kind)
        return (buffer.getvalue().rstrip("\n") + "\n").encode()

    return write


def _subtitle(segment: Segment, languages: Languages) -> str:
    """Return emoji, name and score; what a person corrected has no score that was measured."""
    emotion, first = segment.emotion, languages[0]
    names = {"zh": emotion.zh, "en": emotion.en}
    name = emotion.title if len(languages) > 1 else names[first]
    if segment.corrected:
        return f"{emotion.emoji} {name}{IN_BRACKETS(first, words=CORRECTED(first))}"
    said = f"\n{segment.text}" if isinstance(segment, SpokenSegment) and segment.text else ""
    if emotion is ABSTAINED or segment.score is None:
        return f"{emotion.emoji} {name}{said}"
    return f"{emotion.emoji} {name} {100 * segment.score:.0f}%{said}"


def _clock(time_s: float) -> str:
    """``HH:MM:SS.mmm``."""
    minutes, milliseconds = divmod(round(time_s * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"


_MEDIA_TYPES = {
    ".wav": "audio/x-wav",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
}
"""As ELAN names them."""


def _tables(suffix: str, write: Callable[[tables.Table], bytes], *, is_text: bool) -> Format:
    return Format(
        suffix,
        lambda results, languages: write(tables.segment_rows_table(results, languages)),
        lambda results, _: write(tables.curve_table(results)),
        is_text,
        lambda results, languages: write(utterance_rows_table(results, languages)),
        write,
    )


FORMATS: dict[str, Format] = {
    "textgrid": Format(".TextGrid", _textgrid),
    "eaf": Format(".eaf", _eaf, linked=_eaf),
    "audacity": Format(".txt", _audacity),
    "rttm": Format(".rttm", _rttm),
    "vtt": Format(".vtt", _subtitles("vtt")),
    "srt": Format(".srt", _subtitles("srt")),
    "csv": _tables(".csv", tables.to_csv, is_text=True),
    "jsonl": _tables(".jsonl", tables.to_jsonl, is_text=True),
    "parquet": _tables(".parquet", tables.to_parquet, is_text=False),
    "npy": Format(".npy", None, lambda results, _: tables.to_npy(results), is_text=False),
}
"""Every format by its name."""
