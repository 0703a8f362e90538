"""The outputs folder stays within its bounds, and a full disk passes."""

from __future__ import annotations

import errno
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

import emoscope.outputs.store
from emoscope.backends.fake_backend import FakeBackend
from emoscope.errors import StoreError
from emoscope.limits import UPLOAD
from emoscope.outputs.store import RESULT, RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.server.http.body_spool import RecordingSpool
from emoscope.server.jobs.database import DAMAGED
from emoscope.server.jobs.retention import RetentionPolicy
from emoscope.server.jobs.worker import FOLDER, Jobs
from emoscope.server.service import RecognitionOptions, RecognitionRequest, make_service
from emoscope.settings import load_settings
from emoscope.waveform import Waveform
from results import make_result
from serving import serving
from sounds import noise, wav

pytestmark = pytest.mark.process

GOOD = wav(noise(0.5))


def recognizer() -> Recognizer:
    return Recognizer(FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=UPLOAD)


class Clocks:
    """A clock that may jump, and one that only goes forward."""

    def __init__(self) -> None:
        self.now_s = self.steady_s = 1_000_000.0

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.steady_s += seconds


def keeper(
    root: Path, clocks: Clocks | None = None, **bounds: float
) -> tuple[RetentionPolicy, RunStore]:
    store = RunStore(root)
    jobs = Jobs(make_service(recognizer(), store, load_settings(outputs=root)))
    given = {"max_bytes": 0, "keep_days": 0, **bounds}
    clocks = clocks or Clocks()
    policy = RetentionPolicy(
        store,
        jobs,
        now=lambda: clocks.now_s,
        steady=lambda: clocks.steady_s,
        **given,  # type: ignore[arg-type]
    )
    return policy, store


def save(store: RunStore, created_s: float) -> str:
    """A run of about 32 kB; when its files were written says nothing, as after a restore."""
    created = datetime.fromtimestamp(created_s, UTC)
    name = store.save(make_result(created=created), Waveform(noise(1.0))).name
    os.utime(store.root / name / RESULT, (0, 0))
    return name


def fill(store: RunStore, count: int) -> list[str]:
    """Runs a day apart, the last one made now."""
    return [save(store, 1_000_000 - 86_400 * (count - 1 - number)) for number in range(count)]


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


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """Values of the warnings of the retention so far."""
    monkeypatch.setattr(logging.getLogger("emoscope"), "propagate", True)

    class Values(list):  # read when the test compares
        def __iter__(self):
            return (r.__dict__["fields"] for r in caplog.records if r.levelname == "WARNING")

    return Values()


def test_a_clock_that_jumps_a_year_ahead_deletes_nothing_if_it_is_put_right(
    tmp_path: Path, warnings: list[dict]
) -> None:
    clocks = Clocks()
    tidy, store = keeper(tmp_path, clocks, keep_days=30)
    names = fill(store, 12)
    assert tidy.tidy() == []

    clocks.now_s += 365 * 86_400
    for _ in range(30):
        clocks.wait(60)
        assert tidy.tidy() == []
    (said,) = warnings
    assert (said["count"], said["clock_jumped"], said["runs"]) == (12, True, names)
    clocks.now_s -= 365 * 86_400
    for _ in range(200):
        clocks.wait(60)
        assert tidy.tidy() == []
    assert len(store.names()) == 12


def test_a_start_with_a_clock_a_year_ahead_announces_before_it_deletes(
    tmp_path: Path, warnings: list[dict]
) -> None:
    clocks = Clocks()
    _, store = keeper(tmp_path, clocks)
    names = fill(store, 12)
    clocks.now_s += 365 * 86_400
    tidy, _ = keeper(tmp_path, clocks, keep_days=30)

    assert tidy.tidy() == []
    (said,) = warnings
    assert said["runs"] == names
    clocks.wait(3_540)
    assert tidy.tidy() == []
    clocks.wait(60)
    assert tidy.tidy() == names
    assert [line["count"] for line in warnings] == [12, 12]


def test_a_run_made_by_a_clock_that_fell_back_is_not_the_first_to_go(tmp_path: Path) -> None:
    clocks = Clocks()
    tidy, store = keeper(tmp_path, clocks, max_bytes=100_000)
    names = fill(store, 3)
    assert tidy.tidy() == []

    clocks.now_s -= 400 * 86_400
    young = save(store, max(clocks.now_s, 86_400.0 - 400))
    assert tidy.tidy() == names[:1]
    assert young in store.names()


def test_the_share_of_a_sweep(tmp_path: Path) -> None:
    tidy, store = keeper(tmp_path, keep_days=2.5)
    names = fill(store, 10 + 3)
    assert tidy.tidy() == names[:10]
    tidy, store = keeper(tmp_path / "more", keep_days=2.5)
    fill(store, 11 + 3)
    assert tidy.tidy() == []


def test_jobs_count_and_are_refused_when_they_alone_are_too_much(tmp_path: Path) -> None:
    settings = load_settings(outputs=tmp_path, outputs_max_bytes=200_000)
    store = RunStore(tmp_path)
    jobs = Jobs(make_service(recognizer(), store, settings))
    options = RecognitionOptions()
    names = fill(store, 4)
    requests = [RecognitionRequest(b"x" * 70_000, "a", options)]
    jobs.accept("", requests, options, None)
    tidy = RetentionPolicy(store, jobs, max_bytes=200_000, keep_days=0)

    assert 1 <= len(tidy.tidy()) < len(names)
    with pytest.raises(StoreError) as refusal:
        jobs.accept("", requests * 3, options, None)
    assert refusal.value.code == "store_full"
    assert jobs.table.waiting() == 1


def damaged(root: Path, made_s: float) -> Path:
    """A jobs database that was put aside, with a recording of 32 kB."""
    stamp = datetime.fromtimestamp(made_s, UTC).strftime("%Y%m%dT%H%M%SZ")
    folder = root / f"{FOLDER}{DAMAGED}{stamp}-abcd"
    folder.mkdir(parents=True)
    (folder / "0").write_bytes(bytes(32_000))
    return folder


def test_what_was_put_aside_as_damaged_goes_by_age_as_jobs_do(tmp_path: Path) -> None:
    policy, _ = keeper(tmp_path, keep_days=5)
    old, young = damaged(tmp_path, 1_000_000 - 6 * 86_400), damaged(tmp_path, 1_000_000 - 86_400)
    policy.tidy()
    assert (old.exists(), young.exists()) == (False, True)


def test_what_was_put_aside_as_damaged_counts_and_goes_before_any_run(tmp_path: Path) -> None:
    policy, store = keeper(tmp_path, max_bytes=120_000)
    fill(store, 3)
    aside = damaged(tmp_path, 1_000_000)
    assert policy.tidy() == []
    assert (aside.exists(), len(store.names())) == (False, 3)


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
