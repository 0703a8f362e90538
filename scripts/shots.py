"""Save pictures of the page, to be looked at: both languages, wide and narrow, light and dark.

    python scripts/shots.py [--out shots] [--only NAME] [--docs]

Uses the built-in model when it is there, else the model without weights that the tests use. With
``--docs`` the few that the documents show are also put into docs/images, cut and compressed.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from PIL import Image
from playwright.sync_api import FilePayload, Page, sync_playwright

from emoscope import recognizer as recognizers
from emoscope.audio.wav import write_wav
from emoscope.backends.fake_backend import FakeBackend
from emoscope.errors import EmoscopeError
from emoscope.limits import UPLOAD
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.settings import load_settings
from emoscope.waveform import Samples, Waveform

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "tests/assets/samples"
REAL = ROOT / "src/emoscope/assets/samples"
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
WIDE, PHONE = {"width": 1440, "height": 1000}, {"width": 390, "height": 844}
LAPTOP, NARROW = {"width": 1280, "height": 720}, {"width": 320, "height": 640}


def _wav(samples: Samples) -> bytes:
    buffer = io.BytesIO()
    write_wav(buffer, Waveform(samples))
    return buffer.getvalue()


def _recognizer() -> Recognizer:
    try:
        return recognizers.load("compact", limits=UPLOAD)
    except EmoscopeError as error:
        print(f"the built-in model cannot be used ({error}); using the one without weights")
        return Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=UPLOAD)


@contextmanager
def _serving(outputs: Path) -> Iterator[str]:
    app = create_app(_recognizer(), RunStore(outputs), load_settings())
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/"
    server.should_exit = True
    thread.join(10)


def form(kind: str = "one") -> str:
    """Return the selector of the form for ``one`` recording or ``many``."""
    return f'emo-form[data-kind="{kind}"]'


def _ask(page: Page, sample: Any, granularity: str = "utterance") -> None:
    page.set_input_files(f"{form()} input[type=file]", sample)
    page.check(f"{form()} input[value={granularity}]", force=True)
    page.click(f"{form()} [data-do=start]")
    page.wait_for_selector("#emo-answer:not([data-waiting]) .emo-result")


def _empty(_page: Page) -> None:
    """The page as it opens."""


def _utterance(page: Page) -> None:
    page.check(f"{form()} input[name=embedding]")
    _ask(page, REAL / "cremad_happy.wav")


def _moods() -> dict[str, Any]:
    """One speaker who says one sentence neutrally, happily, angrily and sadly."""
    sound = (REAL / "emodb_sequence.wav").read_bytes()
    return {"name": "interview.wav", "mimeType": "audio/wav", "buffer": sound}


def spoken(folder: Path) -> str:
    """Return the flag that lets Chromium's microphone hear the samples, over and over."""
    speech = folder / "speech.wav"
    speech.write_bytes(_moods()["buffer"])
    return f"--use-file-for-fake-audio-capture={speech}"


def _frame(page: Page) -> None:
    _ask(page, _moods(), "frame")
    page.evaluate("document.querySelector('#emo-answer emo-timeline audio').currentTime = 10.2")
    page.wait_for_timeout(400)


def _zoomed(page: Page) -> None:
    """A part, selected, while a segment is corrected."""
    _ask(page, _moods(), "frame")
    page.evaluate("document.querySelector('#emo-answer emo-timeline audio').currentTime = 6.2")
    for _ in range(2):
        page.click("#emo-answer [data-do=closer]")
    stage = page.locator("#emo-answer .emo-stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box is not None  # noqa: S101 - it is on the page
    page.mouse.move(box["x"] + box["width"] * 0.55, box["y"] + 120)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 120, steps=4)
    page.mouse.up()
    page.mouse.click(box["x"] + box["width"] * 0.4, box["y"] + 14)


def _keep_some(page: Page) -> None:
    for sample, granularity in (("emodb_angry.wav", "frame"), ("emodb_sad.wav", "frame")):
        _ask(page, REAL / sample, granularity)
        page.wait_for_timeout(1_100)  # the next run gets a second of its own
    page.click("[data-for=history]")
    page.wait_for_selector(".emo-run")


def _history(page: Page) -> None:
    _keep_some(page)


def _compare(page: Page) -> None:
    _keep_some(page)
    for box in page.locator(".emo-run input[type=checkbox]").all()[:2]:
        box.check()
    page.click("[data-do=compare]")
    page.wait_for_selector(".emo-compared canvas")


def _live(page: Page) -> None:
    """Speech that is heard while the picture is taken."""
    page.click("[data-for=live]")
    page.click("[data-do=live]")
    page.wait_for_selector("emo-live[data-on]")
    page.wait_for_timeout(16_000)


def _live_done(page: Page) -> None:
    _live(page)
    page.click("[data-do=live]")
    page.wait_for_selector("#emo-answer emo-timeline canvas")


def _refused(page: Page) -> None:
    page.click("[data-for=live]")
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = () =>"
        " Promise.reject(new DOMException('', 'NotAllowedError')); }"
    )
    page.click("[data-do=live]")
    page.wait_for_selector("#emo-live [data-note]:not([hidden])")


