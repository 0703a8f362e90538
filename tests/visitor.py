"""What a visitor of the page does, for the browser tests."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import FilePayload, Page

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
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
ENGLISH = {"locale": "en-US"}


def chromium() -> str | None:
    """Where this machine's Chromium is."""
    return next(filter(None, map(shutil.which, PLACES)), None)


def form(kind: str = "one") -> str:
    """Selector of the form for ``one`` recording or ``many``."""
    return f'emo-form[data-kind="{kind}"]'


def give(page: Page, *files: Path | FilePayload, kind: str = "one") -> None:
    chosen = [file(one.name, one.read_bytes()) if isinstance(one, Path) else one for one in files]
    # One payload is given as itself: a form for one recording takes no list.
    page.set_input_files(f"{form(kind)} input[type=file]", chosen[0] if kind == "one" else chosen)


def file(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def start(page: Page, granularity: str = "utterance", kind: str = "one") -> None:
    page.check(f"{form(kind)} input[value={granularity}]", force=True)
    page.click(f"{form(kind)} [data-do=start]")


def show(page: Page, view: str) -> None:
    """Go to a view by the links at the top."""
    page.click(f"[data-for={view}]")
    page.wait_for_selector(f"html[data-view={view}]")


def until(page: Page, expression: str, arg: Any = None) -> None:
    """Wait until JavaScript gives something true.

    ``page.wait_for_function`` compiles text in the page, which the page's policy forbids.
    """
    end = time.monotonic() + 60
    while not page.evaluate(expression, arg):
        assert time.monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(20)


def settled(page: Page) -> None:
    """Wait until nothing is being asked about one recording."""
    page.wait_for_selector("#emo-answer:not([data-waiting])")


def headline(page: Page) -> str:
    words = page.locator("#emo-answer .emo-headline")
    words.wait_for()
    return " ".join(words.inner_text().split())


def answered(page: Page, granularity: str = "utterance") -> str:
    start(page, granularity)
    settled(page)
    return headline(page)
