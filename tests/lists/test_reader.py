"""Lists as people have them: delimiters, encodings, line ends, quotation marks, bad rows."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.errors import EmoscopeError, ListError
from emoscope.lists.delimited import record_at
from emoscope.lists.reader import PATH, Row, read
from emoscope.results.result import Failure
from raising import raises_code

SEEN = ("a.wav", "b.wav", "录音.wav", "a, b.wav", "deep/c.wav")
"""Files beside every list."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lists")
    (folder / "deep").mkdir()
    for name in SEEN:
        (folder / name).write_bytes(b"sound")
    return folder


def rows(folder: Path, data: str | bytes, name: str = "list.csv") -> list[Row | Failure]:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return list(read(path))


def short(found: list[Row | Failure]) -> list[object]:
    """Paths of rows, and lines of failures."""
    return [
        row.error.data["line"] if isinstance(row, Failure) else row.cells[PATH] for row in found
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("path\na.wav\nb.wav\n", ["a.wav", "b.wav"]),
        ("path\r\na.wav\r\nb.wav", ["a.wav", "b.wav"]),
        ("path\ra.wav\rb.wav\r", ["a.wav", "b.wav"]),
        ("\ufeffPATH\na.wav", ["a.wav"]),
        ('"path" , "name"\n"a.wav" , x', ["a.wav"]),
        (" Path ;Emotion\na.wav;happy\nb.wav;sad", ["a.wav", "b.wav"]),
        ("emotion\tfile\nhappy\ta.wav", ["a.wav"]),
        ("sep=;\npath;emotion\na.wav;happy", ["a.wav"]),
        ('"sep=|"\npath|emotion\na.wav|happy', ["a.wav"]),
        ("sep=\t\nname\twav\nx\ta.wav", ["a.wav"]),
        ("路径,情绪\na.wav,快乐", ["a.wav"]),
        ("a.wav\nb.wav", ["a.wav", "b.wav"]),
        ("gone.wav,happy\nb.wav,sad", ["gone.wav", "b.wav"]),
        ("a.wav;happy\nb.wav;sad", ["a.wav", "b.wav"]),
        ("a.wav|Hello, world\nb.wav|Well, x", ["a.wav", "b.wav"]),
        ("\n\npath\na.wav", ["a.wav"]),
        ("path,name\n,\n\n  \na.wav,x\n,,\n", ["a.wav"]),
        ("path,name\n,x\na.wav,y\n", [2, "a.wav"]),
        ("name,path\nx\ny,a.wav\n", [2, "a.wav"]),
        ('path,text\na.wav,"two\nlines"\nb.wav,one\n', ["a.wav", "b.wav"]),
        ('path\n"a, b.wav"\n', ["a, b.wav"]),
        ('path, name\n"a, b.wav", "x ""y"""\n', ["a, b.wav"]),
        ("path\na\u2028b.wav\na\x85b.wav\n", ["a\u2028b.wav", "a\x85b.wav"]),
        ("file,path\nb.wav,a.wav", ["a.wav"]),
        ("path\ndeep\\c.wav\ngone\\c.wav", ["deep/c.wav", "gone\\c.wav"]),
        ("path,x,x\na.wav,1,2", ["a.wav"]),
        ("path\na\0b.wav\nb.wav", [2, "b.wav"]),
        ('path,text\na.wav,"open\nb.wav,"closed"\nb.wav,x\n', [2, "b.wav", "b.wav"]),
        ('path,text\na.wav,"open\nb.wav,x\n', [2, "b.wav"]),
        ('path,text\na.wav,x\nb.wav,"open\n', ["a.wav", 3]),
        ('path\n"a.wav\nb.wav\n', [2, "b.wav"]),
        ('path,text\na.wav,"open\nb.wav,closes"\n', [2, "b.wav"]),
        ('path,text\n"no.wav,x\nneither.wav,y"\na.wav,z\n', [2, "a.wav"]),
        ('path,text\na.wav,"one\ntwo","open\nb.wav,x\n', [3, "b.wav"]),
    ],
)
def test_a_csv_is_read_row_by_row(folder: Path, text: str, expected: list[object]) -> None:
    assert short(rows(folder, text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("u1\ta.wav\nu2\tb.wav\n", ["a.wav", "b.wav"]),
        ("u1 \t a.wav \nu2  b.wav", ["a.wav", "b.wav"]),
        ("u1 a.wav\nu2 cat b.wav |\nu3 b.wav\n", ["a.wav", 2, "b.wav"]),
        ("u1 a.wav\nalone\n\n \t\nu3 b.wav\n", ["a.wav", 2, "b.wav"]),
        ("u1 a, b.wav\r\nu2\xa0x 录音.wav\r\n", ["a, b.wav", "录音.wav"]),
        ("\ufeffu1 a.wav", ["a.wav"]),
    ],
)
def test_a_kaldi_list_is_read_line_by_line(folder: Path, text: str, expected: list[object]) -> None:
    assert short(rows(folder, text, "wav.scp")) == expected


