"""``emoscope models``: list, pull, verify and remove models, and make int8 variants.

What can be typed is here; what it prints is in ``models_show``. As in ``main``, everything heavy
is imported inside the commands.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emoscope.cli.arguments import Commands
from emoscope.cli.language import LanguageOption
from emoscope.cli.renamed import tell_renamed
from emoscope.cli.streams import write
from emoscope.errors import EmoscopeError
from emoscope.paths.choices import HubChoice

if TYPE_CHECKING:
    from emoscope.backends.base import Backend
    from emoscope.messages.languages import Language
    from emoscope.models.catalog import LocalModel
    from emoscope.results.agreement import Agreement

models_app = Commands(
    help="模型：列出、获取、检查、删除 · Models: list, pull, verify, remove, path.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

UNUSABLE = 1
"""Exit code of ``verify`` when a finding is an error."""


NameArgument = Annotated[str, typer.Argument(help="模型名 · name, see: emoscope models list")]
TargetArgument = Annotated[str, typer.Argument(help="模型名或文件夹 · name or folder of a model")]
OfficialOption = Annotated[
    Path | None,
    typer.Option("--from", help="官方文件夹 · its official files; by default those kept"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON")]


@models_app.command("list")
def list_models(as_json: JsonOption = False, lang: LanguageOption = None) -> None:
    """列出全部模型 · List all models and what of them is on this machine."""
    from rich.console import Console

    from emoscope.cli import models_show as show

    lines = show.inventory()
    if as_json:
        listed = [line.to_dict() for line in lines]
        write(json.dumps(listed, ensure_ascii=False, indent=1) + "\n")
    else:
        screen, language = Console(), _language(lang)
        screen.print(show.inventory_table(lines, language))
        for line in show.found_copies(lines, language):
            screen.print(line, style="yellow", soft_wrap=True, markup=False, highlight=False)


@models_app.command("pull")
def pull_command(
    name: NameArgument,
    hub: Annotated[
        HubChoice, typer.Option("--hub", help="来源 · Hugging Face, ModelScope, or both in turn")
    ] = "auto",
    folder: Annotated[
        Path | None,
        typer.Option("--from", help="已下载的官方文件夹 · official files that are already here"),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="不联网 · use only what is already here")
    ] = False,
    keep_original: Annotated[
        bool,
        typer.Option(help="保留官方 model.pt · keep the official model.pt; large: 1.9 GB"),
    ] = True,
    with_int8: Annotated[
        bool | None,
        typer.Option("--int8/--no-int8", help="同时制作 int8 变体 · the int8 variant too"),
    ] = None,
    with_fast: Annotated[bool | None, typer.Option("--fast/--no-fast", hidden=True)] = None,
    lang: LanguageOption = None,
) -> None:
    """获取模型并转换 · Fetch a model, check it and convert it."""
    from emoscope.cli import models_show as show
    from emoscope.emotion2vec.config import read_config
    from emoscope.emotion2vec.convert import convert
    from emoscope.hub import pull as hubs
    from emoscope.models import catalog
    from emoscope.models.record import OFFICIAL
    from emoscope.models.sources import CONFIG
    from emoscope.optional import require
    from emoscope.settings import language_of, load_settings

    if with_fast is not None:
        tell_renamed("--fast", "--int8")
        with_int8 = with_fast if with_int8 is None else with_int8
    settings = load_settings(language=lang, int8_on_pull=with_int8)
    language = language_of(settings.language)
    wants_int8 = settings.int8_on_pull and not catalog.catalog_entry(name).is_built_in
    if not catalog.is_installed(name, catalog.find_cache()):
        # Before gigabytes are fetched, not after.
        for package in ("yaml", "onnx"):
            require(package, extra="convert")

    def inspect(files: Path) -> None:
        read_config(files / CONFIG)

    with show.PullProgress(language) as thresholds:
        local = hubs.pull(
            name,
            convert=convert,
            hub=hub,
            folder=folder,
            offline=offline,
            keep_original=keep_original or wants_int8,
            inspect=inspect,
            listener=thresholds.listen,
        )
    _tell_of_tokens(local.folder / OFFICIAL, language)
    typer.echo(show.pulled(local, language))
    if wants_int8:
        if not local.card.variants:
            typer.echo(show.making_int8(name, language), err=True)
            local = _make_int8(local, folder)
        # One that does not agree is never used, and is no reason to call the pull a failure.
        typer.echo(
            show.compared(local, local.card.variants[-1], settings.agreement_thresholds, language)
        )
        if not keep_original:
            hubs.pull(name, convert=convert, keep_original=False)


@models_app.command()
def quantize(
    name: TargetArgument, folder: OfficialOption = None, lang: LanguageOption = None
) -> None:
    """制作 int8 变体并与精确模型比对 · Make an int8 variant and compare it with the exact model."""
    from emoscope.cli import models_show as show
    from emoscope.settings import language_of, load_settings

    settings = load_settings(language=lang)
    language = language_of(settings.language)
    local = _make_int8(_find(name, language), folder)
    variant = local.card.variants[-1]
    typer.echo(show.compared(local, variant, settings.agreement_thresholds, language))
    if variant.agreement.failures(settings.agreement_thresholds):
        raise typer.Exit(UNUSABLE)


@models_app.command("fast", hidden=True)
def fast_command(
    name: TargetArgument, folder: OfficialOption = None, lang: LanguageOption = None
) -> None:
    """``quantize`` under its old name."""
    tell_renamed("models fast", "models quantize")
    quantize(name, folder, lang)


@models_app.command("verify")
def verify_command(
    model: Annotated[
        str | None, typer.Argument(help="模型名或文件夹 · name, folder, or auto")
    ] = None,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """检查模型是否完整、未改动 · Check that a model is whole, unchanged and answers."""
    from rich.console import Console

    from emoscope.cli import models_show as show
    from emoscope.models import verify
    from emoscope.settings import language_of, load_settings

    settings = load_settings(model=model, language=lang)
    findings = verify.verify_model(
        settings.model,
        open_backend=_open,
        compare=_compare,
        thresholds=settings.agreement_thresholds,
    )
    if as_json:
        write(json.dumps(show.findings_json(findings), ensure_ascii=False, indent=1) + "\n")
    else:
        language = language_of(settings.language)
        Console().print(show.findings_text(settings.model, findings, language), soft_wrap=True)
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(UNUSABLE)


@models_app.command("remove")
def remove_command(name: NameArgument, lang: LanguageOption = None) -> None:
    """删除已获取的模型 · Remove a fetched model and what a broken pull of it left."""
    from emoscope.cli import models_show as show
    from emoscope.hub import official_folder
    from emoscope.hub import pull as hubs
    from emoscope.models import catalog

    language = _language(lang)
    if not catalog.is_name(name) and official_folder.is_official(Path(name)):
        freed = official_folder.remove_converted(Path(name))
    else:
        freed = hubs.remove(name)
    typer.echo(show.removed(name, freed, language))


@models_app.command()
def path(
    name: Annotated[
        str | None, typer.Argument(help="模型名；不写则是缓存目录 · name; none: the cache folder")
    ] = None,
) -> None:
    """打印模型所在的文件夹 · Print the folder of a model, or of all fetched ones."""
    from emoscope.models import catalog

    folder = _find(name, _language(None)).folder if name else catalog.default_cache()
    write(os.fsencode(folder) + b"\n")  # the very bytes, so that a shell finds it


def _language(given: str | None) -> Language:
    from emoscope.settings import language_of, load_settings

    return language_of(load_settings(language=given).language)


def _find(model: str, language: Language) -> LocalModel:
    """Find a model, converting an official folder if need be."""
    from emoscope.backends.model_files import local_model
    from emoscope.cli.model import folder_progress

    return local_model(model, folder_progress(language))


def _tell_of_tokens(official: Path, language: Language) -> None:
    from emoscope.models.sources import TOKENS
    from emoscope.models.tokens import token_errors

    if (official / TOKENS).is_file():
        for error in token_errors(official / TOKENS)[:1]:
            typer.echo(error.detail(language), err=True)


def _make_int8(local: LocalModel, official: Path | None) -> LocalModel:
    """Make the int8 variant from these official files, or from those in the cache."""
    from emoscope.errors import ModelCacheError
    from emoscope.inference.int8_variant import make_int8

    try:
        return make_int8(local, official or _official_files(local), open_backend=_open)
    except OSError as exc:
        if isinstance(exc, EmoscopeError):
            raise
        raise ModelCacheError("model_cache_failed", reason=exc.strerror or str(exc)) from exc


def _official_files(local: LocalModel) -> Path:
    """Where a model's official files are: given, else kept, else in a hub's own cache."""
    from emoscope.hub.caches import find_copy
    from emoscope.models import catalog
    from emoscope.models.record import OFFICIAL
    from emoscope.models.sources import WEIGHTS

    if local.official:
        return local.official
    kept, name = local.folder / OFFICIAL, local.card.name
    if not (kept / WEIGHTS).is_file() and name in catalog.names():
        copy = find_copy(catalog.catalog_entry(name))
        return copy.folder if copy else kept
    return kept


def _open(path: Path) -> Backend:
    from emoscope.backends.onnx_backend import OnnxBackend

    return OnnxBackend(path)


def _compare(exact: Path, int8: Path) -> Agreement:
    from emoscope.inference.int8_variant import compare

    return compare(exact, int8, _open)
