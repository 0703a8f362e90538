"""The figure in a real Chromium: zoom, selection, legend, corrections, sharing, files."""

from __future__ import annotations

import json
import struct
import wave
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from emoscope.outputs.store import RunStore
from emoscope.results.result import Result
from emoscope.results.track import Track
from emoscope.waveform import Waveform
from results import make_result
from serving import Site
from sounds import encode_frame, sample, wav
from visitor import PHONE, answered, file, give, until

pytestmark = [pytest.mark.browser]

FIGURE = "document.querySelector('#emo-answer emo-timeline').figure"
STRIP_Y = 20
RIVER_Y = 160


@pytest.fixture
def shown(page: Page) -> Page:
    """Frame mode's answer, drawn."""
    give(page, file("talk.wav", wav(sample("angry_zh.wav"))))
    answered(page, "frame")
    drawn(page)
    return page


def drawn(page: Page) -> None:
    until(page, f"{FIGURE}?.drawn > 0 && {FIGURE}.audio.readyState >= 1")


def box(page: Page) -> dict[str, float]:
    page.locator(".emo-stage").scroll_into_view_if_needed()
    found = page.locator(".emo-stage").bounding_box()
    assert found is not None
    return dict(found)


def span(page: Page) -> tuple[float, float]:
    start_s, end_s = page.evaluate(f"[{FIGURE}.from, {FIGURE}.to]")
    return start_s, end_s


def colours(page: Page) -> int:
    """How many different colours are on the canvas."""
    count: int = page.evaluate(
        f"""() => {{
          const {{ canvas }} = {FIGURE}.stage;
          const {{ data }} = canvas.getContext("2d")
            .getImageData(0, 0, canvas.width, canvas.height);
          return new Set(new Uint32Array(data.buffer)).size;
        }}"""
    )
    return count


def drag(page: Page, start: float, end: float, y: float) -> None:
    """Drag between two shares of the stage's width."""
    here = box(page)
    page.mouse.move(here["x"] + here["width"] * start, here["y"] + y)
    page.mouse.down()
    page.mouse.move(here["x"] + here["width"] * end, here["y"] + y, steps=4)
    page.mouse.up()


def run_of(page: Page) -> str:
    return str(page.locator("#emo-answer .emo-result[data-run]").get_attribute("data-run"))


def corrections(page: Page, site: Site) -> list[dict[str, object]]:
    """What is saved, once the page says so."""
    expect(page.locator(".emo-edit [data-said=saved]")).to_be_visible()
    saved = site.outputs / run_of(page) / "corrections.json"
    segments: list[dict[str, object]] = json.loads(saved.read_text("utf-8"))["segments"]
    return segments


def test_it_zooms_by_buttons_keys_and_wheel_and_fetches_what_is_finer(shown: Page) -> None:
    tiles: list[str] = []
    shown.on("request", lambda request: tiles.append(request.url))
    whole = span(shown)
    stage = shown.locator(".emo-stage")

    shown.click("[data-do=closer]")
    stage.press("+")
    here = box(shown)
    stage.click(position={"x": here["width"] / 2, "y": RIVER_Y})
    shown.mouse.wheel(0, -240)
    until(shown, f"{FIGURE}.to - {FIGURE}.from < {whole[1] / 7}")
    stage.press("+")
    until(shown, f"[...{FIGURE}.curve.tiles.keys()].some((key) => key[0] === '-')")

    assert any("/curve/" in url for url in tiles)
    expect(shown.locator(".emo-map")).to_be_visible()
    assert colours(shown) > 5
    stage.press("f")
    assert span(shown) == whole
    expect(shown.locator(".emo-map")).to_be_hidden()


def test_a_part_is_selected_and_played_to_its_end(shown: Page) -> None:
    drag(shown, 0.2, 0.3, RIVER_Y)
    start_s, end_s = shown.evaluate(f"{FIGURE}.selection")
    duration = span(shown)[1]
    assert start_s == pytest.approx(duration * 0.2, abs=0.05)
    assert end_s == pytest.approx(duration * 0.3, abs=0.05)

    shown.click("[data-do=play-selection]")
    until(shown, f"{FIGURE}.audio.currentTime >= {end_s} && {FIGURE}.audio.paused")

    # The cursor stands where the sound stopped, within 50 ms.
    stopped = shown.evaluate(f"{FIGURE}.audio.currentTime")
    here = box(shown)
    cursor = shown.locator(".emo-cursor").bounding_box()
    assert cursor is not None
    at = (cursor["x"] + cursor["width"] / 2 - here["x"]) / here["width"] * duration
    assert at == pytest.approx(stopped, abs=0.05)
    shown.click("[data-do=clear-selection]")
    assert shown.evaluate(f"{FIGURE}.selection") is None


