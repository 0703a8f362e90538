"""Catalog of models and their cards.

A model is a folder with an ONNX file that keeps the contract (see ``backends.base``) and a card,
``<name>.json`` or ``card.json``, that says what the file is. The compact model's folder is inside
the package; Emotion2Vec+ is fetched and converted into the cache; any other folder works the same.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from emoscope.errors import (
    EmoscopeError,
    ModelCacheError,
    ModelInvalidError,
    ModelMissingError,
    ModelUnknownError,
)
from emoscope.messages.reasons import reason
from emoscope.messages.texts import MODEL_TITLES
from emoscope.models.sources import HubSource, official
from emoscope.paths.access import is_file, is_folder
from emoscope.paths.assets import ASSETS
from emoscope.results.agreement import Agreement
from emoscope.results.calibration import Calibration

COMPACT = "compact"
LARGE = "emotion2vec-plus-large"
BASE, SEED = "emotion2vec-plus-base", "emotion2vec-plus-seed"
AUTO = "auto"
"""The large model if it is on this machine, else the compact one, never a download."""
CARD_FILE = "card.json"
"""Says what a model folder holds; written last, so that a folder with one is complete."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model."""

    path: str
    """Relative to the model's folder."""
    bytes: int
    sha256: str

    def verify(self, folder: Path) -> None:
        """Check that the file is there and is the one that the card describes.

        Raises:
            ModelMissingError: it is not there.
            ModelInvalidError: its size or sha256 differs.
            ModelInvalidError: the system refuses to read it.
        """
        path = folder / self.path
        with translated_model_errors(self.path):
            if path.stat().st_size != self.bytes or file_sha256(path) != self.sha256:
                raise ModelInvalidError("model_changed", file=self.path)


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Card of a model: identity, files, licence and figures."""

    name: str
    revision: str
    files: tuple[ModelFile, ...]
    """The first is the ONNX file."""
    dim: int
    """Numbers per embedding frame."""
    licence: str
    title_zh: str
    title_en: str
    limits_zh: str = ""
    """What the model is not good for, in a sentence, shown wherever it answers."""
    limits_en: str = ""
    languages: tuple[str, ...] = ()
    """Codes of the languages that it learned emotion from; empty where that is not known."""
    accuracy: dict[str, Any] = field(default_factory=dict)
    """Test figures by corpus, as the card gives them."""
    calibration: Calibration | None = None
    """How sure one may be of its answers; None where that was not fitted."""
    variants: tuple[Variant, ...] = ()
    """The same model rounded, for speed."""

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ModelCard:
        """Read a card; keys that this program does not use are left alone.

        Raises:
            ModelInvalidError: a key is missing or of the wrong kind.
        """
        try:
            return cls(
                name=str(data["name"]),
                revision=str(data["revision"]),
                files=_files(data["files"]),
                dim=int(data["dim"]),
                licence=str(data["licence"]),
                title_zh=str(data["title_zh"]),
                title_en=str(data["title_en"]),
                limits_zh=str(data.get("limits_zh", "")),
                limits_en=str(data.get("limits_en", "")),
                languages=tuple(map(str, data.get("languages", _languages(data["name"])))),
                accuracy=dict(data.get("accuracy", {})),
                calibration=Calibration.from_dict(data["calibration"])
                if data.get("calibration")
                else None,
                variants=tuple(Variant.from_dict(one) for one in data.get("variants", [])),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise ModelInvalidError(
                "model_contract",
                **reason("card_unreadable", reason=exc),
            ) from exc


@dataclass(frozen=True, slots=True)
class Variant:
    """Variant file of a model, with its agreement with the exact one."""

    precision: str
    """What it is rounded to, such as ``int8``."""
    file: ModelFile
    agreement: Agreement

    def to_dict(self) -> dict[str, Any]:
        """As in the card."""
        return {
            "precision": self.precision,
            "file": asdict(self.file),
            "agreement": self.agreement.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Variant:
        """Read what ``to_dict`` wrote."""
        (file,) = _files([data["file"]])
        return cls(str(data["precision"]), file, Agreement.from_dict(data["agreement"]))


def _languages(name: str) -> tuple[str, ...]:
    """Languages of a model whose card does not name them: cards of official files never did."""
    return ("zh", "en") if name in (LARGE, BASE, SEED) else ()


def _files(data: list[dict[str, Any]]) -> tuple[ModelFile, ...]:
    files = tuple(
        ModelFile(str(file["path"]), int(file["bytes"]), str(file["sha256"])) for file in data
    )
    # A card comes with its folder from anywhere; it must not point out of it.
    for path in (Path(file.path) for file in files):
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ValueError(f"files: {path}")
    if not files:
        raise ValueError("files: none")
    return files


Origin: TypeAlias = Literal["package", "cache", "folder"]
"""Where a model's files are: inside the package, fetched into the cache, or a folder given."""


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model whose files are on this machine."""

    folder: Path
    card: ModelCard
    origin: Origin = "folder"
    official: Path | None = None
    """The folder of official files that it was converted from, if that was given as the model."""

    @property
    def onnx_path(self) -> Path:
        """The file that runs."""
        return self.folder / self.card.files[0].path

    def verify(self) -> None:
        """Check every file against the card.

        Raises:
            ModelMissingError: a file is not there.
            ModelInvalidError: a file is not the one that the card describes.
        """
        for file in self.card.files:
            file.verify(self.folder)


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """Entry of the catalog."""

    name: str
    title_zh: str
    title_en: str
    dim: int
    licence: str
    converted_bytes: int = 0
    """Size of its ONNX file, rounded up; for the look at the disk before a download."""
    sources: tuple[HubSource, ...] = ()
    """Where the official files are, the preferred hub first; none for what is built in."""

    @property
    def is_built_in(self) -> bool:
        """Whether it ships inside the package."""
        return not self.sources

    @property
    def pull_command(self) -> str:
        """The one command that fetches it."""
        return f"emoscope models pull {self.name}"


_FUNASR = "FunASR Model Open Source License Agreement"

CATALOG: tuple[CatalogEntry, ...] = (
    CatalogEntry(LARGE, *MODEL_TITLES[LARGE], 1024, _FUNASR, 660_000_000, official("large")),
    CatalogEntry(BASE, *MODEL_TITLES[BASE], 768, _FUNASR, 390_000_000, official("base")),
    CatalogEntry(SEED, *MODEL_TITLES[SEED], 768, _FUNASR, 390_000_000, official("seed")),
    CatalogEntry(COMPACT, *MODEL_TITLES[COMPACT], 512, "CC-BY-NC-SA-4.0"),
)


def names() -> tuple[str, ...]:
    """Every name in the table."""
    return tuple(catalog_entry.name for catalog_entry in CATALOG)


def catalog_entry(name: str) -> CatalogEntry:
    """Return the line of the table with this name.

    Raises:
        ModelUnknownError: there is none.
    """
    for line in CATALOG:
        if line.name == name:
            return line
    raise ModelUnknownError(model=name, known=", ".join(names()))


def find(model: str | os.PathLike[str], *, cache: Path | None = None) -> LocalModel:
    """Find the files of a model on this machine; nothing is ever downloaded here.

    Args:
        model: ``auto``, a name of the table, or a folder.
        cache: where fetched models are kept; the platform's cache folder by default.

    Raises:
        ModelUnknownError: neither a name nor a folder.
        ModelMissingError: a known name whose files are not here.
        ModelMissingError: the folder has no card.
        ModelInvalidError: the card cannot be read.
    """
    cache = cache or find_cache()
    if model == AUTO:
        model = LARGE if is_installed(LARGE, cache) else COMPACT
    if model == COMPACT:
        return read_model(ASSETS, f"{COMPACT}.json", "package")
    if isinstance(model, str) and is_name(model):
        if cache is None or not is_installed(model, cache):
            raise ModelMissingError(
                "model_not_installed", model=model, command=catalog_entry(model).pull_command
            )
        return read_model(cache / model, CARD_FILE, "cache")
    if is_folder(model):
        return read_model(Path(model), CARD_FILE, "folder")
    raise ModelUnknownError(model=str(model), known=", ".join(names()))


def is_name(model: str | os.PathLike[str]) -> bool:
    """Whether this is ``auto`` or a name of the table, which go before folders of that name."""
    return isinstance(model, str) and (model == AUTO or model in names())


def is_installed(name: str, cache: Path | None) -> bool:
    """Whether a model of the table can be used at once.

    Args:
        name: a name of the table.
        cache: where fetched models are kept; None where there is no such folder.
    """
    # The card is written last, so a folder with a card is complete.
    return catalog_entry(name).is_built_in or (
        cache is not None and is_file(cache / name / CARD_FILE)
    )


def find_cache() -> Path | None:
    """``EMOSCOPE_CACHE``, else the platform's cache folder for Emoscope.

    None where neither is known: a user without an entry in the password database and without HOME,
    as containers have them.
    """
    if given := os.environ.get("EMOSCOPE_CACHE"):
        return Path(given)
    import platformdirs

    try:
        folder = Path(platformdirs.user_cache_path("emoscope", appauthor=False))
    except RuntimeError:
        return None
    # Older versions of platformdirs leave the ~ where it is, and that would be a folder here.
    return folder / "models" if folder.is_absolute() else None


def default_cache() -> Path:
    """Return the folder of ``find_cache``, for what has to be written there.

    Raises:
        ModelCacheError: it is not known.
    """
    folder = find_cache()
    if folder is None:
        raise ModelCacheError("cache_folder_unknown")
    return folder


def file_sha256(path: Path) -> str:
    """Sha256 of a file in hexadecimal, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def translated_model_errors(file: str) -> Iterator[None]:
    """Turn what the system says about a file of a model into our errors.

    Args:
        file: name of the file in the model's folder.

    Raises:
        ModelMissingError: it is not there.
        ModelInvalidError: anything else that the system refused.
    """
    try:
        yield
    except EmoscopeError:
        raise
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as exc:
        raise ModelMissingError("model_file_missing", file=file) from exc
    except OSError as exc:
        said = exc.strerror or str(exc)
        raise ModelInvalidError(
            "model_contract",
            **reason("file_unreadable", file=file, reason=said),
        ) from exc


def read_model(folder: Path, card_name: str = CARD_FILE, origin: Origin = "cache") -> LocalModel:
    """Read the card of a model folder.

    Args:
        folder: with the model's files.
        card_name: name of the card in it.
        origin: where the folder came from.

    Raises:
        ModelMissingError: it has no card.
        ModelInvalidError: the card cannot be read.
    """
    path = folder / card_name
    try:
        with translated_model_errors(card_name):
            data = json.loads(path.read_text("utf-8"))
    except EmoscopeError:
        raise
    except ValueError as exc:
        raise ModelInvalidError("model_contract", **reason("card_not_json")) from exc
    return LocalModel(folder, ModelCard.from_dict(data), origin)
