"""A folder in the official layout as a model: converted once, into a cache keyed by its content.

``model.pt`` (or ``model.safetensors``), ``config.yaml`` and ``tokens.txt`` become
``.folders/<key>/`` in the cache for models, where the key is made of the sha256 of the three files.
So a changed folder is converted anew, and a copied or moved one is not.

Reading 1.9 GB to find the key takes seconds. ``.folders/seen/`` notes what the file system said of
the files when their key was found; while that is the same, nothing but the notes is read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from emoscope.errors import EmoscopeError, ModelCacheError, ModelInvalidError, ModelMissingError
from emoscope.files import atomic_write_json, removed_on_failure
from emoscope.hub import locks
from emoscope.hub.progress import ConvertingFolder, PullListener, ignore_pull
from emoscope.models import catalog
from emoscope.models.catalog import CARD_FILE, LocalModel
from emoscope.models.sources import CONFIG, SAFETENSORS, TOKENS, WEIGHTS
from emoscope.models.verified_files import file_facts, is_settled
from emoscope.optional import check_installed
from emoscope.paths.access import is_file, is_folder

_FOLDERS = ".folders"
_SEEN = "seen"
_MAX_NAME = 80


class Converter(Protocol):
    """Makes ``<name>.onnx`` and ``card.json`` in ``target``, the card last."""

    def __call__(self, folder: Path, target: Path, *, name: str, revision: str) -> LocalModel:
        """Convert official files.

        Args:
            folder: the official files.
            target: folder that gets the model.
            name: name of the model.
            revision: revision of the official files, for the card.
        """


def find_or_convert(
    model: str | os.PathLike[str],
    *,
    convert: Converter,
    cache: Path | None = None,
    listener: PullListener = ignore_pull,
    now_ns: Callable[[], int] = time.time_ns,
) -> LocalModel:
    """Find the files of a model on this machine; an official folder is converted if need be.

    Args:
        model: ``auto``, a name of the table, a folder with a card, or an official folder.
        convert: turns official files into a model folder.
        cache: where converted models are kept; the platform's cache folder by default.
        listener: called before a conversion.
        now_ns: the clock, in nanoseconds since 1970.

    Raises:
        ModelMissingError: the official folder lacks a file.
        ModelInvalidError: a file changed while it was converted.
        ModelCacheError: the cache folder cannot be written.
        ExtraMissingError: the packages of the extra ``convert`` are not installed.
        ModelError: as ``catalog.find`` and ``convert``.
    """
    if catalog.is_name(model) or not is_official(Path(model)):
        return catalog.find(model, cache=cache)
    folder = Path(model).absolute()
    made = (cache or catalog.default_cache()) / _FOLDERS
    facts = _facts(folder)
    key = _noted_key(made, folder, facts)
    if key and is_file(made / key / CARD_FILE):
        return replace(catalog.read_model(made / key), official=folder)
    files = _sha256s(folder, facts)
    key = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:32]
    if not is_file(made / key / CARD_FILE):
        for package in ("yaml", "onnx"):
            check_installed(package, extra="convert")
        name, revision = _identity(folder, files)
        with _cache_errors(), locks.held(_lock(made, key), name, listener=listener):
            if not is_file(made / key / CARD_FILE):
                listener(ConvertingFolder(name, folder))
                _convert(folder, made / key, facts, convert, name, revision)
    _note_key(made, folder, facts, key, now_ns())
    return replace(catalog.read_model(made / key), official=folder)


def remove_converted(folder: Path, *, cache: Path | None = None) -> int:
    """Remove what an official folder was converted to; the folder itself stays.

    Returns:
        The bytes freed; 0 if nothing was converted.

    Raises:
        ModelMissingError: the folder lacks a file.
        ModelBusyError: another process is converting it.
        ModelCacheError: the cache folder cannot be written.
    """
    folder = folder.absolute()
    made = (cache or catalog.default_cache()) / _FOLDERS
    facts = _facts(folder)
    key = _noted_key(made, folder, facts)
    if not key:
        files = _sha256s(folder, facts)
        key = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:32]
    if not is_folder(made / key):
        return 0
    with _cache_errors(), locks.held(_lock(made, key), folder.name, wait_s=0.0):
        freed = sum(path.stat().st_size for path in (made / key).rglob("*") if path.is_file())
        # The card first: half a model must not look like a whole one.
        (made / key / CARD_FILE).unlink(missing_ok=True)
        shutil.rmtree(made / key)
        _seen(made, folder).unlink(missing_ok=True)
    return freed


def is_official(folder: Path) -> bool:
    """Whether a folder looks like one of official files, whole or not; a card makes it ours."""
    return not is_file(folder / CARD_FILE) and any(
        is_file(folder / name) for name in (CONFIG, WEIGHTS, SAFETENSORS)
    )


def _weights_of(folder: Path) -> str:
    """Name of the file that the conversion reads."""
    return SAFETENSORS if is_file(folder / SAFETENSORS) else WEIGHTS


def _facts(folder: Path) -> dict[str, dict[str, int]]:
    """What the file system says of each needed file.

    Raises:
        ModelMissingError: one is not there.
    """
    facts = {}
    for name in (TOKENS, CONFIG, _weights_of(folder)):
        if not is_file(folder / name):
            raise ModelMissingError("model_file_missing", file=name)
        facts[name] = file_facts(folder / name)
    return facts


def _sha256s(folder: Path, facts: dict[str, dict[str, int]]) -> dict[str, str]:
    sums = {}
    for name in facts:
        with catalog.translated_model_errors(name):
            sums[name] = catalog.file_sha256(folder / name)
    return sums


def _identity(folder: Path, files: dict[str, str]) -> tuple[str, str]:
    """Name and revision: those of the table if it knows the weights, else made of the folder's."""
    sha256 = files.get(WEIGHTS) or files[SAFETENSORS]
    for line in catalog.CATALOG:
        for source in line.sources:
            if any(file.sha256 == sha256 for file in source.files):
                return line.name, source.revision
    revision = f"sha256-{sha256[:12]}"
    name = re.sub(r"[^\w.-]+", "-", _title(folder)).strip("-.")[:_MAX_NAME] or "model"
    # Weights that the table does not know must not bear a name that it does.
    return (f"{name}-{sha256[:8]}" if name in catalog.names() else name), revision


