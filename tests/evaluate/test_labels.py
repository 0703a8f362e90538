"""Labels of other corpora, languages and tools, and maps of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emoscope.evaluate.lists import Labelled, LabelledList, read_labelled_list
from emoscope.evaluate.words import LabelWords, emotion_of, read_label_map
from emoscope.labels import by_key
from emoscope.messages.aliases import EMOTION_WORDS
from emoscope.results.result import Failure
from raising import raises_code


def listed(folder: Path, text: str, name: str = "list.csv", **options: object) -> LabelledList:
    (folder / name).write_text(text, "utf-8")
    return read_labelled_list(folder / name, **options)  # type: ignore[arg-type]


def keys(found: LabelledList) -> list[str]:
    return [row.emotion.key for row in found.rows if isinstance(row, Labelled)]


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("ärgerlich", "angry"),
        ("aergerlich", "angry"),
        ("wütend", "angry"),
        ("gelangweilt", "other"),
        ("en colère", "angry"),
        ("colere", "angry"),
        ("dégoût", "disgusted"),
        ("Heureuse", "happy"),
        ("enojo", "angry"),
        ("alegría", "happy"),
        ("tristeza", "sad"),
        ("arrabbiata", "angry"),
        ("gioia", "happy"),
        ("noia", "other"),
        ("sorpresa", "surprised"),
        ("pleasant_surprised", "surprised"),
    ],
)
def test_words_of_four_more_languages(word: str, key: str) -> None:
    assert emotion_of(word).key == key


def test_no_word_means_two_emotions() -> None:
    words = [word for line in EMOTION_WORDS.values() for word in line.split()]
    assert len(words) == len(set(words))
    for key, line in EMOTION_WORDS.items():
        assert {emotion_of(word).key for word in line.split()} == {key}


def test_all_unknown_words_are_named_at_once_with_their_lines(tmp_path: Path) -> None:
    text = "path,label\na.wav,contempt\nb.wav,sad\nc.wav,no_agreement\nd.wav,contempt\n"

    found = listed(tmp_path, text)

    assert [(one.word, one.lines) for one in found.unknown] == [
        ("contempt", (2, 5)),
        ("no_agreement", (4,)),
    ]
    assert str(found.unknown[0]) == "'contempt' × 2 (2, 5)"
    assert [row.name for row in found.rows if isinstance(row, Failure)] == [
        "list.csv:2",
        "list.csv:4",
        "list.csv:5",
    ]
    assert found.dropped == 0


def test_rows_of_unknown_words_are_dropped_on_demand(tmp_path: Path) -> None:
    text = "path,label\na.wav,contempt\nb.wav,sad\nd.wav,contempt\n"

    found = listed(tmp_path, text, drop_unknown=True)

    assert keys(found) == ["sad"]
    assert len(found.rows) == 1
    assert found.dropped == 2
    assert found.unknown[0].lines == (2, 4)


@pytest.mark.parametrize("drop_unknown", [True, False])
def test_a_list_of_unknown_words_only_names_them_all(tmp_path: Path, drop_unknown: bool) -> None:
    with raises_code("labels_unknown") as caught:
        listed(tmp_path, "path,label\na.wav,x1\nb.wav,x2\n", drop_unknown=drop_unknown)
    assert "'x1' × 1 (2); 'x2' × 1 (3)" in caught.value.detail_en


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("map.csv", "label,emotion\ncontempt,disgust\nworried,\nCALM,sad\n"),
        ("map.csv", "contempt;disgust\nworried;\ncalm;sad\n"),
        ("map.json", json.dumps({"contempt": "Disgust", "worried": None, "calm": "sad"})),
    ],
)
def test_a_map_says_what_labels_mean_and_which_rows_go(
    tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text)
    table = read_label_map(tmp_path / name)
    rows = "path,label\na.wav,Contempt\nb.wav,worried\nc.wav,calm\nd.wav,angry\n"

    found = listed(tmp_path, rows, labels=table)

    assert keys(found) == ["disgusted", "sad", "angry"]
    assert found.dropped == 1
    assert len(table.sha256) == 64


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("label,emotion\ncontempt,nonsense\n", 2),
        ("", 1),
        ("a,sad\na,happy\n", 2),
        ("a,sad\n,happy\n", 2),
        ("{", 1),
    ],
)
def test_a_broken_map_is_told_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "map.csv").write_text(text)
    with raises_code("list_malformed") as caught:
        read_label_map(tmp_path / "map.csv")
    assert caught.value.data["line"] == line


def test_letters_of_emodb_are_read_only_in_its_lists(tmp_path: Path) -> None:
    letters = "path,label\n" + "".join(f"{one}.wav,{one}\n" for one in "WLEAFTN")
    assert keys(listed(tmp_path, letters)) == [
        *("angry", "other", "disgusted", "fearful", "happy", "sad", "neutral"),
    ]
    named = "path,label,corpus\na.wav,A,EmoDB\nb.wav,a,savee\nc.wav,sad,savee\n"
    found = listed(tmp_path, named)
    assert keys(found) == ["fearful", "sad"]
    assert [one.word for one in found.unknown] == ["a"]
    with raises_code("labels_unknown"):  # anger, fear and neutral in SAVEE, others in EmoDB
        listed(tmp_path, "path,label\na.wav,a\nf.wav,f\nn.wav,n\n")


def test_a_users_word_comes_before_the_table() -> None:
    table = LabelWords({"Boredom": by_key("neutral")})
    found = table.emotion_of("boredom")
    assert found is not None
    assert found.key == "neutral"
