"""Segments of a result for the programs that people annotate and subtitle with. Pure: text out.

| format | opens in |
|---|---|
| textgrid | Praat, and whatever reads its long text format |
| eaf | ELAN |
| audacity | Audacity, as a label track |
| rttm | scoring tools of diarization; the emotion stands in the speaker's field |
| vtt, srt | players, as subtitles |
| csv | spreadsheets |

Formats with tiers carry one in Chinese and one in English. Times keep the millisecond.
Silence is left blank, as these formats do; only the CSV has lines for it.
"""

from __future__ import annotations

import csv
import io
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emoscope.errors import SegmentsMissingError
from emoscope.labels import Emotion
from emoscope.optional import require
from emoscope.result import Result
from emoscope.segments import Segment


@dataclass(frozen=True, slots=True)
class Format:
    """One format: the end of a file's name, and how its text is made."""

    suffix: str
    write: Callable[[Result], str]


TIERS: dict[str, Callable[[Emotion], str]] = {
    "情绪": lambda emotion: emotion.zh,
    "emotion": lambda emotion: emotion.key,
}


def to_text(result: Result, name: str) -> str:
    """Return the segments in the format called ``name``.

    Raises:
        KeyError: there is no such format.
        SegmentsMissingError: the result has no segments, because it was not made by frame.
        ExtraMissingError: the library for this format is not installed.
    """
    chosen = FORMATS[name]
    if not result.segments:
        raise SegmentsMissingError(name=result.name)
    return chosen.write(result)


def _voiced(result: Result) -> list[Segment]:
    return [segment for segment in result.segments if not segment.silent]


def _textgrid(result: Result) -> str:
    textgrid = require("praatio.textgrid", extra="annotations")
    grid = textgrid.Textgrid(0, result.duration_s)
    for tier, word in TIERS.items():
        entries = [
            textgrid.constants.Interval(
                segment.span.start_s, segment.span.end_s, word(segment.emotion)
            )
            for segment in _voiced(result)
        ]
        grid.addTier(textgrid.IntervalTier(tier, entries, 0, result.duration_s))
    with tempfile.TemporaryDirectory() as folder:  # praatio writes to paths only
        path = Path(folder) / "segments.TextGrid"
        grid.save(str(path), format="long_textgrid", includeBlankSpaces=True)
        return path.read_text("utf-8")


def _eaf(result: Result) -> str:
    """ELAN Annotation Format 3.0: time slots in milliseconds, then a tier of references to them."""
    moment = result.created.isoformat(timespec="seconds")
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
    ET.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    slots = ET.SubElement(root, "TIME_ORDER")
    borders = [segment.span.start_s for segment in result.segments]
    borders.append(result.segments[-1].span.end_s)
    for at, border_s in enumerate(borders, start=1):
        value = str(round(border_s * 1000))
        ET.SubElement(slots, "TIME_SLOT", TIME_SLOT_ID=f"ts{at}", TIME_VALUE=value)
    number = 0
    for tier, word in TIERS.items():
        row = ET.SubElement(root, "TIER", LINGUISTIC_TYPE_REF="default-lt", TIER_ID=tier)
        for at, segment in enumerate(result.segments, start=1):
            if segment.silent:
                continue
            number += 1
            annotation = ET.SubElement(
                ET.SubElement(row, "ANNOTATION"),
                "ALIGNABLE_ANNOTATION",
                ANNOTATION_ID=f"a{number}",
                TIME_SLOT_REF1=f"ts{at}",
                TIME_SLOT_REF2=f"ts{at + 1}",
            )
            ET.SubElement(annotation, "ANNOTATION_VALUE").text = word(segment.emotion)
    ET.SubElement(
        root,
        "LINGUISTIC_TYPE",
        GRAPHIC_REFERENCES="false",
        LINGUISTIC_TYPE_ID="default-lt",
        TIME_ALIGNABLE="true",
    )
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _audacity(result: Result) -> str:
    return "".join(
        f"{segment.span.start_s:.6f}\t{segment.span.end_s:.6f}\t{segment.emotion.key}\n"
        for segment in _voiced(result)
    )


def _rttm(result: Result) -> str:
    # Fields are parted by spaces, so a name must not hold any.
    name = "_".join(Path(result.name).stem.split()) or "audio"
    return "".join(
        f"SPEAKER {name} 1 {segment.span.start_s:.3f} {segment.span.duration_s:.3f} "
        f"<NA> <NA> {segment.emotion.key} {segment.score:.3f} <NA>\n"
        for segment in _voiced(result)
    )


def _subtitles(kind: str) -> Callable[[Result], str]:
    def write(result: Result) -> str:
        webvtt = require("webvtt", extra="annotations")
        track = webvtt.WebVTT()
        for segment in _voiced(result):
            start, end = (_clock(time_s) for time_s in (segment.span.start_s, segment.span.end_s))
            track.captions.append(webvtt.Caption(start, end, _subtitle(segment)))
        buffer = io.StringIO()
        track.write(buffer, format=kind)
        return buffer.getvalue().rstrip("\n") + "\n"

    return write


def _subtitle(segment: Segment) -> str:
    return f"{segment.emotion.emoji} {segment.emotion.title} {100 * segment.score:.0f}%"


def _clock(time_s: float) -> str:
    """``HH:MM:SS.mmm``."""
    minutes, milliseconds = divmod(round(time_s * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"


def _csv(result: Result) -> str:
    buffer = io.StringIO()
    rows = csv.writer(buffer, lineterminator="\n")
    rows.writerow(["start_s", "end_s", "emotion", "emotion_zh", "score"])
    for segment in result.segments:
        emotion = segment.emotion
        span = (f"{segment.span.start_s:.3f}", f"{segment.span.end_s:.3f}")
        rows.writerow([*span, emotion.key, emotion.zh, f"{segment.score:.4f}"])
    return buffer.getvalue()


FORMATS: dict[str, Format] = {
    "textgrid": Format(".TextGrid", _textgrid),
    "eaf": Format(".eaf", _eaf),
    "audacity": Format(".txt", _audacity),
    "rttm": Format(".rttm", _rttm),
    "vtt": Format(".vtt", _subtitles("vtt")),
    "srt": Format(".srt", _subtitles("srt")),
    "csv": Format(".csv", _csv),
}
"""Every format by its name."""