def _report(page: Page) -> None:
    _ask(page, _moods(), "frame")
    address = page.locator("#emo-answer a[href*='report.html']").first.get_attribute("href")
    with page.expect_download() as download:
        page.evaluate(
            "(address) => { const link = document.createElement('a'); link.href = address;"
            " link.download = ''; document.body.append(link); link.click(); }",
            address,
        )
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "report.html"
        download.value.save_as(saved)
        page.goto(saved.as_uri())


def _error(page: Page) -> None:
    file: FilePayload = {
        "name": "notes.mp3",
        "mimeType": "audio/mpeg",
        "buffer": b"not sound at all" * 99,
    }
    page.set_input_files(f"{form()} input[type=file]", file)
    page.click(f"{form()} [data-do=start]")
    page.wait_for_selector("#emo-answer .emo-error")


def _doubtful(page: Page) -> None:
    """A recording in which there is next to nothing."""
    rng = np.random.default_rng(0)
    samples = np.zeros(32_000, np.float32)
    samples[:320] = rng.uniform(-0.02, 0.02, 320)
    file: FilePayload = {"name": "quiet.wav", "mimeType": "audio/wav", "buffer": _wav(samples)}
    page.set_input_files(f"{form()} input[type=file]", file)
    page.click(f"{form()} [data-do=start]")
    page.wait_for_selector("#emo-answer .emo-abstain")


def _batch(page: Page) -> None:
    page.click("[data-for=batch]")
    sounds: list[Any] = [
        {"name": path.name, "mimeType": "audio/wav", "buffer": path.read_bytes()}
        for path in sorted(REAL.glob("*.wav"))
    ]
    sounds.insert(2, {"name": "notes.mp3", "mimeType": "audio/mpeg", "buffer": b"no" * 999})
    page.set_input_files(f"{form('many')} input[type=file]", sounds)
    page.click(f"{form('many')} [data-do=start]")
    page.wait_for_selector(".emo-batch-head[data-state=over]")


SCENES: dict[str, Callable[[Page], None]] = {
    "empty": _empty,
    "utterance": _utterance,
    "frame": _frame,
    "zoomed": _zoomed,
    "live": _live,
    "live-done": _live_done,
    "live-refused": _refused,
    "history": _history,
    "compare": _compare,
    "report": _report,
    "error": _error,
    "doubtful": _doubtful,
    "batch": _batch,
}
LOOKS = {
    "zh": ("zh", WIDE, "light"),
    "en": ("en", WIDE, "light"),
    "zh-dark": ("zh", WIDE, "dark"),
    "zh-phone": ("zh", PHONE, "light"),
    "en-phone-dark": ("en", PHONE, "dark"),
    "en-laptop": ("en", LAPTOP, "light"),
    "zh-narrow": ("zh", NARROW, "light"),
}


DOCS_WIDTH = 1_080
DOCS = {
    "page_zh": ("frame-zh", 1_330),
    "page_en": ("frame-en", 1_330),
    "page_compare_zh": ("compare-zh", 2_000),
    "page_live_zh": ("live-zh", 900),
    "page_batch_zh": ("batch-zh", 900),
    "page_phone_en": ("frame-en-phone-dark", 2_300),
}
"""What the documents show: a picture's name, which shot it is, and how much of its height."""


def _into_docs(shots: Path) -> None:
    for name, (shot, height) in DOCS.items():
        source = shots / f"{shot}.png"
        if not source.is_file():
            continue
        with Image.open(source) as picture:
            cut = picture.convert("RGB").crop((0, 0, picture.width, min(height, picture.height)))
        if cut.width > DOCS_WIDTH:
            size = (DOCS_WIDTH, round(cut.height * DOCS_WIDTH / cut.width))
            cut = cut.resize(size, Image.Resampling.LANCZOS)
        target = ROOT / "docs" / "images" / f"{name}.png"
        cut.quantize(128, dither=Image.Dither.NONE).save(target, optimize=True)
        print(f"{target.name}: {target.stat().st_size / 1000:.0f} KB")


def main() -> None:
    """Take every scene in every look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("shots"))
    parser.add_argument("--only", default="", help="part of a picture's name")
    parser.add_argument("--docs", action="store_true", help="also renew docs/images")
    arguments = parser.parse_args()
    arguments.out.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        _serving(Path(folder) / "outputs") as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, spoken(Path(folder))]
        )
        for look, (language, size, scheme) in LOOKS.items():
            for scene, play in SCENES.items():
                if arguments.only not in f"{scene}-{look}":
                    continue
                context = browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
                page = context.new_page()
                page.on("pageerror", lambda error: print("page error:", error))
                page.goto(f"{address}?lang={language}")
                page.wait_for_selector("html[data-ready]")  # the scripts are there
                play(page)
                page.wait_for_timeout(400)
                path = arguments.out / f"{scene}-{look}.png"
                page.screenshot(path=path, full_page=True)
                print(path)
                context.close()
        browser.close()
    if arguments.docs:
        _into_docs(arguments.out)


if __name__ == "__main__":
    main()
