"""Whatever is asked next in one page: the answer shown is wholly that of what was asked last."""

from __future__ import annotations

import json
import re
import struct
import wave
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from serving import Site
from sounds import sample, wav
from visitor import file, form, give, settled, show, start, until

pytestmark = pytest.mark.browser

ONE = "#emo-answer"
BOTH_WAYS = [
    (first, second) for first in ("utterance", "frame") for second in ("utterance", "frame")
]


def shorter() -> FilePayload:
    return file("first.wav", wav(sample("angry_zh.wav")))


def longer() -> FilePayload:
    """Another recording, of another length and with a pause."""
    pause = np.zeros(16_000, np.float32)
    parts = [sample("happy_en.wav"), pause, sample("sad_zh.wav")]
    return file("second.wav", wav(np.concatenate(parts)))


def recognize(page: Page, sound: FilePayload, granularity: str = "frame") -> str:
    """The run that comes of it, once it is shown."""
    give(page, sound)
    start(page, granularity)
    settled(page)
    return shown_run(page, ONE)


def shown_run(page: Page, place: str) -> str:
    run = page.locator(f"{place} .emo-result").get_attribute("data-run")
    assert run is not None
    return run


def picture(place: str) -> str:
    return f"document.querySelector('{place} emo-timeline')?.figure"


def drawn(page: Page, place: str) -> int:
    """A hash of the canvas, once all its numbers are there; it has colours."""
    curve = f"{picture(place)}.curve"
    until(page, f"{picture(place)}?.drawn > 0 && {curve}.tiles.size === {curve}.asked.size + 1")
    colours, hashed = page.evaluate(
        f"""async () => {{
          for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
          const {{ canvas }} = {picture(place)}.stage;
          const pen = canvas.getContext("2d");
          const data = new Uint32Array(
            pen.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
          let hashed = 0;
          for (const value of data) hashed = (Math.imul(hashed, 31) + value) | 0;
          return [new Set(data).size, hashed];
        }}"""
    )
    assert colours > 3
    return int(hashed)


def png(page: Page, place: str) -> tuple[str, bytes]:
    """Name and bytes of the picture that the page saves."""
    with page.expect_download() as download:
        open_menu(page, place)
        page.click(f"{place} [data-png]")
    return download.value.suggested_filename, download.value.path().read_bytes()


def pixels(data: bytes) -> bytes:
    """What a PNG holds, whatever its compression."""
    at, packed = 8, b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += 12 + length
    return zlib.decompress(packed)


def choose(page: Page, file: str, place: str = ONE) -> None:
    """Take a file out of the menu of exports."""
    open_menu(page, place)
    page.click(f"{place} .emo-exports a[download$='{file}'] >> visible=true")


def open_menu(page: Page, place: str) -> None:
    """Open the menu of exports, if it is closed."""
    menu = f"{place} .emo-exports"
    if page.locator(menu).get_attribute("open") is None:
        page.click(f"{menu} > summary")


