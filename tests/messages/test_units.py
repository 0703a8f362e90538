"""Sizes and lengths as people write them, alone and in sentences."""

from __future__ import annotations

import pytest

from emoscope.errors import AudioError, AudioTooLargeError, ServiceTimeoutError
from emoscope.messages.languages import Text
from emoscope.messages.units import clock_time, file_size, recording_length, time_length


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (99, "99 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (999_960, "1 MB"),
        (10_000_000, "10 MB"),
        (12_500_000, "12.5 MB"),
        (2_000_000_000, "2 GB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert file_size(count) == text


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (0.3, "0.3 秒", "0.3 s"),
        (30, "30 秒", "30 s"),
        (59.96, "1 分钟", "1 minute"),
        (90, "1 分 30 秒", "1 min 30 s"),
        (600, "10 分钟", "10 minutes"),
        (3_599.6, "1 小时", "1 hour"),
        (5_400, "1 小时 30 分钟", "1 h 30 min"),
        (14_400, "4 小时", "4 hours"),
    ],
)
def test_lengths(seconds: float, zh: str, en: str) -> None:
    assert time_length(seconds, "zh") == zh
    assert time_length(seconds, "en") == en


def test_clocks() -> None:
    assert [clock_time(at) for at in (5, 65, 3_725, 59.6)] == ["0:05", "1:05", "1:02:05", "1:00"]
    assert [recording_length(at) for at in (4.25, 59.96, 725)] == ["4.2 s", "1:00", "12:05"]


def test_sentences_have_units_and_the_data_of_an_error_stays_a_number() -> None:
    large = AudioTooLargeError(max_bytes=10_000_000)
    long = AudioError("audio_too_long", max_duration_s=600.0)
    late = ServiceTimeoutError("deadline_exceeded", seconds=900)

    assert large.detail_zh == "文件超过 10 MB 的上限。请转成 MP3，或截取一段。"
    assert large.data == {"max_bytes": 10_000_000}
    assert long.detail_zh == "录音超过 10 分钟。请截取一段。"
    assert long.detail_en == "The recording is longer than 10 minutes. Trim it."
    assert late.detail_en == "Processing took more than 15 minutes and was stopped."


def test_what_is_no_number_is_shown_as_it_is() -> None:
    text = Text("{count:size} {at:length} {share:.1f}", "{count:size} {at:length} {share:.1f}")

    assert text("en", count="?", at="?", share=0.25) == "? ? 0.2"