def test_a_selection_is_zoomed_to_looped_and_saved_as_wav(shown: Page) -> None:
    drag(shown, 0.25, 0.5, RIVER_Y)
    start_s, end_s = shown.evaluate(f"{FIGURE}.selection")

    with shown.expect_download() as download:
        shown.click("[data-do=save-selection]")
    with wave.open(str(download.value.path())) as saved:
        assert saved.getframerate() == 16_000
        assert saved.getnframes() == pytest.approx((end_s - start_s) * 16_000, abs=2)
        data = saved.readframes(saved.getnframes())
    whole = (sample("angry_zh.wav") * 32_768).astype("<i2")
    first = round(start_s * 16_000)
    cut = np.frombuffer(data, "<i2")
    assert np.abs(cut - whole[first : first + len(cut)].astype(int)).max() <= 1
    assert download.value.suggested_filename == f"talk_{start_s:.2f}-{end_s:.2f}s.wav"

    shown.click("[data-do=zoom-selection]")
    assert span(shown) == pytest.approx((start_s, end_s))
    shown.click("[data-do=loop-selection]")
    times = shown.evaluate(
        f"""async () => {{
          const {{ audio }} = {FIGURE};
          const seen = [];
          for (let n = 0; n < 200; n += 1) {{
            seen.push(audio.currentTime);
            if (seen.at(-2) > seen.at(-1)) break;
            await new Promise((done) => setTimeout(done, 50));
          }}
          audio.pause();
          return seen;
        }}"""
    )
    assert times[-1] < times[-2]  # it went back by itself
    assert max(times) <= end_s + 0.3
    assert min(times) >= start_s - 0.05


def test_the_speed_is_chosen(shown: Page) -> None:
    shown.select_option("[data-speed]", "1.5")
    assert shown.evaluate(f"{FIGURE}.audio.playbackRate") == 1.5
    shown.locator(".emo-stage").press("<")
    expect(shown.locator("[data-speed]")).to_have_value("1.25")


def test_the_cursor_and_the_head_keep_step_while_it_plays(shown: Page) -> None:
    """Read in one breath after each frame, as the eye sees it: 50 ms apart at most."""
    shown.locator(".emo-stage").press("Space")
    apart = shown.evaluate(
        f"""async () => {{
          const figure = {FIGURE};
          const found = [];
          for (let frame = 0; frame < 20; frame += 1) {{
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
            const left = Number.parseFloat(figure.stage.cursor.style.left) / 100;
            found.push(Math.abs(left * figure.duration - figure.audio.currentTime));
          }}
          return found.sort((a, b) => a - b)[10];
        }}"""
    )

    assert apart <= 0.05
    told = shown.locator(".emo-playing").inner_text()
    assert told.startswith("现在：")
    assert told.endswith(("%", "停顿"))


def test_the_legend_isolates_one_emotion_and_hovering_tells_nine(shown: Page) -> None:
    before = colours(shown)
    key = shown.locator(".emo-figure .emo-key").first
    key.click()
    until(shown, f"{FIGURE}.alone === 0")
    assert key.get_attribute("aria-pressed") == "true"
    shown.wait_for_timeout(100)
    assert colours(shown) != before
    key.click()
    shown.locator(".emo-stage").hover(position={"x": 200, "y": RIVER_Y})
    told = shown.locator(".emo-tip").inner_text()
    assert told.count("%") == 9
    assert told.startswith(f"{shown.evaluate(f'{FIGURE}.timeAt(200)'):.2f} s")
    shown.locator(".emo-stage").hover(position={"x": 200, "y": STRIP_Y})
    assert "平滑后的分段" in shown.locator(".emo-tip").inner_text()


