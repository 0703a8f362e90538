"""Whole pulls: two hubs, one cache, several processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from emoscope.errors import (
    HubNotFoundError,
    ModelBusyError,
    ModelDiskFullError,
    ModelMissingError,
    ModelPullError,
    ModelUnknownError,
    SettingError,
)
from emoscope.hub import locks
from emoscope.hub.official import HubAccess
from emoscope.hub.progress import Converting, HubFailed, PullEvent, Waiting
from emoscope.hub.pull import pull, remove, unfinished_bytes
from emoscope.messages.hints import sentence
from emoscope.models import catalog
from emoscope.models.record import OFFICIAL, PullRecord
from hub_server import COMMIT, Hub, cut, fake_convert, other, status
from raising import raises_code

NAME = catalog.LARGE
BASE = "emotion2vec-plus-base"
TESTS = Path(__file__).parent.parent


def record_of(folder: Path) -> PullRecord:
    record = PullRecord.read(folder)
    assert record is not None
    return record


@pytest.mark.usefixtures("pinned")
def test_a_model_is_fetched_converted_and_found(hub: Hub, cache: Path, network: HubAccess) -> None:
    local = pull(NAME, convert=fake_convert, cache=cache, network=network)

    assert local == catalog.find(NAME, cache=cache)
    assert local.card.revision == "1234abcd"
    local.verify()
    record = record_of(local.folder)
    assert (record.hub, record.repo) == ("hf", "a/b")
    assert {one.file.path for one in record.files} == set(hub.files)
    assert {one.checked_against for one in record.files} == {"catalog"}
    assert {path.name for path in (local.folder / OFFICIAL).iterdir()} == set(hub.files)
    assert not unfinished_bytes(NAME, cache)


@pytest.mark.usefixtures("pinned")
def test_what_is_here_is_not_fetched_again(hub: Hub, cache: Path, network: HubAccess) -> None:
    pull(NAME, convert=fake_convert, cache=cache, network=network)
    hub.asked.clear()

    pull(NAME, convert=fake_convert, cache=cache, network=network)

    assert not hub.asked


@pytest.mark.usefixtures("pinned")
def test_auto_goes_to_the_other_hub(hub: Hub, cache: Path, network: HubAccess) -> None:
    hub.faults["config.yaml"] = [status(503)] * 2  # the probe's patience
    events: list[PullEvent] = []

    local = pull(NAME, convert=fake_convert, cache=cache, network=network, listener=events.append)

    assert record_of(local.folder).hub == "ms"
    assert [event.hub for event in events if isinstance(event, HubFailed)] == ["Hugging Face"]
    assert isinstance(events[-1], Converting)


@pytest.mark.usefixtures("pinned")
def test_auto_says_what_each_hub_said(hub: Hub, cache: Path, network: HubAccess) -> None:
    hub.faults["config.yaml"] = [status(403), status(404)]

    with pytest.raises(ModelPullError) as caught:
        pull(NAME, convert=fake_convert, cache=cache, network=network)

    for said in (caught.value.detail_zh, caught.value.detail_en):
        assert "Hugging Face" in said
        assert "403" in said
        assert "ModelScope" in said


@pytest.mark.usefixtures("pinned")
def test_a_chosen_hub_is_the_only_one_asked(hub: Hub, cache: Path, network: HubAccess) -> None:
    hub.faults["config.yaml"] = [status(404)]

    with pytest.raises(HubNotFoundError, match="ModelScope"):
        pull(NAME, convert=fake_convert, hub="ms", cache=cache, network=network)

    assert pull(NAME, convert=fake_convert, hub="ms", cache=cache, network=network)


@pytest.mark.usefixtures("pinned")
def test_wrong_bytes_on_one_hub_are_right_on_the_other(
    hub: Hub, cache: Path, network: HubAccess
) -> None:
    hub.faults["model.pt"] = [other(bytes(300_000))]

    local = pull(NAME, convert=fake_convert, cache=cache, network=network)

    assert record_of(local.folder).hub == "ms"


@pytest.mark.usefixtures("pinned")
def test_a_broken_pull_is_resumed_by_the_next(hub: Hub, cache: Path, network: HubAccess) -> None:
    hub.faults["model.pt"] = [cut(200_000), *[status(500)] * 9]
    with pytest.raises(OSError, match="HTTP 500"):
        pull(NAME, convert=fake_convert, hub="hf", cache=cache, network=network)
    assert unfinished_bytes(NAME, cache) > 200_000
    hub.faults.clear()
    hub.asked.clear()

    pull(NAME, convert=fake_convert, hub="hf", cache=cache, network=network)

    assert hub.asked == [("model.pt", "bytes=200000-", "")]


@pytest.mark.usefixtures("pinned")
def test_a_failed_conversion_keeps_what_was_fetched(
    hub: Hub, cache: Path, network: HubAccess
) -> None:
    def fail(folder: Path, target: Path, *, name: str, revision: str) -> catalog.LocalModel:
        (target / "half.onnx").write_bytes(b"half")
        raise ModelMissingError("model_file_missing", file="x")

    with raises_code("model_file_missing"):
        pull(NAME, convert=fail, cache=cache, network=network)
    assert not catalog.is_installed(NAME, cache)
    hub.asked.clear()

    pull(NAME, convert=fake_convert, cache=cache, offline=True)

    assert not hub.asked
    assert catalog.is_installed(NAME, cache)


@pytest.mark.usefixtures("pinned")
def test_offline_asks_nobody(hub: Hub, cache: Path) -> None:
    with raises_code("model_not_installed", match=f"emoscope models pull {NAME}"):
        pull(NAME, convert=fake_convert, cache=cache, offline=True)

    assert not hub.asked


@pytest.mark.usefixtures("pinned")
def test_a_file_that_was_damaged_on_the_disk_is_fetched_again(
    hub: Hub, cache: Path, network: HubAccess
) -> None:
    def fail(folder: Path, target: Path, *, name: str, revision: str) -> catalog.LocalModel:
        raise ModelMissingError("model_file_missing", file="x")

    with raises_code("model_file_missing"):
        pull(NAME, convert=fail, cache=cache, network=network)
    (weights,) = cache.glob(".pull/*/*/official/model.pt")
    weights.write_bytes(bytes(300_000))
    hub.asked.clear()

    pull(NAME, convert=fake_convert, cache=cache, network=network)

    assert hub.asked == [("model.pt", "", "")]


@pytest.mark.usefixtures("pinned", "hub")
def test_the_official_weights_stay_unless_told_otherwise(cache: Path, network: HubAccess) -> None:
    local = pull(NAME, convert=fake_convert, cache=cache, network=network)
    assert (local.folder / OFFICIAL / "model.pt").is_file()

    pull(NAME, convert=fake_convert, cache=cache, keep_original=False, network=network)

    assert not (local.folder / OFFICIAL / "model.pt").exists()
    assert (local.folder / OFFICIAL / "tokens.txt").is_file()
    weights = record_of(local.folder).of("model.pt")
    assert weights is not None
    assert not weights.kept


@pytest.mark.usefixtures("hub")
def test_an_unpinned_model_is_recorded_at_its_commit(cache: Path, network: HubAccess) -> None:
    local = pull(BASE, convert=fake_convert, hub="hf", cache=cache, network=network)

    assert local.card.revision == COMMIT
    assert {one.checked_against for one in record_of(local.folder).files} == {"hub"}


def test_a_revision_that_moves_is_held_at_the_first_files_commit(
    hub: Hub, cache: Path, network: HubAccess
) -> None:
    pull(BASE, convert=fake_convert, hub="hf", cache=cache, network=network)

    assert hub.revisions == ["main", COMMIT, COMMIT, COMMIT]


def test_modelscopes_list_of_files_is_its_word(hub: Hub, cache: Path, network: HubAccess) -> None:
    local = pull(BASE, convert=fake_convert, hub="ms", cache=cache, network=network)

    assert {one.checked_against for one in record_of(local.folder).files} == {"hub"}

    remove(BASE, cache=cache)
    hub.listed = False
    local = pull(BASE, convert=fake_convert, hub="ms", cache=cache, network=network)

    assert {one.checked_against for one in record_of(local.folder).files} == {"nothing"}


@pytest.mark.usefixtures("pinned")
def test_a_full_disk_is_seen_before_anything_is_asked(
    hub: Hub, cache: Path, network: HubAccess
) -> None:
    network = replace(network, free_bytes=lambda _: 1000)

    with pytest.raises(ModelDiskFullError):
        pull(NAME, convert=fake_convert, cache=cache, network=network)

    assert not hub.asked


@pytest.mark.usefixtures("pinned")
def test_a_folder_of_official_files_needs_no_hub(
    hub: Hub, files: dict[str, bytes], cache: Path, tmp_path: Path
) -> None:
    given = tmp_path / "downloaded"
    given.mkdir()
    for name, data in files.items():
        (given / name).write_bytes(data)

    local = pull(NAME, convert=fake_convert, folder=given, cache=cache)

    assert not hub.asked
    assert local.card.revision == "1234abcd"
    assert (given / "model.pt").is_file()
    assert not (local.folder / OFFICIAL / "model.pt").exists()


@pytest.mark.usefixtures("pinned")
def test_a_folder_with_other_weights_is_not_the_named_model(
    files: dict[str, bytes], cache: Path, tmp_path: Path
) -> None:
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "model.pt").write_bytes(b"fine-tuned")

    with raises_code("model_changed"):
        pull(NAME, convert=fake_convert, folder=tmp_path, cache=cache)

    (tmp_path / "model.pt").unlink()
    with raises_code("model_file_missing", match=r"model\.pt"):
        pull(NAME, convert=fake_convert, folder=tmp_path, cache=cache)


@pytest.mark.usefixtures("pinned", "hub")
def test_somebodys_folder_in_the_cache_is_moved_aside(cache: Path, network: HubAccess) -> None:
    (cache / NAME).mkdir(parents=True)
    (cache / NAME / "mine.txt").write_text("precious", "utf-8")

    pull(NAME, convert=fake_convert, cache=cache, network=network)

    assert (cache / f"{NAME}.old-1" / "mine.txt").read_text("utf-8") == "precious"


@pytest.mark.usefixtures("pinned", "hub")
def test_remove_frees_everything(cache: Path, network: HubAccess) -> None:
    pull(NAME, convert=fake_convert, cache=cache, network=network)

    freed = remove(NAME, cache=cache)

    assert freed > 600_000
    assert not (cache / NAME).exists()
    with raises_code("model_not_installed"):
        remove(NAME, cache=cache)


def test_remove_refuses_what_is_not_its_own(cache: Path) -> None:
    with raises_code("model_built_in"):
        remove(catalog.COMPACT, cache=cache)
    with pytest.raises(ModelUnknownError):
        remove("../elsewhere", cache=cache)


@pytest.mark.usefixtures("hub")
def test_a_strange_hub_or_mirror_is_a_setting_error(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingError, match="hub"):
        pull(NAME, convert=fake_convert, hub="ftp", cache=cache)  # type: ignore[arg-type]

    monkeypatch.setenv("HF_ENDPOINT", "file:///tmp")
    with pytest.raises(SettingError, match="HF_ENDPOINT"):
        pull(NAME, convert=fake_convert, hub="hf", cache=cache)


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with raises_code("model_cache_failed") as caught:
        pull(NAME, convert=fake_convert, cache=tmp_path / "file" / "cache")

    assert "EMOSCOPE_CACHE" in sentence(caught.value, "en", "cli")


def test_the_others_are_told_who_holds_a_model(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    events: list[PullEvent] = []
    done = threading.Event()

    with locks.held(path, "x"):
        with (
            pytest.raises(ModelBusyError, match=f"pid {os.getpid()}"),
            locks.held(path, "x", wait_s=0.0),
        ):
            pass

        def wait() -> None:
            with locks.held(path, "x", listener=events.append, sleep=lambda _: done.wait(0.01)):
                done.set()

        waiter = threading.Thread(target=wait)
        waiter.start()
        while not events:
            done.wait(0.01)
    waiter.join()

    (event,) = events
    assert isinstance(event, Waiting)
    assert f"pid {os.getpid()}" in event.holder


@pytest.mark.usefixtures("pinned", "hub")
def test_a_model_in_work_is_not_removed(cache: Path, network: HubAccess) -> None:
    pull(NAME, convert=fake_convert, cache=cache, network=network)

    with locks.held(cache / ".locks" / f"{NAME}.lock", NAME), pytest.raises(ModelBusyError):
        remove(NAME, cache=cache)

    assert catalog.is_installed(NAME, cache)


@pytest.mark.process
def test_eight_processes_download_once(hub: Hub, cache: Path) -> None:
    code = (
        "import sys, json, hub_server\n"
        "from pathlib import Path\n"
        "from emoscope.hub.pull import pull\n"
        f"local = pull({BASE!r}, convert=hub_server.fake_convert, cache=Path(sys.argv[1]))\n"
        "local.verify()\n"
        "print(local.folder)\n"
    )
    hub.faults["model.pt"] = [cut(150_000)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}

    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(cache)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    said = [process.communicate(timeout=60) for process in processes]

    assert [process.returncode for process in processes] == [0] * 8, said
    assert {out.strip() for out, _ in said} == {str(cache / BASE)}
    assert hub.times("config.yaml") == 1
    assert hub.times("model.pt") == 2  # cut once


def test_the_record_says_what_was_done(hub: Hub, cache: Path, network: HubAccess) -> None:
    local = pull(BASE, convert=fake_convert, hub="hf", cache=cache, network=network)

    data = json.loads((local.folder / "pull.json").read_text("utf-8"))

    assert data["endpoint"] == hub.url
    assert data["files"][0]["file"]["path"] == "config.yaml"
    assert data["files"][0]["commit"] == COMMIT
