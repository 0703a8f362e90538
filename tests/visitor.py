"""What a visitor of the page does, for the browser tests."""

from __future__ import annotations

import shutil
from pathlib import Path

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


def give(page: Page, *files: Path | FilePayload, kind: str = "one") -> None:
    chosen = [file(one.name, one.read_bytes()) if isinstance(one, Path) else one for one in files]
    # One payload is given as itself: a form for one recording takes no list.
    page.set_input_files(
        f"#emo-form-{kind} input[type=file]", chosen[0] if kind == "one" else chosen
    )


def file(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def start(page: Page, granularity: str = "utterance", kind: str = "one") -> None:
    page.check(f"#emo-form-{kind} input[value={granularity}]")
    page.click(f"#emo-form-{kind} [data-do=start]")


def headline(page: Page) -> str:
    words = page.locator("#emo-result-one .emo-headline")
    words.wait_for()
    return " ".join(words.inner_text().split())


def answered(page: Page, granularity: str = "utterance") -> str:
    start(page, granularity)
    return headline(page)
