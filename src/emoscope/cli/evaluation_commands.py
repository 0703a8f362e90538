"""Commands about figures: ``evaluate`` and ``compare``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emoscope.cli.arguments import Commands
from emoscope.cli.evaluation_options import DrawOptions, LabelOptions, TimelineOptions
from emoscope.cli.options import ModelOptions, with_options
from emoscope.errors import SettingError

if TYPE_CHECKING:
    from emoscope.settings import Settings


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
            Path | None,
            typer.Argument(
                metavar="LIST",
                help="列表：路径与标签 · CSV, TSV, JSONL or audformat of path and label",
                show_default=False,
            ),
        ] = None,
        check: Annotated[
            Path | None,
            typer.Option("--check", help="重做一份 JSON 报告 · make the figures of a report again"),
        ] = None,
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
        timeline: TimelineOptions,
        head_name: Annotated[
            str | None,
            typer.Option("--head", help="评测一个分类头 · measure a head of own classes"),
        ] = None,
        drawing: DrawOptions,
        options: ModelOptions,
    ) -> None:
        """评测模型 · Measure a model on recordings whose emotion is known."""
        from emoscope.cli.evaluate import EvaluateRequest, run_evaluate

        if (listing is None) == (check is None):
            raise SettingError("setting_invalid", setting="LIST / --check", reason="one of both")
        settings = options.settings(heads=() if head_name is None else (head_name,))
        reports = {"--train": trained, "--html": html_path, "--predictions": predictions}
        if listing is None:
            _refuse("--check", {**reports, "--json": json_path, "--head": head_name})
            is_complete = check is None or _is_reproduced(check, options)
        elif timeline.timeline:
            _refuse("--timeline", reports)
            from emoscope.cli.evaluate_timeline import run_evaluate_timeline

            is_complete = not run_evaluate_timeline(
                listing,
                labels,
                json_path,
                settings,
                tier=timeline.tier,
                draws=drawing.draws,
                seed=drawing.seed,
            )
        elif head_name is not None and _is_of_classes(head_name):
            is_complete = _is_head_measured(listing, head_name, settings, json_path)
        else:
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
            is_complete = not run_evaluate(request, settings)
        if not is_complete:
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


def _refuse(option: str, others: Mapping[str, object]) -> None:
    """Refuse options that another one leaves without effect.

    Raises:
        SettingError: one of them was given.
    """
    given = [name for name, value in others.items() if value is not None]
    if given:
        reason = f"without {', '.join(given)}"
        raise SettingError("setting_invalid", setting=option, reason=reason)


def _is_reproduced(report: Path, options: ModelOptions) -> bool:
    """Whether the figures of a report are the same when made again."""
    from emoscope.cli.evaluate_check import run_check

    return run_check(report, options.settings_of_report)


def _is_of_classes(head_name: str) -> bool:
    """Whether a head has classes of its own, which another command measures."""
    from emoscope.models.head_folder import open_head

    return open_head(head_name).kind == "classes"


def _is_head_measured(
    listing: Path, head_name: str, settings: Settings, json_path: Path | None
) -> bool:
    """Measure a head of own classes; whether every recording could be recognized."""
    from emoscope.cli.head_show import run_evaluate_head
    from emoscope.models.head_folder import open_head

    return not run_evaluate_head(listing, open_head(head_name), settings, json_path=json_path)