def everything_belongs_to(page: Page, site: Site, run: str, place: str = ONE) -> None:
    """Picture, sound, words, tables, links and downloads of what is shown are those of one run."""
    saved = json.loads((site.outputs / run / "result.json").read_text("utf-8"))
    with wave.open(str(site.outputs / run / "processed_audio.wav")) as sound:
        length_s = sound.getnframes() / sound.getframerate()
    assert shown_run(page, place) == run
    has_track = saved["granularity"] == "frame"

    # The picture.
    expect(page.locator(f"{place} .emo-stage")).to_have_count(1)
    drawn(page, place)
    data = page.evaluate(
        f"(({{ data, duration, from, to, selection, alone }}) => "
        f"({{ run: data.run, title: data.title, segments: data.segments, "
        f"duration, from, to, selection, alone }}))({picture(place)})"
    )
    assert data["run"] == run
    assert data["title"] == saved["source"]["name"]
    assert data["duration"] == pytest.approx(saved["duration_s"], abs=1e-3)
    assert (data["from"], data["to"]) == (0, data["duration"])
    assert data["selection"] is None
    assert data["alone"] is None
    assert page.locator(f"{place} .emo-key[aria-pressed=true]").count() == 0
    starts = [round(s["start_s"], 3) for s in saved.get("segments") or []]
    if has_track:
        assert [s[0] for s in data["segments"]] == pytest.approx(starts, abs=2e-3)
        rows = page.locator(f"{place} tr[data-start]")
        assert [float(row.get_attribute("data-start") or -1) for row in rows.all()] == (
            pytest.approx(starts, abs=2e-3)
        )
    clock = page.locator(f"{place} .emo-now").inner_text()
    assert float(re.findall(r"[0-9.]+", clock)[-1]) == pytest.approx(length_s, abs=0.11)

    # The sound.
    expect(page.locator(f"{place} audio")).to_have_count(1)
    audio = f"{picture(place)}.audio"
    until(page, f"{audio}.readyState >= 1")
    assert page.evaluate(f"{audio} === document.querySelector('{place} audio')")
    assert f"/{run}/" in page.evaluate(f"{audio}.currentSrc")
    assert page.evaluate(f"{audio}.duration") == pytest.approx(length_s, abs=0.01)

    # Words and files.
    assert page.locator(f"{place} .emo-about .emo-file").inner_text() == saved["source"]["name"]
    links = [link.get_attribute("href") or "" for link in page.locator(f"{place} a").all()]
    assert len(links) >= 4
    assert [link for link in links if run not in link] == ["history"]
    language = page.locator("html").get_attribute("data-lang")
    svg = site.client.get(f"/v1/recognitions/{run}/exports/picture.svg?lang={language}").text
    with page.expect_download() as download:
        choose(page, "picture.svg", place)
    assert download.value.path().read_text("utf-8") == svg
    assert saved["source"]["name"] in svg


def correct(page: Page, site: Site, run: str, label: int, place: str = ONE) -> list[str]:
    """Give the first segment another emotion, by hand; the emotions that were saved for it."""
    open_panel(page, place)
    page.click(f"{place} .emo-edit [data-label='{label}']")
    expect(page.locator(f"{place} .emo-edit [data-said=saved]")).to_be_visible()
    saved = site.outputs / run / "corrections.json"
    return [s["emotion"] for s in json.loads(saved.read_text("utf-8"))["segments"]]


def open_panel(page: Page, place: str = ONE) -> None:
    """Correct the first segment, by the keyboard."""
    page.locator(f"{place} .emo-stage").press("Home")
    page.locator(f"{place} .emo-stage").press("e")
    page.wait_for_selector(f"{place} .emo-edit:not([hidden])")


