"""Pull of a model: fetch, verify, convert and store in the cache.

A model is made under ``.pull/<name>/<hub>-<revision>/`` and becomes ``<name>/`` by one rename when
its card is written, so a folder with a card is complete. What a broken pull leaves there is where
the next one goes on. One process at a time works on a model; the others wait and use its work.

The official ``model.pt`` stays in ``<name>/official/`` unless the caller says otherwise: it is
three quarters of what the large model takes on the disk (1.95 of 2.6 GB) and nothing runs on it,
but on a slow line it took an hour, and a later version may convert it better.
``keep_original=False`` removes it, then or at any later time.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import get_args

from emoscope.errors import (
    EmoscopeError,
    ModelCacheError,
    ModelError,
    ModelInvalidError,
    ModelMissingError,
    SettingError,
)
from emoscope.hub import locks, official
from emoscope.hub.caches import find_copy
from emoscope.hub.official import HubAccess, Inspector
from emoscope.hub.official_folder import Converter
from emoscope.hub.progress import Converting, FoundCopy, HubFailed, PullListener, ignore_pull
from emoscope.models import catalog
from emoscope.models.catalog import CatalogEntry, LocalModel
from emoscope.models.record import OFFICIAL, PullRecord
from emoscope.models.sources import HUBS, WEIGHTS
from emoscope.paths.choices import HubChoice

_WORK = ".pull"


def pull(
    name: str,
    *,
    convert: Converter,
    hub: HubChoice = "auto",
    cache: Path | None = None,
    folder: Path | None = None,
    offline: bool = False,
    keep_original: bool = True,
    inspect: Inspector = lambda _folder: None,
    network: HubAccess | None = None,
    listener: PullListener = ignore_pull,
) -> LocalModel:
    """Fetch and convert a model of the catalog; nothing happens if it is installed.

    Official files in the user's own cache of Hugging Face or ModelScope are converted from there.

    Args:
        name: a name of the catalog.
        convert: converts the official files to a model folder.
        hub: ``hf`` or ``ms``; ``auto`` tries both in the catalog's order.
        cache: folder of fetched models; the platform's cache folder by default.
        folder: take the official files from this folder instead of a hub; it is only read.
        offline: use the files of an earlier pull and open no connection.
        keep_original: leave the official weights beside the converted ones.
        inspect: checks the small official files before the weights are fetched; nothing by default.
        network: timeouts, retries and free disk space; the defaults of ``HubAccess``.
        listener: called with progress, failed attempts and waiting; does nothing by default.

    Raises:
        SettingError: ``hub`` is none of the three words.
        ModelUnknownError: the catalog has no such name.
        ModelMissingError: ``offline``, and the official files are not all here.
        HubError: the chosen hub did not deliver.
        ModelPullError: ``auto``, and no hub delivered.
        ModelDiskFullError: there is no room.
        ModelCacheError: the cache folder cannot be written.
        ModelCacheError: the user has no cache folder.
        ModelError: the files are no such model.
    """
    if hub not in get_args(HubChoice):
        raise SettingError("setting_invalid", setting="hub", reason=" | ".join(get_args(HubChoice)))
    line = catalog.catalog_entry(name)
    if line.is_built_in:
        return catalog.find(name)
    cache = cache or catalog.default_cache()
    if keep_original and catalog.is_installed(name, cache):
        return catalog.find(name, cache=cache)
    with _translated(), locks.held(_lock(cache, name), name, listener=listener):
        if not catalog.is_installed(name, cache):
            work = cache / _WORK / name
            made, files = _official_files(
                line, work, folder, hub, None if offline else network or HubAccess(), inspect,
                listener,
            )  # fmt: skip
            listener(Converting(name))
            _convert(line, made, convert, files)
            _place(made, cache / name, work)
        if not keep_original:
            _drop_weights(cache / name)
    return catalog.find(name, cache=cache)


def _official_files(
    line: CatalogEntry,
    work: Path,
    folder: Path | None,
    hub: HubChoice,
    network: HubAccess | None,
    inspect: Inspector,
    listener: PullListener,
) -> tuple[Path, Path]:
    """Find or fetch the official files.

    Args:
        line: the model.
        work: folder of the pull.
        folder: where the files are, if the caller knows.
        hub: which hubs, and which of their caches, may be used.
        network: timeouts and waits; None for no network.
        inspect: looks at the small files.
        listener: called with what happens.

    Returns:
        The folder with the record of the pull, and the folder with the files.
    """
    if folder is not None:
        return official.from_folder(line, folder, work), folder
    if copy := find_copy(line, hub):
        title = HUBS[copy.hub].title
        try:
            made = official.from_folder(line, copy.folder, work, copy)
        except ModelError as error:
            listener(HubFailed(f"{title}, {copy.folder}", error))
        else:
            listener(FoundCopy(title, line.name, copy.folder))
            return made, copy.folder
    if network is None:
        made = official.left_over(line, work)
    else:
        made = official.from_hubs(line, hub, work, network, inspect, listener)
    return made, made / OFFICIAL


def remove(name: str, *, cache: Path | None = None) -> int:
    """Remove a fetched model and whatever a broken pull of it left; returns the bytes freed.

    Raises:
        ModelUnknownError: the table has no such name.
        ModelInvalidError: it is part of the package.
        ModelMissingError: there is nothing of it here.
        ModelBusyError: another process is working on it.
        ModelCacheError: the cache folder cannot be written.
    """
    line = catalog.catalog_entry(name)
    if line.is_built_in:
        raise ModelInvalidError("model_built_in", model=name)
    cache = cache or catalog.find_cache()
    folders = () if cache is None else (cache / name, cache / _WORK / name)
    if cache is None or not any(folder.exists() for folder in folders):
        raise ModelMissingError("model_not_installed", model=name, command=line.pull_command)
    with _translated(), locks.held(_lock(cache, name), name, wait_s=0.0):
        freed = sum(disk_bytes(folder) for folder in folders)
        # The card first: half a model must not look like a whole one.
        (cache / name / "card.json").unlink(missing_ok=True)
        for folder in folders:
            if folder.exists():
                shutil.rmtree(folder)
    return freed


def disk_bytes(folder: Path) -> int:
    """Bytes of all files in a folder; 0 if it is not there."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def unfinished_bytes(name: str, cache: Path) -> int:
    """Bytes that a broken pull of this model has left, on which the next one goes on."""
    return disk_bytes(cache / _WORK / name)


