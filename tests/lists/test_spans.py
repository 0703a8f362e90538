"""Span files in the formats of annotation tools, as those tools write them."""

from __future__ import annotations

from pathlib import Path

import parselmouth
import pympi
import pytest
from parselmouth.praat import call

from emoscope.lists.spans import read_spans
from raising import raises_code

SRT = """1
00:00:00,500 --> 00:00:02,250
<i>你好，</i>
世界

2
01:00:03,000 --> 01:00:04,5
再见
"""


def spans(path: Path, recording: str = "talk.wav", tier: str | None = None) -> list[tuple]:
    """What a file says of a recording."""
    found = read_spans(path, tier).spans_of(recording)
    return [(one.start_s, one.end_s, one.text, one.id) for one in found]


def written(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_subtitles_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    """SubRip from Chinese tools is often GBK."""
    assert spans(written(tmp_path, "a.srt", SRT, encoding)) == [
        (0.5, 2.25, "你好， 世界", ""),
        (3603.0, 3604.5, "再见", ""),
    ]


def test_windows_line_ends_and_web_subtitles(tmp_path: Path) -> None:
    text = "WEBVTT\r\n\r\nid 1\r\n00:00.500 --> 00:01.000 align:start\r\n<v Bob>Hello</v>\r\n"

    assert spans(written(tmp_path, "a.vtt", text)) == [(0.5, 1.0, "Hello", "")]


def test_kaldi_segments_belong_to_recordings(tmp_path: Path) -> None:
    path = written(tmp_path, "segments", "u2 talk 5 8\nu1 talk 0.5 4.0\n\nx1 data/other.wav 0 3\n")

    assert spans(path) == [(0.5, 4.0, "", "u1"), (5.0, 8.0, "", "u2")]
    assert spans(path, "other.flac") == [(0.0, 3.0, "", "x1")]
    with raises_code("spans_unreadable"):
        read_spans(path).spans_of("third.wav")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('start,end,text\n0.5,1,"a, b"\n2,3,\n', [(0.5, 1.0, "a, b", ""), (2.0, 3.0, "", "")]),
        ("End;Start;id\n1;0.5;u1\n", [(0.5, 1.0, "", "u1")]),
        ("开始\t结束\t文本\n0.5\t1\t好\n", [(0.5, 1.0, "好", "")]),
        ("0.5\t1.0\tlabel of Audacity\n", [(0.5, 1.0, "label of Audacity", "")]),
        ("\n\n0.5,1.0\n", [(0.5, 1.0, "", "")]),
    ],
)
def test_tables(tmp_path: Path, text: str, expected: list[tuple]) -> None:
    assert spans(written(tmp_path, "a.csv", text)) == expected


def test_a_table_of_several_recordings(tmp_path: Path) -> None:
    text = "path,start,end\nb/talk.wav,0,1\nb/other.wav,0,2\n"
    read = read_spans(written(tmp_path, "a.csv", text))

    assert read.names_recordings
    assert [one.end_s for one in read.spans_of("other.wav")] == [2.0]


@pytest.mark.parametrize("form", ["Save as text file...", "Save as short text file..."])
def test_a_textgrid_as_praat_writes_it(tmp_path: Path, form: str) -> None:
    grid = call(parselmouth.Sound([0.0] * 16_000 * 4, 16_000), "To TextGrid", "words phones", "")
    call(grid, "Insert boundary", 1, 1.25)
    call(grid, "Insert boundary", 1, 2.5)
    call(grid, "Set interval text", 1, 1, 'say "hi" 3 times')
    call(grid, "Set interval text", 1, 3, "再见")
    call(grid, "Set interval text", 2, 1, "p")
    path = tmp_path / "a.TextGrid"
    call(grid, form, str(path))

    assert spans(path) == [(0.0, 1.25, 'say "hi" 3 times', ""), (2.5, 4.0, "再见", "")]
    assert spans(path, tier="phones") == [(0.0, 4.0, "p", "")]
    with raises_code("spans_unreadable") as error:
        read_spans(path, "none")
    assert "words, phones" in error.value.detail_en


def test_an_eaf_as_elan_writes_it(tmp_path: Path) -> None:
    eaf = pympi.Elan.Eaf()
    eaf.add_tier("speech")
    eaf.add_annotation("speech", 500, 2_250, "hello")
    eaf.add_annotation("speech", 2_500, 3_000, "")
    path = tmp_path / "a.eaf"
    eaf.to_file(str(path))

    assert spans(path) == [(0.5, 2.25, "hello", ""), (2.5, 3.0, "", "")]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", "spans_unreadable", "Line 1"),
        ("start,end\n", "spans_unreadable", "no span"),
        ("a,b\n1,2\n", "spans_unreadable", "it is no Kaldi"),
        ("start,end\n1,2\n3,x\n", "spans_unreadable", "Line 3"),
        ("start,end\n2,1\n", "spans_unreadable", "Line 2"),
        ("start,end\n-1,1\n", "spans_unreadable", "Line 2"),
        ('start,end,text\n0,1,"open\n', "spans_unreadable", "quotation"),
        ("start,end\n0,2\n1,3\n", "spans_overlap", "0.000-2.000"),
        ("1\n00:00:xx --> 00:00:02,0\nhi\n", "spans_unreadable", "Line 2"),
        ("u1 talk 0 1\nu2 talk 3\nu3 talk 4 5", "spans_unreadable", ""),
        ("<ANNOTATION_DOCUMENT><TIER", "spans_unreadable", ""),
        ('<!DOCTYPE a [<!ENTITY b "c">]><ANNOTATION_DOCUMENT/>', "spans_unreadable", ""),
        ('"ooTextFile"\n"TextGrid"\n0 1\n<exists>\n1\n"IntervalTier"', "spans_unreadable", ""),
        ('"ooTextFile"\n"IntervalTier" "a" 0 1 1 "x" "y" "z"', "spans_unreadable", ""),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, text: str, code: str, words: str) -> None:
    with raises_code(code) as error:
        read_spans(written(tmp_path, "a.csv", text))
    assert words in error.value.detail_en
    assert error.value.detail_zh != error.value.detail_en


def test_no_text_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_bytes(bytes(range(256)) * 4)

    with raises_code("spans_unreadable"):
        read_spans(path)
    with raises_code("source_not_found"):
        read_spans(tmp_path / "none.srt")


def test_a_format_without_tiers_has_none(tmp_path: Path) -> None:
    with raises_code("spans_unreadable"):
        read_spans(written(tmp_path, "a.csv", "start,end\n0,1\n"), "words")