def test_failures_are_called_by_name_else_path_else_line(folder: Path) -> None:
    found = rows(folder, 'name,path\nx,\n,"a.wav\n')
    kaldi = rows(folder, "u1 a.wav\nu2 cat b.wav |\n", "wav.scp")

    assert [row.name for row in found if isinstance(row, Failure)] == ["x", "list.csv:3"]
    assert isinstance(kaldi[1], Failure)
    assert kaldi[1].name == "u2"
    assert "第 2 行" in kaldi[1].error.detail_zh
    assert "command" in kaldi[1].error.detail_en


TABLE = "路径,名称\n录音.wav,第一\na.wav,第二\n"


@pytest.mark.parametrize(
    "data",
    [
        TABLE.encode("utf-8-sig"),
        TABLE.encode("utf-16"),
        TABLE.encode("utf-16-le"),
        TABLE.encode("utf-16-be"),
        b"\xfe\xff" + TABLE.encode("utf-16-be"),
        TABLE.encode("utf-32"),
        TABLE.encode("gbk"),
        TABLE.encode("gb18030"),
        TABLE.replace("录音.wav", "a.wav").encode("gb2312"),
    ],
)
def test_encodings(folder: Path, data: bytes) -> None:
    found = rows(folder, data)

    assert [row.cells["name"] for row in found if isinstance(row, Row)] == ["第一", "第二"]
    assert short(found)[1] == "a.wav"


def test_rare_characters_are_gb18030_only_where_a_path_proves_it(folder: Path) -> None:
    """The same bytes could be Latin letters, say: nothing is guessed."""
    proved = "path,name\n录音.wav,朱镕基\n".encode("gbk")
    unproved = "path,name\na.wav,朱镕基\n".encode("gbk")
    latin = "path,name\na.wav,Müller\nmüde.wav,x\n".encode("cp1252")

    assert rows(folder, proved)[0].cells["name"] == "朱镕基"  # type: ignore[union-attr]
    assert rows(folder, unproved)[0].cells["name"] != "朱镕基"  # type: ignore[union-attr]
    assert short(rows(folder, latin)) == ["a.wav", 3]


def test_one_line_that_is_no_utf_8_costs_that_line(folder: Path) -> None:
    data = "path\n录音.wav\n".encode() + b"\xff.wav\na.wav\n"

    assert short(rows(folder, data)) == ["录音.wav", 3, "a.wav"]


def test_a_file_whose_name_is_no_utf_8_is_found_by_its_bytes(folder: Path) -> None:
    name = b"\xe9t\xe9.wav"
    (folder / name.decode("utf-8", "surrogateescape")).write_bytes(b"sound")

    (row,) = rows(folder, b"u1 " + name + b"\n", "wav.scp")

    assert isinstance(row, Row)
    assert row.path.encode("utf-8", "surrogateescape") == name


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("", 1),
        ("\n\n", 1),
        ("path\n", 1),
        ("speaker,label\na,b\n", 1),
        ("\nspeaker,label\na,b\n", 2),
        ("path,PATH\na.wav,b.wav\n", 1),
        ("sep=;\nspeaker;label\n", 2),
        ('"', 1),
        ('"speaker,path\nx,a.wav', 1),
    ],
)
def test_a_list_without_columns_or_rows_is_an_error(folder: Path, data: str, line: int) -> None:
    with raises_code("list_malformed") as caught:
        rows(folder, data)
    assert caught.value.data["line"] == line


