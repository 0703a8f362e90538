"""A real Chromium on the real application. Without a Chromium these tests are skipped, aloud."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

import serving

PLACES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Site]:
    with serving.site(tmp_path_factory.mktemp("browser") / "outputs") as running:
        yield running


# No longer than it must: while Playwright runs, its event loop is that of the main thread, and
# tests elsewhere have one of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, PLACES)), None)
    if found is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
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
    page.set_default_timeout(20_000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: (errors.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: _note_foreign(request.url, site.url, outside))
    page.goto(site.url + "/")
    page.wait_for_selector("#emo-form-one emo-form")
    yield page
    page.close()
    assert errors == []
    assert outside == []


def _note_foreign(url: str, home: str, outside: list[str]) -> None:
    if not url.startswith((home + "/", "blob:" + home, "data:")):
        outside.append(url)
