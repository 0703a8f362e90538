"""History and comparison in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from serving import Site
from sounds import SAMPLES, sample, wav
from visitor import ENGLISH, PHONE, answered, give, show, until

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror=alert(1)>"
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


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


def tick(page: Page, *runs: str) -> None:
    for run in runs:
        page.check(f".emo-run[data-run='{run}'] [data-pick]")


def test_a_run_is_found_opened_titled_and_deleted(page: Page, site: Site) -> None:
    run = keep(site, "interview-uniquely-named.wav")
    show(page, "history")
    search(page, "uniquely-named")
    expect(page.locator(".emo-run")).to_have_count(1)
    click = row(page, run)

    click(".emo-run-title")
    expect(page.locator("#emo-answer emo-timeline .emo-stage")).to_be_visible()
    assert page.url.endswith(f"/r/{run}")
    expect(page).to_have_title("interview-uniquely-named.wav · Emoscope")
    page.go_back()

    click("[data-do=rename]")
    page.fill(".emo-rename input:visible", EVIL)
    page.keyboard.press("Enter")
    expect(page.locator(".emo-run-title")).to_have_text(EVIL)
    click("[data-do=rename]")
    page.fill(".emo-rename input:visible", "never kept")
    page.keyboard.press("Escape")
    expect(page.locator(".emo-run-title")).to_have_text(EVIL)
    page.go_forward()
    expect(page.locator("#emo-answer .emo-result")).to_contain_text(EVIL)
    assert page.locator("main img").count() == 0
    page.go_back()

    click("[data-do=delete]")
    expect(page.locator("dialog.emo-sure")).to_contain_text("删除后无法恢复")
    expect(page.locator("dialog.emo-sure")).to_contain_text(EVIL)
    assert run in site.runs()  # it asks first
    page.click("dialog.emo-sure [data-do=keep]")
    click("[data-do=delete]")
    page.click("dialog.emo-sure [data-do=delete-yes]")
    expect(page.locator(".emo-run")).to_have_count(0)
    expect(page.locator(".emo-nothing:visible")).to_contain_text("没有符合的记录")
    assert run not in site.runs()
    page.go_forward()
    expect(page.locator("#emo-answer")).to_contain_text("已经删除")


def test_an_address_opens_a_run_in_its_language(page: Page, site: Site) -> None:
    run = keep(site, "linked.wav", "utterance")

    for address in (f"/r/{run}?lang=en", f"/?lang=en#run={run}"):  # the second as it once was
        page.goto("about:blank")
        page.goto(site.url + address)
        expect(page.locator("#emo-answer .emo-headline")).to_contain_text(
            re.compile("Confidence|Not sure"), use_inner_text=True
        )
        assert page.url == f"{site.url}/r/{run}?lang=en"


def test_two_runs_stand_side_by_side(page: Page, site: Site) -> None:
    one, other = keep(site, "same.wav"), keep(site, "same.wav", "utterance")
    show(page, "history")
    for _ in range(2):  # and once more in the same page
        compare = page.locator("[data-do=compare]")
        for run in (one, other):
            expect(compare).not_to_be_enabled()
            tick(page, run)
        compare.click()

        expect(page.locator(".emo-compared emo-timeline canvas").first).to_be_visible()
        assert page.locator(".emo-compared emo-timeline").count() == 2
        assert page.locator(".emo-versus tbody tr").count() == 9
        assert page.url.endswith(f"/compare?one={one}&other={other}")
        expect(page).to_have_title("same.wav · same.wav · Emoscope")
        whens = page.locator(".emo-versus thead time").all_inner_texts()
        assert whens == [when(page, run) for run in (one, other)]
        page.reload()
        expect(page.locator(".emo-versus tbody tr")).to_have_count(9)
        page.go_back()
        expect(page.locator("#emo-history")).to_be_visible()
        page.locator(".emo-run").first.wait_for()


def when(page: Page, run: str) -> str:
    return (
        page.locator(f".emo-run[data-run='{run}'] time").text_content()
        or f"{run} is not in the list"
    )


def test_both_curves_have_one_time_scale(page: Page, site: Site) -> None:
    longer = keep(site, "longer.wav")
    half = {"audio": ("half.wav", wav(sample("happy_zh.wav")[:40_000]))}
    shorter = site.client.post("/predict", files=half, data={"granularity": "frame"}).json()["run"]

    page.goto(f"{site.url}/compare?one={longer}&other={shorter}")

    page.locator(".emo-compared canvas").nth(1).wait_for()
    widths = page.evaluate(
        """() => [...document.querySelectorAll(".emo-compared .emo-stage")]
            .map((stage) => stage.clientWidth)"""
    )
    lengths = [
        site.client.get(f"/v1/recognitions/{run}").json()["duration_s"] for run in (longer, shorter)
    ]
    assert widths[1] / widths[0] == pytest.approx(lengths[1] / lengths[0], abs=0.02)


def test_a_correction_in_one_view_reaches_the_others(page: Page, site: Site) -> None:
    """What a comparison shows, and the list, once a run was corrected elsewhere in the page."""
    one, other = keep(site, "one.wav"), keep(site, "other.wav")
    show(page, "history")
    tick(page, one, other)
    page.click("[data-do=compare]")
    page.locator(".emo-compared canvas").nth(1).wait_for()
    duration_s = site.client.get(f"/v1/recognitions/{other}").json()["duration_s"]
    segments = [
        {"start_s": 0, "end_s": 1.5, "emotion": "sad"},
        {"start_s": 1.5, "end_s": duration_s, "emotion": "fearful"},
    ]
    site.client.put(f"/v1/recognitions/{other}/corrections", json={"segments": segments})

    page.evaluate(
        """(run) => import(new URL("static/changed.js", document.baseURI))
          .then(({ changed }) => changed(run))""",
        other,
    )

    shown = f"document.querySelector('.emo-compared [data-run={other}] emo-timeline')"
    until(page, f"{shown}?.figure?.segments.map((one) => one[2]).join() === '6,2'")
    show(page, "history")
    expect(page.locator(f".emo-run[data-run='{other}'] .emo-run-corrected")).to_be_visible()


def test_several_are_downloaded_and_deleted_at_once(page: Page, site: Site) -> None:
    for turn in ("first", "second"):
        runs = {keep(site, f"heap-{turn}-{number}.wav") for number in range(3)}
        show(page, "history")
        search(page, f"heap-{turn}")
        expect(page.locator(".emo-run")).to_have_count(3)
        tick(page, *runs)
        expect(page.locator(".emo-picked strong")).to_have_text("已选 3 条", use_inner_text=True)
        expect(page.locator("[data-do=compare]")).to_be_disabled()
        with page.expect_download() as download:
            page.click(".emo-picked a[download]")
        assert download.value.suggested_filename.endswith(".zip")

        page.click("[data-do=delete-picked]")
        expect(page.locator("dialog.emo-sure p:visible").first).to_contain_text("3 条记录")
        page.click("dialog.emo-sure [data-do=delete-yes]")

        expect(page.locator(".emo-run")).to_have_count(0)
        expect(page.locator(".emo-picked")).to_be_hidden()
        assert not runs & site.runs()
        page.click(".emo-search [data-do=clear]")
        page.click("[data-for=home]")


def test_filters_are_in_the_address(page: Page, site: Site) -> None:
    keep(site, "filtered.wav")
    key = site.client.get("/v1/recognitions", params={"search": "filtered"}).json()
    emotion = key["recognitions"][0]["facts"]["emotion"]
    show(page, "history")
    search(page, "filtered")
    page.click(f".emo-filters [data-emotion='{emotion}']")
    expect(page.locator(".emo-run")).to_have_count(1)

    page.reload()

    expect(page.locator(".emo-run")).to_have_count(1)
    assert page.input_value(".emo-search input") == "filtered"
    assert page.get_attribute(f".emo-filters [data-emotion='{emotion}']", "aria-pressed") == "true"
    other = "sad" if emotion != "sad" else "happy"
    page.click(f".emo-filters [data-emotion='{other}']")
    expect(page.locator(".emo-nothing:visible")).to_be_visible()
    page.click("[data-do=reset]:visible")
    expect(page.locator(".emo-run").first).to_be_visible()
    assert "search" not in page.url


def test_back_is_where_one_was(page: Page, site: Site) -> None:
    for number in range(30):
        keep(site, f"line-{number}.wav", "utterance")
    show(page, "history")
    for number in (20, 25):
        line = page.locator(".emo-run").nth(number)
        line.scroll_into_view_if_needed()
        page.evaluate("scrollBy(0, 40)")
        before = page.evaluate("scrollY")
        assert before > 200
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        line.locator(".emo-run-title").click()
        expect(page.locator("#emo-answer .emo-result")).to_be_visible()

        page.go_back()

        expect(page.locator("#emo-history")).to_be_visible()
        until(page, "(y) => Math.abs(scrollY - y) < 2", before)
        assert not [url for url in asked if "page/history" in url]


def test_an_answer_appears_in_the_history_at_once(page: Page) -> None:
    for name in ("sad_en.wav", "happy_en.wav"):
        show(page, "history")
        page.wait_for_selector(".emo-list > *")
        show(page, "home")
        give(page, SAMPLES / name)
        answered(page)
        show(page, "history")

        expect(page.locator(".emo-run-title").first).to_have_text(name)


def test_a_server_that_is_gone_is_told_in_the_history(page: Page) -> None:
    page.route("**/page/history*", lambda route: route.abort())

    show(page, "history")

    expect(page.locator("emo-history [data-note=failed]")).to_be_visible()


@pytest.mark.parametrize(
    "context",
    [{**PHONE, **ENGLISH}, {**PHONE, "viewport": {"width": 320, "height": 640}}],
    indirect=True,
)
def test_a_phone_has_the_tools_in_a_menu(page: Page, site: Site) -> None:
    run = keep(site, "held in one hand, with a rather long name.wav")
    show(page, "history")
    menu = page.locator(f".emo-run[data-run='{run}'] .emo-run-menu")
    menu.wait_for(state="attached")
    expect(menu).to_be_hidden()
    for _ in range(2):
        row(page, run)("[data-do=tools]")
        expect(menu).to_be_visible()
        row(page, run)("[data-do=tools]")
        expect(menu).to_be_hidden()
    assert page.evaluate(WIDE) <= 0
    small = page.evaluate(
        """() => [...document.querySelectorAll("#emo-history button, #emo-history label")]
          .filter((one) => one.offsetParent && Math.min(one.offsetWidth, one.offsetHeight) < 40)
          .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert small == []