def _convert(line: CatalogEntry, made: Path, convert: Converter, files: Path) -> None:
    record = PullRecord.read(made)
    if record is None:
        raise ModelMissingError("model_file_missing", file="pull.json")
    weights = record.of(WEIGHTS)
    commit = weights.commit if weights else ""
    # A revision that can move is recorded as the commit it stood for, where the hub named it.
    is_pinned = all(one.is_pinned for one in line.sources if one.revision == record.revision)
    revision = record.revision if is_pinned else commit or record.revision
    convert(files, made, name=line.name, revision=revision)
    if not (made / "card.json").is_file():
        raise ModelMissingError("model_file_missing", file="card.json")


def _place(made: Path, target: Path, work: Path) -> None:
    """Give a finished folder its name; a folder without a card that is in the way moves aside."""
    if target.exists():
        target.rename(_free_name(target))  # files of the user: not ours to remove
    made.rename(target)
    shutil.rmtree(work, ignore_errors=True)


def _free_name(path: Path) -> Path:
    number = 1
    while (free := path.with_name(f"{path.name}.old-{number}")).exists():
        number += 1
    return free


def _drop_weights(folder: Path) -> None:
    (folder / OFFICIAL / WEIGHTS).unlink(missing_ok=True)
    record = PullRecord.read(folder)
    weights = record.of(WEIGHTS) if record else None
    if record and weights and weights.kept:
        record.with_file(replace(weights, kept=False)).write(folder)


def _lock(cache: Path, name: str) -> Path:
    return cache / locks.LOCKS_FOLDER / f"{name}.lock"


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the system says of the cache folder into our error."""
    try:
        yield
    except EmoscopeError:
        raise
    except OSError as exc:
        raise ModelCacheError("model_cache_failed", reason=exc.strerror or str(exc)) from exc
