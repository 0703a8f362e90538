"""Corrections that teach, in a real Chromium: look, adopt, undo."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

import serving
from conftest import make_speech
from serving import Site
from sounds import wav
from visitor import show

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server of its own: corrections of other tests would count, and these would teach it."""
    with serving.site(tmp_path_factory.mktemp("teach") / "outputs") as running:
        yield running


def recognized(site: Site, seed: int) -> dict:
    sound = wav(make_speech(3.0, seed=seed, level=0.05))
    files = {"audio": (f"{seed}.wav", sound)}
    return site.client.post("/predict", files=files, data={"granularity": "frame"}).json()


def correct(site: Site, answer: dict) -> None:
    row = {"start_s": 0, "end_s": answer["duration_s"], "emotion": "sad"}
    path = f"/v1/recognitions/{answer['run']}/corrections"
    assert site.client.put(path, json={"segments": [row]}).status_code == 200


def test_the_dialog_shows_before_it_changes_anything(page: Page, site: Site) -> None:
    kept = [recognized(site, seed) for seed in range(10)]
    for answer in kept[:9]:
        correct(site, answer)
    show(page, "history")
    dialog = page.locator(".emo-teach-dialog")
    page.click("[data-teach=open]")
    expect(dialog).to_contain_text("9")
    expect(dialog.locator("[data-teach=adopt]")).to_have_count(0)
    dialog.locator("[data-teach=close]").click()
    expect(dialog).not_to_be_visible()

    correct(site, kept[9])
    other = recognized(site, 30)
    page.click("[data-teach=open]")
    adopt = dialog.locator("[data-teach=adopt]")
    expect(adopt).to_be_visible()
    expect(dialog.locator(f"a[href='r/{other['run']}']")).to_be_visible()
    assert Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"] == []
    assert recognized(site, 31)["emotion"] == "neutral"
    adopt.click()
    undo = dialog.locator("[data-teach=undo]")
    expect(undo).to_be_visible()
    answer = recognized(site, 32)
    assert answer["emotion"] == "sad"

    undo.click()
    expect(undo).to_have_count(0)
    assert recognized(site, 33)["emotion"] == "neutral"
    dialog.locator("[data-teach=close]").click()
    page.goto(f"{page.url.rsplit('/', 1)[0]}/r/{answer['run']}")
    expect(page.locator("[data-part=adapted]")).to_be_visible()
