from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emoscope.limits import COMMAND_LINE
from emoscope.paths.file_names import (
    AUDIO_SUFFIXES,
    NAME_MAX_BYTES,
    comparable,
    field_id,
    file_name,
    path_parts,
    readable,
    shown,
    without_audio_suffix,
)

anything = st.text(st.characters(codec=None, categories=None), max_size=300)
"""With lone surrogates, controls, marks and emoji."""


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("spk1.utt1", "spk1.utt1"),
        ("spk1.utt1.wav", "spk1.utt1"),
        ("2024.01.04 12.30.WAV", "2024.01.04 12.30"),
        ("v1.5", "v1.5"),
        ("x.mp3.wav", "x.mp3"),
        ("a/x.flac", "a/x"),
        (".wav", ".wav"),
        ("a/.wav", "a/.wav"),
        ("wav", "wav"),
        ("录音.m4a", "录音"),
        ("", ""),
    ],
)
def test_only_the_ending_of_a_sound_file_is_cut_off(name: str, stem: str) -> None:
    assert without_audio_suffix(name) == stem


def test_every_ending_that_is_found_in_folders_can_be_cut_off() -> None:
    assert COMMAND_LINE.endings <= AUDIO_SUFFIXES


@given(anything)
@example("CON")
@example("nul.txt")
@example("e\u0301" * 200)
@example("👩\u200d👩\u200d👧" * 40)
@example("\udcff" * 200)
@example("名" * 90)
def test_any_name_can_be_written_on_every_system(stem: str) -> None:
    name = file_name(stem, ".TextGrid")

    assert name.endswith(".TextGrid")
    assert len(name.encode("utf-8")) <= NAME_MAX_BYTES
    assert not set(name) & set('<>:"/\\|?*')
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name)
    assert name[-1] not in ". "
    assert name.partition(".")[0].rstrip().upper() not in ("CON", "NUL", "COM1", "LPT¹", "AUX")


@given(anything, anything)
@example("a" * 300, "a" * 299)
@example("\udcff", "\udcfe")
@example("a:b", "a?b")
def test_different_names_give_different_files(one: str, other: str) -> None:
    harmless = not any("%" in name or name.startswith("_") for name in (one, other))
    if one != other and harmless and "audio" not in (one, other) and one and other:
        assert file_name(one, ".srt") != file_name(other, ".srt")


def test_a_long_name_is_cut_between_characters() -> None:
    family = "👩\u200d👩\u200d👧"

    name = file_name(family * 40, ".srt")

    kept, _, mark = name.removesuffix(".srt").rpartition("~")
    assert kept == family * (len(kept) // len(family))
    assert len(mark) == 8
    assert file_name("é" * 200, ".srt", max_bytes=143).startswith("é" * 60)
    assert len(file_name("é" * 200, ".srt", max_bytes=143).encode()) <= 143
    assert file_name("名" * 83, ".srt") == "名" * 83 + ".srt", "what fits is left alone"


def test_a_name_is_written_in_a_folder_by_this_system(tmp_path: Path) -> None:
    for stem in ("CON", "a:b?", "名" * 90, os.fsdecode(b"\xff\xfe"), "two\nlines", "a\\b", ""):
        (tmp_path / file_name(stem, ".srt")).write_bytes(b"")

    assert len(list(tmp_path.iterdir())) == 7


@given(anything)
def test_an_id_is_one_field(name: str) -> None:
    made = field_id(name)

    assert len(made.split()) == 1
    assert made.encode("utf-8")


@given(anything, anything)
@example("my call 1", "my_call_1")
@example("a b", "a%20b")
@example("spk1.utt1", "spk1.utt2")
def test_different_names_give_different_ids(one: str, other: str) -> None:
    stems = [without_audio_suffix(name) or "audio" for name in (one, other)]

    assert (field_id(one) == field_id(other)) == (stems[0] == stems[1])


def test_an_id_is_kept_as_far_as_it_can_be() -> None:
    assert field_id("spk1.utt1") == "spk1.utt1"
    assert field_id("my call 1.wav") == "my%20call%201"
    assert field_id("全角\u3000空格.wav") == "全角%E3%80%80空格"
    assert field_id("a/x.wav") == "a/x"
    assert field_id(os.fsdecode(b"bad\xff.wav")) == "bad%FF"


def test_names_of_another_locale_are_read_as_utf_8() -> None:
    escaped = "快乐.wav".encode().decode("ascii", "surrogateescape")

    assert readable(escaped) == "快乐.wav"
    assert readable(os.fsdecode(b"\xff.wav")) == "\udcff.wav"
    assert readable("\ud800é") == "\ud800é"
    assert shown("a\n\udcff😊.wav") == "a\\n\\udcff😊.wav"


@given(anything)
def test_what_is_shown_can_be_sent(name: str) -> None:
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in shown(name))
    shown(name).encode("utf-8")


def test_folders_are_those_of_any_system() -> None:
    assert path_parts("a/b\\c.wav") == ["a", "b", "c.wav"]
    assert path_parts("/../x") == ["x"]
    assert comparable("É.wav") == comparable("e\u0301.WAV")
