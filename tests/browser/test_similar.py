"""Recordings that sound like another, and the map of all runs, in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

import serving
from serving import Site
from sounds import sample, wav
from visitor import show

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server of its own: the list of a lasso ends at 200 runs, and other tests make many."""
    with serving.site(tmp_path_factory.mktemp("similar") / "outputs") as running:
        yield running


def keep(site: Site, name: str) -> str:
    reply = site.client.post("/predict", files={"audio": (name, wav(sample(name)))})
    run: str = reply.json()["run"]
    return run


def test_what_sounds_alike_is_listed_played_and_opened(page: Page, site: Site) -> None:
    keep(site, "angry_zh.wav")
    run = keep(site, "sad_en.wav")
    page.goto(f"{site.url}/r/{run}")
    similar = page.locator(".emo-result emo-similar")
    similar.scroll_into_view_if_needed()
    # Whichever is nearest: other tests keep runs in the same folder.
    mine = similar.locator("li[data-run]").first
    expect(mine).to_be_visible()

    similar.locator("[data-space=sound]").click()
    expect(similar.locator("[data-space=sound]")).to_have_attribute("aria-pressed", "true")
    expect(similar.locator(".emo-similar-list[aria-busy=false]")).to_be_visible()
    play = mine.locator("[data-sound]")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "true")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "false")

    other = mine.get_attribute("data-run")
    assert other != run
    mine.locator("a").click()
    expect(page.locator(f".emo-result[data-run='{other}'] emo-similar")).to_be_attached()
    assert page.url.endswith(f"/r/{other}")


def test_the_map_tells_plays_and_lists(page: Page, site: Site) -> None:
    runs = {keep(site, name) for name in ("angry_zh.wav", "sad_en.wav", "happy_zh.wav")}
    show(page, "map")
    canvas = page.locator(".emo-map-stage canvas")
    expect(canvas).to_be_visible()
    box = canvas.bounding_box()
    assert box is not None

    # A lasso around everything takes everything; the list leads to each run.
    corners = [(0.01, 0.02), (0.85, 0.02), (0.99, 0.3), (0.99, 0.98), (0.01, 0.98)]
    spots = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*spots[0])
    page.mouse.down()
    for spot in spots[1:]:
        page.mouse.move(*spot)
    page.mouse.up()
    listed = page.locator(".emo-map-picked li")
    expect(listed).to_have_count(len(site.client.get("/v1/map").json()["runs"]["run"]))
    names = listed.evaluate_all("rows => rows.map((row) => row.dataset.run)")
    assert runs <= set(names)

    # Pointing at a dot tells its name, clicking it leaves it alone in the list.
    at = page.evaluate(
        """() => { const map = document.querySelector("emo-map");
        const unit = Math.min(map.canvas.clientWidth, map.canvas.clientHeight) / 2 - 18;
        return [map.canvas.clientWidth / 2 + map.runs.x[0] * unit,
                map.canvas.clientHeight / 2 - map.runs.y[0] * unit, map.runs.name[0]]; }"""
    )
    page.mouse.move(box["x"] + at[0], box["y"] + at[1])
    expect(page.locator(".emo-map-tip")).to_be_visible()
    page.mouse.click(box["x"] + at[0], box["y"] + at[1])
    expect(listed).to_have_count(1)

    page.locator(".emo-map-picked [data-do=unpick]").click()
    expect(page.locator(".emo-map-picked")).to_be_hidden()
