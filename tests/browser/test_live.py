"""The live view in a real Chromium whose microphone hears one of our recordings."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from emoscope.audio.decode import decode
from emoscope.figures.pyramid import SMOOTHING_S
from emoscope.recognizer import Recognizer
from emoscope.results.scores import softmax
from emoscope.results.track import Track
from emoscope.waveform import Waveform
from serving import Site
from visitor import FLAGS, PHONE, chromium, show, until

pytestmark = pytest.mark.browser

LIVE = "document.querySelector('emo-live')"
MICROPHONE = {"permissions": ["microphone"]}


def listen(page: Page, seconds: float = 2.0) -> None:
    """Begin, and wait until so much was heard and told."""
    show(page, "live")
    page.click("[data-do=live]")
    until(page, f"{LIVE}.state === 'live'")
    hear(page, seconds)


def hear(page: Page, seconds: float) -> None:
    until(page, f"{LIVE}.curve?.knownS >= {seconds}")


def stop(page: Page) -> str:
    """The run that comes of it."""
    page.click("[data-do=live]")
    page.wait_for_selector("#emo-answer emo-timeline canvas")
    run = page.get_attribute("#emo-answer .emo-result[data-run]", "data-run")
    assert run is not None
    assert page.url.split("?")[0].endswith(f"/r/{run}")
    return run


def saved(site: Site, run: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((site.outputs / run / "result.json").read_text("utf-8"))
    return data


@pytest.mark.parametrize("context", [MICROPHONE], indirect=True)
def test_speech_moves_the_river_and_stopping_keeps_a_run(page: Page, site: Site) -> None:
    before = site.runs()
    listen(page)
    expect(page.locator("[data-part=lead] [data-percent]")).to_have_text(re.compile(r"^\d+\.\d%$"))
    known_s, drawn = page.evaluate(f"[{LIVE}.curve.knownS, {LIVE}.picture.drawn]")
    hear(page, known_s + 1)
    assert page.evaluate(f"{LIVE}.picture.drawn") > drawn
    delays = page.evaluate(f"{LIVE}.delays")
    print(f"river behind the sound, s: median {np.median(delays):.2f}, most {max(delays):.2f}")
    assert page.evaluate(f"{LIVE}.curve.loudest") > 0.1  # the recording, not silence
    expect(page.locator("emo-live .emo-timer")).not_to_have_text("0:00")
    assert page.locator("emo-live .emo-meter").get_attribute("aria-valuenow") is not None

    run = stop(page)

    assert site.runs() - before == {run}
    data = saved(site, run)
    assert data["granularity"] == "frame"
    assert data["source"]["name"].startswith("live_")
    heard_s = page.evaluate(f"{LIVE}.heardS")
    assert data["duration_s"] == pytest.approx(heard_s, abs=0.01)
    expect(page.locator("#emo-answer .emo-headline")).to_be_visible()
    expect(page.locator("[data-part=now]")).to_be_hidden()
    show(page, "history")
    expect(page.locator(f".emo-run[data-run='{run}']")).to_be_visible()


@pytest.mark.parametrize("context", [MICROPHONE], indirect=True)
def test_the_answer_is_that_of_the_same_sound_as_a_file(page: Page, site: Site) -> None:
    """The run's sound is 16-bit, what was heard was not quite: the rows differ by that."""
    listen(page, 3.0)
    run = stop(page)
    data = saved(site, run)

    recognizer: Recognizer = site.app.state.service.recognizer
    sound = decode(site.outputs / run / "processed_audio.wav")
    again = recognizer.recognize(Waveform(sound.samples), granularity="frame").to_dict()

    for key, score in again["scores"].items():
        assert data["scores"][key] == pytest.approx(score, abs=2e-3)
    assert [s["emotion"] for s in data["segments"]] == [s["emotion"] for s in again["segments"]]