def test_the_play_button_can_be_seen_under_the_mouse(shown: Page) -> None:
    shown.hover("#emo-answer [data-do=play]")
    shown.wait_for_timeout(200)
    ink, ground = shown.evaluate(
        """() => {
          const style = getComputedStyle(document.querySelector("#emo-answer [data-do=play]"));
          const canvas = document.createElement("canvas");
          const pen = canvas.getContext("2d");
          return [style.color, style.backgroundColor].map((colour) => {
            pen.fillStyle = colour;
            pen.fillRect(0, 0, 1, 1);
            return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
          });
        }"""
    )
    dark, light = sorted(luminance(colour) for colour in (ink, ground))
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(colour: list[int]) -> float:
    parts = [part / 255 for part in colour]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("kind", "name", "size"),
    [
        ("png", "talk_river.png", (2480, None)),
        ("card", "talk_card.png", (1200, 675)),
        ("square", "talk_square.png", (1080, 1080)),
    ],
)
def test_pictures_are_saved_as_png(
    shown: Page, kind: str, name: str, size: tuple[int, int | None]
) -> None:
    shown.click("#emo-answer .emo-figure .emo-menu summary")
    with shown.expect_download() as download:
        shown.click(f"#emo-answer [data-share={kind}]")

    data = download.value.path().read_bytes()
    assert download.value.suggested_filename == name
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    assert width == size[0]
    assert size[1] is None or height == size[1]


@pytest.mark.parametrize(
    "context", [{"permissions": ["clipboard-read", "clipboard-write"]}], indirect=True
)
def test_link_words_and_picture_are_copied(
    context: BrowserContext, shown: Page, site: Site
) -> None:
    shown.click("#emo-answer .emo-figure .emo-menu summary")

    shown.click("#emo-answer [data-share=link]")
    expect(shown.locator("#emo-answer [data-shared=done]")).to_be_visible()
    assert shown.evaluate("navigator.clipboard.readText()") == f"{site.url}/r/{run_of(shown)}"
    shown.click("#emo-answer [data-share=text]")
    until(shown, "navigator.clipboard.readText().then((text) => text.startsWith('talk.wav'))")
    shown.click("#emo-answer [data-share=image]")
    until(
        shown,
        "navigator.clipboard.read().then(([one]) => one.types.includes('image/png'))",
    )


def test_a_menu_closes_on_escape_and_on_a_click_elsewhere(shown: Page) -> None:
    menu = shown.locator(".emo-figure details.emo-menu")
    for close in (lambda: shown.keyboard.press("Escape"), lambda: shown.click(".emo-playing")):
        menu.locator("summary").click()
        expect(menu.locator("[data-share=png]")).to_be_visible()
        close()
        expect(menu.locator("[data-share=png]")).to_be_hidden()


def test_a_segment_is_corrected_where_it_stands(shown: Page, site: Site) -> None:
    """Split, another emotion by key, a border dragged, undone, restored; saved by itself."""
    stage = shown.locator(".emo-stage")
    stage.press("Home")
    for _ in range(20):
        stage.press("ArrowRight")
        if shown.evaluate(f"{FIGURE}.audio.currentTime") > 1.5:
            break
    stage.press("e")
    panel = shown.locator(".emo-edit")
    expect(panel).to_be_visible()
    panel.locator("[data-act=split]").click()
    shown.keyboard.press("7")  # the seventh: sad

    kept = corrections(shown, site)
    expect(shown.locator("#emo-answer [data-part=story]")).to_contain_text("段经人工更正")
    assert "段经人工更正" in str(
        shown.locator("#emo-answer .emo-result").get_attribute("data-share-zh")
    )
    assert kept[0]["start_s"] == 0
    assert "sad" in [segment["emotion"] for segment in kept]
    border_s = float(str(next(s["start_s"] for s in kept if s["emotion"] == "sad")))
    expect(shown.locator(".emo-segments")).to_contain_text("悲伤")
    expect(shown.locator(".emo-segments .emo-changed").first).to_be_visible()

    # The border is dragged on the strip.
    share = border_s / span(shown)[1]
    drag(shown, share, share + 0.05, STRIP_Y)
    moved_s = border_s + 0.05 * span(shown)[1]
    until(shown, "!document.querySelector('[data-said=saving]').hidden")
    kept = corrections(shown, site)
    assert any(abs(float(str(segment["start_s"])) - moved_s) < 0.05 for segment in kept)

    shown.keyboard.press("Control+z")  # the whole drag is one step
    shown.wait_for_timeout(700)
    kept = corrections(shown, site)
    assert any(abs(float(str(segment["start_s"])) - border_s) < 0.001 for segment in kept)

    panel.locator("[data-act=restore]").click()
    until(shown, "!document.querySelector('[data-said=saved]').hidden")
    assert not (site.outputs / run_of(shown) / "corrections.json").exists()
    shown.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_a_click_on_the_strip_opens_it_and_enter_goes_on(shown: Page) -> None:
    here = box(shown)
    shown.locator(".emo-stage").click(position={"x": here["width"] * 0.5, "y": STRIP_Y})
    expect(shown.locator(".emo-edit")).to_be_visible()
    count, chosen = shown.evaluate(f"[{FIGURE}.segments.length, {FIGURE}.chosen]")
    shown.keyboard.press("Enter")
    if chosen + 1 < count:
        assert shown.evaluate(f"{FIGURE}.chosen") == chosen + 1
    else:
        expect(shown.locator(".emo-edit")).to_be_hidden()


