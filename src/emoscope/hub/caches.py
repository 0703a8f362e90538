"""Official models in the user's own caches of Hugging Face and ModelScope, used where they lie.

Hugging Face keeps ``models--OWNER--NAME/snapshots/COMMIT/``, whose files are links to blobs named
after their sha256 (large files) or git identity (small ones). ModelScope keeps plain folders, at
places that changed between its versions. Nothing is ever written there.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from emoscope.models.catalog import CatalogEntry
from emoscope.models.sources import NEEDED_FILES, WEIGHTS, HubName, HubSource
from emoscope.paths.access import is_file, stat_of

_SHA256 = re.compile(r"[0-9a-f]{64}")
_GIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class CachedCopy:
    """A folder of another program's cache that has all official files of a model."""

    hub: HubName
    repo: str
    folder: Path
    commit: str = ""
    """Of the snapshot; empty for ModelScope, which does not say."""

    def is_vouched(self, path: str, sha256: str) -> bool | None:
        """Whether a file is what the hub said of it when it was fetched; None where it is unknown.

        Args:
            path: name of the file.
            sha256: of its content now.
        """
        blob = _blob(self.folder / path)
        if _SHA256.fullmatch(blob):
            return blob == sha256
        if _GIT.fullmatch(blob):
            data = (self.folder / path).read_bytes()
            git = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False)
            return blob == git.hexdigest()
        return None


def find_copy(
    line: CatalogEntry, hub: str = "auto", environment: Mapping[str, str] = os.environ
) -> CachedCopy | None:
    """Look for the official files of a model in the caches of the hubs; nothing is read in full.

    Args:
        line: the model.
        hub: ``hf``, ``ms``, or ``auto`` for both.
        environment: holds the variables with which people move these caches.
    """
    for source in line.sources:
        if hub not in ("auto", source.hub):
            continue
        places = _hugging_face if source.hub == "hf" else _modelscope
        for folder, commit in places(source, environment):
            if _is_whole(folder, source):
                return CachedCopy(source.hub, source.repo, folder, commit)
    return None


def _is_whole(folder: Path, source: HubSource) -> bool:
    """Whether all needed files are there and the weights may be the pinned ones."""
    if not all(is_file(folder / name) for name in NEEDED_FILES):
        return False
    (pin,) = (file for file in source.files if file.path == WEIGHTS)
    status, blob = stat_of(folder / WEIGHTS), _blob(folder / WEIGHTS)
    if status is None or (pin.bytes and status.st_size != pin.bytes):
        return False
    return not (pin.sha256 and _SHA256.fullmatch(blob)) or blob == pin.sha256


def _blob(path: Path) -> str:
    """Name of the file behind a link."""
    with suppress(OSError, RuntimeError):
        return path.resolve().name if path.is_symlink() else ""
    return ""


def _hugging_face(source: HubSource, environment: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Snapshots of a repository and their commits: the pinned one first, then the newest."""
    cache = _given(environment, "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")
    if cache is None:
        home = _given(environment, "HF_HOME") or _below_cache(environment, "huggingface")
        if home is None:
            return
        cache = home / "hub"
    yield from _snapshots(cache, source)


def _snapshots(cache: Path, source: HubSource) -> Iterator[tuple[Path, str]]:
    found: list[Path] = []
    with suppress(OSError):
        found = list((cache / f"models--{source.repo.replace('/', '--')}" / "snapshots").iterdir())
    ages = {path: status.st_mtime for path in found if (status := stat_of(path))}
    for path in sorted(ages, key=lambda path: (path.name != source.revision, -ages[path])):
        yield path, path.name


def _modelscope(source: HubSource, environment: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Where versions of ModelScope's own library put a repository."""
    cache = _given(environment, "MODELSCOPE_CACHE") or _below_cache(environment, "modelscope")
    if cache is None:
        return
    for place in ("hub/models", "models", "hub", ""):
        yield cache / place / source.repo, ""
    for place in ("hub", ""):
        for folder, _ in _snapshots(cache / place, source):
            yield folder, ""


def _given(environment: Mapping[str, str], *names: str) -> Path | None:
    for name in names:
        if environment.get(name):
            with suppress(RuntimeError):  # a ~ and no home folder
                return Path(environment[name]).expanduser()
    return None


def _below_cache(environment: Mapping[str, str], name: str) -> Path | None:
    if name == "huggingface" and (given := _given(environment, "XDG_CACHE_HOME")):
        return given / name
    with suppress(RuntimeError):
        return Path.home() / ".cache" / name
    return None
