"""The picture in a real Chromium: zoom, selection, legend, corrections, files."""

from __future__ import annotations

import json
import struct
import wave
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from serving import Site
from sounds import sample, wav
from visitor import answered, file, give, until

pytestmark = pytest.mark.browser

PICTURE = "document.querySelector('#emo-answer emo-timeline')"


@pytest.fixture
def shown(page: Page) -> Page:
    """Frame mode's answer, drawn."""
    give(page, file("talk.wav", wav(sample("angry_zh.wav"))))
    answered(page, "frame")
    until(page, f"{PICTURE}.drawn > 0 && {PICTURE}.audio.readyState >= 1")
    return page


def box(page: Page) -> dict[str, float]:
    page.locator(".emo-stage").scroll_into_view_if_needed()
    found = page.locator(".emo-stage").bounding_box()
    assert found is not None
    return dict(found)


def span(page: Page) -> tuple[float, float]:
    start_s, end_s = page.evaluate(f"[{PICTURE}.from, {PICTURE}.to]")
    return start_s, end_s


def colours(page: Page) -> int:
    """How many different colours are on the canvas."""
    count: int = page.evaluate(
        f"""() => {{
          const canvas = {PICTURE}.canvas;
          const {{ data }} = canvas.getContext("2d")
            .getImageData(0, 0, canvas.width, canvas.height);
          return new Set(new Uint32Array(data.buffer)).size;
        }}"""
    )
    return count


def test_it_zooms_by_buttons_keys_and_wheel_and_fetches_what_is_finer(shown: Page) -> None:
    tiles: list[str] = []
    shown.on("request", lambda request: tiles.append(request.url))
    whole = span(shown)
    stage = shown.locator(".emo-stage")

    shown.click("[data-do=closer]")
    stage.press("+")
    here = box(shown)
    stage.click(position={"x": here["width"] / 2, "y": 40})
    shown.mouse.wheel(0, -240)
    shown.wait_for_function(f"{PICTURE}.to - {PICTURE}.from < {whole[1] / 7}")
    stage.press("+")
    shown.wait_for_function(f"[...{PICTURE}.curve.tiles.keys()].some((key) => key[0] === '-')")

    assert any("/page/curve/" in url for url in tiles)
    assert not shown.locator(".emo-map").is_hidden()
    assert colours(shown) > 5
    stage.press("0")
    assert span(shown) == whole
    expect(shown.locator(".emo-map")).to_be_hidden()


def test_a_part_is_selected_and_played_to_its_end(shown: Page) -> None:
    here = box(shown)
    y = here["y"] + 60
    shown.mouse.move(here["x"] + here["width"] * 0.2, y)
    shown.mouse.down()
    shown.mouse.move(here["x"] + here["width"] * 0.3, y, steps=4)
    shown.mouse.up()
    start_s, end_s = shown.evaluate(f"{PICTURE}.selection")
    duration = span(shown)[1]
    assert start_s == pytest.approx(duration * 0.2, abs=0.05)
    assert end_s == pytest.approx(duration * 0.3, abs=0.05)

    shown.click("[data-do=play-selection]")
    shown.wait_for_function(f"{PICTURE}.audio.currentTime >= {end_s} && {PICTURE}.audio.paused")

    # The cursor stands where the sound stopped, within 50 ms.
    stopped = shown.evaluate(f"{PICTURE}.audio.currentTime")
    cursor = shown.locator(".emo-cursor").bounding_box()
    assert cursor is not None
    at = (cursor["x"] + cursor["width"] / 2 - here["x"]) / here["width"] * duration
    assert at == pytest.approx(stopped, abs=0.05)
    shown.click("[data-do=clear-selection]")
    assert shown.evaluate(f"{PICTURE}.selection") is None


def test_the_cursor_keeps_step_while_it_plays(shown: Page) -> None:
    """Read in one breath after each frame, as the eye sees it: 50 ms apart at most."""
    shown.locator(".emo-stage").press("Space")
    apart = shown.evaluate(
        f"""async () => {{
          const picture = {PICTURE};
          const found = [];
          for (let frame = 0; frame < 20; frame += 1) {{
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
            const left = Number.parseFloat(picture.cursor.style.left) / 100;
            found.push(Math.abs(left * picture.duration - picture.audio.currentTime));
          }}
          return found.sort((a, b) => a - b)[10];
        }}"""
    )

    assert apart <= 0.05


