"""axe-core finds nothing serious, in every view, light and dark, wide and narrow."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from serving import Site
from sounds import SAMPLES
from visitor import PHONE, answered, file, form, give, show, start, until

pytestmark = pytest.mark.browser

OPTIONS = {"resultTypes": ["violations"]}


def check(page: Page, where: str) -> None:
    page.wait_for_timeout(200)
    violations = Axe().run(page, options=OPTIONS).response["violations"]
    told = [
        f"{where}: {v['id']} ({v['impact']}): {[n['html'][:160] for n in v['nodes'][:3]]}"
        for v in violations
    ]
    assert told == []


@pytest.mark.parametrize(
    "context",
    [{"color_scheme": "light"}, {**PHONE, "color_scheme": "dark", "locale": "en-US"}],
    indirect=True,
    ids=["wide light", "phone dark"],
)
def test_nothing_anywhere(page: Page, site: Site) -> None:
    check(page, "empty")
    give(page, SAMPLES / "angry_zh.wav")
    page.check(f"{form()} input[name=utterances]", force=True)
    answered(page, "frame")
    page.wait_for_selector("#emo-answer .emo-utterance")
    page.locator("#emo-answer .emo-stage").press("e")
    page.wait_for_selector(".emo-edit:not([hidden])")
    check(page, "frame")
    show(page, "history")
    page.wait_for_selector(".emo-run")
    page.check("[data-pick] >> nth=0")
    check(page, "history")
    page.click("[data-do=delete-picked]")
    check(page, "history, deleting")
    page.click("dialog.emo-sure [data-do=keep]")
    page.goto(f"{site.url}/compare?one={max(site.runs())}&other={min(site.runs())}")
    page.wait_for_selector(".emo-versus")
    check(page, "comparison")
    show(page, "map")
    page.wait_for_selector(".emo-map-stage canvas")
    check(page, "map")
    show(page, "live")
    check(page, "live, before")
    page.click("[data-do=live]")
    until(page, "document.querySelector('emo-live').curve?.knownS > 1")
    check(page, "live")
    page.click("[data-do=live]")
    page.wait_for_selector("#emo-answer emo-timeline canvas")
    check(page, "live, after")
    show(page, "batch")
    give(page, SAMPLES / "happy_en.wav", file("bad.mp3", b"no"), kind="many")
    start(page, kind="many")
    page.wait_for_selector(".emo-batch-head[data-state=over]")
    check(page, "batch")
    run = max(site.runs())
    page.goto(f"{site.url}/timeline?run={run}")
    page.wait_for_selector("emo-timeline canvas")
    check(page, "alone")
