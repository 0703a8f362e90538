"""What we write is read back by the libraries that others read it with."""

from __future__ import annotations

import csv
import errno
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from emoscope.cli import main as cli
from emoscope.errors import RunNotFoundError, SettingError
from emoscope.export.annotations import FORMATS, export
from emoscope.labels import SILENCE, by_key
from emoscope.messages.languages import LANGUAGES
from emoscope.results.activity import Channel
from emoscope.results.quality import Quality
from emoscope.results.result import ModelRef, Result, SourceRef
from emoscope.results.scores import Scores
from emoscope.results.segments import Segment
from raising import raises_code


def to_text(result: Result, name: str) -> str:
    return export((result,), name).decode()


SEGMENTS = [name for name, one in FORMATS.items() if one.segments]
CURVES = [name for name, one in FORMATS.items() if one.curve]
BORDERS_S = (0.0, 1.26, 3_599.9996, 3_725.04)
"""With a border that rounds up to a full hour, where clocks are easily got wrong."""


@pytest.fixture
def result() -> Result:
    keys = ("happy", "neutral", "sad")
    spans = pairwise(BORDERS_S)
    return Result(
        source=SourceRef("my call 1.wav", None),
        created=datetime(2026, 1, 4, 22, 30, tzinfo=UTC),
        duration_s=BORDERS_S[-1],
        granularity="frame",
        scores=Scores(np.full(9, 1 / 9)),
        quality=Quality(-20.0, 0.5, 0.0, 30.0, 8_000.0, 0.8),
        model=ModelRef("fake", "1", "0" * 64),
        segments=tuple(
            Segment(start_s, end_s, by_key(key), 0.75)
            for (start_s, end_s), key in zip(spans, keys, strict=True)
        ),
    )


def check(read: list[tuple[float, float, str]], words: list[str]) -> None:
    assert [word for _, _, word in read] == words
    for (start_s, end_s, _), first_s, last_s in zip(
        read, BORDERS_S[:-1], BORDERS_S[1:], strict=True
    ):
        assert start_s == pytest.approx(first_s, abs=1e-3)
        assert end_s == pytest.approx(last_s, abs=1e-3)


ENGLISH = ["happy", "neutral", "sad"]
CHINESE = ["快乐", "中性", "悲伤"]
TITLES = ["😊 快乐 (Happy)", "😐 中性 (Neutral)", "😢 悲伤 (Sad)"]


def test_textgrid_reads_back(result, tmp_path) -> None:
    from praatio import textgrid

    path = tmp_path / "a.TextGrid"
    path.write_text(to_text(result, "textgrid"), "utf-8")

    grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    assert grid.tierNames == ("情绪", "emotion")
    check([tuple(entry) for entry in grid.getTier("emotion").entries], ENGLISH)
    check([tuple(entry) for entry in grid.getTier("情绪").entries], CHINESE)


def test_praat_opens_the_textgrid(result, tmp_path) -> None:
    import parselmouth

    path = tmp_path / "a.TextGrid"
    path.write_text(to_text(result, "textgrid"), "utf-8")

    grid = parselmouth.read(str(path))
    assert isinstance(grid, parselmouth.TextGrid)
    assert grid.xmax == pytest.approx(BORDERS_S[-1], abs=1e-3)
    for tier, (name, words) in enumerate((("情绪", CHINESE), ("emotion", ENGLISH)), start=1):
        ask = partial(parselmouth.praat.call, grid)
        assert ask("Get tier name", tier) == name
        rows = range(1, ask("Get number of intervals", tier) + 1)
        check(
            [
                (
                    ask("Get start time of interval", tier, row),
                    ask("Get end time of interval", tier, row),
                    ask("Get label of interval", tier, row),
                )
                for row in rows
            ],
            words,
        )


def test_textgrid_is_the_long_text_format_of_praat(result) -> None:
    lines = to_text(result, "textgrid").splitlines()

    assert lines[0] == 'File type = "ooTextFile"'
    assert lines[1] == 'Object class = "TextGrid"'


def test_eaf_reads_back(result, tmp_path) -> None:
    from pympi import Eaf

    path = tmp_path / "a.eaf"
    path.write_text(to_text(result, "eaf"), "utf-8")

    document = Eaf(str(path))
    for tier, words in (("emotion", ENGLISH), ("情绪", CHINESE)):
        rows = document.get_annotation_data_for_tier(tier)
        check([(row[0] / 1000, row[1] / 1000, row[2]) for row in rows], words)


