"""Which names and titles are accepted: nearly all of them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.errors import RequestError
from emoscope.paths.names import NAME_MAX, TITLE_MAX, plain_name, plain_title, sendable_name
from raising import raises_code

HARMLESS = {
    "full-width space": "会议　一.wav",
    "narrow no-break space of macOS": "Screen Recording 2024-01-04 at 10.30.00\u202fPM.m4a",
    "no-break space": "a\xa0b.wav",
    "soft hyphen": "Auf\xadnahme.wav",
    "joined emoji": "👩‍👩‍👧‍👦.wav",
    "Persian non-joiner": "می‌خواهم.wav",
    "not yet in Python's tables": "\U0001fae9\U0001fadc\U0001cc00.wav",
    "90 characters, 270 bytes": "录" * 90,
    "255 characters": "录" * 255,
    "marks of direction, as WhatsApp writes": "\u200eAUDIO-2020-01-01.opus",
    "embedded telephone number": "Call \u202a+972 50-123-4567\u202c.m4a",
    "byte order mark": "\ufeffa.wav",
    "private use": "\ue000.wav",
    "accent in two parts": unicodedata.normalize("NFD", "été.wav"),
    "spreadsheet formula": "=1+1.wav",
    "dots": "...wav",
}
REFUSED = {
    "slash": "a/b.wav",
    "backslash": "a\\b.wav",
    "parent": "..",
    "here": ".",
    "NUL": "a\0.wav",
    "line feed": "a\n.wav",
    "tab": "a\t.wav",
    "escape": "\x1b[31m.wav",
    "delete": "a\x7f.wav",
    "C1 control": "a\x9b.wav",
    "next line": "a\x85.wav",
    "right-to-left override": "a\u202egpj.wav",
    "left-to-right override": "a\u202d.wav",
    "isolate": "a\u2066b\u2069.wav",
    "256 characters": "a" * 256,
}


@pytest.mark.parametrize("what", HARMLESS)
def test_harmless_names_and_titles_are_kept(what: str) -> None:
    name = HARMLESS[what]

    assert plain_name(name) == sendable_name(name) == name
    if len(name) <= TITLE_MAX:
        assert plain_title(name) == name


@pytest.mark.parametrize("what", REFUSED)
def test_paths_controls_and_overrides_are_refused(what: str) -> None:
    name = REFUSED[what]

    with raises_code("name_refused"):
        plain_name(name)
    assert plain_name(sendable_name(name))


@pytest.mark.parametrize("what", ["NUL", "escape", "C1 control", "right-to-left override"])
def test_titles_are_refused_alike(what: str) -> None:
    with raises_code("title_refused"):
        plain_title(REFUSED[what])


def test_a_title_is_one_line_and_no_path() -> None:
    assert plain_title("  12/03 通话\n录音 ") == "12/03 通话 录音"
    assert plain_title("　") == ""
    with raises_code("title_refused"):
        plain_title("x" * (TITLE_MAX + 1))


def test_halves_of_characters_are_joined_or_replaced() -> None:
    assert plain_name("\ud83d\ude00.wav") == "😀.wav"
    assert plain_name("cut\ud83d") == "cut\ufffd"
    assert plain_title("\udcff") == "\ufffd"


@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_every_text_is_a_name_or_refused_and_can_be_sent(text: str) -> None:
    sent = sendable_name(text)

    assert plain_name(sent) == sent
    sent.encode()  # holds no half of a character
    try:
        name = plain_name(text)
    except RequestError:
        assert len(text) > NAME_MAX or sent != text
    else:
        assert sent == name
