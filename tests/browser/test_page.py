"""What a person does on the page, in a real Chromium."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from emoscope.errors import AudioError
from emoscope.messages.verdict import verdict
from emoscope.results.result import Result
from emoscope.web.samples import samples
from serving import MAX_BYTES, Site
from sounds import FORMATS, SAMPLES, encode, sample, wav
from visitor import ENGLISH, PHONE, answered, file, give, headline, show, start, until

pytestmark = pytest.mark.browser


def only_run(site: Site, before: set[str]) -> dict[str, Any]:
    (run,) = site.runs() - before
    data: dict[str, Any] = json.loads((site.outputs / run / "result.json").read_text("utf-8"))
    return data


def expected(data: dict[str, Any]) -> tuple[str, str]:
    """The headline in both languages, from what was saved."""
    answer = verdict(Result.from_dict(data))
    zh = en = "" if answer.percent is None else f" {answer.percent:.1f}%"
    if answer.kind == "sure":
        zh, en = f" 置信度:{zh}", f" Confidence:{en}"
    return f"{answer.emoji} {answer.name.zh}{zh}", f"{answer.emoji} {answer.name.en}{en}"


def test_a_recording_goes_in_and_its_emotion_comes_out(page: Page, site: Site) -> None:
    before = site.runs()
    give(page, SAMPLES / "happy_zh.wav")
    page.check("emo-form[data-kind=one] input[name=embedding]")

    shown = answered(page)

    data = only_run(site, before)
    zh, en = expected(data)
    assert shown == zh
    assert data["source"]["name"] == "happy_zh.wav"
    values = [float(v[:-1]) for v in page.locator(".emo-bar-value").all_inner_texts()]
    assert len(values) == 9
    assert values == sorted(values, reverse=True)
    assert round(sum(values), 1) == 100.0
    page.click(".emo-exports summary")
    links = page.locator(".emo-exports a[download]:visible")
    expect(links).to_have_count(6)  # report, figure, three files, all of them
    names = set()
    for link in links.all():
        with page.expect_download() as download:
            link.click()
        assert download.value.path().stat().st_size > 0
        names.add(download.value.suggested_filename)
    assert {"happy_zh_report.html", "happy_zh_result.json", "happy_zh_embedding.npy"} <= names
    page.keyboard.press("Escape")
    expect(page.locator(".emo-exports .emo-menu-list")).to_be_hidden()
    page.click(".emo-exports summary")
    page.click(".emo-headline")
    expect(page.locator(".emo-exports .emo-menu-list")).to_be_hidden()
    assert page.locator(".emo-log li").count() >= 5

    page.click("button[data-language=en]")
    assert headline(page) == en


@pytest.mark.parametrize("context", [ENGLISH], indirect=True)
def test_the_browser_chooses_the_language_and_the_address_overrules_it(
    page: Page, site: Site
) -> None:
    expect(page.locator("emo-form[data-kind=one] [data-do=start]")).to_have_text(
        "Analyze", use_inner_text=True
    )

    page.goto(f"{site.url}/?lang=zh")

    expect(page.locator("emo-form[data-kind=one] [data-do=start]")).to_have_text(
        "开始识别", use_inner_text=True
    )
    assert page.locator("html").get_attribute("lang") == "zh-CN"


def test_switching_the_language_keeps_everything_and_asks_nothing(page: Page, site: Site) -> None:
    give(page, SAMPLES / "sad_en.wav")
    chinese = answered(page, "frame")
    runs, requests = site.runs(), []
    page.on("request", lambda request: requests.append(request.url))

    page.click("button[data-language=en]")
    english = headline(page)
    assert "lang=en" in page.url
    assert "置信度" not in page.locator("body").inner_text()
    page.click("button[data-language=zh]")

    assert english != chinese
    assert headline(page) == chinese
    assert page.locator("emo-form[data-kind=one] .emo-file").inner_text() == "sad_en.wav"
    assert requests == []
    assert site.runs() == runs


def test_a_sample_proves_that_it_works(page: Page, site: Site) -> None:
    before = site.runs()

    page.get_by_role("button", name="📝 加载示例音频").click()
    headline(page)
    assert only_run(site, before)["source"]["name"] in {one.file for one in samples()}

    page.goto(site.url)
    before = site.runs()
    assert {one.get_attribute("data-sample") for one in page.locator("[data-sample]").all()} <= {
        one.file for one in samples()
    }
    page.click("[data-sample='emodb_angry.wav'] >> visible=true")
    headline(page)
    assert only_run(site, before)["source"]["name"] == "emodb_angry.wav"


def test_the_timeline_is_in_step_with_the_sound(page: Page) -> None:
    give(page, SAMPLES / "angry_zh.wav")
    answered(page, "frame")
    stage = page.locator(".emo-stage")
    audio = "document.querySelector('emo-timeline audio')"
    until(page, f"{audio}.readyState >= 1")
    duration = page.evaluate(f"{audio}.duration")
    box = stage.bounding_box()
    assert box is not None

    def cursor() -> float:
        at = page.locator(".emo-cursor").bounding_box()
        assert at is not None
        return (at["x"] + at["width"] / 2 - box["x"]) / box["width"] * duration

    stage.click(position={"x": box["width"] * 0.5, "y": 50})
    until(page, f"!{audio}.seeking")
    assert page.evaluate(f"{audio}.currentTime") == pytest.approx(duration / 2, abs=0.05)
    assert cursor() == pytest.approx(duration / 2, abs=0.05)

    tip = page.locator(".emo-tip")
    expect(tip).to_be_visible()
    assert f"{duration / 2:.1f}" in tip.inner_text()
    assert tip.inner_text().count("%") == 9

    stage.press("Home")
    assert page.evaluate(f"{audio}.currentTime") == 0
    stage.press("Space")
    until(page, f"{audio}.currentTime > 0.4")
    stage.press("Space")
    assert page.evaluate(f"{audio}.paused")
    assert cursor() == pytest.approx(page.evaluate(f"{audio}.currentTime"), abs=0.05)

    page.locator("tr[data-start]").last.click()
    start_s = float(page.locator("tr[data-start]").last.get_attribute("data-start") or -1)
    assert page.evaluate(f"{audio}.currentTime") == pytest.approx(start_s, abs=0.05)

    key = page.locator(".emo-key").first
    key.click()
    assert key.get_attribute("aria-pressed") == "true"


def test_a_bad_file_says_what_is_wrong_and_writes_nothing(page: Page, site: Site) -> None:
    before = site.runs()
    give(page, file("notes.mp3", b"not sound at all" * 99))

    start(page)

    panel = page.locator("#emo-answer .emo-error")
    expect(panel).to_contain_text(AudioError("audio_not_recognized").detail_zh)
    expect(panel).to_contain_text("audio_not_recognized")
    assert site.runs() == before
    give(page, SAMPLES / "happy_en.wav")
    assert answered(page)  # and the page lives on


def test_a_file_that_is_too_large_is_not_even_sent(page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))

    give(page, file("long.wav", b"0" * (MAX_BYTES + 1)))
    start(page)

    note = page.locator(".emo-note:visible")
    expect(note).to_contain_text(f"{MAX_BYTES / 1e6:g} MB")
    assert not [url for url in sent if "recognitions" in url]


def test_what_was_chosen_before_the_scripts_came_is_not_lost(page: Page, site: Site) -> None:
    held: list[Route] = []
    page.route("**/static/page.js", lambda route: held.append(route))
    page.goto(site.url, wait_until="commit")
    page.wait_for_selector("emo-form[data-kind=one] input[type=file]", state="attached")
    give(page, file("early.wav", wav(sample("happy_zh.wav"))))

    for route in held:
        route.continue_()

    expect(page.locator("emo-form[data-kind=one] .emo-chosen .emo-file")).to_have_text("early.wav")


def test_nothing_chosen_says_so(page: Page) -> None:
    page.click("emo-form[data-kind=one] [data-do=start]")

    expect(page.locator(".emo-note:visible")).to_contain_text("还没有录音")


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_gets_through_the_browser_untouched(page: Page, site: Site, name: str) -> None:
    before = site.runs()
    give(page, file(f"speech.{name}", encode(sample("neutral_zh.wav"), name)))

    answered(page)

    assert only_run(site, before)["duration_s"] == pytest.approx(5.1, abs=0.06)


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>.wav", "{{value}}${alert(1)}.wav"])
def test_a_name_is_only_a_name(page: Page, name: str) -> None:
    give(page, file(name, wav(sample("happy_zh.wav"))))
    answered(page, "frame")
    assert page.locator("emo-form[data-kind=one] .emo-file").inner_text() == name
    assert page.locator("#emo-answer .emo-file").inner_text() == name

    page.wait_for_timeout(300)
    assert page.locator("main img").count() == 0  # dialogs fail the test in the fixture


def test_hardly_anything_to_hear_gets_no_emotion(page: Page) -> None:
    rng = np.random.default_rng(0)
    samples = np.zeros(32_000, np.float32)
    samples[:320] = rng.uniform(-0.05, 0.05, 320)
    give(page, file("quiet.wav", wav(samples)))

    shown = answered(page)

    assert shown == "🤷 无法判断"


@pytest.mark.parametrize("context", [{"permissions": ["microphone"]}], indirect=True)
def test_the_microphone_records(page: Page, site: Site) -> None:
    before = site.runs()
    record = page.locator("[data-do=record]")

    record.click()
    expect(page.locator(".emo-clock")).to_have_text("0:01")
    record.click()
    expect(page.locator("emo-form[data-kind=one] .emo-chosen .emo-file")).to_contain_text(
        "recording_"
    )
    answered(page)

    assert only_run(site, before)["duration_s"] == pytest.approx(1.3, abs=0.8)


def bring(page: Page, how: str, *names: str) -> None:
    """Drop files in the middle of the page, or paste them."""
    page.evaluate(
        """([how, names]) => {
          const data = new DataTransfer();
          for (const name of names) data.items.add(new File(["x"], name));
          const told = { bubbles: true, cancelable: true };
          const place = document.querySelector("main");
          if (how === "paste")
            place.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, ...told }));
          else
            for (const type of ["dragenter", "dragover", "drop"])
              place.dispatchEvent(new DragEvent(type, { dataTransfer: data, ...told }));
        }""",
        [how, names],
    )


@pytest.mark.parametrize("how", ["drop", "paste"])
@pytest.mark.parametrize("view", ["home", "live", "history"])
def test_a_file_can_be_dropped_or_pasted_anywhere(page: Page, how: str, view: str) -> None:
    show(page, view)

    bring(page, how, "brought.wav")

    expect(page.locator("emo-form[data-kind=one] .emo-chosen .emo-file")).to_have_text(
        "brought.wav"
    )
    expect(page.locator("emo-form[data-kind=one]")).to_be_visible()


def test_several_files_at_once_become_a_batch(page: Page) -> None:
    bring(page, "drop", "one.wav", "two.wav")
    bring(page, "paste", "three.wav")

    chosen = page.locator("emo-form[data-kind=many] .emo-chosen .emo-file:visible")
    expect(chosen).to_have_text(["one.wav", "two.wav", "three.wav"])


@pytest.mark.parametrize("context", [PHONE, {**PHONE, "locale": "en-US"}], indirect=True)
def test_a_phone_shows_everything_without_scrolling_sideways(page: Page) -> None:
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0

    give(page, SAMPLES / "angry_en.wav")
    answered(page, "frame")
    assert page.evaluate(wide) <= 0

    for view in ("batch", "live", "history"):
        show(page, view)
        assert page.evaluate(wide) <= 0, view


def tab_to(page: Page, selector: str) -> None:
    """Go there with the keyboard; what has the focus can be seen."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            around = "document.activeElement.closest('label') ?? document.activeElement"
            ringed = page.evaluate(f"[{outline}, getComputedStyle({around}).outlineStyle]")
            assert ringed != ["none", "none"], selector
            return
    raise AssertionError(f"no way to {selector} with the keyboard")


