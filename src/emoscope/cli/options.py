"""Options that several commands share: one dataclass for each group, declared once.

A command takes such a dataclass as a parameter, and ``with_options`` shows its fields as options of
the command, in the place of that parameter.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from emoscope.cli.language import LanguageOption
from emoscope.cli.renamed import precision_of_today
from emoscope.paths.choices import BackendName, DeviceChoice, Precision, words_of

if TYPE_CHECKING:
    from emoscope.cli.utterances import SpanPlan
    from emoscope.results.utterances import UtteranceRules
    from emoscope.settings import Settings

_Function = TypeVar("_Function", bound=Callable[..., Any])

FilesArgument = Annotated[
    list[str], typer.Argument(help="文件、文件夹、wav.scp、CSV 或 - · files, folders, lists, -")
]
ModelOption = Annotated[
    str | None, typer.Option("--model", "-m", help="模型 · model name, folder, or auto")
]
HeadsOption = Annotated[
    list[str] | None,
    typer.Option("--head", help="自定义分类头，可多次 · head of own classes, repeatable"),
]
ThreadsOption = Annotated[int | None, typer.Option("--threads", help="线程数 · threads; 0 = all")]


UtterancesOption = Annotated[
    bool,
    typer.Option("--utterances", "-u", help="逐句识别 · each utterance between pauses alone"),
]


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Options of the model: name, backend, device, precision, threads, and the language.

    None leaves a value to the environment, the settings file and the default, in this order.
    """

    model: ModelOption = None
    """Name of a model, its folder, or ``auto``."""
    backend: Annotated[
        str | None, typer.Option("--backend", help=f"运行库 · {words_of(BackendName)}")
    ] = None
    """Library that runs the model."""
    precision: Annotated[
        str | None,
        typer.Option(
            "--precision",
            help=f"精确模型或 int8 变体 · {words_of(Precision)}",
            callback=precision_of_today,
        ),
    ] = None
    """Variant of the model."""
    threads: ThreadsOption = None
    """Threads of one inference; 0 for one per core."""
    device: Annotated[
        str | None, typer.Option("--device", help=f"设备 · {words_of(DeviceChoice)}")
    ] = None
    """Processor that runs the model."""
    lang: LanguageOption = None
    """``zh``, ``en`` or ``auto``."""

    def settings(self, **others: Any) -> Settings:
        """Load the settings with these options and with further values of the command."""
        from emoscope.settings import load_settings

        return load_settings(
            model=self.model,
            backend=self.backend,
            precision=self.precision,
            threads=self.threads,
            device=self.device,
            language=self.lang,
            **others,
        )

    def settings_of_report(self, recorded: dict[str, Any]) -> Settings:
        """Load the settings of an evaluation from its report; these options come first."""
        wanted = {
            name: getattr(self, name) or recorded.get(name)
            for name in ("model", "backend", "precision", "device")
        }
        heads = tuple(recorded.get("heads") or ())
        return replace(self, **wanted).settings(heads=heads)


@dataclass(frozen=True, slots=True)
class StreamModelOptions:
    """The model of a live stream, and the language of what is printed."""

    model: ModelOption = None
    """Name of a model, its folder, or ``auto``; None for the settings' model."""
    threads: ThreadsOption = None
    """Threads of one inference; 0 for one per core, None for the settings' number."""
    lang: LanguageOption = None
    """``zh``, ``en`` or ``auto``; None for the settings' language."""

    def settings(self) -> Settings:
        """Load the settings with these options."""
        from emoscope.settings import load_settings

        return load_settings(model=self.model, threads=self.threads, language=self.lang)


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The server that recognizes a live stream."""

    url: Annotated[
        str | None, typer.Option("--url", help="发给服务器 · send to a server, http://HOST:PORT")
    ] = None
    """Its address; None to recognize on this machine."""
    key: Annotated[
        str | None, typer.Option("--key", help="服务器的密钥 · the server's API key")
    ] = None
    """Its API key; None for a server without keys."""


@dataclass(frozen=True, slots=True)
class UtteranceOptions:
    """Which utterances are recognized alone."""

    utterances: Annotated[
        bool,
        typer.Option(
            "--utterances",
            "-u",
            help="逐句识别 · each utterance between pauses alone",
        ),
    ] = False
    """Cut at pauses, by the rules of the settings."""
    spans: Annotated[
        Path | None,
        typer.Option(
            "--spans",
            help="逐句识别给定的时间段 · given spans: segments, CSV, TextGrid, EAF, SRT, VTT",
        ),
    ] = None
    """File of spans that are recognized in place of those between pauses."""
    tier: Annotated[
        str | None, typer.Option("--tier", help="TextGrid 或 EAF 的层 · tier of --spans")
    ] = None
    """Tier of a TextGrid or EAF; None for its first."""

    def plan(self, rules: UtteranceRules) -> SpanPlan | None:
        """Return what is to be done with each recording; None for no utterances.

        Args:
            rules: of the settings.

        Raises:
            InputError: the file of spans cannot be used.
        """
        from emoscope.cli.utterances import SpanPlan
        from emoscope.lists.spans import read_spans

        if self.spans is not None:
            return SpanPlan(rules, read_spans(self.spans, self.tier))
        return SpanPlan(rules) if self.utterances else None


def with_options(function: _Function) -> _Function:
    """Show the fields of each dataclass parameter as options of the command, in its place."""
    types = get_type_hints(function, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in types.items() if is_dataclass(kind)}
    shown: list[inspect.Parameter] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in groups:
            shown += _parameters_of(groups[parameter.name])
        else:
            shown.append(parameter.replace(annotation=types[parameter.name]))

    @functools.wraps(function)
    def command(**given: Any) -> Any:
        for name, kind in groups.items():
            given[name] = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
        return function(**given)

    del command.__wrapped__
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    command.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    return command  # type: ignore[return-value]


def _parameters_of(group: Any) -> list[inspect.Parameter]:
    types = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=types[field.name],
        )
        for field in fields(group)
    ]
