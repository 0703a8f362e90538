"""What the page opens with: a finished result that plays, and samples that answer at one click."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from emoscope.web.samples import demo_turns, sample_cards
from serving import Site
from visitor import ENGLISH, PHONE, settled, until

pytestmark = pytest.mark.browser

AUDIO = "document.querySelector('.emo-demo audio')"


def test_it_opens_with_a_finished_result_and_asks_for_no_sound(page: Page, site: Site) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(site.url + "/")
    page.wait_for_selector(".emo-demo canvas")
    page.wait_for_timeout(500)

    expect(page.locator(".emo-demo-turn")).to_have_text(
        [f"{turn.emotion.emoji} {turn.emotion.zh}" for turn in demo_turns()], use_inner_text=True
    )
    expect(page.locator(".emo-demo-source")).to_contain_text("EmoDB")
    assert not [url for url in asked if "/v1/samples/" in url], "neither sound nor finer tiles"


def test_the_large_button_plays_and_the_headline_plays_along(page: Page) -> None:
    play = page.locator(".emo-demo-play")
    play.click()

    until(page, f"{AUDIO}.currentTime > 0.2 && !{AUDIO}.paused")
    expect(play).to_be_hidden()
    current = page.locator('.emo-demo-turn[aria-current="true"]')
    expect(current).to_have_text("😐 中性", use_inner_text=True)
    page.evaluate(f"{AUDIO}.currentTime = 10")
    expect(current).to_have_text("😠 愤怒", use_inner_text=True)


def test_a_click_on_an_emotion_plays_from_there(page: Page) -> None:
    page.locator(".emo-demo-turn").nth(1).click()

    start_s = demo_turns()[1].start_s
    until(page, f"{AUDIO}.currentTime >= {start_s} && {AUDIO}.currentTime < {start_s + 2}")
    expect(page.locator('.emo-demo-turn[aria-current="true"]')).to_contain_text("快乐")


def test_the_way_to_ones_own_recording_opens_the_files(page: Page) -> None:
    with page.expect_file_chooser() as chooser:
        page.click(".emo-demo-own")
    assert chooser.value.element.evaluate("e => e.closest('emo-form').dataset.kind") == "one"


@pytest.mark.parametrize("context", [ENGLISH], indirect=True)
def test_one_click_on_a_sample_is_its_answer(page: Page, site: Site) -> None:
    before = site.runs()
    cards = page.locator(".emo-sample")
    expect(cards).to_have_count(len(sample_cards()))
    cards.nth(2).click()
    settled(page)

    page.wait_for_selector("#emo-answer .emo-result")
    assert len(site.runs() - before) == 1
    expect(page.locator("#emo-demo")).to_be_hidden()
    name = page.locator("#emo-answer .emo-result").get_attribute("data-title")
    assert name == sample_cards()[2].sample.file


@pytest.mark.parametrize("context", [PHONE], indirect=True)
def test_on_a_phone_everything_has_its_room(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for selector in (".emo-demo-turn", ".emo-demo-own", ".emo-demo-play", ".emo-sample"):
        for one in page.locator(selector).all():
            box = one.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 40, selector