def test_eaf_links_its_sound(result, pair, tmp_path) -> None:
    from pympi import Eaf

    def linked(results, *sounds: str) -> list[tuple[str, str]]:
        path = tmp_path / "a.eaf"
        path.write_bytes(export(results, "eaf", sounds=sounds))
        files = Eaf(str(path)).get_linked_files()
        assert all(one["MEDIA_URL"] == one["RELATIVE_MEDIA_URL"] for one in files)
        return [(one["RELATIVE_MEDIA_URL"], one["MIME_TYPE"]) for one in files]

    clip = replace(result, source=SourceRef("nested/clip.mp4", None))

    assert linked((clip,)) == [("./nested/clip.mp4", "video/mp4")]
    sounds = ("../runs/one/processed_audio.wav", "two.wav")
    assert linked(pair, *sounds) == [(sounds[0], "audio/x-wav"), ("./two.wav", "audio/x-wav")]


@pytest.mark.parametrize("kind", ["vtt", "srt"])
def test_subtitles_read_back(result, kind: str) -> None:
    import webvtt

    track = webvtt.from_buffer(io.BytesIO(to_text(result, kind).encode()), format=kind)

    def seconds(at: webvtt.models.Timestamp) -> float:
        return at.in_seconds() + at.milliseconds / 1000  # without the second part it is whole

    check(
        [(seconds(one.start_time), seconds(one.end_time), one.text) for one in track],
        [f"{title} 75%" for title in TITLES],
    )
    assert track[2].start == "01:00:00.000"


@pytest.mark.parametrize(
    ("languages", "said", "tiers"),
    [
        (("zh",), ["😊 快乐（已更正）", "😐 中性 75%"], ["情绪", "已更正"]),
        (("en",), ["😊 Happy (corrected)", "😐 Neutral 75%"], ["emotion", "corrected"]),
        (
            LANGUAGES,
            ["😊 快乐 (Happy)（已更正）", TITLES[1] + " 75%"],
            ["情绪", "emotion", "已更正"],
        ),
    ],
)
def test_one_language_and_corrections_are_told(result, languages, said, tiers, tmp_path) -> None:
    from praatio import textgrid

    first, *rest = result.segments
    changed = replace(result, segments=(replace(first, corrected=True), *rest))
    path = tmp_path / "a.TextGrid"
    path.write_bytes(export((changed,), "textgrid", languages=languages))

    subtitles = export((changed,), "srt", languages=languages).decode()
    grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    (only,) = grid.getTier(tiers[-1]).entries

    assert [line for line in subtitles.splitlines() if line[:1] in "😊😐" and line][:2] == said
    assert list(grid.tierNames) == tiers
    assert (only.start, only.end) == pytest.approx((first.start_s, first.end_s))


def test_tables_say_what_was_corrected(result) -> None:
    first, *rest = result.segments
    changed = replace(result, segments=(replace(first, corrected=True), *rest))

    rows = list(csv.DictReader(io.StringIO(export((changed,), "csv", languages=("en",)).decode())))

    assert [row["corrected"] for row in rows] == ["1", "0", "0"]
    assert list(rows[0]) == ["name", "start_s", "end_s", "emotion", "score", "corrected"]


def test_audacity_labels_read_back(result) -> None:
    rows = [line.split("\t") for line in to_text(result, "audacity").splitlines()]

    check([(float(start), float(end), word) for start, end, word in rows], ENGLISH)


def test_rttm_has_ten_fields_whatever_the_file_is_called(result) -> None:
    rows = [line.split(" ") for line in to_text(result, "rttm").splitlines()]

    assert {len(row) for row in rows} == {10}
    assert {row[1] for row in rows} == {"my%20call%201"}
    check([(float(row[3]), float(row[3]) + float(row[4]), row[7]) for row in rows], ENGLISH)


def test_csv_reads_back(result) -> None:
    rows = list(csv.DictReader(io.StringIO(to_text(result, "csv"))))

    check([(float(row["start_s"]), float(row["end_s"]), row["emotion"]) for row in rows], ENGLISH)


@pytest.fixture
def pair(result) -> tuple[Result, Result]:
    """Two channels of one call; on the second there is no speech before the first border."""
    silence = Segment(0.0, BORDERS_S[1], SILENCE, 0.0)
    channels = [Channel(1, 2, 1.0, 0.9), Channel(2, 2, 0.9, 0.9)]
    return (
        replace(result, channel=channels[0]),
        replace(result, channel=channels[1], segments=(silence, *result.segments[1:])),
    )