def test_a_selection_is_labelled(shown: Page, site: Site) -> None:
    drag(shown, 0.4, 0.6, RIVER_Y)
    start_s, end_s = shown.evaluate(f"{FIGURE}.selection")
    shown.click("[data-do=label-selection]")
    shown.wait_for_selector(".emo-edit:not([hidden])")
    shown.keyboard.press("8")

    kept = corrections(shown, site)
    made = next(segment for segment in kept if segment["emotion"] == "surprised")
    assert made["start_s"] == pytest.approx(start_s, abs=0.002)
    assert made["end_s"] == pytest.approx(end_s, abs=0.002)


def test_what_could_not_be_saved_is_said_and_saved_later(shown: Page, site: Site) -> None:
    shown.locator(".emo-stage").press("e")
    shown.wait_for_selector(".emo-edit:not([hidden])")
    shown.context.set_offline(True)
    shown.keyboard.press("9")
    expect(shown.locator("[data-said=failed]")).to_be_visible()
    leaves = shown.evaluate("!dispatchEvent(new Event('beforeunload', { cancelable: true }))")
    assert leaves  # the browser asks before it leaves

    shown.context.set_offline(False)
    shown.click("[data-act=retry]")
    assert "unknown" in [segment["emotion"] for segment in corrections(shown, site)]


def test_the_keys_are_listed_on_a_question_mark(shown: Page) -> None:
    shown.locator(".emo-stage").press("?")
    expect(shown.locator("dialog.emo-keys")).to_be_visible()
    assert shown.locator("dialog.emo-keys kbd").count() >= 12
    shown.keyboard.press("Escape")
    expect(shown.locator("dialog.emo-keys")).to_be_hidden()