def test_the_numbers_of_the_picture_are_those_of_the_result(page: Page) -> None:
    """Rows told twice, the second time for good; averages and the whole as in Python."""
    rng = np.random.default_rng(0)
    early, late = rng.normal(0, 2, (2, 300, 9)).astype(np.float32)
    track = Track(late)
    messages = [
        *(rows(early, first, first + 10, final=False) for first in range(0, 300, 10)),
        rows(late, 0, 200, final=True),
        rows(late, 200, 300, final=True),
    ]

    show(page, "live")
    page.wait_for_selector("emo-live:defined")
    found = page.evaluate(
        """async (messages) => {
          const address = new URL("static/livecurve.js", document.baseURI);
          const { LiveCurve } = await import(address);
          const curve = new LiveCurve(document.querySelector("emo-live").data, 16_000);
          curve.hear(new Int16Array(16_000 * 6 + 80));
          for (const message of messages) curve.tell(message);
          const place = curve.data.emotions.findIndex(({ key }) => key === "happy");
          curve.opened(place, 1);
          const before = curve.segments();
          curve.close({ start_s: 1, end_s: 3 }, place, false);
          curve.paused();
          curve.close({ start_s: 0, end_s: 1.1 }, 9, true);
          const row = (column) => curve.scores(0, column, new Array(9).fill(0));
          return { whole: curve.altogether(), rows: [0, 7, 150, 299].map(row), after: row(300),
            settled: curve.settled, before, segments: curve.segments() };
        }""",
        messages,
    )

    assert found["whole"] == pytest.approx(track.utterance.values.tolist(), abs=2e-3)
    smooth = track.smoothed(SMOOTHING_S)[[0, 7, 150, 299]] * 1000
    assert np.abs(np.array(found["rows"]) - smooth).max() < 0.1
    assert found["after"] == [0] * 9
    assert found["settled"] == 300
    assert found["before"] == [[0, 1, 9], [1, 6, 3]]
    assert found["segments"] == [[0, 1.1, 9], [1.1, 3, 3], [3, 6, 9]]


def rows(logits: np.ndarray, first: int, last: int, *, final: bool) -> dict[str, Any]:
    scores = softmax(logits[first:last]).round(4).tolist()
    speech = [True] * (last - first)
    return {"first_frame": first, "scores": scores, "speech": speech, "final": final}


@pytest.mark.parametrize("context", [MICROPHONE], indirect=True)
def test_the_language_changes_while_it_goes_on(page: Page, site: Site) -> None:
    listen(page, 1.0)
    expect(page.locator("emo-live")).to_contain_text("实时估计", use_inner_text=True)

    page.click("button[data-language=en]")

    known_s = page.evaluate(f"{LIVE}.curve.knownS")
    expect(page.locator("emo-live")).to_contain_text("live estimate", use_inner_text=True)
    assert not re.search("[\u3400-\u9fff]", page.locator("emo-live").inner_text())
    show(page, "home")
    hear(page, known_s + 1)  # another view does not stop it either
    show(page, "live")
    assert saved(site, stop(page))["duration_s"] > known_s


@pytest.mark.parametrize("context", [MICROPHONE], indirect=True)
def test_a_line_that_breaks_is_taken_up_again_without_a_gap(page: Page, site: Site) -> None:
    lines: list[WebSocketRoute] = []

    def pass_on(line: WebSocketRoute) -> None:
        line.connect_to_server()
        lines.append(line)

    page.route_web_socket("**/v1/stream", pass_on)
    listen(page, 1.5)
    known_s = page.evaluate(f"{LIVE}.curve.knownS")

    lines[0].close(code=4000)

    hear(page, known_s + 1.5)
    assert len(lines) > 1
    run = stop(page)
    heard_s = page.evaluate(f"{LIVE}.heardS")
    assert saved(site, run)["duration_s"] == pytest.approx(heard_s, abs=0.01)


def lose(page: Page, seconds: float) -> None:
    """Lose the stream for good after so many seconds."""
    lines: list[WebSocketRoute] = []

    def once(line: WebSocketRoute) -> None:
        if lines:
            line.close(code=4000)
            return
        line.connect_to_server()
        lines.append(line)

    page.route_web_socket("**/v1/stream", once)
    listen(page, seconds)
    page.evaluate(f"{LIVE}.wire.graceS = 1")
    lines[0].close(code=4000)
    note = page.locator("[data-note=line_broken]")
    expect(note).to_be_visible()
    assert "emo-hint" in (note.get_attribute("class") or "")
    page.wait_for_selector("[data-part=recorded]:visible")


@pytest.mark.parametrize("context", [MICROPHONE], indirect=True)
def test_a_stream_that_is_lost_offers_what_was_recorded(page: Page, site: Site) -> None:
    for _ in range(2):
        lose(page, 1.5)
        heard_s = page.evaluate(f"{LIVE}.heardS")
        with page.expect_download() as download:
            page.click("[data-part=save]")
        assert re.fullmatch(r"live_\d{6}\.wav", download.value.suggested_filename)
        sound = decode(download.value.path())
        assert sound.duration_s == pytest.approx(heard_s, abs=0.01)
        assert abs(sound.samples).max() > 0.1
        before = site.runs()

        page.click("[data-do=recognize]")

        page.wait_for_selector("#emo-answer emo-timeline canvas")
        (run,) = site.runs() - before
        assert page.url.endswith(f"/r/{run}")
        assert saved(site, run)["duration_s"] == pytest.approx(heard_s, abs=0.01)
        page.unroute_all()
        show(page, "live")
        expect(page.locator("[data-part=recorded]")).to_be_hidden()


