"""Batches in a real Chromium: rows, filters, cancel, a server that goes away, Back and reload."""

from __future__ import annotations

import io
import re
import time
import zipfile

import pytest
from playwright.sync_api import Page, Route, expect

from emoscope.errors import AudioError
from serving import MAX_BYTES, Site
from sounds import SAMPLES
from visitor import ENGLISH, PHONE, file, give, show, start

pytestmark = pytest.mark.browser

OVER = ".emo-batch-head[data-state=over]"
ROWS = ".emo-batch-table tbody tr"
SOUNDS = sorted(SAMPLES.glob("*.wav"))


def begin(page: Page, *chosen: object) -> None:
    show(page, "batch")
    page.evaluate("document.querySelector('emo-form[data-kind=many]').set([])")
    give(page, *chosen, kind="many")  # type: ignore[arg-type] - a path or a payload
    start(page, kind="many")


def test_each_file_has_a_row_and_all_are_in_one_archive(page: Page, site: Site) -> None:
    for _ in range(2):  # the second batch replaces the first
        before = site.runs()
        bad, large = file("bad.mp3", b"no"), file("large.wav", b"0" * (MAX_BYTES + 1))
        begin(page, SAMPLES / "happy_en.wav", bad, large, SAMPLES / "angry_zh.wav")
        patience_s = time.monotonic() + 60  # the batch before is over, too, until this one begins
        while len(site.runs() - before) < 2 and time.monotonic() < patience_s:
            page.wait_for_timeout(50)
        page.wait_for_selector(OVER)

        expect(page.locator(ROWS)).to_have_count(4)
        expect(page.locator(".emo-batch-said")).to_have_text(
            "2 个成功，2 个失败", use_inner_text=True
        )
        made = site.runs() - before
        assert len(made) == 2
        failed = page.locator(".emo-failed")
        expect(failed.first).to_contain_text(AudioError("audio_not_recognized").detail_zh)
        expect(failed.first.locator("small code")).to_have_text("audio_not_recognized")
        expect(failed.last).to_contain_text("上限是 1 MB")
        assert page.locator(f"{ROWS} svg.emo-small-river").count() == 2
        heights = page.evaluate(
            f"[...document.querySelectorAll('{ROWS}:not(.emo-failed)')].map((r) => r.offsetHeight)"
        )
        assert max(heights) <= 56
        with page.expect_download() as download:
            page.click(".emo-batch-zip a")
        with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as archive:
            assert {name.split("/")[0] for name in archive.namelist()} == made | {"summary.csv"}


def test_a_file_that_is_too_large_is_not_sent(page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))

    begin(page, file("large.wav", b"0" * (MAX_BYTES + 1)))
    page.wait_for_selector(OVER)

    expect(page.locator(".emo-failed")).to_have_count(1)
    assert not [url for url in sent if "recognitions" in url]


@pytest.mark.parametrize("context", [ENGLISH], indirect=True)
def test_a_result_is_opened_and_back_shows_the_table(page: Page, site: Site) -> None:
    begin(page, SAMPLES / "happy_en.wav", SAMPLES / "angry_zh.wav")
    page.wait_for_selector(OVER)
    for language in ("zh", "en"):  # from now on the language is in the address
        page.click(f"button[data-language={language}]")
        page.evaluate("window.isThisPage = true")
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        for number in (0, 1):
            link = page.locator(f"{ROWS} .emo-row-file a").nth(number)
            run = page.locator(ROWS).nth(number).get_attribute("data-run")
            link.click()
            expect(page.locator(f"#emo-answer .emo-result[data-run='{run}']")).to_be_visible()
            assert f"/r/{run}?lang={language}" in page.url
            page.go_back()
            expect(page.locator(ROWS).first).to_be_visible()
            assert page.url.endswith(f"/batch?lang={language}")
        assert page.evaluate("window.isThisPage")
        expect(page.locator(".emo-batch-zip a")).to_be_visible()
        assert not [url for url in asked if "/page/row/" in url or "/v1/recognitions?" in url]

    page.reload()
    expect(page.locator(ROWS)).to_have_count(2)
    expect(page.locator(".emo-batch-zip a")).to_be_visible()


def test_a_batch_is_cancelled_gone_on_with_and_sorted(page: Page, site: Site) -> None:
    before = site.runs()
    begin(page, *SOUNDS * 5)
    page.locator(ROWS).first.wait_for()
    page.click("emo-batch [data-do=cancel]")
    page.wait_for_selector(".emo-batch-head[data-state=cancelled]")

    expect(page.locator(".emo-batch-said")).to_contain_text("已取消")
    expect(page.locator("emo-form[data-kind=many] [data-do=start]")).to_be_enabled()
    made = len(site.runs() - before)
    total = len(SOUNDS) * 5
    assert 0 < made < total
    shown = page.locator(ROWS).count()
    assert 0 < shown <= made  # one may have been finished when its line was cut

    page.click("emo-batch .emo-batch-line [data-do=resume]")
    page.wait_for_selector(OVER)
    expect(page.locator(ROWS)).to_have_count(total)
    numbers = page.locator(".emo-number").all_inner_texts()
    assert numbers == [str(number + 1) for number in range(total)]

    page.click("[data-sort='1']")
    names = page.locator(".emo-batch-table .emo-row-file").all_inner_texts()
    assert names == sorted(names)
    assert page.locator("th[aria-sort=ascending]").count() == 1
    page.click("[data-sort='1']")
    descending = page.locator(".emo-batch-table .emo-row-file").all_inner_texts()
    assert descending == sorted(names, reverse=True)
    page.click("[data-sort='5']")
    lengths = page.locator(".emo-row-length").all_inner_texts()
    values = [float(re.sub("[^0-9.]", "", length)) for length in lengths if length]
    assert values == sorted(values)
    assert page.locator("th[aria-sort]").count() == 1