def untouched(site: Site, run: str) -> Callable[[], bool]:
    folder = site.outputs / run
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    return lambda: before == {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(("first", "second"), BOTH_WAYS)
def test_the_second_answer_is_wholly_the_second_s(
    page: Page, site: Site, first: str, second: str
) -> None:
    one = recognize(page, shorter(), first)
    everything_belongs_to(page, site, one)
    canvas, (_, saved) = drawn(page, ONE), png(page, ONE)
    unchanged = untouched(site, one)

    other = recognize(page, longer(), second)

    assert other != one
    everything_belongs_to(page, site, other)
    assert drawn(page, ONE) != canvas
    name, data = png(page, ONE)
    assert name == longer()["name"].replace(".wav", "_river.png")
    assert pixels(data) != pixels(saved)
    assert "angry" in correct(page, site, other, 0)
    assert unchanged()


def test_zoom_selection_and_an_emotion_alone_do_not_outlive_their_answer(
    page: Page, site: Site
) -> None:
    recognize(page, shorter())
    page.evaluate(f"{picture(ONE)}.select(0.5, 1)")
    page.click(f"{ONE} [data-do=closer]")
    page.click(f"{ONE} .emo-key >> nth=3")
    open_panel(page)
    page.click(f"{ONE} .emo-edit [data-label='6']")  # saved when it is taken away

    for sound in (longer(), shorter(), longer()):
        run = recognize(page, sound)
        everything_belongs_to(page, site, run)
        expect(page.locator(f"{ONE} .emo-edit")).to_be_hidden()
        assert not (site.outputs / run / "corrections.json").exists()


def test_the_first_sound_falls_silent_when_the_second_answer_comes(page: Page) -> None:
    recognize(page, longer())
    page.evaluate(f"(window.old = {picture(ONE)}.audio, old.loop = true, old.play())")
    until(page, "old.currentTime > 0 && !old.paused")

    recognize(page, shorter())

    assert page.evaluate("old.paused")
    assert not page.evaluate("old.isConnected")
    now = page.evaluate(
        f"(({{ paused, currentTime }}) => [paused, currentTime])({picture(ONE)}.audio)"
    )
    assert now == [True, 0]
    page.click(f"{ONE} tr[data-start] >> nth=0")
    page.click(f"{ONE} [data-do=play]")
    until(page, f"{picture(ONE)}.audio.currentTime > 0")
    assert page.evaluate("old.paused")


def test_an_answer_after_an_error_and_an_error_after_an_answer(page: Page, site: Site) -> None:
    recognize(page, shorter())
    give(page, file("notes.mp3", b"not sound at all" * 99))
    start(page)
    expect(page.locator(f"{ONE} .emo-error")).to_be_visible()
    assert page.locator(f"{ONE} emo-timeline, {ONE} audio, {ONE} a").count() == 0

    everything_belongs_to(page, site, recognize(page, longer()))


def held(page: Page, pattern: str) -> list[Route]:
    """Requests that wait until the test lets them go."""
    routes: list[Route] = []
    page.route(pattern, lambda route: routes.append(route))
    return routes


def wait_for(page: Page, routes: list[Any], count: int = 1) -> None:
    for _ in range(400):
        if len(routes) >= count:
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"{len(routes)} of {count} came")


def test_numbers_of_the_first_that_come_late_are_not_drawn_under_the_second(
    page: Page, site: Site
) -> None:
    one = recognize(page, shorter())
    routes = held(page, f"**/recognitions/{one}/curve/**")
    for _ in range(3):
        page.click(f"{ONE} [data-do=closer]")
    wait_for(page, routes)
    other = recognize(page, longer())
    before = drawn(page, ONE)

    for route in routes:
        route.continue_()
    page.wait_for_timeout(300)

    assert drawn(page, ONE) == before
    everything_belongs_to(page, site, other)


def open_run(page: Page, run: str) -> None:
    """Open a run from the history."""
    show(page, "history")
    page.click(f".emo-run[data-run='{run}'] .emo-run-title")
    expect(page.locator(f"{ONE} .emo-result")).to_have_attribute("data-run", run)
    settled(page)


def test_the_history_opens_each_run_at_its_address_and_back_returns(page: Page, site: Site) -> None:
    one, other = recognize(page, shorter()), recognize(page, longer())
    assert page.url == f"{site.url}/r/{other}"
    for run in (one, other, one):
        open_run(page, run)
        assert page.url == f"{site.url}/r/{run}"
        everything_belongs_to(page, site, run)

    page.go_back()
    expect(page.locator("#emo-history")).to_be_visible()
    assert page.title() == "历史 · Emoscope"
    page.go_back()
    settled(page)
    everything_belongs_to(page, site, other)
    assert page.title() == "second.wav · Emoscope"
    page.go_forward()
    page.go_forward()
    settled(page)
    everything_belongs_to(page, site, one)
    unchanged = untouched(site, other)
    assert "angry" in correct(page, site, one, 0)
    assert unchanged()


def test_a_result_survives_reload_and_can_be_shared(page: Page, site: Site) -> None:
    run = recognize(page, longer())
    for address in (f"/r/{run}", f"/r/{run}?lang=en"):
        page.goto(site.url + address)
        page.wait_for_selector("html[data-ready]")
        everything_belongs_to(page, site, run)
        assert page.title() == "second.wav · Emoscope"
    page.click("[data-for=home]")
    expect(page.locator("#emo-demo")).to_be_visible()
    assert page.locator(ONE).inner_text() == ""
    page.go_back()
    settled(page)
    everything_belongs_to(page, site, run)


