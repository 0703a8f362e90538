"""The ``emoscope`` command: its subcommands and their options.

Everything heavy is imported inside the commands, so that ``emoscope --help`` is instant.
"""

from __future__ import annotations

import errno
import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from emoscope._version import __version__
from emoscope.cli import (
    collector,
    evaluation_commands,
    fuse,
    head,
    keys,
    models,
    settings_show,
    streams,
    vector_commands,
)
from emoscope.cli.arguments import Commands
from emoscope.cli.batch_command import add_batch_command
from emoscope.cli.language import LanguageOption, language
from emoscope.cli.options import (
    FilesArgument,
    HeadsOption,
    ModelOption,
    ModelOptions,
    ServerOptions,
    StreamModelOptions,
    UtteranceOptions,
    UtterancesOption,
    with_options,
)
from emoscope.errors import (
    EmoscopeError,
    InputError,
    ModelError,
    SettingError,
    SourceError,
    StoreError,
)
from emoscope.files import FULL
from emoscope.messages.hints import sentence
from emoscope.paths.choices import ChannelMode, Granularity

app = Commands(
    name="emoscope",
    help="看见声音里的情绪 · See the emotion in speech.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.add_typer(models.models_app, name="models")
app.add_typer(head.head_app, name="head")
app.add_typer(fuse.fuse_app, name="fuse")
app.add_typer(keys.keys_app, name="keys")
app.add_typer(settings_show.settings_app, name="settings")

EXIT_CODES: dict[type[EmoscopeError], int] = {
    SettingError: 2,
    InputError: 3,
    ModelError: 4,
    StoreError: 5,
    EmoscopeError: 6,
}
"""Exit code by error; 0 is success."""

SOME_FAILED = 1
"""Exit code when some recordings of a list failed, or the doctor finds an answer unstable."""


def exit_code(error: EmoscopeError) -> int:
    """Return the exit code of an error, by its nearest ancestor in the table."""
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="版本 · print the version")] = False,
) -> None:
    """Print the version when only that is asked for; refuse variables that are no settings."""
    if version:
        typer.echo(f"emoscope {__version__}")
        raise typer.Exit
    settings_show.check_variables(os.environ)


@app.command("recognize")
@with_options
def recognize_command(
    *,
    files: FilesArgument,
    as_json: Annotated[bool, typer.Option("--json", help="一个 JSON 列表 · a JSON list")] = False,
    as_jsonl: Annotated[bool, typer.Option("--jsonl", help="每行一个 · JSON Lines")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="表格 · CSV")] = False,
    save: Annotated[bool, typer.Option("--save", help="写入 outputs/ · write run folders")] = False,
    granularity: Annotated[
        Granularity,
        typer.Option(
            "--granularity",
            "-g",
            help="一个结论，或随时间的变化 · one answer, or the change over time",
        ),
    ] = "utterance",
    channels: Annotated[
        ChannelMode,
        typer.Option("--channels", help="合并或分声道 · one answer, or one per channel"),
    ] = "mix",
    embedding: Annotated[
        bool, typer.Option("--embedding", "-e", help="提取向量 · keep the embedding (--save)")
    ] = False,
    spoken: UtteranceOptions,
    heads: HeadsOption = None,
    outputs: Annotated[Path | None, typer.Option("--outputs", help="结果文件夹 · folder")] = None,
    options: ModelOptions,
) -> None:
    """识别录音里的情绪 · Say which emotion each recording holds."""
    from emoscope.cli.recognize import Work, run_recognize

    chosen = [
        name for name, wanted in (("json", as_json), ("jsonl", as_jsonl), ("csv", as_csv)) if wanted
    ]
    if len(chosen) > 1:
        raise SettingError(
            "setting_invalid", setting="--json / --jsonl / --csv", reason="choose one"
        )
    settings = options.settings(outputs=outputs, heads=tuple(heads) if heads else None)
    separate = channels == "separate"
    plan = spoken.plan(settings.utterance_rules)
    output = chosen[0] if chosen else "table"
    work = Work(granularity, embedding, save, output, separate, plan)
    run_recognize(files, work, settings)
    if work.errors:
        alone = work.done + len(work.errors) == 1
        raise typer.Exit(exit_code(work.errors[0]) if alone else SOME_FAILED)


@app.command()
def demo(model: ModelOption = None, lang: LanguageOption = None) -> None:
    """识别内置示例 · Recognize the built-in samples."""
    from emoscope.cli.recognize import run_demo
    from emoscope.settings import load_settings

    run_demo(load_settings(model=model, language=lang))


@app.command()
@with_options
def doctor(
    *,
    files: FilesArgument,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON，每行一个 · an object a line")
    ] = False,
    options: ModelOptions,
) -> None:
    """小改动会不会改变结论 · Say whether small changes alter the answer (exit code 1 if so)."""
    from emoscope.cli.doctor import run_doctor

    settings = options.settings()
    if not run_doctor(files, as_json, settings):
        raise typer.Exit(SOME_FAILED)


@app.command("export")
def export_command(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...", help="结果文件夹，或其上级文件夹 · run folders, or folders of runs"
        ),
    ],
    format_: Annotated[
        str,
        typer.Option(
            "--format", "-f", help="textgrid eaf audacity rttm vtt srt csv jsonl parquet npy"
        ),
    ] = "textgrid",
    curve: Annotated[
        bool, typer.Option("--curve", help="每 20 毫秒一行 · rows of 20 ms, not segments")
    ] = False,
    utterances: Annotated[
        bool, typer.Option("--utterances", "-u", help="逐句 · the utterances, not segments")
    ] = False,
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="文件或文件夹 · file or folder; else stdout")
    ] = None,
) -> None:
    """导出分段或曲线 · Write the segments of a run for Praat, ELAN, Audacity, players, tables."""
    from emoscope.cli.export import run_export

    if not run_export(sources, format_, out, curve=curve, utterances=utterances):
        raise typer.Exit(SOME_FAILED)