def test_a_server_that_goes_away_leaves_the_rows_and_can_be_gone_on_with(
    page: Page, site: Site
) -> None:
    passed: list[Route] = []

    def some(route: Route) -> None:
        passed.append(route)
        if len(passed) > 4:
            route.abort()
        else:
            route.continue_()

    for _ in range(2):
        passed.clear()
        page.route("**/v1/recognitions", some)
        begin(page, *SOUNDS[:4] * 3)
        page.wait_for_selector(".emo-batch-head[data-state=lost]")

        lost = page.locator("[data-part=lost]")
        expect(lost).to_contain_text("连不上服务")
        assert "emo-hint" in (lost.get_attribute("class") or "")
        expect(page.locator(ROWS)).to_have_count(4)
        assert page.locator(".emo-failed").count() == 0
        page.unroute("**/v1/recognitions")
        page.click("[data-part=lost] [data-do=resume]")

        page.wait_for_selector(OVER)
        expect(page.locator(ROWS)).to_have_count(12)
        expect(lost).to_be_hidden()


def test_a_full_queue_is_asked_again(page: Page) -> None:
    turned_away: list[str] = []
    busy = {"code": "busy", "detail_zh": "正忙", "detail_en": "Busy", "status": 503}

    def first_no(route: Route) -> None:
        if turned_away:
            route.continue_()
            return
        turned_away.append(route.request.url)
        route.fulfill(status=503, json=busy)

    page.route("**/v1/recognitions", first_no)
    begin(page, SAMPLES / "happy_en.wav")

    page.wait_for_selector(OVER)
    expect(page.locator(f"{ROWS}[data-run]")).to_have_count(1)
    assert turned_away


def test_rows_are_filtered_and_the_bar_shows_how_many(page: Page, site: Site) -> None:
    begin(page, *SOUNDS, file("bad.mp3", b"no"))
    page.wait_for_selector(OVER)

    total = len(SOUNDS) + 1
    chips = page.locator("emo-batch .emo-chip[data-only]:visible")
    counts = {
        chip.get_attribute("data-only"): int(chip.inner_text().split()[-1]) for chip in chips.all()
    }
    assert counts[""] == total
    assert counts["failed"] == 1
    of_emotions = {k: n for k, n in counts.items() if k not in ("", "doubt", "failed")}
    assert sum(of_emotions.values()) == total - 1
    assert page.locator(".emo-spread i:visible").count() == len(of_emotions)
    for only, count in counts.items():
        page.click(f"emo-batch .emo-chip[data-only='{only}']")
        expect(page.locator(f"{ROWS}:visible")).to_have_count(count)
    for row in page.locator(f"{ROWS}[data-run]").all():
        run = row.get_attribute("data-run")
        facts = site.client.get(f"/v1/recognitions/{run}").json()
        groups = ("abstained", "changing") if facts["abstain"] else (facts["emotion"], "changing")
        assert row.get_attribute("data-emotion") in groups


def test_more_than_can_be_taken_is_told_with_numbers(page: Page) -> None:
    show(page, "batch")
    for extra in (3, 7):
        page.evaluate("document.querySelector('emo-form[data-kind=many]').set([])")
        many = [file(f"{number:03}.wav", b"x") for number in range(100 + extra)]
        give(page, *many, kind="many")

        note = page.locator("emo-form[data-kind=many] .emo-note:visible")
        expect(note).to_contain_text(
            f"前 100 个已放入，另外 {extra} 个没有放入", use_inner_text=True
        )
        assert "emo-hint" in (note.get_attribute("class") or "")
        expect(page.locator("emo-form[data-kind=many] .emo-chosen-count")).to_contain_text(
            "已选 100 个文件", use_inner_text=True
        )


def test_another_language_and_view_stop_nothing(page: Page) -> None:
    begin(page, *SOUNDS * 4)
    page.locator(ROWS).first.wait_for()

    page.click("button[data-language=en]")
    show(page, "live")
    show(page, "batch")

    page.wait_for_selector(OVER)
    expect(page.locator(ROWS)).to_have_count(len(SOUNDS) * 4)
    expect(page.locator(".emo-batch-said")).to_contain_text("done", use_inner_text=True)
    assert not re.search("[\u3400-\u9fff]", page.locator("#emo-batch .emo-batch").inner_text())


@pytest.mark.parametrize(
    "context",
    [{**PHONE, **ENGLISH}, {**PHONE, "viewport": {"width": 320, "height": 640}}],
    indirect=True,
)
def test_a_phone_shows_a_batch_without_scrolling_sideways(page: Page) -> None:
    long_name = file("a name of a recording that is much too long for any phone.mp3", b"no")
    begin(page, SAMPLES / "happy_en.wav", long_name)
    page.wait_for_selector(OVER)

    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0
    small = page.evaluate(
        """() => [...document.querySelectorAll("emo-batch button, emo-batch a")]
          .filter((one) => one.offsetParent && one.offsetHeight < 40)
          .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert small == []
