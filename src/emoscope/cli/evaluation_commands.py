"""Commands about figures: ``evaluate`` and ``compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emoscope.cli.arguments import Commands
from emoscope.cli.evaluation_options import DrawOptions, LabelOptions
from emoscope.cli.options import ModelOptions, with_options


def add_evaluation_commands(app: Commands, some_failed: int) -> None:
    """Register the commands.

    Args:
        app: the command that they become subcommands of.
        some_failed: exit code when some recordings failed.
    """

    @app.command("evaluate")
    @with_options
    def evaluate_command(
        *,
        listing: Annotated[
            Path,
            typer.Argument(
                metavar="LIST",
                help="列表：路径与标签 · CSV, TSV, JSONL or audformat of path and label",
            ),
        ],
        labels: LabelOptions,
        trained: Annotated[
            Path | None,
            typer.Option("--train", help="训练列表，查泄漏 · training list, to find leaks"),
        ] = None,
        json_path: Annotated[
            Path | None, typer.Option("--json", help="写 JSON · write JSON")
        ] = None,
        html_path: Annotated[
            Path | None, typer.Option("--html", help="写网页 · write HTML")
        ] = None,
        predictions: Annotated[
            Path | None,
            typer.Option(
                "--predictions",
                help="写每段的答案 · write each answer: .csv, .jsonl or .parquet",
            ),
        ] = None,
        head_name: Annotated[
            str | None,
            typer.Option("--head", help="评测一个分类头 · measure a head of own classes"),
        ] = None,
        drawing: DrawOptions,
        options: ModelOptions,
    ) -> None:
        """评测模型 · Measure a model on recordings whose emotion is known."""
        from emoscope.cli.evaluate import EvaluateRequest, run_evaluate

        settings = options.settings(heads=() if head_name is None else (head_name,))
        if head_name is not None:
            from emoscope.cli.head_show import run_evaluate_head
            from emoscope.models.head_folder import open_head

            opened = open_head(head_name)
            if opened.kind == "classes":
                if run_evaluate_head(listing, opened, settings, json_path=json_path):
                    raise typer.Exit(some_failed)
                return
        request = EvaluateRequest(
            listing,
            labels,
            trained,
            json_path,
            html_path,
            predictions,
            drawing.draws,
            drawing.seed,
        )
        if run_evaluate(request, settings):
            raise typer.Exit(some_failed)

    @app.command("compare")
    @with_options
    def compare_command(
        *,
        first: Annotated[
            str,
            typer.Argument(metavar="A", help="模型或预测文件 · a model, or a file of predictions"),
        ],
        second: Annotated[str, typer.Argument(metavar="B", help="另一个 · the other")],
        listing: Annotated[
            Path | None,
            typer.Option("--list", help="录音列表，比较模型时必需 · list; needed for models"),
        ] = None,
        labels: LabelOptions,
        json_path: Annotated[
            Path | None, typer.Option("--json", help="写 JSON · write JSON")
        ] = None,
        html_path: Annotated[
            Path | None, typer.Option("--html", help="写网页 · write HTML")
        ] = None,
        drawing: DrawOptions,
        options: ModelOptions,
    ) -> None:
        """比较两个模型或两份预测 · Compare two models or files of predictions on the same clips."""
        from emoscope.cli.compare import CompareRequest, run_compare

        request = CompareRequest(
            first, second, listing, labels, json_path, html_path, drawing.draws, drawing.seed
        )
        if run_compare(request, options.settings()):
            raise typer.Exit(some_failed)