@pytest.mark.parametrize("context", [MICROPHONE], indirect=True)
def test_the_second_live_recording_begins_with_nothing_of_the_first(page: Page, site: Site) -> None:
    runs = []
    for _ in range(2):
        listen(page, 1.5)
        runs.append(stop(page))
        drawn = page.evaluate("document.querySelector('#emo-answer emo-timeline').figure.data.run")
        assert drawn == runs[-1]
    assert len(set(runs)) == 2

    # A line that says nothing: whatever stands there is what stood there before the first.
    page.evaluate("WebSocket.prototype.addEventListener = () => {}")
    show(page, "live")
    page.click("[data-do=live]")
    page.wait_for_selector("emo-live[data-on]")
    lead = page.locator("emo-live [data-part=lead]")
    assert lead.locator("[data-name]").inner_text() == ""
    assert lead.locator("[data-percent]").inner_text() == ""
    assert page.locator("emo-live [data-part=all] [data-percent]").inner_text() == ""
    assert page.locator("emo-live [data-part=delay]").inner_text() == "0.0 s"
    expect(page.locator("emo-live emo-timeline")).to_have_count(0)


@pytest.mark.parametrize("context", [MICROPHONE], indirect=True)
def test_a_result_that_comes_while_one_is_elsewhere_is_linked(page: Page) -> None:
    listen(page, 1.0)
    page.evaluate(f"setTimeout(() => {LIVE}.stop(), 300)")
    show(page, "history")
    page.wait_for_selector("html:not([data-listening])")

    assert page.url.endswith("/history")
    show(page, "live")
    page.click("[data-note=kept] a")

    expect(page.locator("#emo-answer emo-timeline canvas")).to_be_visible()
    assert "/r/" in page.url


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NotFoundError", "没有找到麦克风"),
        ("NotReadableError", "麦克风打不开"),
    ],
)
def test_a_microphone_that_cannot_be_used_is_told(page: Page, name: str, words: str) -> None:
    page.evaluate(
        f"""() => {{ navigator.mediaDevices.getUserMedia = () =>
          Promise.reject(new DOMException("", "{name}")); }}"""
    )
    show(page, "live")
    page.click("[data-do=live]")

    expect(page.locator("emo-live .emo-error:visible")).to_contain_text(words)
    expect(page.locator("[data-do=live]")).to_be_enabled()
    show(page, "home")
    page.click("[data-do=record]")
    expect(page.locator("emo-form[data-kind=one] .emo-error:visible")).to_contain_text(words)


def test_a_visitor_who_refuses_is_told_how_to_allow_it(browser: Browser, site: Site) -> None:
    """The browser's own no: one that does not allow everything, as that of the other tests does."""
    asking = browser.browser_type.launch(
        executable_path=chromium(), args=[flag for flag in FLAGS if "fake-ui" not in flag]
    )
    try:
        page = asking.new_page(locale="zh-CN")
        page.goto(f"{site.url}/live")
        page.wait_for_selector("emo-live:defined")
        page.click("[data-do=live]")

        expect(page.locator("emo-live .emo-error:visible")).to_contain_text("权限被拒绝")
        expect(page.locator("[data-do=live]")).to_be_enabled()
    finally:
        asking.close()


def test_an_address_without_https_is_told(page: Page, site: Site) -> None:
    page.evaluate("Object.defineProperty(window, 'isSecureContext', { value: false })")
    show(page, "live")
    page.click("[data-do=live]")

    expect(page.locator("emo-live .emo-error:visible")).to_contain_text("https")


@pytest.mark.parametrize("context", [MICROPHONE], indirect=True)
def test_a_busy_server_is_told_in_its_own_words(page: Page) -> None:
    def refuse(line: WebSocketRoute) -> None:
        problem = {"type": "error", "code": "busy", "detail_zh": "正忙", "detail_en": "Too busy"}

        def answer(_message: str | bytes) -> None:
            line.send(json.dumps(problem))
            line.close(code=1013)

        line.on_message(answer)

    page.route_web_socket("**/v1/stream", refuse)
    show(page, "live")
    page.click("[data-do=live]")

    note = page.locator("emo-live .emo-error:visible")
    expect(note).to_contain_text("正忙")
    page.click("button[data-language=en]")
    expect(note).to_contain_text("Too busy")
    expect(page.locator("[data-do=live]")).to_be_enabled()


@pytest.mark.parametrize("context", [{**PHONE, **MICROPHONE}], indirect=True)
def test_a_phone_and_a_keyboard_can_do_it_too(page: Page) -> None:
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    page.locator("[data-for=live]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-do=live]")).to_be_enabled()
    page.locator("[data-do=live]").focus()
    page.keyboard.press("Enter")
    hear(page, 1.0)
    assert page.evaluate(wide) <= 0
    page.locator("emo-live .emo-key").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate(f"{LIVE}.picture.alone") == 0
    page.locator("[data-do=live]").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#emo-answer emo-timeline canvas")
    assert page.evaluate(wide) <= 0
