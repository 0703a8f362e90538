"""The outputs folder stays within its bounds, and a full disk passes."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import httpx
import pytest

import emoscope.outputs.store
from emoscope.backends.fake_backend import FakeBackend
from emoscope.limits import UPLOAD
from emoscope.outputs.store import RESULT, RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.server.http.body_spool import RecordingSpool
from emoscope.server.jobs.retention import RetentionPolicy
from emoscope.server.jobs.worker import Jobs
from emoscope.server.service import make_service
from emoscope.settings import load_settings
from emoscope.waveform import Waveform
from results import make_result
from serving import serving
from sounds import noise, wav

pytestmark = pytest.mark.process

GOOD = wav(noise(0.5))


def recognizer() -> Recognizer:
    return Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=UPLOAD)


def keeper(root: Path, **bounds: float) -> tuple[RetentionPolicy, RunStore]:
    store = RunStore(root)
    jobs = Jobs(make_service(recognizer(), store, load_settings(outputs=root)))
    given = {"max_bytes": 0, "keep_days": 0, **bounds}
    return RetentionPolicy(store, jobs, now=lambda: 1_000_000.0, **given), store  # type: ignore[arg-type]


def fill(store: RunStore, count: int) -> list[str]:
    """Runs of about 32 kB, a day apart, the last one written now."""
    names = []
    for number in range(count):
        name = store.save(make_result(), Waveform(noise(1.0))).name
        written_s = 1_000_000 - 86_400 * (count - 1 - number)
        os.utime(store.root / name / RESULT, (written_s, written_s))
        names.append(name)
    return names


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    tidy, store = keeper(tmp_path, keep_days=2.5)
    names = fill(store, 5)

    assert tidy.tidy() == names[:2]
    assert sorted(store.names()) == sorted(names[2:])
    assert tidy.tidy() == []


def test_what_is_too_much_goes_oldest_first(tmp_path: Path) -> None:
    tidy, store = keeper(tmp_path, max_bytes=100_000)
    names = fill(store, 6)

    assert tidy.tidy() == names[:3]
    assert store.names() == names[:2:-1]


def test_the_newest_stays_however_small_the_bound(tmp_path: Path) -> None:
    tidy, store = keeper(tmp_path, max_bytes=1)
    names = fill(store, 3)

    tidy.tidy()
    assert store.names() == names[-1:]


def test_without_bounds_nothing_goes(tmp_path: Path) -> None:
    tidy, store = keeper(tmp_path)
    names = fill(store, 3)

    assert tidy.tidy() == []
    assert len(store.names()) == len(names)


@pytest.mark.parametrize(
    ("keep", "files"),
    [
        ("all", {"processed_audio.wav", "result.json", "embedding.npy"}),
        ("features", {"result.json", "embedding.npy"}),
        ("none", set()),
    ],
)
def test_what_is_kept_is_a_setting(tmp_path: Path, keep: str, files: set[str]) -> None:
    settings = load_settings(outputs=tmp_path / "outputs", store=keep)
    store = RunStore(settings.outputs, keep=settings.store)
    with (
        serving(create_app(recognizer(), store, settings, page=False)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        reply = client.post(
            "/predict", files={"audio": ("a.wav", GOOD)}, data={"extract_embedding": "true"}
        ).json()

    assert set(reply["files"]) == files
    assert bool(reply["run"]) == bool(files)
    on_disk = {path.name for path in (tmp_path / "outputs").rglob("*") if path.is_file()}
    assert on_disk - {"latest.json"} == files


def test_no_room_for_an_upload_is_507(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    settings = load_settings(outputs=tmp_path / "outputs")
    app = create_app(recognizer(), RunStore(settings.outputs), settings, page=False)
    monkeypatch.setattr(RecordingSpool, "write", full)
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        refused = client.post("/predict", files={"audio": ("a.wav", GOOD)})

    assert (refused.status_code, refused.json()["code"]) == (507, "store_full")


def test_a_full_disk_is_507_and_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(outputs=tmp_path / "outputs")
    store = RunStore(settings.outputs)
    real = emoscope.outputs.store.write_wav

    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with (
        serving(create_app(recognizer(), store, settings, page=False)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        monkeypatch.setattr(emoscope.outputs.store, "write_wav", full)
        refused = client.post("/predict", files={"audio": ("a.wav", GOOD)})
        live = client.get("/health/live")
        left = list((tmp_path / "outputs").iterdir())
        monkeypatch.setattr(emoscope.outputs.store, "write_wav", real)
        passed = client.post("/predict", files={"audio": ("a.wav", GOOD)})

    assert (refused.status_code, refused.json()["code"]) == (507, "store_full")
    assert live.status_code == 200
    assert left == []
    assert passed.status_code == 200