def _title(folder: Path) -> str:
    """Name of the folder; in Hugging Face's cache, where that is a commit, of the repository."""
    if folder.parent.name == "snapshots":
        return folder.parent.parent.name.rsplit("--", 1)[-1]
    return folder.name


def _convert(
    folder: Path,
    target: Path,
    facts: dict[str, dict[str, int]],
    convert: Converter,
    name: str,
    revision: str,
) -> None:
    """Convert beside the target and rename, so that a folder of the cache is whole."""
    work = target.with_name(f"{target.name}.part")
    for left in (work, target):  # of a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    work.mkdir(parents=True)
    with removed_on_failure(work):
        convert(folder, work, name=name, revision=revision)
        if _facts(folder) != facts:
            raise ModelInvalidError("model_changed", file=_weights_of(folder))
        work.rename(target)


def _noted_key(made: Path, folder: Path, facts: dict[str, dict[str, int]]) -> str:
    """Key of the folder's content, if its files are as they were when it was found; else empty."""
    try:
        noted = json.loads(_seen(made, folder).read_text("utf-8"))
        return str(noted["key"]) if noted["files"] == facts else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _note_key(
    made: Path, folder: Path, facts: dict[str, dict[str, int]], key: str, now_ns: int
) -> None:
    if _facts(folder) != facts or not all(is_settled(one, now_ns) for one in facts.values()):
        return
    path = _seen(made, folder)
    with suppress(OSError):  # a cache that may only be read: the files are read each time
        path.parent.mkdir(exist_ok=True)
        atomic_write_json(path, {"folder": os.fsdecode(folder), "key": key, "files": facts})


def _seen(made: Path, folder: Path) -> Path:
    return made / _SEEN / f"{hashlib.sha256(os.fsencode(folder)).hexdigest()[:32]}.json"


def _lock(made: Path, key: str) -> Path:
    return made.parent / locks.LOCKS_FOLDER / f"{key}.lock"


@contextmanager
def _cache_errors() -> Iterator[None]:
    """Turn what the system says of the cache folder into our error."""
    try:
        yield
    except EmoscopeError:
        raise
    except OSError as exc:
        raise ModelCacheError("model_cache_failed", reason=exc.strerror or str(exc)) from exc