def test_it_works_with_the_keyboard_alone(page: Page) -> None:
    """From the top of the page to the corrected answer, by Tab, Enter, space and arrows only."""
    tab_to(page, "emo-form[data-kind=one] input[type=file]")
    tab_to(page, "emo-form[data-kind=one] input[type=radio]")
    page.keyboard.press("ArrowDown")
    assert page.is_checked("emo-form[data-kind=one] input[value=utterance]")
    page.keyboard.press("ArrowUp")
    assert page.is_checked("emo-form[data-kind=one] input[value=frame]")
    tab_to(page, "emo-form[data-kind=one] [data-do=start]")
    page.keyboard.press("Enter")
    expect(page.locator(".emo-note:visible")).to_contain_text("还没有录音")
    tab_to(page, "emo-form[data-kind=one] [data-do=sample]")
    page.keyboard.press("Enter")
    page.locator("#emo-answer emo-timeline canvas").wait_for()

    tab_to(page, ".emo-stage")
    audio = "document.querySelector('emo-timeline audio')"
    until(page, f"{audio}.readyState >= 1")
    page.keyboard.press("End")
    assert page.evaluate(f"{audio}.currentTime === {audio}.duration")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(f"{audio}.currentTime > 0")
    tab_to(page, ".emo-key")
    page.keyboard.press("Space")
    assert page.locator(".emo-key").first.get_attribute("aria-pressed") == "true"
    page.locator("#emo-answer .emo-stage").focus()
    page.keyboard.press("e")
    page.wait_for_selector("#emo-answer .emo-edit:not([hidden])")
    page.keyboard.press("3")
    expect(page.locator("#emo-answer [data-said=saved]")).to_be_visible()


def test_a_server_that_is_gone_is_told(page: Page) -> None:
    give(page, SAMPLES / "happy_zh.wav")
    page.route("**/v1/recognitions", lambda route: route.abort())

    start(page)

    expect(page.locator(".emo-note:visible")).to_contain_text("连不上服务")
    expect(page.locator("emo-form[data-kind=one] [data-do=start]")).to_be_enabled()


@pytest.mark.parametrize("status", [503, 403, 500])
def test_a_queue_that_turns_away_is_told_and_can_be_asked_again(page: Page, status: int) -> None:
    give(page, SAMPLES / "happy_zh.wav")
    page.route("**/v1/recognitions", lambda route: route.fulfill(status=status, json={}))

    start(page)

    expect(page.locator(".emo-note:visible")).to_contain_text("服务没有响应")
    page.unroute("**/v1/recognitions")
    assert answered(page)


def test_the_first_load_is_light(context: BrowserContext, site: Site) -> None:
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    sizes: list[int] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))

    page.goto(site.url + "/")
    page.wait_for_selector("html[data-ready]")
    page.wait_for_timeout(1_000)

    assert len(sizes) <= 20
    assert sum(sizes) < 250_000