def test_channels_have_tiers_of_their_own(pair, tmp_path) -> None:
    import parselmouth
    from pympi import Eaf

    grid, eaf = tmp_path / "a.TextGrid", tmp_path / "a.eaf"
    grid.write_bytes(export(pair, "textgrid"))
    eaf.write_bytes(export(reversed_(pair), "eaf"))

    tiers = ["情绪 1", "emotion 1", "情绪 2", "emotion 2"]
    ask = partial(parselmouth.praat.call, parselmouth.read(str(grid)))
    assert [ask("Get tier name", tier) for tier in range(1, 5)] == tiers
    assert ask("Get label of interval", 4, 1) == ""
    assert ask("Get label of interval", 4, 2) == "neutral"
    document = Eaf(str(eaf))
    assert list(document.get_tier_names()) == tiers
    check(
        [
            (one / 1000, other / 1000, word)
            for one, other, word in document.get_annotation_data_for_tier("emotion 1")
        ],
        ENGLISH,
    )
    assert [row[2] for row in document.get_annotation_data_for_tier("情绪 2")] == CHINESE[1:]


def reversed_(pair: tuple[Result, Result]) -> tuple[Result, ...]:
    return tuple(reversed(pair))


def test_channels_are_told_apart_where_there_are_no_tiers(pair) -> None:
    rttm = [line.split(" ") for line in export(pair, "rttm").decode().splitlines()]
    labels = [line.split("\t") for line in export(pair, "audacity").decode().splitlines()]
    subtitles = export(pair, "srt").decode()

    assert [(row[2], row[7]) for row in rttm] == [
        *(("1", word) for word in ENGLISH),
        *(("2", word) for word in ENGLISH[1:]),
    ]
    assert [label[2] for label in labels] == [
        *("[1] happy", "[1] neutral", "[2] neutral", "[1] sad", "[2] sad")
    ]
    assert "[2] 😢 悲伤 (Sad) 75%" in subtitles


def test_results_that_do_not_belong_together_are_refused(result, pair) -> None:
    stranger = replace(pair[1], source=SourceRef("other.wav", "1" * 64))
    for together in ((result, result), (pair[0], pair[0]), (pair[0], stranger), (result, pair[0])):
        with raises_code("channels_mismatch"):
            export(together, "csv")


def test_the_command_puts_channels_side_by_side(pair, tmp_path) -> None:
    runs = [tmp_path / f"outputs_20260104_223000{end}" for end in ("", "_2")]
    for run, result in zip(runs, pair, strict=True):
        run.mkdir()
        (run / "result.json").write_text(json.dumps(result.to_dict()))
    words = ["--format", "srt", "--out", str(tmp_path)]

    cli.app(["export", *map(str, runs), *words], standalone_mode=False)
    cli.app(["export", str(runs[1]), *words], standalone_mode=False)

    assert (tmp_path / "my call 1.srt").read_bytes() == export(pair, "srt")
    assert (tmp_path / "my call 1_2.srt").read_bytes() == export(pair[1:], "srt")


def test_a_curve_that_a_format_cannot_hold_and_bytes_for_a_terminal_are_told(
    result, tmp_path, monkeypatch
) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps(result.to_dict()))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)

    for words in (["-f", "srt", "--curve"], ["-f", "npy"], ["-f", "parquet"]):
        with pytest.raises(SettingError):
            cli.app(["export", str(path), *words], standalone_mode=False)


def test_a_full_disk_leaves_what_was_there(result, tmp_path, monkeypatch) -> None:
    path, out = tmp_path / "result.json", tmp_path / "a.csv"
    path.write_text(json.dumps(result.to_dict()))
    out.write_text("before")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with raises_code("store_full"):
        cli.app(["export", str(path), "-f", "csv", "-o", str(out)], standalone_mode=False)

    assert out.read_text() == "before"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.csv", "result.json"]


@pytest.mark.parametrize("curve", [False, True])
@pytest.mark.parametrize("name", FORMATS)
def test_a_result_without_a_time_axis_is_told(result, name: str, curve: bool) -> None:
    holds = FORMATS[name].curve if curve else FORMATS[name].segments

    with raises_code("segments_missing") if holds else pytest.raises(KeyError):
        export((replace(result, segments=()),), name, curve=curve)


@pytest.mark.parametrize("name", SEGMENTS)
def test_the_command_writes_a_file_that_is_named_after_the_recording(
    result, tmp_path, name: str
) -> None:
    run = tmp_path / "outputs_20260104_223000"
    run.mkdir()
    (run / "result.json").write_text(json.dumps(result.to_dict()))

    cli.app(["export", str(run), "--format", name, "--out", str(tmp_path)], standalone_mode=False)

    written = tmp_path / f"my call 1{FORMATS[name].suffix}"
    assert written.read_bytes() == export((result,), name)


def test_a_missing_run_and_a_wrong_format_are_told(tmp_path) -> None:
    with pytest.raises(RunNotFoundError):
        cli.app(["export", str(tmp_path)], standalone_mode=False)
    with pytest.raises(SettingError):
        cli.app(["export", str(tmp_path), "-f", "mp3"], standalone_mode=False)
