"""History, comparison and batches in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from serving import Site
from sounds import SAMPLES, sample, wav
from visitor import give, start

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror=alert(1)>"


def keep(site: Site, name: str, granularity: str = "frame") -> str:
    files = {"audio": (name, wav(sample("happy_zh.wav")))}
    reply = site.client.post("/predict", files=files, data={"granularity": granularity})
    run: str = reply.json()["run"]
    return run


def row(page: Page, run: str) -> Callable[[str], None]:
    """Clicks something in a run's line."""
    return lambda what: page.click(f".emo-run[data-run='{run}'] {what}")


def search(page: Page, words: str) -> None:
    page.fill(".emo-search input", words)


def test_a_run_is_found_opened_titled_and_deleted(page: Page, site: Site) -> None:
    run = keep(site, "interview-uniquely-named.wav")
    page.click("button[data-view=runs]")
    search(page, "uniquely-named")
    expect(page.locator(".emo-run")).to_have_count(1)
    click = row(page, run)

    click("[data-do=open]")
    expect(page.locator("#emo-result-runs emo-timeline .emo-stage")).to_be_visible()
    assert f"#run={run}" in page.url

    click("[data-do=rename]")
    page.fill(".emo-rename input", EVIL)
    page.keyboard.press("Enter")
    expect(page.locator(".emo-run-title")).to_have_text(EVIL)
    expect(page.locator("#emo-result-runs .emo-about strong")).to_have_text(EVIL)
    assert page.locator("main img").count() == 0

    click("[data-do=delete]")
    assert run in site.runs()  # it asks first
    click(".emo-sure [data-do=keep]")
    click("[data-do=delete]")
    click("[data-do=delete-yes]")
    expect(page.locator(".emo-run")).to_have_count(0)
    assert run not in site.runs()


def test_an_address_opens_a_run_in_its_language(page: Page, site: Site) -> None:
    run = keep(site, "linked.wav", "utterance")

    page.goto("about:blank")
    page.goto(f"{site.url}/?lang=en#run={run}")

    expect(page.locator("#emo-result-runs .emo-headline")).to_contain_text("Confidence")
    expect(page.locator(f".emo-run[data-run='{run}']")).to_have_attribute("data-opened", "")


def test_two_runs_stand_side_by_side(page: Page, site: Site) -> None:
    one, other = keep(site, "first.wav"), keep(site, "second.wav", "utterance")
    page.click("button[data-view=runs]")
    compare = page.locator("[data-do=compare]")
    for run in (one, other):
        expect(compare).to_be_disabled()
        page.check(f".emo-run[data-run='{run}'] [data-compare]")
    compare.click()

    expect(page.locator(".emo-compared emo-timeline canvas")).to_have_count(2)
    assert page.locator(".emo-versus tbody tr").count() == 9
    head = page.locator(".emo-versus thead").inner_text()
    assert "first.wav" in head
    assert "second.wav" in head


def test_an_answer_appears_in_the_history_at_once(page: Page) -> None:
    page.click("button[data-view=runs]")
    page.wait_for_selector(".emo-list > *")
    page.click("button[data-view=one]")
    give(page, SAMPLES / "sad_en.wav")
    start(page)
    page.wait_for_selector("#emo-result-one .emo-headline")
    page.click("button[data-view=runs]")

    expect(page.locator(".emo-run-title").first).to_have_text("sad_en.wav")


def test_a_server_that_is_gone_is_told_in_the_history(page: Page) -> None:
    page.route("**/page/runs*", lambda route: route.abort())

    page.click("button[data-view=runs]")

    expect(page.locator(".emo-runs-failed")).to_be_visible()


def test_a_batch_is_cancelled_and_its_table_sorted(page: Page, site: Site) -> None:
    page.click("button[data-view=many]")
    give(page, *sorted(SAMPLES.glob("*.wav")) * 5, kind="many")
    before = site.runs()
    start(page, kind="many")
    page.click("#emo-result-many [data-do=cancel]")
    page.wait_for_selector("#emo-result-many [data-over=true]")

    expect(page.locator(".emo-progress")).to_contain_text("已取消")
    made = len(site.runs() - before)
    assert 0 < made < 40
    assert page.locator("#emo-result-many tbody tr").count() == made

    page.click("[data-sort='1']")
    names = page.locator("#emo-result-many td.emo-file").all_inner_texts()
    assert names == sorted(names)
    page.click("[data-sort='1']")
    assert page.locator("#emo-result-many td.emo-file").all_inner_texts() == names[::-1]
    page.click("[data-sort='4']")
    lengths = page.locator("#emo-result-many td:nth-child(5)").all_inner_texts()
    values = [float(re.sub("[^0-9.]", "", length)) for length in lengths]
    assert values == sorted(values)
