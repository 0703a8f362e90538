"""What is said, given on the page: kept, read again, replaced, taken away; twice in one page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from sounds import SAMPLES
from visitor import answered, file, give, until

pytestmark = pytest.mark.browser
SRT = "1\n00:00:00,100 --> 00:00:00,900\n第一句\n\n2\n00:00:01,000 --> 00:00:02,000\nsecond line\n"


def keep(page: Page, text: str) -> None:
    form = page.locator(".emo-result:visible .emo-words-form")
    if not form.is_visible():
        page.click(".emo-result:visible .emo-words summary")
    form.locator("textarea").fill(text)
    form.locator("button[type=submit]").click()


def test_subtitles_stand_under_the_river_and_lead_to_their_moment(page: Page) -> None:
    give(page, SAMPLES / "happy_zh.wav")
    answered(page, "frame")
    keep(page, SRT)
    lines = page.locator(".emo-result:visible .emo-lines li")
    expect(lines).to_have_count(2)
    expect(lines.nth(1)).to_contain_text("second line")
    lines.nth(1).locator("button").click()
    until(page, "document.querySelector('.emo-result audio').currentTime >= 0.9")
    page.reload()
    expect(page.locator(".emo-result:visible .emo-lines li")).to_have_count(2)

    keep(page, "one text of the whole")
    expect(lines).to_have_count(1)
    page.click(".emo-result:visible [data-remove]")
    expect(page.locator(".emo-result:visible .emo-lines")).to_have_count(0)


def test_a_file_in_the_chinese_encoding_is_read(page: Page) -> None:
    give(page, SAMPLES / "happy_zh.wav")
    answered(page)
    page.click(".emo-result:visible .emo-words summary")
    page.set_input_files(
        ".emo-result:visible .emo-words-form input[type=file]",
        file("a.srt", SRT.encode("gb18030")),
    )
    until(page, "document.querySelector('.emo-words-form textarea').value.includes('第一句')")


def test_what_is_refused_is_told_and_stays_in_the_field(page: Page) -> None:
    give(page, SAMPLES / "happy_zh.wav")
    answered(page)
    keep(page, "1\n00:00:00,000 --> 09:00:00,000\nfar away\n")
    told = page.locator(".emo-result:visible [data-refused]")
    expect(told).to_be_visible()
    expect(told).to_contain_text("录音")
    expect(page.locator(".emo-result:visible textarea")).to_have_value(
        "1\n00:00:00,000 --> 09:00:00,000\nfar away\n"
    )
