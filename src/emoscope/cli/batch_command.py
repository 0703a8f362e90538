"""Command ``batch`` and its options."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emoscope.cli.arguments import Commands
from emoscope.cli.options import HeadsOption, ModelOptions, UtterancesOption, with_options
from emoscope.errors import SettingError
from emoscope.paths.choices import EmbeddingChoice, Granularity

if TYPE_CHECKING:
    from emoscope.cli.batch import Workers

_RANGE = re.compile(r"(\d*):(\d*)")


def add_batch_command(app: Commands, some_failed: int) -> None:
    """Register the command.

    Args:
        app: the command that it becomes a subcommand of.
        some_failed: exit code when some recordings failed.
    """

    @app.command("batch")
    @with_options
    def batch_command(
        *,
        inputs: Annotated[
            list[str],
            typer.Argument(
                metavar="INPUT...",
                help="文件、文件夹、通配符、列表 · files, folders, patterns, lists",
            ),
        ],
        out: Annotated[
            str, typer.Option("--out", "-o", help="输出文件夹或地址 · folder or address")
        ],
        granularity: Annotated[
            Granularity,
            typer.Option("--granularity", "-g", help="frame：另写每 20 毫秒 · rows of 20 ms, too"),
        ] = "utterance",
        embedding: Annotated[
            EmbeddingChoice, typer.Option("--embedding", "-e", help="向量 · none, mean or frames")
        ] = "mean",
        segments: Annotated[
            bool, typer.Option("--segments", help="另写情绪分段 · write the segments, too")
        ] = False,
        utterances: UtterancesOption = False,
        spans: Annotated[
            Path | None,
            typer.Option("--spans", help="时间段文件，每段一行 · spans, a row for each"),
        ] = None,
        dedupe: Annotated[
            bool,
            typer.Option("--dedupe", help="相同文件每个进程只算一次 · same files once a process"),
        ] = False,
        shard_size: Annotated[
            int | None,
            typer.Option("--shard-size", min=1, help="每个分片的录音数 · recordings a shard"),
        ] = None,
        shard_hours: Annotated[
            float | None,
            typer.Option("--shard-hours", min=0.001, help="每个分片的小时数 · hours a shard"),
        ] = None,
        shard_range: Annotated[
            str | None,
            typer.Option("--shard-range", metavar="A:B", help="只做这些分片 · only these shards"),
        ] = None,
        workers: Annotated[
            str, typer.Option("--workers", metavar="auto|N", help="进程数 · number of processes")
        ] = "auto",
        on: Annotated[
            str, typer.Option("--on", help="在哪里运行 · local, ray or ray://HOST:10001")
        ] = "local",
        max_failures: Annotated[
            float,
            typer.Option(
                "--max-failures", min=0, max=1, help="失败超过此比例即停 · share that may fail"
            ),
        ] = 0.5,
        fresh: Annotated[
            bool,
            typer.Option("--fresh/--resume", help="删除原有结果重做，或继续 · anew, or go on"),
        ] = False,
        dry: Annotated[
            bool, typer.Option("--dry-run", help="只计数并估计用时 · only count and estimate")
        ] = False,
        as_json: Annotated[
            bool, typer.Option("--json", help="进度为 JSON 行 · events as JSON Lines")
        ] = False,
        heads: HeadsOption = None,
        options: ModelOptions,
    ) -> None:
        """大批量识别，写成 Parquet · Recognize very many recordings into Parquet; resumable."""
        from emoscope.batch.options import BatchOptions
        from emoscope.batch.run import ShardRange
        from emoscope.batch.shards import ShardCut
        from emoscope.cli.batch import BatchOrder, run_batch

        settings = options.settings(heads=tuple(heads) if heads else None)
        if fresh and shard_range:
            raise SettingError(
                "setting_invalid", setting="--shard-range", reason="not with --fresh"
            )
        order = BatchOrder(
            inputs=tuple(inputs),
            out=out,
            options=BatchOptions(
                granularity,
                embedding,
                segments,
                settings.utterance_rules if utterances else None,
                dedupe,
            ),
            cut=ShardCut(shard_size, shard_hours),
            part=ShardRange(*_range(shard_range)),
            workers=_workers(workers),
            on=on,
            max_failures=max_failures,
            spans=spans,
            fresh=fresh,
            dry=dry,
            as_json=as_json,
        )
        done = run_batch(order, settings)
        if done is not None and done.failed:
            raise typer.Exit(some_failed)


def _range(text: str | None) -> tuple[int, int | None]:
    found = _RANGE.fullmatch(text or ":")
    if found is None:
        raise SettingError("setting_invalid", setting="--shard-range", reason="0:100")
    return int(found[1] or 0), int(found[2]) if found[2] else None


def _workers(text: str) -> Workers:
    if text == "auto":
        return "auto"
    if not text.isdecimal() or not 1 <= int(text) <= 1_024:
        raise SettingError("setting_invalid", setting="--workers", reason="auto, or 1 to 1024")
    return int(text)
