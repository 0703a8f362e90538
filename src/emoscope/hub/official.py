"""Official files of a model, from a hub, a local folder or an earlier pull.

Each of the three gives a folder with ``official/`` and a ``pull.json`` that says what every file
was checked against. Every hub and revision has a folder of its own, so files never mix.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from emoscope.errors import (
    HubAnswerError,
    HubNotFoundError,
    ModelDiskFullError,
    ModelError,
    ModelInvalidError,
    ModelMissingError,
    ModelPullError,
)
from emoscope.hub.caches import CachedCopy
from emoscope.hub.download import Downloader, FileRequest, RetryPolicy
from emoscope.hub.progress import HubFailed, PullListener
from emoscope.models.catalog import (
    CatalogEntry,
    ModelFile,
    file_sha256,
    translated_model_errors,
)
from emoscope.models.record import OFFICIAL, Checked, Fetched, PullRecord
from emoscope.models.sources import (
    HUBS,
    NEEDED_FILES,
    OFFICIAL_FILES,
    WEIGHTS,
    HubSource,
    RemoteFile,
    endpoint,
)
from emoscope.paths.choices import HubChoice

Inspector: TypeAlias = Callable[[Path], None]
"""Looks at the small files before the large one is fetched; raises a ``ModelError``."""

RETRY_POLICY = RetryPolicy()
PROBE = RetryPolicy(attempts=2, timeout_s=10.0)
"""For the first small file of a hub that another can stand in for."""

_LISTING = ".listing.json"


@dataclass(frozen=True, slots=True)
class HubAccess:
    """Timeouts, retries and disk space for fetching from hubs; tests shorten the waits."""

    patience: RetryPolicy = RETRY_POLICY
    probe: RetryPolicy = PROBE
    sleep: Callable[[float], None] = time.sleep
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free

    def downloader(self, patience: RetryPolicy, listener: PullListener) -> Downloader:
        """Return what fetches files with this patience."""
        return Downloader(patience, listener=listener, sleep=self.sleep, free_bytes=self.free_bytes)


def from_hubs(
    line: CatalogEntry,
    hub: HubChoice,
    work: Path,
    network: HubAccess,
    inspect: Inspector,
    listener: PullListener,
) -> Path:
    """Fetch the official files from the first hub that delivers.

    Args:
        line: the model's entry in the catalog.
        hub: ``hf`` or ``ms``; ``auto`` tries both in the catalog's order.
        work: folder for unfinished pulls of this model.
        network: timeouts, retries and free disk space.
        inspect: checks the small files before the weights are fetched.
        listener: called with progress and failed attempts.

    Returns:
        The folder made in ``work``, with the files in ``official/`` and ``pull.json``.

    Raises:
        HubError: the chosen hub did not deliver.
        ModelPullError: ``auto``, and no hub delivered.
        ModelDiskFullError: there is no room.
        ModelError: the files are no such model.
        OSError: ``work`` cannot be written.
    """
    sources = [one for one in line.sources if hub in ("auto", one.hub)]
    said_zh, said_en = [], []
    for number, source in enumerate(sources, start=1):
        probe = network.probe if number < len(sources) else network.patience
        try:
            return _fetch_from(line, source, work, network, probe, inspect, listener)
        except ModelError as error:
            if hub != "auto" or isinstance(error, ModelDiskFullError):
                raise
            title = HUBS[source.hub].title
            listener(HubFailed(title, error))
            said_zh.append(f"{title}：{error.detail_zh}")
            said_en.append(f"{title}: {error.detail_en}")
    raise ModelPullError(model=line.name, said_zh=" ".join(said_zh), said_en=" ".join(said_en))


def _fetch_from(
    line: CatalogEntry,
    source: HubSource,
    work: Path,
    network: HubAccess,
    probe: RetryPolicy,
    inspect: Inspector,
    listener: PullListener,
) -> Path:
    made = work / f"{source.hub}-{source.revision}"
    (made / OFFICIAL).mkdir(parents=True, exist_ok=True)
    record = PullRecord.read(made) or PullRecord(
        line.name, source.hub, endpoint(source.hub), source.repo, source.revision
    )
    missing = [file for file in source.files if not _is_here(record.of(file.path), made)]
    downloader = network.downloader(probe, listener)
    downloader.require_space(made, _still_needed(line, missing, made))
    listing = _listing(source, missing, made, downloader)
    for file in missing:
        if file.path == WEIGHTS:
            inspect(made / OFFICIAL)
        wanted = _wanted(_settled(source, record), file, listing)
        fetched = downloader.fetch(
            wanted, made / OFFICIAL, reserve_bytes=line.converted_bytes * (file.path == WEIGHTS)
        )
        record = record.with_file(fetched)
        record.write(made)
        downloader = network.downloader(network.patience, listener)
    return made


def _settled(source: HubSource, record: PullRecord) -> HubSource:
    """The source at the commit that the first file came from, if its revision can move."""
    commit = next((one.commit for one in record.files if one.commit), "")
    return source if source.is_pinned or not commit else replace(source, revision=commit)


def _wanted(
    source: HubSource, file: RemoteFile, listing: dict[str, tuple[int, str]]
) -> FileRequest:
    size, sha256 = file.bytes, file.sha256
    known_by: Checked = "catalog"
    if not sha256 and file.path in listing:
        (size, sha256), known_by = listing[file.path], "hub"
    title, revision = HUBS[source.hub].title, source.revision_of(file)
    return FileRequest(title, source.url(file), revision, file.path, size, sha256, known_by)


def _listing(
    source: HubSource, missing: list[RemoteFile], made: Path, downloader: Downloader
) -> dict[str, tuple[int, str]]:
    """Size and sha256 of files on ModelScope, by path; Hugging Face sends them in headers.

    A hub or mirror without a listing is no reason to fail: then nothing is claimed.
    """
    if source.hub != "ms" or all(file.sha256 for file in missing):
        return {}
    wanted = FileRequest(HUBS["ms"].title, source.listing_url(), source.revision, _LISTING)
    try:
        downloader.fetch(wanted, made)
        data = json.loads((made / _LISTING).read_text("utf-8"))
        return {
            str(file["Path"]): (int(file["Size"]), str(file["Sha256"]).lower())
            for file in data["Data"]["Files"]
            if file.get("Sha256")
        }
    except (HubNotFoundError, HubAnswerError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    finally:
        (made / _LISTING).unlink(missing_ok=True)


def _still_needed(line: CatalogEntry, missing: list[RemoteFile], made: Path) -> int:
    """Bytes that the files still to come and the conversion take, as far as it is known."""
    files = sum(file.bytes for file in missing)
    parts = sum(path.stat().st_size for path in (made / OFFICIAL).glob("*.part"))
    return max(0, files - parts) + line.converted_bytes


def left_over(line: CatalogEntry, work: Path) -> Path:
    """Return a folder in which an earlier pull has all official files.

    Raises:
        ModelMissingError: there is none.
    """
    for source in line.sources:
        made = work / f"{source.hub}-{source.revision}"
        record = PullRecord.read(made)
        if record and all(_is_here(record.of(path), made) for path in OFFICIAL_FILES):
            return made
    raise ModelMissingError("model_not_installed", model=line.name, command=line.pull_command)


def _is_here(fetched: Fetched | None, made: Path) -> bool:
    """Whether a file is complete and still the one that was fetched."""
    if fetched is None:
        return False
    try:
        fetched.file.verify(made / OFFICIAL)
    except (ModelMissingError, ModelInvalidError):
        return False
    return True


def from_folder(
    line: CatalogEntry, folder: Path, work: Path, copy: CachedCopy | None = None
) -> Path:
    """Check official files in a folder of the user; the small ones are copied, the weights not.

    Args:
        line: the model's entry in the catalog.
        folder: holds the official files; only read.
        work: folder for unfinished pulls of this model.
        copy: what is known of the folder, if it is in the cache of a hub's own library.

    Returns:
        The folder made in ``work``, with the small files in ``official/`` and ``pull.json``.

    Raises:
        ModelMissingError: a needed file is not there.
        ModelInvalidError: the weights are not those of the catalog, or a file of a hub's cache is
            not what the hub said of it.
        ModelInvalidError: a file cannot be read.
        OSError: ``work`` cannot be written.
    """
    made = work / "folder"
    (made / OFFICIAL).mkdir(parents=True, exist_ok=True)
    pins = [file for source in line.sources for file in source.files]
    record = PullRecord(line.name, "folder", "", "", "")
    if copy:
        record = PullRecord(line.name, copy.hub, "", copy.repo, copy.commit)
    for path in OFFICIAL_FILES:
        if (folder / path).is_file():
            found = _checked_against(pins, folder, path, copy)
            if found.kept:
                shutil.copyfile(folder / path, made / OFFICIAL / path)
            record = record.with_file(found)
        elif path in NEEDED_FILES:
            raise ModelMissingError("model_file_missing", file=path)
    replace(record, revision=_revision_with(line, record)).write(made)
    return made


def _checked_against(
    pins: Sequence[RemoteFile], folder: Path, path: str, copy: CachedCopy | None
) -> Fetched:
    """Hash one official file of a folder and compare it with the pins and the word of a hub.

    Raises:
        ModelInvalidError: the weights are not those of the catalog, or the hub said otherwise.
        ModelInvalidError: the file cannot be read.
    """
    with translated_model_errors(path):
        here = ModelFile(path, (folder / path).stat().st_size, file_sha256(folder / path))
        vouched = copy.is_vouched(path, here.sha256) if copy else None
    known = {pin.sha256 for pin in pins if pin.path == path and pin.sha256}
    if vouched is False or (path == WEIGHTS and known and here.sha256 not in known):
        raise ModelInvalidError("model_changed", file=path)
    checked: Checked = "hub" if vouched else "nothing"
    if here.sha256 in known:
        checked = "catalog"
    return Fetched(here, checked, kept=path != WEIGHTS)


def _revision_with(line: CatalogEntry, record: PullRecord) -> str:
    """The pinned revision whose weights these are; else a name that says what they are."""
    weights = record.of(WEIGHTS)
    sha256 = weights.file.sha256 if weights else ""
    for source in line.sources:
        if any(file.sha256 == sha256 for file in source.files):
            return source.revision
    return record.revision or f"sha256-{sha256[:12]}"