@pytest.mark.parametrize("context", [PHONE], indirect=True)
def test_on_a_phone_the_river_is_high_and_everything_large_enough_to_touch(shown: Page) -> None:
    top, bottom = shown.evaluate(f"{FIGURE}.layout.river")
    assert bottom - top >= 200
    small = shown.evaluate(
        """() => [...document.querySelectorAll(".emo-figure button, .emo-figure select")]
          .filter((one) => one.offsetParent && (one.offsetHeight < 40 || one.offsetWidth < 40))
          .map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert small == []
    assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_ten_minutes_read_at_a_glance(page: Page, site: Site) -> None:
    """Few segments, a river of the whole below, and pictures that keep up while zooming."""
    run = RunStore(site.outputs).save(*changing(540.0))
    page.goto(f"{site.url}/r/{run.name}")
    drawn(page)

    expect(page.locator(".emo-map-river canvas")).to_be_visible()
    made, shown_ones, narrowest = page.evaluate(
        f"""[{FIGURE}.segments.length, {FIGURE}.displayed().length, Math.min(
          ...{FIGURE}.displayed().map(([start, end]) => end - start)) / 540 * {FIGURE}.width]"""
    )
    assert made > 100
    assert 1 < shown_ones <= 60
    assert narrowest >= 20
    spent_ms = page.evaluate(
        f"""() => {{
          const figure = {FIGURE};
          const spent = [];
          for (let n = 0; n < 40; n += 1) {{
            figure.zoom(n < 20 ? 0.85 : 1 / 0.85, 200);
            const start = performance.now();
            figure.drawNow();
            spent.push(performance.now() - start);
          }}
          return spent.sort((a, b) => a - b)[20];
        }}"""
    )
    assert spent_ms < 16  # 60 pictures a second


def changing(duration_s: float) -> tuple[Result, Waveform]:
    """A recording whose emotion changes every four seconds."""
    frames = int((duration_s * 16_000 - 400) // 320 + 1)
    emotions = np.arange(frames) // 200 * 7 % 9
    track = Track(np.eye(9, dtype=np.float32)[emotions] * 5)
    loudness = 0.1 + 0.3 * np.abs(np.sin(np.arange(int(duration_s * 16_000)) / 20_000))
    result = make_result(
        "long.wav",
        duration_s=duration_s,
        granularity="frame",
        track=track,
        segments=track.segments(duration_s),
    )
    return result, Waveform(loudness.astype(np.float32))


def test_two_speakers_have_a_river_each_on_one_axis(page: Page, site: Site) -> None:
    """Asked for in the form; views and cursors go together, and one is heard at a time."""
    left = sample("angry_zh.wav")
    planes = np.stack([left, np.roll(left, 6_000)])
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(planes), "fltp", "stereo")
    frame.sample_rate = 16_000
    give(page, file("call.wav", encode_frame(frame, "wav", "pcm_s16le", {})))
    page.check("emo-form[data-kind=one] input[name=channels]")
    held = list[Route]()
    page.route("**/channels.js*", lambda route: held.append(route))
    answered(page, "frame")

    figures = "[...document.querySelectorAll('#emo-answer emo-timeline')].map((one) => one.figure)"
    until(page, f"{figures}.length === 2 && {figures}.every((one) => one?.drawn > 0)")
    expect(page.locator(".emo-channel-head").first).to_contain_text("声道 1")
    expect(page.locator(".emo-channel-head").first).to_contain_text("说话占")
    assert page.locator("#emo-answer .emo-edit").count() == 1
    page.click("#emo-answer [data-do=closer] >> nth=0")
    until(page, f"{figures}[0].to < {figures}[0].duration")
    for route in held:  # a slow line: one was zoomed before they went together
        route.continue_()
    until(page, f"{figures}[0].to === {figures}[1].to && {figures}[0].to < {figures}[0].duration")
    page.evaluate(f"{figures}[0].seek(0.5)")
    until(page, f"Math.abs({figures}[1].audio.currentTime - 0.5) < 0.05")
    page.evaluate(f"{figures}[0].player.play()")
    until(page, f"{figures}[0].player.isPlaying")
    page.evaluate(f"{figures}[1].player.play()")
    until(page, f"{figures}[1].player.isPlaying && !{figures}[0].player.isPlaying")

    # The other channel has its own address, with the tools there.
    page.click(".emo-channel-head a")
    until(page, f"{figures}.length === 2 && {figures}[1]?.drawn > 0")
    expect(page.locator(".emo-channel >> nth=1").locator(".emo-edit")).to_have_count(1)


def test_the_report_opens_without_scripts_and_without_a_network(
    shown: Page, browser: Browser, site: Site, tmp_path: Path
) -> None:
    saved = tmp_path / "report.html"
    reply = site.client.get(f"/v1/recognitions/{run_of(shown)}/exports/report.html")
    saved.write_bytes(reply.content)
    context = browser.new_context(java_script_enabled=False, offline=True, locale="zh-CN")
    report = context.new_page()
    try:
        report.goto(saved.as_uri())
        expect(report.locator("h1")).to_contain_text("偏向中性")
        expect(report.locator("h1 [lang=en]")).to_be_hidden()
        assert report.locator("svg path").count() > 9
        report.check("#en")
        expect(report.locator("h1 [lang=en]")).to_contain_text("leaning to")
        expect(report.locator("h1 [lang=zh]")).to_be_hidden()
    finally:
        context.close()


def test_it_stands_alone_and_shows_a_pause_as_silence(page: Page, site: Site) -> None:
    speech = sample("angry_zh.wav")
    samples = np.concatenate([speech, np.zeros(32_000, np.float32), speech])
    reply = site.client.post(
        "/predict",
        files={"audio": ("pause.wav", wav(samples))},
        data={"granularity": "frame"},
    ).json()
    with wave.open(BytesIO(site.client.get(reply["files"]["processed_audio.wav"]).content)) as file:
        assert file.getnframes() == len(samples)

    page.goto(f"{site.url}/timeline?run={reply['run']}&lang=en")
    until(page, "document.querySelector('emo-timeline')?.figure?.drawn > 0")

    middle = len(samples) / 32_000
    state = page.evaluate(f"document.querySelector('emo-timeline').figure.curve.at({middle}, 0)")
    assert state["quiet"] is True
    page.locator(".emo-stage").hover(position={"x": box(page)["width"] / 2, "y": RIVER_Y})
    expect(page.locator(".emo-tip em")).to_have_text("Silence")
