"""``emoscope head``: train, list, show and remove heads of one's own classes.

What can be typed is here; what it prints is in ``head_show``. Everything heavy is imported inside
the commands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emoscope.cli.arguments import Commands
from emoscope.cli.language import LanguageOption
from emoscope.cli.options import ModelOptions, with_options
from emoscope.errors import SettingError

head_app = Commands(
    help="自定义分类头：训练、列出、查看、删除 · Heads of own classes: train, list, show, remove.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

HeadArgument = Annotated[str, typer.Argument(metavar="NAME", help="名称 · name of the head")]
HeadJsonOption = Annotated[bool, typer.Option("--json", help="JSON")]
LeakIndexOption = Annotated[
    Path | None,
    typer.Option("--index", metavar="INDEX", help="与索引比对训练录音 · training clips in it"),
]


@head_app.command("train")
@with_options
def train_command(
    *,
    listing: Annotated[
        Path | None,
        typer.Argument(metavar="[LIST]", help="CSV：路径、标签、说话人 · path, label, speaker"),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="名称 · name of the head")],
    from_corrections: Annotated[
        Path | None,
        typer.Option("--from-corrections", help="学习修正 · corrections in this outputs folder"),
    ] = None,
    label_column: Annotated[
        str | None, typer.Option("--label-column", help="标签列 · column of the labels")
    ] = None,
    speaker_column: Annotated[
        str | None, typer.Option("--speaker-column", help="说话人列 · column of the speakers")
    ] = None,
    no_speakers: Annotated[
        bool,
        typer.Option("--no-speakers", help="说话人未知，成绩偏高 · not known; figures too good"),
    ] = False,
    licence: Annotated[
        str, typer.Option("--licence", help="数据许可 · licence of the data, for the card")
    ] = "",
    keep_anyway: Annotated[
        bool, typer.Option("--keep-anyway", help="不更好也保存 · also if it is not better")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="替换同名的 · take the place of one of this name")
    ] = False,
    index: LeakIndexOption = None,
    as_json: HeadJsonOption = False,
    options: ModelOptions,
) -> None:
    """用标注列表训练 · Train a head on a labelled list; it is kept only if it is better."""
    from emoscope.cli.head_show import HeadOrder, run_teach, run_train

    if (listing is None) == (from_corrections is None):
        raise SettingError(
            "setting_invalid", setting="LIST / --from-corrections", reason="one of the two"
        )
    if from_corrections is not None:
        order = HeadOrder(from_corrections, name, keep_anyway=keep_anyway, replace=replace)
        run_teach(order, options.settings(), as_json=as_json)
        return
    assert listing is not None  # noqa: S101 - one of the two
    order = HeadOrder(
        listing,
        name,
        label_column,
        speaker_column,
        not no_speakers,
        licence,
        keep_anyway,
        replace,
        index,
    )
    run_train(order, options.settings(), as_json=as_json)


@head_app.command("list")
def list_heads(as_json: HeadJsonOption = False, lang: LanguageOption = None) -> None:
    """列出 · List the heads, their classes and figures."""
    from emoscope.cli.head_show import run_list

    run_list(lang, as_json=as_json)


@head_app.command("show")
def show_head(
    name: HeadArgument,
    index: LeakIndexOption = None,
    as_json: HeadJsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """查看 · Show what a head was trained on, and its figures."""
    from emoscope.cli.head_show import run_show
    from emoscope.models.head_folder import open_head

    run_show(open_head(name), lang, index=index, as_json=as_json)


@head_app.command("remove")
def remove_head_command(name: HeadArgument, lang: LanguageOption = None) -> None:
    """删除 · Remove a head."""
    from emoscope.cli.head_show import told_removed
    from emoscope.models.head_folder import remove_head

    remove_head(name)
    typer.echo(told_removed(name, lang))