def test_the_legend_isolates_one_emotion_and_hovering_tells_nine(shown: Page) -> None:
    before = colours(shown)
    key = shown.locator(".emo-key").first
    key.click()
    shown.wait_for_function(f"{PICTURE}.alone === 0")
    assert key.get_attribute("aria-pressed") == "true"
    shown.wait_for_timeout(100)
    assert colours(shown) != before
    key.click()
    shown.locator(".emo-stage").hover(position={"x": 200, "y": 60})
    told = shown.locator(".emo-tip").inner_text()
    assert told.count("%") == 9


def test_the_picture_is_saved_as_png(shown: Page) -> None:
    with shown.expect_download() as download:
        shown.click("[data-png]")

    data = download.value.path().read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24])[0] == 2 * 1248


def test_a_segment_gets_another_emotion_and_another_border(shown: Page, site: Site) -> None:
    run = shown.locator("#emo-answer [data-run]").get_attribute("data-run")
    saved = site.outputs / str(run) / "corrections.json"
    shown.click(".emo-fix summary")
    shown.locator(".emo-stage").press("Home")
    for _ in range(20):
        shown.locator(".emo-stage").press("ArrowRight")
        if shown.evaluate(f"{PICTURE}.audio.currentTime") > 1.5:
            break
    shown.click(".emo-fix [data-do=split]")
    shown.click(".emo-fix [data-label='6']")
    shown.click(".emo-fix [data-do=save]")
    expect(shown.locator("[data-said=kept]")).to_be_visible()

    kept = json.loads(saved.read_text("utf-8"))["segments"]
    assert kept[0]["start_s"] == 0
    assert "sad" in [segment["emotion"] for segment in kept]
    border_s = next(segment["start_s"] for segment in kept if segment["emotion"] == "sad")
    assert "悲伤" in shown.locator(".emo-segments").inner_text()

    # The border is dragged on the strip.
    here = box(shown)
    x = here["x"] + border_s / span(shown)[1] * here["width"]
    shown.mouse.move(x, here["y"] + 274)
    shown.mouse.down()
    shown.mouse.move(x + 40, here["y"] + 274, steps=4)
    shown.mouse.up()
    shown.click(".emo-fix [data-do=save]")
    moved_s = border_s + 40 / here["width"] * span(shown)[1]
    shown.wait_for_function("document.querySelector('.emo-fix [data-do=save]').disabled")
    kept = json.loads(saved.read_text("utf-8"))["segments"]
    assert any(abs(segment["start_s"] - moved_s) < 0.05 for segment in kept)

    shown.click(".emo-fix [data-do=undo]")
    expect(shown.locator("[data-said=undone]")).to_be_visible()
    assert not saved.exists()


def test_the_report_opens_without_scripts_and_without_a_network(
    shown: Page, browser: Browser, tmp_path: Path
) -> None:
    with shown.expect_download() as download:
        shown.click("a[download='report.html']")
    saved = tmp_path / "report.html"
    download.value.save_as(saved)
    context = browser.new_context(java_script_enabled=False, offline=True, locale="zh-CN")
    report = context.new_page()
    try:
        report.goto(saved.as_uri())
        expect(report.locator("h1")).to_contain_text("置信度")
        expect(report.locator("h1 [lang=en]")).to_be_hidden()
        assert report.locator("svg path").count() > 9
        report.check("#en")
        expect(report.locator("h1 [lang=en]")).to_contain_text("Confidence")
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
    until(page, "document.querySelector('emo-timeline')?.drawn > 0")

    middle = len(samples) / 32_000
    state = page.evaluate(f"document.querySelector('emo-timeline').curve.at({middle}, 0)")
    assert state["quiet"] is True
    page.locator(".emo-stage").hover(position={"x": box(page)["width"] / 2, "y": 60})
    expect(page.locator(".emo-tip em")).to_have_text("Silence")
