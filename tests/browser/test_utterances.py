"""The strip of utterances in a real Chromium: asked for, clicked, walked along with keys."""

from __future__ import annotations

import json

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from serving import Site
from sounds import sample, wav
from visitor import answered, file, form, give, show, until

pytestmark = [pytest.mark.browser]

FIGURE = "document.querySelector('#emo-answer emo-timeline').figure"
PAUSE = np.zeros(16_000, np.float32)


@pytest.fixture
def shown(page: Page) -> Page:
    """The answer about two sentences, each recognized alone as well."""
    sound = np.concatenate([sample("angry_zh.wav"), PAUSE, sample("happy_zh.wav")])
    give(page, file("talk.wav", wav(sound)))
    page.check(f"{form()} input[name=utterances]", force=True)
    answered(page, "frame")
    until(page, f"{FIGURE}?.drawn > 0 && {FIGURE}.audio.readyState >= 1")
    until(page, "customElements.get('emo-utterances') !== undefined")
    return page


def test_a_click_selects_an_utterance_and_plays_it(shown: Page) -> None:
    bars = shown.locator("#emo-answer .emo-utterance")
    expect(bars).to_have_count(2)
    bars.nth(1).click()

    until(shown, f"{FIGURE}.selection !== null && {FIGURE}.player.now > 4")
    start_s = shown.evaluate(f"{FIGURE}.selection[0]")
    assert start_s == pytest.approx(float(bars.nth(1).get_attribute("data-from") or 0), abs=1e-3)
    expect(bars.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(bars.nth(0)).to_have_attribute("aria-pressed", "false")


def test_keys_go_from_one_to_the_next(shown: Page) -> None:
    bars = shown.locator("#emo-answer .emo-utterance")
    bars.nth(0).focus()
    shown.keyboard.press("ArrowRight")
    expect(bars.nth(1)).to_be_focused()
    assert [bars.nth(at).get_attribute("tabindex") for at in range(2)] == ["-1", "0"]
    shown.keyboard.press("Enter")
    until(shown, f"{FIGURE}.selection !== null")
    shown.keyboard.press("Home")
    expect(bars.nth(0)).to_be_focused()


def test_bars_follow_the_view(shown: Page) -> None:
    shown.evaluate(f"{FIGURE}.show(0, 4)")
    bars = shown.locator("#emo-answer .emo-utterance")
    expect(bars.nth(1)).to_be_hidden()
    strip = shown.locator("#emo-answer emo-utterances").bounding_box()
    stage = shown.locator("#emo-answer .emo-stage").bounding_box()
    assert strip is not None
    assert stage is not None
    assert strip["x"] == pytest.approx(stage["x"], abs=1)
    assert strip["width"] == pytest.approx(stage["width"], abs=1)


def test_both_languages_are_said(shown: Page) -> None:
    bar = shown.locator("#emo-answer .emo-utterance").nth(0)
    assert "播放这一句" in bar.inner_text()
    shown.evaluate("document.documentElement.dataset.lang = 'en'")
    assert "Play this utterance" in bar.inner_text()
    assert "播放这一句" not in bar.inner_text()


def test_without_the_box_there_is_no_strip(page: Page) -> None:
    give(page, file("talk.wav", wav(sample("angry_zh.wav"))))
    answered(page, "frame")
    expect(page.locator("#emo-answer [data-part=utterances]")).to_have_count(0)


@pytest.mark.parametrize("context", [{"permissions": ["microphone"]}], indirect=True)
def test_a_live_recording_has_them_too(page: Page, site: Site) -> None:
    show(page, "live")
    page.check("emo-live input[name=utterances]", force=True)
    page.click("[data-do=live]")
    until(page, "document.querySelector('emo-live').curve?.knownS >= 2")
    page.click("[data-do=live]")
    page.wait_for_selector("#emo-answer [data-part=utterances]")
    run = page.get_attribute("#emo-answer .emo-result[data-run]", "data-run")

    data = json.loads((site.outputs / str(run) / "result.json").read_text("utf-8"))
    assert data["utterance_cut"]["by"] == "pauses"
