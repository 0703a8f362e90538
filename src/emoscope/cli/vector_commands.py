"""Commands about vectors: ``index``, ``search`` and ``cluster``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emoscope.cli.arguments import Commands
from emoscope.cli.language import LanguageOption
from emoscope.cli.options import ModelOptions, with_options
from emoscope.errors import SettingError
from emoscope.paths.choices import ClusterMethod, SpaceName

FolderOption = Annotated[
    Path, typer.Option("--index", metavar="INDEX", help="索引文件夹 · folder of the index")
]


def add_vector_commands(app: Commands, some_failed: int) -> None:
    """Register the commands.

    Args:
        app: the command that they become subcommands of.
        some_failed: exit code when some recordings failed.
    """

    @app.command("index")
    @with_options
    def index_command(
        *,
        files: Annotated[
            list[str] | None,
            typer.Argument(help="文件、文件夹、列表、outputs/ · files, folders, lists, outputs/"),
        ] = None,
        to: Annotated[
            Path, typer.Option("--to", metavar="INDEX", help="索引文件夹 · folder of the index")
        ],
        segments: Annotated[
            bool, typer.Option("--segments", help="每段也有向量 · a vector per segment as well")
        ] = False,
        approximate: Annotated[
            SpaceName | None,
            typer.Option(
                "--approximate",
                help="为百万条以上建近似检索表 · tables for approximate search in millions",
            ),
        ] = None,
        options: ModelOptions,
    ) -> None:
        """建立或扩充索引 · Add recordings to an index of vectors."""
        from emoscope.cli.index import run_index
        from emoscope.cli.index_approximate import run_approximate
        from emoscope.optional import check_installed

        if not (files or approximate):
            raise SettingError("setting_invalid", setting="FILES", reason="FILES / --approximate")
        if approximate:
            check_installed("lancedb", extra="lancedb")
        settings = options.settings()
        counts = run_index(files, to, settings, segments=segments) if files else None
        if approximate:
            run_approximate(to, approximate, settings)
        if counts is not None and counts.failures:
            raise typer.Exit(some_failed)

    @app.command("search")
    @with_options
    def search_command(
        *,
        query: Annotated[
            str, typer.Argument(metavar="QUERY", help="录音或结果文件夹 · recording or run folder")
        ],
        index: FolderOption,
        count: Annotated[
            int, typer.Option("-k", min=1, max=10_000, help="几条 · how many at most")
        ] = 10,
        space: Annotated[
            SpaceName, typer.Option("--space", help="按什么比较 · what near means")
        ] = "emotion",
        segments: Annotated[
            bool, typer.Option("--segments", help="在分段中找 · look among segments")
        ] = False,
        approximate: Annotated[
            bool, typer.Option("--approximate", help="近似检索 · by the tables of index")
        ] = False,
        as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
        options: ModelOptions,
    ) -> None:
        """找相似的录音 · Find recordings of an index that are like this one."""
        from emoscope.cli.search import run_search

        run_search(
            query,
            index,
            options.settings(),
            count=count,
            space=space,
            segments=segments,
            approximate=approximate,
            as_json=as_json,
        )

    @app.command("cluster")
    def cluster_command(
        *,
        index: FolderOption,
        out: Annotated[
            Path, typer.Option("--out", "-o", help="写入的文件夹 · folder to write to")
        ] = Path("map"),
        clusters: Annotated[
            str, typer.Option("--clusters", metavar="auto|N", help="分几组 · how many groups")
        ] = "auto",
        method: Annotated[
            ClusterMethod, typer.Option("--method", help="方法 · how groups are made")
        ] = "kmeans",
        space: Annotated[
            SpaceName, typer.Option("--space", help="按什么比较 · what near means")
        ] = "emotion",
        lang: LanguageOption = None,
    ) -> None:
        """给录音分组并画地图 · Group the recordings of an index and draw a map."""
        from emoscope.cli.cluster import run_cluster
        from emoscope.settings import language_of, load_settings

        language = language_of(load_settings(language=lang).language)
        run_cluster(index, out, language, clusters=clusters, method=method, space=space)
