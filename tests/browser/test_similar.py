"""Recordings that sound like the one of a result, in a real Chromium."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from serving import Site
from sounds import sample, wav

pytestmark = pytest.mark.browser


def keep(site: Site, name: str) -> str:
    reply = site.client.post("/predict", files={"audio": (name, wav(sample(name)))})
    run: str = reply.json()["run"]
    return run


def test_what_sounds_alike_is_listed_played_and_opened(page: Page, site: Site) -> None:
    other, run = keep(site, "angry_zh.wav"), keep(site, "sad_en.wav")
    page.goto(f"{site.url}/r/{run}")
    similar = page.locator(".emo-result emo-similar")
    similar.scroll_into_view_if_needed()
    mine = similar.locator(f"li[data-run='{other}']")
    expect(mine).to_be_visible()

    similar.locator("[data-space=sound]").click()
    expect(similar.locator("[data-space=sound]")).to_have_attribute("aria-pressed", "true")
    expect(similar.locator(".emo-similar-list[aria-busy=false]")).to_be_visible()
    play = mine.locator("[data-sound]")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "true")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "false")

    mine.locator("a").click()
    expect(page.locator(f".emo-result[data-run='{other}'] emo-similar")).to_be_attached()
    assert page.url.endswith(f"/r/{other}")