def test_the_address_of_a_run_that_is_gone_says_so(page: Page, site: Site) -> None:
    reply = page.goto(f"{site.url}/r/outputs_20000101_000000")
    assert reply is not None
    assert reply.status == 404
    expect(page.locator(f"{ONE} .emo-error")).to_contain_text("run_not_found")
    everything_belongs_to(page, site, recognize(page, shorter()))


def hint(page: Page) -> Any:
    return page.locator(f"{form()} [data-note=old]")


def is_old(page: Page) -> bool:
    return page.locator(ONE).get_attribute("data-old") is not None


def test_an_answer_beside_another_recording_says_that_it_is_the_previous_one(
    page: Page, site: Site, tmp_path: Path
) -> None:
    first = tmp_path / "first.wav"
    first.write_bytes(wav(sample("angry_zh.wav")))
    page.set_input_files(f"{form()} input[type=file]", first)
    start(page, "frame")
    settled(page)
    one = shown_run(page, ONE)
    expect(hint(page)).to_be_hidden()

    give(page, longer())
    expect(hint(page)).to_contain_text("上一段录音的结果")
    assert is_old(page)
    page.set_input_files(f"{form()} input[type=file]", first)  # the same again
    expect(hint(page)).to_be_hidden()
    assert not is_old(page)
    give(page, longer())
    expect(hint(page)).to_be_visible()
    page.click("emo-form[data-kind=one] [data-do=remove]")
    expect(hint(page)).to_be_hidden()
    assert not is_old(page)
    everything_belongs_to(page, site, one)

    everything_belongs_to(page, site, recognize(page, longer()))
    expect(hint(page)).to_be_hidden()
    assert not is_old(page)


def test_an_error_about_another_recording_is_gone(page: Page) -> None:
    give(page, file("notes.mp3", b"not sound at all" * 99))
    start(page)
    expect(page.locator(f"{ONE} .emo-error")).to_be_visible()

    give(page, shorter())

    expect(page.locator(f"{ONE} .emo-error")).to_be_hidden()
    expect(hint(page)).to_be_hidden()


def test_a_recording_chosen_during_the_work_is_not_the_one_that_was_answered(
    page: Page, site: Site
) -> None:
    routes = held(page, "**/v1/recognitions")
    give(page, shorter())
    start(page)
    wait_for(page, routes)
    working = page.locator("emo-form[data-kind=one] [data-note=working]")
    expect(working).to_be_visible()

    give(page, longer())
    expect(working).to_be_visible()
    for route in routes:
        route.continue_()

    expect(hint(page)).to_be_visible()
    assert is_old(page)
    everything_belongs_to(page, site, shown_run(page, ONE))
    assert page.locator(f"{ONE} .emo-file").inner_text() == "first.wav"
    assert (
        page.locator("emo-form[data-kind=one] .emo-chosen .emo-file").inner_text() == "second.wav"
    )


def test_a_recording_that_is_removed_falls_silent(page: Page) -> None:
    give(page, longer())
    player = "document.querySelector('emo-form[data-kind=one] .emo-chosen audio')"
    page.evaluate(f"{player}.play()")
    until(page, f"{player}.currentTime > 0")

    page.click("emo-form[data-kind=one] [data-do=remove]")

    page.wait_for_timeout(200)
    assert page.evaluate(f"[{player}.currentTime, {player}.paused]") == [0, True]


def test_a_file_is_made_in_the_language_of_the_moment(page: Page) -> None:
    recognize(page, shorter())
    for language in ("en", "zh", "en"):
        page.click(f"button[data-language={language}]")
        with page.expect_download() as download:
            choose(page, "report.html")
        assert download.value.url.endswith(f"/report.html?lang={language}")
        assert download.value.path().stat().st_size > 0


