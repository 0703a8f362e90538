"""Official files in the caches of the hubs' own libraries are found and used where they lie."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from emoscope.cli import main as cli
from emoscope.cli import models as cli_models
from emoscope.cli.models import models_app
from emoscope.emotion2vec import config
from emoscope.emotion2vec import convert as converter
from emoscope.hub import official
from emoscope.hub.caches import find_copy
from emoscope.hub.official import HubAccess
from emoscope.hub.progress import FoundCopy, HubFailed, PullEvent
from emoscope.hub.pull import pull
from emoscope.models import catalog
from emoscope.models.record import OFFICIAL, PullRecord
from hub_server import Hub, fake_convert

NAME = catalog.LARGE
BASE = "emotion2vec-plus-base"
MODELSCOPE_LAYOUTS = ("hub/models/iic/{}", "models/iic/{}", "hub/iic/{}", "iic/{}")


def hugging_face(root: Path, repo: str, files: dict[str, bytes], commit: str = "1234abcd") -> Path:
    """Write a repository as huggingface_hub does: blobs and a snapshot of links."""
    top = root / f"models--{repo.replace('/', '--')}"
    snapshot = top / "snapshots" / commit
    for folder in (top / "blobs", snapshot):
        folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        if name == "model.pt":
            blob = hashlib.sha256(data).hexdigest()
        (top / "blobs" / blob).write_bytes(data)
        (snapshot / name).symlink_to(Path("../../blobs") / blob)
    return snapshot


def modelscope(folder: Path, files: dict[str, bytes]) -> Path:
    """Write a repository as modelscope does: plain files."""
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def hf_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    return tmp_path / "hf"


@pytest.fixture
def ms_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "ms"))
    return tmp_path / "ms"


def unread(*_: object, **__: object) -> None:
    raise AssertionError("read in full")


@pytest.mark.usefixtures("pinned")
def test_a_snapshot_of_hugging_face_is_converted_where_it_lies(
    hub: Hub, files: dict[str, bytes], hf_cache: Path, cache: Path
) -> None:
    snapshot = hugging_face(hf_cache, "a/b", files)
    events: list[PullEvent] = []

    local = pull(NAME, convert=fake_convert, cache=cache, listener=events.append)

    assert not hub.asked
    assert events[0] == FoundCopy("Hugging Face", NAME, snapshot)
    assert local.card.revision == "1234abcd"
    assert not (local.folder / OFFICIAL / "model.pt").exists()
    assert (snapshot / "model.pt").read_bytes() == files["model.pt"]
    record = PullRecord.read(local.folder)
    assert record is not None
    assert (record.hub, record.repo, record.endpoint) == ("hf", "a/b", "")
    assert {one.checked_against for one in record.files} == {"catalog"}
    assert not next(one.kept for one in record.files if one.file.path == "model.pt")


@pytest.mark.usefixtures("pinned")
@pytest.mark.parametrize("layout", MODELSCOPE_LAYOUTS)
def test_a_folder_of_modelscope_is_converted_where_it_lies(
    layout: str, hub: Hub, files: dict[str, bytes], ms_cache: Path, cache: Path
) -> None:
    folder = modelscope(ms_cache / layout.replace("iic/{}", "c/d"), files)

    local = pull(NAME, convert=fake_convert, cache=cache, offline=True)

    assert not hub.asked
    assert local.card.revision == "1234abcd"
    assert (folder / "model.pt").is_file()
    record = PullRecord.read(local.folder)
    assert record is not None
    assert (record.hub, record.repo) == ("ms", "c/d")


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({}, ".cache/huggingface/hub"),
        ({"XDG_CACHE_HOME": "{}/xdg"}, "xdg/huggingface/hub"),
        ({"HF_HOME": "{}/hf"}, "hf/hub"),
        ({"HF_HOME": "{}/hf", "HF_HUB_CACHE": "{}/hub"}, "hub"),
        ({"HUGGINGFACE_HUB_CACHE": "~/older"}, "older"),
    ],
)
def test_where_hugging_face_keeps_models(
    variables: dict[str, str],
    place: str,
    files: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    environment = {name: value.format(tmp_path) for name, value in variables.items()}
    snapshot = hugging_face(tmp_path / place, "emotion2vec/emotion2vec_plus_base", files)

    copy = find_copy(catalog.catalog_entry(BASE), environment=environment)

    assert copy is not None
    assert (copy.hub, copy.folder, copy.commit) == ("hf", snapshot, "1234abcd")


def test_where_modelscope_keeps_models(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for layout in MODELSCOPE_LAYOUTS[:1] + MODELSCOPE_LAYOUTS[2:3]:
        folder = tmp_path / ".cache/modelscope" / layout.format("emotion2vec_plus_seed")
        modelscope(folder, files)

        copy = find_copy(catalog.catalog_entry("emotion2vec-plus-seed"), environment={})

        assert copy is not None
        assert (copy.hub, copy.folder) == ("ms", folder)
        for file in folder.iterdir():
            file.unlink()


def test_an_unpinned_model_is_checked_against_the_names_of_its_blobs(
    hub: Hub, files: dict[str, bytes], hf_cache: Path, cache: Path, network: HubAccess
) -> None:
    commit = "0123456789" * 4
    snapshot = hugging_face(hf_cache, "emotion2vec/emotion2vec_plus_base", files, commit)

    local = pull(BASE, convert=fake_convert, cache=cache)

    record = PullRecord.read(local.folder)
    assert record is not None
    assert local.card.revision == commit
    assert {one.checked_against for one in record.files} == {"hub"}

    (snapshot / "model.pt").resolve().write_bytes(bytes(300_000))
    events: list[PullEvent] = []
    again = pull(
        BASE,
        convert=fake_convert,
        cache=cache.with_name("other"),
        network=network,
        listener=events.append,
    )

    assert any(isinstance(event, HubFailed) for event in events)  # damaged, so it is fetched
    assert hub.times("model.pt") == 1
    assert (again.folder / OFFICIAL / "model.pt").is_file()


@pytest.mark.usefixtures("pinned")
def test_other_weights_and_half_a_copy_are_no_copy(
    files: dict[str, bytes], hf_cache: Path, ms_cache: Path
) -> None:
    line = catalog.catalog_entry(NAME)
    hugging_face(hf_cache, "a/b", {**files, "model.pt": bytes(300_000)}, "other")
    assert find_copy(line) is None

    snapshot = hugging_face(hf_cache, "a/b", files)
    assert find_copy(line)
    (snapshot / "model.pt").resolve().unlink()  # a link that leads to nothing
    assert find_copy(line) is None

    modelscope(ms_cache / "models/c/d", {**files, "model.pt": b"a part"})
    assert find_copy(line) is None


@pytest.mark.usefixtures("pinned")
def test_a_copy_that_cannot_be_read_is_told_and_passed_over(
    hub: Hub,
    files: dict[str, bytes],
    hf_cache: Path,
    cache: Path,
    network: HubAccess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    hugging_face(hf_cache, "a/b", files)
    monkeypatch.setattr(official, "file_sha256", refuse)
    events: list[PullEvent] = []

    pull(NAME, convert=fake_convert, cache=cache, network=network, listener=events.append)

    (failed,) = (event for event in events if isinstance(event, HubFailed))
    assert failed.error.code == "model_contract"
    assert hub.times("model.pt") == 1


@pytest.mark.usefixtures("pinned")
def test_a_chosen_hub_is_the_only_cache_that_counts(
    hub: Hub, files: dict[str, bytes], hf_cache: Path, cache: Path, network: HubAccess
) -> None:
    hugging_face(hf_cache, "a/b", files)

    pull(NAME, convert=fake_convert, hub="ms", cache=cache, network=network)

    assert hub.times("model.pt") == 1


@pytest.fixture
def said(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[str, str]]:
    """Runs ``emoscope models``; returns what it printed."""
    monkeypatch.setenv("EMOSCOPE_CACHE", str(cache))
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setattr(converter, "convert", fake_convert)
    monkeypatch.setattr(config, "read_config", lambda _path: None)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[str, str]:
        with pytest.raises(SystemExit):
            models_app(args=list(arguments))
        captured = capsys.readouterr()
        return captured.out, captured.err

    return run


@pytest.mark.usefixtures("pinned", "hub")
def test_the_list_shows_it_and_says_what_to_type(
    files: dict[str, bytes],
    hf_cache: Path,
    said: Callable[..., tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    snapshot = hugging_face(hf_cache, "a/b", files)
    with monkeypatch.context() as patched:
        patched.setattr(catalog, "file_sha256", unread)
        out, _ = said("list", "--lang", "en")
        zh, _ = said("list", "--lang", "zh")
        (line, *others) = json.loads(said("list", "--json")[0])

    assert "official files here" in out
    assert f"{snapshot}. No download needed: emoscope models pull {NAME}" in out
    assert "无需下载" in zh
    assert (line["state"], line["official_folder"]) == ("absent", str(snapshot))
    assert {other["official_folder"] for other in others} == {""}

    _, err = said("pull", NAME, "--lang", "en", "--no-int8")
    assert f"nothing is downloaded: {snapshot}" in err.replace("\n", "")
    assert json.loads(said("list", "--json")[0])[0]["official_folder"] == ""
    assert cli_models._official_files(catalog.find(NAME)) == snapshot  # for `models quantize`


@pytest.mark.usefixtures("pinned")
def test_auto_stays_with_the_small_model_and_names_the_one_command(
    files: dict[str, bytes],
    hf_cache: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    snapshot = hugging_face(hf_cache, "a/b", files)
    monkeypatch.setenv("EMOSCOPE_CACHE", str(cache))
    monkeypatch.setenv("EMOSCOPE_LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "400")

    with pytest.raises(SystemExit):
        cli.main(["demo"])

    err = capsys.readouterr().err
    assert f"already on this machine ({snapshot})" in err
    assert f"without a download: emoscope models pull {NAME}" in err
    assert not cache.exists()