@app.command()
@with_options
def stream(
    *,
    file: Annotated[Path, typer.Argument(help="要重放的录音 · the recording to replay")],
    server: ServerOptions,
    fast: Annotated[bool, typer.Option("--fast", help="不等待 · as fast as it goes")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="每行一个事件 · an event a line")] = False,
    utterances: UtterancesOption = False,
    options: StreamModelOptions,
) -> None:
    """实时重放录音 · Replay a recording as live sound and print what is recognized meanwhile."""
    from emoscope.cli.live import run_file

    settings = options.settings()
    run_file(
        file,
        settings,
        url=server.url,
        key=server.key,
        fast=fast,
        as_json=as_json,
        utterances=utterances,
    )


@app.command("listen")
@with_options
def listen_command(
    *,
    server: ServerOptions,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.1, help="多少秒后停止 · stop after so many")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="每行一个事件 · an event a line")] = False,
    utterances: UtterancesOption = False,
    options: StreamModelOptions,
) -> None:
    """听麦克风，Ctrl+C 结束 · Listen to the microphone until Ctrl+C."""
    from emoscope.cli.live import run_microphone

    settings = options.settings()
    run_microphone(
        settings,
        url=server.url,
        key=server.key,
        seconds=seconds,
        as_json=as_json,
        utterances=utterances,
    )


@app.command()
@with_options
def serve(
    *,
    host: Annotated[str | None, typer.Option("--host", help="监听地址 · address")] = None,
    port: Annotated[int | None, typer.Option("--port", help="端口 · port, 7860")] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="另外允许的 Host · further Host name")
    ] = None,
    page: Annotated[bool, typer.Option(help="带网页 · with the web page")] = True,
    outputs: Annotated[Path | None, typer.Option("--outputs", help="结果文件夹 · folder")] = None,
    open_: Annotated[
        bool | None, typer.Option("--open", help="任何人都可使用 · no key, also for others")
    ] = None,
    keys_file: Annotated[
        Path | None, typer.Option("--keys", help="密钥文件 · file of the keys")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", help="证书 · certificate, PEM")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="私钥 · its key, PEM")] = None,
    heads: HeadsOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="只检查能否启动 · only check that it can start")
    ] = False,
    options: ModelOptions,
) -> None:
    """启动网页与接口 · Serve the page and the API."""
    from emoscope.cli.serve import run_serve

    read = partial(
        options.settings,
        host=host,
        port=port,
        allowed_hosts=tuple(allow_host) if allow_host else None,
        outputs=outputs,
        open=open_,
        keys=keys_file,
        tls_cert=tls_cert,
        tls_key=tls_key,
        heads=tuple(heads) if heads else None,
    )
    run_serve(read, page=page, check=check)


@app.command("gradio")
@with_options
def gradio_command(
    *,
    host: Annotated[str | None, typer.Option("--host", help="监听地址 · address")] = None,
    port: Annotated[int | None, typer.Option("--port", help="端口 · port, 7860")] = None,
    outputs: Annotated[Path | None, typer.Option("--outputs", help="结果文件夹 · folder")] = None,
    open_: Annotated[
        bool | None, typer.Option("--open", help="任何人都可使用 · also for others")
    ] = None,
    options: ModelOptions,
) -> None:
    """启动 Gradio 应用 · Serve the small Gradio app."""
    from emoscope.cli.gradio import run_gradio

    run_gradio(options.settings(host=host, port=port, outputs=outputs, open=open_))


evaluation_commands.add_evaluation_commands(app, SOME_FAILED)
vector_commands.add_vector_commands(app, SOME_FAILED)
add_batch_command(app, SOME_FAILED)


def main(arguments: list[str] | None = None) -> Any:
    """Run a command and turn our errors into one sentence and an exit code."""
    if arguments is None:  # the process is ours
        collector.rest()
    streams.set_up_streams()
    try:
        _run(arguments)
    except EmoscopeError as error:
        _fail(error)
    except OSError as exc:
        if streams.is_reader_gone(exc):
            # The reader of our output has gone; that is its right.
            streams.drop()
            sys.exit(0)
        if exc.errno in FULL:
            _fail(StoreError("store_full"))
        if exc.filename is None:  # nothing that anybody named
            raise
        _fail(
            SourceError(
                "source_unreadable", name=str(exc.filename), reason=exc.strerror or str(exc)
            )
        )


def _run(arguments: list[str] | None) -> None:
    try:
        app(args=arguments)
    except SystemExit as exit_:
        if streams.is_reader_gone(exit_):  # typer and rich turn it into an exit of their own
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from None
        streams.flush()
        raise


def _fail(error: EmoscopeError) -> NoReturn:
    from emoscope.observe.logs import log_failure

    streams.drop()
    if not log_failure(error.code, _sentence(error)):
        typer.echo(f"emoscope: {_sentence(error)} [{error.code}]", err=True)
    sys.exit(exit_code(error))


def _sentence(error: EmoscopeError) -> str:
    return sentence(error, language(), "cli")


if __name__ == "__main__":
    main()