def keep(site: Site, sound: FilePayload) -> str:
    """A run that comes through the API."""
    reply = site.client.post(
        "/predict",
        files={"audio": (sound["name"], sound["buffer"])},
        data={"granularity": "frame"},
    )
    run: str = reply.json()["run"]
    return run


def test_the_run_opened_last_is_shown_whatever_comes_last(page: Page, site: Site) -> None:
    slow, quick = keep(site, shorter()), keep(site, longer())
    show(page, "history")
    routes = held(page, f"**/page/result/{slow}")
    page.click(f".emo-run[data-run='{slow}'] .emo-run-title")
    wait_for(page, routes)
    page.go_back()
    page.click(f".emo-run[data-run='{quick}'] .emo-run-title")
    expect(page.locator(f"{ONE} .emo-result")).to_have_attribute("data-run", quick)

    for route in routes:
        route.continue_()
    page.wait_for_timeout(300)

    everything_belongs_to(page, site, quick)
    assert page.url.endswith(f"/r/{quick}")


def test_a_result_that_comes_while_another_view_is_open_waits_for_its_reader(
    page: Page, site: Site
) -> None:
    routes = held(page, "**/v1/recognitions")
    give(page, shorter())
    start(page, "frame")
    wait_for(page, routes)
    show(page, "history")
    for route in routes:
        route.continue_()
    expect(page.locator(f"{form()} [data-do=start]")).to_be_enabled()
    assert page.url.endswith("/history")

    page.click("[data-for=home]")

    expect(page.locator(f"{ONE} .emo-result")).to_be_visible()
    settled(page)
    run = shown_run(page, ONE)
    assert page.url.endswith(f"/r/{run}")
    everything_belongs_to(page, site, run)


def test_a_deleted_run_is_gone_from_every_view(page: Page, site: Site) -> None:
    run = recognize(page, shorter())
    show(page, "history")
    page.click(f".emo-run[data-run='{run}'] [data-do=delete]")
    page.click("dialog.emo-sure [data-do=delete-yes]")
    expect(page.locator(f".emo-run[data-run='{run}']")).to_have_count(0)

    page.go_back()
    expect(page.locator(ONE)).to_contain_text("可能已经删除")
    assert page.locator(f"{ONE} a, {ONE} audio").count() == 0
    everything_belongs_to(page, site, recognize(page, longer()))


def test_what_is_changed_while_it_is_saved_is_kept(page: Page, site: Site) -> None:
    run = recognize(page, longer())
    routes = held(page, f"**/recognitions/{run}/corrections")
    open_panel(page)
    page.click(f"{ONE} .emo-edit [data-label='6']")
    wait_for(page, routes)
    page.click(f"{ONE} .emo-edit [data-label='2']")
    page.wait_for_timeout(1000)
    assert len(routes) == 1  # the second waits for the first
    routes[0].continue_()
    wait_for(page, routes, 2)
    assert page.evaluate(f"{picture(ONE)}.segments[0][2]") == 2
    routes[1].continue_()

    expect(page.locator(f"{ONE} .emo-edit [data-said=saved]")).to_be_visible()
    assert page.evaluate(f"{picture(ONE)}.segments[0][2]") == 2
    saved = json.loads((site.outputs / run / "corrections.json").read_text("utf-8"))
    assert saved["segments"][0]["emotion"] == "fearful"


def test_a_correction_that_cannot_be_saved_says_so_and_stays(page: Page) -> None:
    run = recognize(page, shorter())
    page.route(f"**/recognitions/{run}/corrections", lambda route: route.abort())
    open_panel(page)
    page.click(f"{ONE} .emo-edit [data-label='6']")

    expect(page.locator(f"{ONE} .emo-edit [data-said=failed]")).to_be_visible()
    expect(page.locator(f"{ONE} .emo-edit [data-act=retry]")).to_be_visible()
    assert page.evaluate(f"{picture(ONE)}.segments[0][2]") == 6
