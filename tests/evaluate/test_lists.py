"""Labelled lists: a bad row is a failure of the report, and the others are measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from emoscope.evaluate.leaks import leak
from emoscope.evaluate.lists import Labelled, read_labelled
from emoscope.evaluate.report import evaluation_html
from emoscope.evaluate.run import evaluate
from emoscope.recognizer import Recognizer
from emoscope.results.result import Failure
from raising import raises_code
from sounds import noise, wav


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, level in (("loud.wav", 0.5), ("faint.wav", 0.01)):
        (tmp_path / name).write_bytes(wav(noise(1.0, level=level)))
    return tmp_path


def listed(folder: Path, text: str | bytes) -> list[Labelled | Failure]:
    path = folder / "list.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_labelled(path)


def short(rows: list[Labelled | Failure]) -> list[str]:
    return [
        f"{row.name}: {row.error.code}" if isinstance(row, Failure) else row.emotion.key
        for row in rows
    ]


@pytest.mark.parametrize(
    "text",
    [
        "path,label\nloud.wav,happy\nfaint.wav,neu\n",
        "sep=;\r\npath;label\r\nloud.wav;happy\r\n;\r\nfaint.wav;neu\r\n",
        "Label \tFile\rhappy\tloud.wav\rneu\tfaint.wav",
        "loud.wav,happy\nfaint.wav,neu\n",
        "path,label\nloud.wav,快乐\nfaint.wav,中性\n".encode("gbk"),
        "路径,情绪\nloud.wav,快乐\nfaint.wav,中性\n".encode("gb18030"),
        "path,label\nloud.wav,快乐\nfaint.wav,中性\n".encode("utf-16"),
        "path,label\nloud.wav,快乐\nfaint.wav,中性\n".encode("utf-16-le"),
    ],
)
def test_lists_as_spreadsheets_write_them(folder: Path, text: str | bytes) -> None:
    assert short(listed(folder, text)) == ["happy", "neutral"]


def test_a_bad_row_is_a_failure_with_its_line_and_the_rest_is_measured(
    folder: Path, fake_recognizer: Recognizer
) -> None:
    rows = listed(
        folder,
        "path,label,text\nloud.wav,happy,x\nfaint.wav,frustrated,x\n,sad,x\nloud.wav,,x\n"
        'faint.wav,neu,"open\ngone.wav,sad,x\nfaint.wav,neu,x\n',
    )

    found = evaluate(fake_recognizer, rows, draws=20)

    assert found.metrics.clips == 2
    assert found.metrics.wa == 1.0
    assert [(Path(one.name).name, one.error.code) for one in found.failures] == [
        ("list.csv:3", "label_unknown"),
        ("list.csv:4", "list_malformed"),
        ("list.csv:5", "list_malformed"),
        ("list.csv:6", "list_malformed"),
        ("gone.wav", "source_not_found"),
    ]
    assert "frustrated" in found.failures[0].error.detail_en
    assert "list.csv:4" in evaluation_html(found, "list")


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("path,label\n,sad\n\n", "list_malformed", 2),
        ("path,label\nloud.wav,frustrated\n", "labels_unknown", None),
        ("path,speaker\nloud.wav,a\n", "list_malformed", 1),
        ("loud.wav\n", "list_malformed", 1),
        ("path,label\n", "list_malformed", 1),
        ('path,label,text\nloud.wav,"sad,x\n' * 3, "list_malformed", 2),
    ],
)
def test_a_list_without_one_good_row_is_an_error(
    folder: Path, text: str, code: str, line: int | None
) -> None:
    with raises_code(code) as caught:
        listed(folder, text)
    assert line is None or caught.value.data["line"] == line


def test_a_mark_that_stays_open_for_128_kb_costs_its_row(folder: Path) -> None:
    text = 'path,emotion,text\nloud.wav,ang,"oops\n' + "loud.wav,hap,hello there\n" * 6_000

    rows = listed(folder, text)

    assert short(rows[:2]) == ["list.csv:2: list_malformed", "happy"]
    assert len(rows) == 6_001


def test_a_training_list_with_a_bad_row_is_refused(folder: Path) -> None:
    """What that row names might be what both lists share."""
    rows = listed(folder, "path,label\nloud.wav,happy\n,sad\n")

    with raises_code("list_malformed"):
        leak(rows, rows)
    assert leak(rows[:1], rows).found


def test_paths_that_lead_nowhere_can_be_compared(folder: Path) -> None:
    (folder / "self.wav").symlink_to("self.wav")
    rows = listed(folder, "path,label\nself.wav,happy\nloud.wav,sad\n")

    assert leak(rows, rows).found


def test_what_the_system_refuses_is_told(folder: Path) -> None:
    with raises_code("source_not_found"):
        read_labelled(folder / "no.csv")
    with raises_code("source_unreadable"):
        read_labelled(folder)
    (folder / "wav.scp").write_text("u1 loud.wav\n")
    with raises_code("list_malformed"):
        read_labelled(folder / "wav.scp")
    with raises_code("source_unreadable"):
        read_labelled(folder / ("x" * 300))