def test_the_header_that_is_needed_is_told(folder: Path) -> None:
    with raises_code("list_malformed") as caught:
        rows(folder, "speaker;label\na;b\n")

    assert "path (or file, wav, audio, filename" in caught.value.detail_en
    assert "'speaker, label'" in caught.value.detail_en


def test_a_mark_that_stays_open_for_megabytes_is_one_row(folder: Path) -> None:
    text = 'path,text\na.wav,"oops\n' + "b.wav,hello there\n" * 20_000

    found = rows(folder, text)

    assert len(found) == 20_001
    assert short(found)[:2] == [2, "b.wav"]


def test_a_cell_of_megabytes_is_read(folder: Path) -> None:
    (row,) = rows(folder, f'path,text\na.wav,"{"x" * 3_000_000}"\n')

    assert isinstance(row, Row)


def test_a_folder_as_a_list_is_told(tmp_path: Path) -> None:
    (tmp_path / "list.csv").mkdir()

    with raises_code("source_unreadable"):
        list(read(tmp_path / "list.csv"))


cells = st.text(st.characters(exclude_characters="\r\x00"), max_size=12)


@given(st.lists(st.lists(cells, min_size=2, max_size=4), min_size=1, max_size=5))
def test_what_csv_writes_is_read_as_csv_reads_it(table: list[list[str]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(table)
    text, at, found = buffer.getvalue(), 0, []

    while at < len(text):
        record = record_at(text, at, ",")
        assert record.open_quote is None
        found.append(record.cells)
        at = record.end

    assert found == table


PIECES = ("path", "name", "a.wav", "录音.wav", ",", ";", "\t", '"', '""', "\n", "\r\n", "\r", " ")
STRANGE = ("|", "sep=;", "\ufeff", "\0", "\ud83d", "\u2028", "x" * 300, "/", "..", "é")
pieces = st.sampled_from(PIECES + STRANGE)
texts = st.lists(pieces, max_size=40).map("".join)
encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030", "utf-32"])
contents = st.one_of(
    st.binary(max_size=400),
    st.builds(
        lambda text, code: text.encode(code, "surrogatepass"),
        texts,
        encodings.filter(lambda code: code != "gb18030"),
    ),
    texts.map(lambda text: text.encode("gb18030", "replace")),
    st.builds(
        bytes.__add__, texts.map(lambda t: t.encode("utf-8", "replace")), st.binary(max_size=9)
    ),
)


@given(contents, st.sampled_from(["list.csv", "wav.scp"]))
def test_no_content_of_a_list_is_more_than_an_error_of_ours(
    folder: Path, data: bytes, name: str
) -> None:
    try:
        found = rows(folder, data, name)
    except EmoscopeError:
        return
    lines = len(data.splitlines()) + data.count(b"\0") + 2
    for row in found:
        if isinstance(row, Failure):
            assert 1 <= row.error.data["line"] <= lines  # type: ignore[operator]
        else:
            assert row.path
            assert "\0" not in row.path


@given(st.lists(st.sampled_from(SEEN), max_size=6), st.lists(texts, max_size=6), st.randoms())
def test_no_bad_row_costs_a_good_one(folder: Path, good: list[str], bad: list[str], random) -> None:
    """Rows that are whole lines of their own are read, whatever stands between them."""
    lines = [(f'"{name}",fine', True) for name in good]
    lines += [(text.replace("\n", "").replace("\r", ""), False) for text in bad]
    random.shuffle(lines)
    data = "\n".join(["path,name", *(line for line, _ in lines), ""])

    try:
        found = rows(folder, data.encode("utf-8", "surrogatepass"))
    except ListError:  # nothing but blank rows
        found = []

    whole = [row.path for row in found if isinstance(row, Row) and row.cells.get("name") == "fine"]
    assert whole == [line[1:-6] for line, is_good in lines if is_good]
