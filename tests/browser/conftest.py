"""A real Chromium on the real application. Without a Chromium these tests are skipped, aloud."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import soxr
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

import serving
from sounds import sample, wav
from visitor import FLAGS, chromium

PATIENCE_MS = 60_000
"""A machine that does other things as well is slow, and not wrong."""
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Site]:
    with serving.site(tmp_path_factory.mktemp("browser") / "outputs") as running:
        yield running


# No longer than it must: while Playwright runs, its event loop is that of the main thread, and
# tests elsewhere have one of their own.
@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium whose microphone hears one of our recordings, over and over."""
    found = chromium()
    if found is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    speech = tmp_path_factory.mktemp("microphone") / "speech.wav"
    speech.write_bytes(wav(soxr.resample(sample("angry_zh.wav"), 16_000, 48_000), 48_000))
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={speech}"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=flags)
        yield running
        running.close()


@pytest.fixture
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A fresh visitor; a test sets other options through ``parametrize(..., indirect=True)``."""
    options: dict[str, Any] = {"locale": "zh-CN", "viewport": {"width": 1440, "height": 1000}}
    context = browser.new_context(**{**options, **getattr(request, "param", {})})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, site: serving.Site) -> Iterator[Page]:
    """The opened page; at the end nothing may have failed in it or asked the outside."""
    errors: list[str] = []
    outside: list[str] = []
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: (errors.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: _note_foreign(request.url, site.url, outside))
    page.goto(site.url + "/")
    page.wait_for_selector("html[data-ready]")  # the scripts are there
    yield page
    page.close()
    assert errors == []
    assert outside == []


def _note_foreign(url: str, home: str, outside: list[str]) -> None:
    if not url.startswith((home + "/", "blob:" + home, "data:")):
        outside.append(url)
